//! Graphs, and what is searched in them by one thread: the measure of what devices find.

use crate::kernels::Random;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Neither a depth nor a distance: not reached.
pub const UNREACHED: u32 = u32::MAX;

/// A directed graph: the edges of vertex `v` are `offsets[v]..offsets[v + 1]`.
pub struct Graph {
    /// One more than there are vertices.
    pub offsets: Vec<u32>,
    /// The vertex that an edge leads to; ascending for each vertex.
    pub targets: Vec<u32>,
    /// The length of an edge, 1 to 255; the same both ways.
    pub weights: Vec<u32>,
}

/// A Kronecker graph of `2^scale` vertices and `degree` edges a vertex, with the initiator of the Graph 500 and GAP
/// benchmarks (0.57, 0.19, 0.19, 0.05; Beamer, Asanovic, Patterson, "The GAP Benchmark Suite", 2015): vertices in random
/// order, edges both ways, none twice, none from a vertex to itself.
pub fn kronecker(scale: u32, degree: u32) -> Graph {
    let mut random = Random::new();
    let vertices = 1u32 << scale;
    let mut names: Vec<u32> = (0..vertices).collect();
    for i in (1..names.len()).rev() {
        names.swap(i, random.below(i as u32 + 1) as usize);
    }
    // In 2^-32.
    let share = |percent: u64| (percent << 32) / 100;
    let (a, b, c) = (share(57), share(57 + 19), share(57 + 19 + 19));
    let edges = (0..vertices * degree).map(|_| {
        let (mut from, mut to) = (0, 0);
        for _ in 0..scale {
            let at = random.word() as u64;
            let (right, down) = ((a..b).contains(&at) || at >= c, at >= b);
            (from, to) = (from << 1 | down as u32, to << 1 | right as u32);
        }
        (names[from as usize], names[to as usize])
    });
    Graph::of(vertices, edges.collect())
}

/// A grid of squares whose corners are the vertices.
pub fn grid(width: u32, height: u32) -> Graph {
    let corner = |x: u32, y: u32| y * width + x;
    let all = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let right = all.clone().filter(|&(x, _)| x + 1 < width).map(|(x, y)| (corner(x, y), corner(x + 1, y)));
    let down = all.filter(|&(_, y)| y + 1 < height).map(|(x, y)| (corner(x, y), corner(x, y + 1)));
    Graph::of(width * height, right.chain(down).collect())
}

impl Graph {
    /// Of so many vertices, with these edges both ways.
    fn of(vertices: u32, edges: Vec<(u32, u32)>) -> Graph {
        let both = edges.into_iter().filter(|(a, b)| a != b).flat_map(|(a, b)| [(a, b), (b, a)]);
        let mut both: Vec<(u32, u32)> = both.collect();
        both.sort_unstable();
        both.dedup();
        let mut offsets = vec![0; vertices as usize + 1];
        for &(from, _) in &both {
            offsets[from as usize + 1] += 1;
        }
        for i in 1..offsets.len() {
            offsets[i] += offsets[i - 1];
        }
        let weights = both.iter().map(|&(a, b)| weight(a.min(b), a.max(b))).collect();
        Graph { offsets, targets: both.into_iter().map(|(_, to)| to).collect(), weights }
    }

    /// How many vertices there are.
    pub fn vertices(&self) -> u32 {
        self.offsets.len() as u32 - 1
    }

    /// The numbers of a vertex's edges.
    pub fn edges(&self, vertex: u32) -> std::ops::Range<usize> {
        self.offsets[vertex as usize] as usize..self.offsets[vertex as usize + 1] as usize
    }

    /// A vertex with many edges.
    pub fn hub(&self) -> u32 {
        (0..self.vertices()).max_by_key(|&v| self.edges(v).len()).unwrap_or(0)
    }

    /// Depths from a vertex, one vertex after the other.
    pub fn depths(&self, source: u32) -> Vec<u32> {
        let mut depths = vec![UNREACHED; self.vertices() as usize];
        depths[source as usize] = 0;
        let mut queue = VecDeque::from([source]);
        while let Some(vertex) = queue.pop_front() {
            for &to in &self.targets[self.edges(vertex)] {
                if depths[to as usize] == UNREACHED {
                    depths[to as usize] = depths[vertex as usize] + 1;
                    queue.push_back(to);
                }
            }
        }
        depths
    }

    /// Distances from a vertex, by Dijkstra's algorithm.
    pub fn distances(&self, source: u32) -> Vec<u32> {
        let mut distances = vec![UNREACHED; self.vertices() as usize];
        distances[source as usize] = 0;
        let mut heap = BinaryHeap::from([Reverse((0, source))]);
        while let Some(Reverse((distance, vertex))) = heap.pop() {
            if distance > distances[vertex as usize] {
                continue;
            }
            for edge in self.edges(vertex) {
                let (to, next) = (self.targets[edge], distance + self.weights[edge]);
                if next < distances[to as usize] {
                    distances[to as usize] = next;
                    heap.push(Reverse((next, to)));
                }
            }
        }
        distances
    }

    /// What the GAP benchmark asks of depths: the source has 0; every other vertex that is reached has a neighbor one less
    /// deep, and none two less; nothing that is not reached has a neighbor that is.
    ///
    /// # Errors
    /// The first vertex of which that is not so.
    pub fn check_depths(&self, source: u32, depths: &[u32]) -> Result<(), String> {
        for vertex in 0..self.vertices() {
            let depth = depths[vertex as usize];
            let nearest = self.targets[self.edges(vertex)].iter().map(|&to| depths[to as usize]).min();
            let wanted = match nearest {
                _ if vertex == source => 0,
                Some(nearest) => nearest.saturating_add(1),
                None => UNREACHED,
            };
            if depth != wanted {
                return Err(format!("vertex {vertex} is {depth} deep, its neighbors say {wanted}"));
            }
        }
        Ok(())
    }
}

/// The length of an edge: 1 to 255, from the words of both ends stirred (the factors are from Wang's and Murmur's hashes).
fn weight(a: u32, b: u32) -> u32 {
    let mixed = a.wrapping_mul(0x9e37_79b1) ^ b.wrapping_mul(0x85eb_ca77).rotate_left(13);
    let mixed = (mixed ^ mixed >> 15).wrapping_mul(0x2c1b_3c6d);
    (mixed >> 16) % 255 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_by_hand() {
        // 0 - 1 - 2, and 3 alone.
        let graph = Graph::of(4, vec![(1, 0), (1, 2), (2, 1), (2, 2)]);
        assert_eq!(graph.offsets, [0, 1, 3, 4, 4]);
        assert_eq!(graph.targets, [1, 0, 2, 1]);
        assert_eq!(graph.weights[0], graph.weights[1]);
        assert_eq!(graph.depths(0), [0, 1, 2, UNREACHED]);
        let [a, b] = [graph.weights[0], graph.weights[2]];
        assert_eq!(graph.distances(0), [0, a, a + b, UNREACHED]);
        assert!(graph.check_depths(0, &[0, 1, 2, UNREACHED]).is_ok());
        assert!(graph.check_depths(0, &[0, 1, 3, UNREACHED]).is_err());
        assert!(graph.check_depths(0, &[0, 1, 2, 7]).is_err());
    }

    #[test]
    fn a_grid_is_as_far_across_as_it_is_wide_and_high() {
        let graph = grid(7, 5);
        assert_eq!(graph.depths(0)[34], 6 + 4);
        assert_eq!(graph.targets.len(), 2 * (6 * 5 + 7 * 4));
    }

    #[test]
    fn kronecker_graphs_have_hubs() {
        let graph = kronecker(10, 16);
        assert_eq!(graph.vertices(), 1024);
        let most = graph.edges(graph.hub()).len();
        assert!(most > 200 && graph.targets.len() < 2 * 16 * 1024, "{most} {}", graph.targets.len());
    }
}
