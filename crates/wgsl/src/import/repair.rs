//! Takes back a `return` that naga's WGSL front end adds where a function with a result cannot end.
//!
//! It ends every function body in a `return`, also one whose last statement is a loop that only a `return` leaves, and
//! its validator then misses the value.

use naga::{Block, Module, Statement as S};

/// Removes unreachable returns without a value from functions with a result.
pub fn unreachable_returns(module: &mut Module) {
    for (_, function) in module.functions.iter_mut() {
        if function.result.is_some() {
            trim(&mut function.body);
        }
    }
}

/// The statements that naga looks at when it adds a return: the last one, and those that end inside it.
fn trim(block: &mut Block) {
    let n = block.len();
    if n >= 2 && matches!(block[n - 1], S::Return { value: None }) && !falls(&block[n - 2]) {
        block.cull(n - 1..);
    }
    match block.last_mut() {
        Some(S::Block(inner)) => trim(inner),
        Some(S::If { accept, reject, .. }) => {
            trim(accept);
            trim(reject);
        }
        Some(S::Switch { cases, .. }) => cases.iter_mut().for_each(|case| trim(&mut case.body)),
        _ => {}
    }
}

/// Whether what follows a statement may be reached.
fn falls(statement: &S) -> bool {
    let block = |block: &Block| block.iter().all(falls);
    match statement {
        S::Break | S::Continue | S::Return { .. } | S::Kill => false,
        S::Block(inner) => block(inner),
        S::If { accept, reject, .. } => block(accept) || block(reject),
        S::Switch { cases, .. } => {
            cases.iter().any(|c| breaks(&c.body) || (block(&c.body) && !c.fall_through))
        }
        S::Loop { body, break_if, .. } => break_if.is_some() || breaks(body),
        _ => true,
    }
}

/// Whether a block may break out of the loop or switch around it.
fn breaks(block: &Block) -> bool {
    block.iter().any(|statement| match statement {
        S::Break => true,
        S::Block(inner) => breaks(inner),
        S::If { accept, reject, .. } => breaks(accept) || breaks(reject),
        _ => false,
    })
}
