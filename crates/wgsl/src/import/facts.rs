//! What is known about functions before they are read: which jumps leave a block, what a loop assigns, which variables
//! are indexed dynamically, how large the call tree is.

use naga::{Block, Expression as E, Function, Handle, Module, Statement as S, SwitchValue, TypeInner};
use naga::{GlobalVariable, LocalVariable};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Jumps out of a block.
pub const BREAK: u8 = 1;
pub const CONTINUE: u8 = 2;
pub const RETURN: u8 = 4;

/// How a block ends.
#[derive(Copy, Clone, Default, Debug)]
pub struct Flow {
    /// The jumps out of it.
    pub jumps: u8,
    /// Whether its end may be reached.
    pub falls: bool,
}

/// A variable behind a pointer.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Root {
    Local(Handle<LocalVariable>),
    Global(Handle<GlobalVariable>),
    Argument(u32),
}

/// What is known about a function.
#[derive(Default)]
pub struct Facts {
    /// Blocks by address.
    pub flow: HashMap<*const Block, Flow>,
    /// The variables that a loop assigns, by the address of its body.
    pub assigned: HashMap<*const Block, Vec<Root>>,
    /// Expressions of a loop's body that its continuing part uses although a `continue` may skip them.
    pub skipped: HashSet<Handle<E>>,
    /// Arrays and matrices that are indexed dynamically behind a pointer.
    pub indexed: BTreeSet<Root>,
    /// Arrays by value that are indexed dynamically.
    pub tables: HashSet<Handle<E>>,
    /// What the function assigns of its arguments and of global variables.
    pub writes: BTreeSet<Root>,
    /// Expressions and statements of the whole call tree.
    pub size: u64,
    /// Calls from here to the deepest function.
    pub depth: u32,
}

/// The variable an access chain starts from.
pub fn root(f: &Function, mut pointer: Handle<E>) -> Option<Root> {
    loop {
        match f.expressions[pointer] {
            E::Access { base, .. } | E::AccessIndex { base, .. } => pointer = base,
            E::LocalVariable(local) => return Some(Root::Local(local)),
            E::GlobalVariable(global) => return Some(Root::Global(global)),
            E::FunctionArgument(index) => return Some(Root::Argument(index)),
            _ => return None,
        }
    }
}

/// Whether an expression is known before anything runs.
pub fn is_constant(f: &Function, e: Handle<E>) -> bool {
    matches!(f.expressions[e], E::Literal(_) | E::Constant(_) | E::ZeroValue(_))
}

/// The operands of an expression.
pub fn operands(e: &E, visit: &mut impl FnMut(Handle<E>)) {
    match *e {
        E::Compose { ref components, .. } => components.iter().for_each(|&c| visit(c)),
        E::Access { base, index } => {
            visit(base);
            visit(index);
        }
        E::AccessIndex { base, .. } => visit(base),
        E::Splat { value, .. } => visit(value),
        E::Swizzle { vector, .. } => visit(vector),
        E::Load { pointer } => visit(pointer),
        E::Unary { expr, .. } | E::As { expr, .. } | E::Derivative { expr, .. } => visit(expr),
        E::Binary { left, right, .. } => {
            visit(left);
            visit(right);
        }
        E::Select { condition, accept, reject } => {
            visit(condition);
            visit(accept);
            visit(reject);
        }
        E::Relational { argument, .. } => visit(argument),
        E::Math { arg, arg1, arg2, arg3, .. } => {
            visit(arg);
            [arg1, arg2, arg3].into_iter().flatten().for_each(visit);
        }
        E::ArrayLength(pointer) => visit(pointer),
        _ => {}
    }
}

impl Facts {
    /// The facts of a function whose callees' are known.
    pub fn of(module: &Module, info: &naga::valid::FunctionInfo, f: &Function, callees: &[Facts]) -> Facts {
        let mut scan = Scan { module, f, callees, facts: Facts::default(), loops: Vec::new() };
        scan.facts.size = f.expressions.len() as u64;
        scan.indexing(info);
        scan.block(&f.body);
        scan.facts
    }
}

struct Scan<'m> {
    module: &'m Module,
    f: &'m Function,
    callees: &'m [Facts],
    facts: Facts,
    /// What the loops around this place assign.
    loops: Vec<BTreeSet<Root>>,
}

impl Scan<'_> {
    /// Finds what is indexed by an expression that is not constant.
    fn indexing(&mut self, info: &naga::valid::FunctionInfo) {
        for (_, e) in self.f.expressions.iter() {
            let E::Access { base, index } = *e else { continue };
            if is_constant(self.f, index) {
                continue;
            }
            let types = &self.module.types;
            match *info[base].ty.inner_with(types) {
                TypeInner::Pointer { base: pointee, .. } => {
                    if let (TypeInner::Array { .. } | TypeInner::Matrix { .. }, Some(root)) =
                        (&types[pointee].inner, root(self.f, base))
                    {
                        self.facts.indexed.insert(root);
                    }
                }
                TypeInner::Array { .. } | TypeInner::Matrix { .. } => {
                    self.facts.tables.insert(base);
                }
                _ => {}
            }
        }
    }

    fn assigns(&mut self, root: Root) {
        if !matches!(root, Root::Local(_)) {
            self.facts.writes.insert(root);
        }
        if let Some(innermost) = self.loops.last_mut() {
            innermost.insert(root);
        }
    }

    fn block(&mut self, block: &Block) -> Flow {
        let mut flow = Flow { jumps: 0, falls: true };
        for statement in block.iter() {
            self.facts.size = self.facts.size.saturating_add(1);
            let this = self.statement(statement);
            // What follows a jump is never reached.
            if flow.falls {
                flow.jumps |= this.jumps;
                flow.falls = this.falls;
            }
        }
        self.facts.flow.insert(block, flow);
        flow
    }

    fn statement(&mut self, statement: &S) -> Flow {
        let falls = Flow { jumps: 0, falls: true };
        let jump = |jumps| Flow { jumps, falls: false };
        match *statement {
            S::Break => jump(BREAK),
            S::Continue => jump(CONTINUE),
            S::Return { .. } | S::Kill => jump(RETURN),
            S::Block(ref inner) => self.block(inner),
            S::If { ref accept, ref reject, .. } => {
                let (a, b) = (self.block(accept), self.block(reject));
                Flow { jumps: a.jumps | b.jumps, falls: a.falls || b.falls }
            }
            S::Switch { ref cases, .. } => {
                let mut all = Flow::default();
                for case in cases {
                    let flow = self.block(&case.body);
                    all.jumps |= flow.jumps;
                    all.falls |= flow.falls && !case.fall_through;
                }
                Flow { jumps: all.jumps & !BREAK, falls: all.falls || all.jumps & BREAK != 0 }
            }
            S::Loop { ref body, ref continuing, break_if } => {
                self.loops.push(BTreeSet::new());
                let flow = self.block(body);
                self.block(continuing);
                let assigned = self.loops.pop().expect("pushed above");
                if let Some(outer) = self.loops.last_mut() {
                    outer.extend(&assigned);
                }
                self.facts.assigned.insert(body, assigned.into_iter().collect());
                if flow.jumps & CONTINUE != 0 {
                    self.uses_after_continue(continuing, break_if);
                }
                let left = flow.jumps & BREAK != 0 || break_if.is_some();
                Flow { jumps: flow.jumps & RETURN, falls: left }
            }
            S::Store { pointer, .. } => {
                if let Some(root) = root(self.f, pointer) {
                    self.assigns(root);
                }
                falls
            }
            S::Call { function, ref arguments, .. } => {
                self.call(function, arguments);
                falls
            }
            _ => falls,
        }
    }

    fn call(&mut self, function: Handle<Function>, arguments: &[Handle<E>]) {
        let callee = &self.callees[function.index()];
        self.facts.size = self.facts.size.saturating_add(callee.size);
        self.facts.depth = self.facts.depth.max(callee.depth + 1);
        let here = |f: &Function, r: &Root| match *r {
            Root::Argument(index) => root(f, arguments[index as usize]),
            other => Some(other),
        };
        let written: Vec<Root> = callee.writes.iter().filter_map(|r| here(self.f, r)).collect();
        self.facts.indexed.extend(
            callee.indexed.iter().filter(|r| !matches!(r, Root::Local(_))).filter_map(|r| here(self.f, r)),
        );
        for root in written {
            self.assigns(root);
        }
    }

    /// The expressions that a continuing block takes from the body.
    fn uses_after_continue(&mut self, continuing: &Block, break_if: Option<Handle<E>>) {
        let mut used: Vec<Handle<E>> = break_if.into_iter().collect();
        used_in(self.f, continuing, &mut used);
        let mut seen = HashSet::new();
        while let Some(e) = used.pop() {
            // Pointers are followed to the indices they were made from.
            if seen.insert(e) {
                self.facts.skipped.insert(e);
                if matches!(self.f.expressions[e], E::Access { .. } | E::AccessIndex { .. }) {
                    operands(&self.f.expressions[e], &mut |o| used.push(o));
                }
            }
        }
    }
}

/// Every expression that a block's statements name, also those it computes itself.
fn used_in(f: &Function, block: &Block, used: &mut Vec<Handle<E>>) {
    for statement in block.iter() {
        match *statement {
            S::Emit(ref range) => {
                for e in range.clone() {
                    operands(&f.expressions[e], &mut |o| used.push(o));
                }
            }
            S::Block(ref inner) => used_in(f, inner, used),
            S::If { condition, ref accept, ref reject } => {
                used.push(condition);
                used_in(f, accept, used);
                used_in(f, reject, used);
            }
            S::Switch { selector, ref cases } => {
                used.push(selector);
                cases.iter().for_each(|c| used_in(f, &c.body, used));
            }
            S::Loop { ref body, ref continuing, break_if } => {
                used.extend(break_if);
                used_in(f, body, used);
                used_in(f, continuing, used);
            }
            S::Store { pointer, value } => used.extend([pointer, value]),
            S::Return { value } => used.extend(value),
            S::Call { ref arguments, .. } => used.extend(arguments),
            S::Atomic { pointer, fun, value, .. } => {
                used.extend([pointer, value]);
                if let naga::AtomicFunction::Exchange { compare } = fun {
                    used.extend(compare);
                }
            }
            S::WorkGroupUniformLoad { pointer, .. } => used.push(pointer),
            S::SubgroupBallot { predicate, .. } => used.extend(predicate),
            S::SubgroupCollectiveOperation { argument, .. } => used.push(argument),
            S::SubgroupGather { ref mode, argument, .. } => {
                use naga::GatherMode as G;
                used.push(argument);
                if let G::Broadcast(i)
                | G::Shuffle(i)
                | G::ShuffleDown(i)
                | G::ShuffleUp(i)
                | G::ShuffleXor(i)
                | G::QuadBroadcast(i) = *mode
                {
                    used.push(i);
                }
            }
            _ => {}
        }
    }
}

/// The bits of a case's value; none for the default.
pub fn case_bits(value: SwitchValue) -> Option<u64> {
    match value {
        SwitchValue::I32(x) => Some(x as u32 as u64),
        SwitchValue::U32(x) => Some(x as u64),
        SwitchValue::Default => None,
    }
}
