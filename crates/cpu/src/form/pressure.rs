//! How many registers a gang would like to have, and how wide gangs are for that.
//!
//! What counts is loops, where time goes: the most varying variables that are alive at once in one of them, in
//! multiples of 32 bits. A variable is alive from where it is set to its last use, and all around a loop that uses it
//! and is around neither.

use super::{Exit, Form, Loop, Space, Stmt, Var};
use rustc_hash::FxHashSet;

/// Words up to which four vectors for each pay, though there are only 16 registers: what is spilled is read again while
/// other vectors are computed. Of the programs in `examples` and the kernels of `vyre bench`, those with 2 to 11 words
/// take 0.5 to 1.0 of the time that they take with two vectors, those with 14 and 36 words 1.15 and 1.2.
const FEW: usize = 12;

/// The most varying words that are alive at once in a loop; in the whole form if it has none.
pub(crate) fn pressure(form: &Form) -> usize {
    let mut scan = Scan { form, live: FxHashSet::default(), words: 0, depth: 0, most: [0; 2] };
    scan.block(&form.body);
    let [outside, inside] = scan.most;
    if inside > 0 { inside } else { outside }
}

/// The widest gangs that pay with a number of words for each lane.
pub(crate) fn widest(words: usize) -> u32 {
    if words <= FEW { 16 } else { 8 }
}

struct Scan<'a> {
    form: &'a Form,
    /// What is alive where the scan is, which goes backward.
    live: FxHashSet<Var>,
    /// Words of it.
    words: usize,
    /// Loops around, that over the gangs not counted.
    depth: usize,
    /// The most words outside and inside of loops.
    most: [usize; 2],
}

impl Scan<'_> {
    fn words_of(&self, var: Var) -> usize {
        let ty = self.form.ty(var);
        if ty.varying { ty.scalar.bytes().div_ceil(4) as usize } else { 0 }
    }

    fn born(&mut self, var: Var) {
        if self.live.remove(&var) {
            self.words -= self.words_of(var);
        }
    }

    fn used(&mut self, var: Var) {
        if self.words_of(var) > 0 && self.live.insert(var) {
            self.words += self.words_of(var);
            let place = &mut self.most[(self.depth > 1) as usize];
            *place = (*place).max(self.words);
        }
    }

    fn block(&mut self, block: &[Stmt]) {
        for stmt in block.iter().rev() {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Branch { sides, outs, .. } => {
                outs.iter().for_each(|&var| self.born(var));
                let after = self.live.clone();
                let mut before = FxHashSet::default();
                for side in sides {
                    self.set(after.clone());
                    side.yields.iter().for_each(|&var| self.used(var));
                    self.block(&side.body);
                    before.extend(self.live.iter().copied());
                }
                self.set(before);
            }
            Stmt::Loop(turns) => self.turns(turns),
            _ => {
                stmt.each_out(&mut |var| self.born(var));
                stmt.each_operand(&mut |var| self.used(var));
            }
        }
    }

    fn set(&mut self, live: FxHashSet<Var>) {
        self.words = live.iter().map(|&var| self.words_of(var)).sum();
        self.live = live;
    }

    fn turns(&mut self, turns: &Loop) {
        self.depth += 1;
        let (mut set, mut used) = (FxHashSet::default(), FxHashSet::default());
        set.extend(turns.params.iter().copied());
        walk(&turns.body, &mut |stmt| {
            stmt.each_out(&mut |var| _ = set.insert(var));
            stmt.each_operand(&mut |var| _ = used.insert(var));
        });
        if let Exit::Masked { active, first, again, kept, .. } = &turns.exit {
            set.insert(*active);
            kept.iter().for_each(|kept| self.used(kept.out));
            [Some(*active), *first, Some(*again)].into_iter().flatten().for_each(|var| self.used(var));
        }
        // What comes from outside is needed in every turn.
        used.difference(&set).for_each(|&var| self.used(var));
        turns.next.iter().for_each(|&var| self.used(var));
        self.block(&turns.body);
        turns.params.iter().for_each(|&var| self.born(var));
        if let Exit::Masked { active, kept, .. } = &turns.exit {
            self.born(*active);
            kept.iter().for_each(|kept| self.born(kept.out));
        }
        self.depth -= 1;
        turns.init.iter().for_each(|&var| self.used(var));
    }
}

/// Visits statements and those inside them.
fn walk<'a>(block: &'a [Stmt], visit: &mut impl FnMut(&'a Stmt)) {
    for stmt in block {
        visit(stmt);
        match stmt {
            Stmt::Branch { sides, .. } => sides.iter().for_each(|side| walk(&side.body, visit)),
            Stmt::Loop(turns) => walk(&turns.body, visit),
            _ => {}
        }
    }
}

impl Stmt {
    /// The variables that a statement sets, without those of blocks in it.
    fn each_out(&self, visit: &mut impl FnMut(Var)) {
        match self {
            Stmt::Const { out, .. }
            | Stmt::Workgroup { out, .. }
            | Stmt::Workgroups { out, .. }
            | Stmt::Length { out, .. }
            | Stmt::Ramp { out, .. }
            | Stmt::Compute { out, .. }
            | Stmt::Any { out, .. }
            | Stmt::Meet { out, .. }
            | Stmt::Kept { out, .. }
            | Stmt::Intrinsic { out, .. } => visit(*out),
            Stmt::Load { outs, .. } | Stmt::Atomic { outs, .. } | Stmt::Subgroup { outs, .. } => {
                outs.iter().for_each(|&out| visit(out));
            }
            Stmt::Branch { outs, .. } => outs.iter().for_each(|&out| visit(out)),
            Stmt::Loop(turns) => {
                turns.params.iter().for_each(|&param| visit(param));
                if let Exit::Masked { active, kept, .. } = &turns.exit {
                    visit(*active);
                    kept.iter().for_each(|kept| visit(kept.out));
                }
            }
            Stmt::Store { .. } | Stmt::Zero { .. } | Stmt::Keep { .. } | Stmt::Invocation { .. } => {}
        }
    }

    /// The variables that a statement needs, without those that only blocks in it do.
    fn each_operand(&self, visit: &mut impl FnMut(Var)) {
        match self {
            Stmt::Ramp { base, .. } => visit(*base),
            Stmt::Compute { args, .. } => args.iter().for_each(|&arg| visit(arg)),
            Stmt::Any { mask, .. } => visit(*mask),
            Stmt::Meet { value, .. } => visit(*value),
            Stmt::Kept { at, .. } => visit(*at),
            Stmt::Keep { value, at, .. } => [*value, *at].into_iter().for_each(visit),
            Stmt::Subgroup { args, mask, .. } | Stmt::Intrinsic { args, mask, .. } => {
                args.iter().chain(mask).for_each(|&arg| visit(arg));
            }
            Stmt::Load { place, .. } => place.each_operand(visit),
            Stmt::Store { values, place } => {
                values.iter().for_each(|&value| visit(value));
                place.each_operand(visit);
            }
            Stmt::Atomic { operands, place, .. } => {
                operands.iter().for_each(|&operand| visit(operand));
                place.each_operand(visit);
            }
            Stmt::Branch { on, sides, .. } => {
                let (super::On::If(var) | super::On::Switch(var, _)) = on;
                visit(*var);
                sides.iter().flat_map(|side| &side.yields).for_each(|&var| visit(var));
            }
            Stmt::Loop(turns) => {
                turns.init.iter().chain(&turns.next).for_each(|&var| visit(var));
                match &turns.exit {
                    Exit::While(again) => visit(*again),
                    Exit::Masked { first, again, together, kept, .. } => {
                        first.iter().chain(together).for_each(|&var| visit(var));
                        visit(*again);
                        kept.iter().for_each(|kept| visit(kept.last));
                    }
                }
            }
            Stmt::Invocation { local } => local.iter().for_each(|&var| visit(var)),
            Stmt::Const { .. }
            | Stmt::Workgroup { .. }
            | Stmt::Workgroups { .. }
            | Stmt::Length { .. }
            | Stmt::Zero { .. } => {}
        }
    }
}

impl super::Place {
    fn each_operand(&self, visit: &mut impl FnMut(Var)) {
        visit(self.index);
        self.mask.iter().for_each(|&mask| visit(mask));
        if let Space::Private(super::Private { at: Some(at), .. }) = self.memory {
            visit(at);
        }
    }
}
