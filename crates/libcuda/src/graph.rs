//! Graphs: pieces of work that wait for others, and orders in which they can be done.

use crate::codes::{Code, INVALID_VALUE};
use crate::operation::Operation;
use crate::random::Random;
use crate::table::{Handle, fresh};

/// A piece of work in a graph.
#[derive(Clone)]
struct Node {
    number: usize,
    operation: Operation,
    /// The indices of the nodes before it.
    after: Vec<usize>,
}

/// A graph.
#[derive(Clone, Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
}

impl Graph {
    /// A new node, after others of this graph.
    pub fn add(&mut self, operation: Operation, after: &[Handle]) -> Result<Handle, Code> {
        let after: Result<Vec<usize>, Code> = after.iter().map(|node| self.index(*node)).collect();
        let number = fresh();
        self.nodes.push(Node { number, operation, after: after? });
        Ok(number as Handle)
    }

    fn index(&self, node: Handle) -> Result<usize, Code> {
        self.nodes.iter().position(|other| other.number == node as usize).ok_or(INVALID_VALUE)
    }

    /// What a node does.
    pub fn operation(&mut self, node: Handle) -> Result<&mut Operation, Code> {
        let index = self.index(node)?;
        Ok(&mut self.nodes[index].operation)
    }

    /// All that is to be done, in an order that keeps what must be, and is otherwise any.
    pub fn order(&self, random: &mut Random) -> Vec<Operation> {
        let (mut done, mut order) = (vec![false; self.nodes.len()], Vec::new());
        while order.len() < self.nodes.len() {
            let ready =
                |index: &usize| !done[*index] && self.nodes[*index].after.iter().all(|before| done[*before]);
            let ready: Vec<usize> = (0..self.nodes.len()).filter(ready).collect();
            // A node comes after those that it waits for, so one is always ready.
            let next = ready[random.below(ready.len())];
            done[next] = true;
            order.push(self.nodes[next].operation.clone());
        }
        order
    }
}
