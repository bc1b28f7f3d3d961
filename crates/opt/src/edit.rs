//! Changing a program in place, in one walk in program order: the tool of passes that replace values by other
//! values, drop instructions, move them, or put a region in the place of its branch.
//!
//! When an instruction is visited its operands are already replaced. A replacement must be visible wherever
//! the replaced value is, and final: definitions come before uses, so one look at the table is enough.
//! Instructions that are dropped stay in the arena; [`mod@crate::compact`] leaves them behind.

use smallvec::SmallVec;
use vyre_ir::program::splat_bits;
use vyre_ir::{
    Attr, Def, Entity, Inst, InstData, Loc, Op, Program, Region, SideTable, Type, Value, ValueData,
};

/// What becomes of a visited instruction.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// It stays; its regions are visited next.
    Keep,
    /// It is left out: its results are replaced, or it was put elsewhere.
    Drop,
    /// The instructions of this region of it take its place, and what the region yields, without the first
    /// `skip` values, that of its results. The region's parameters are replaced already.
    Inline(Region, usize),
}

/// A pass that works in place.
pub trait Edit {
    /// Sees an instruction before its regions are visited.
    fn before(&mut self, e: &mut Editor<'_>, inst: Inst) -> Step;
    /// Sees an instruction whose regions were visited.
    fn after(&mut self, _: &mut Editor<'_>, _: Inst) -> Step {
        Step::Keep
    }
    /// A region of an instruction that stays begins.
    fn enter(&mut self, _: &mut Editor<'_>, _: Region) {}
    /// It ends.
    fn leave(&mut self, _: &mut Editor<'_>, _: Region) {}
}

/// The state of a walk.
pub struct Editor<'p> {
    /// The program. The lists of the regions being visited are in `lists`.
    pub p: &'p mut Program,
    /// The new instruction lists of the regions being visited, outermost first.
    pub lists: Vec<Vec<Inst>>,
    /// Whether anything was changed.
    pub changed: bool,
    alias: SideTable<Value, Option<Value>>,
}

/// Walks the program; whether anything was changed.
pub fn edit(p: &mut Program, pass: &mut impl Edit) -> bool {
    let body = p.body;
    let mut e = Editor { p, lists: Vec::new(), changed: false, alias: SideTable::new(None) };
    e.region(body, pass);
    e.changed
}

impl Editor<'_> {
    /// What stands for a value.
    pub fn resolve(&self, value: Value) -> Value {
        self.alias[value].unwrap_or(value)
    }

    /// Replaces a value from here on.
    pub fn alias(&mut self, old: Value, new: Value) {
        debug_assert_eq!(self.p.ty(old), self.p.ty(new));
        debug_assert!(self.alias[new].is_none(), "a replacement is final");
        self.alias[old] = Some(new);
        self.changed = true;
    }

    /// Replaces the only result of an instruction, which is left out.
    pub fn becomes(&mut self, inst: Inst, value: Value) -> Step {
        let result = self.p.insts[inst].results[0];
        self.alias(result, value);
        Step::Drop
    }

    /// Makes an instruction without regions, and not the end of one, another one with the same result.
    pub fn set(&mut self, inst: Inst, op: Op, attr: Attr, args: &[Value]) {
        let data = &mut self.p.insts[inst];
        data.op = op;
        data.attr = attr;
        data.args = SmallVec::from_slice(args);
        self.changed = true;
    }

    /// Makes an instruction the constant of these bits.
    pub fn set_bits(&mut self, inst: Inst, bits: [u64; 4]) {
        self.set(inst, Op::Const, Attr::Bits(bits), &[]);
    }

    /// Adds an instruction of one result here.
    pub fn make(&mut self, op: Op, attr: Attr, args: &[Value], ty: Type, loc: Loc) -> Value {
        let result = self.p.values.push(ValueData { ty, def: Def::Result(Inst::new(self.p.insts.len())) });
        let inst = self.p.insts.push(InstData {
            op,
            attr,
            args: SmallVec::from_slice(args),
            results: SmallVec::from_slice(&[result]),
            regions: SmallVec::new(),
            loc,
        });
        self.place(inst);
        self.changed = true;
        result
    }

    /// Adds a constant here, the same in every lane.
    pub fn splat(&mut self, ty: Type, bits: u64, loc: Loc) -> Value {
        self.make(Op::Const, Attr::Bits(splat_bits(ty, bits)), &[], ty, loc)
    }

    /// Puts an instruction at the end of the innermost list.
    pub fn place(&mut self, inst: Inst) {
        self.lists.last_mut().expect("the body's list is never popped").push(inst);
    }

    /// What a region yields, replaced as far as known; its own values only once it was visited.
    pub fn yielded(&self, region: Region) -> SmallVec<[Value; 4]> {
        self.p.yielded(region).iter().map(|&v| self.resolve(v)).collect()
    }

    fn region(&mut self, region: Region, pass: &mut impl Edit) {
        let insts = std::mem::take(&mut self.p.regions[region].insts);
        self.lists.push(Vec::with_capacity(insts.len()));
        pass.enter(self, region);
        for &inst in &insts {
            self.inst(inst, pass);
        }
        pass.leave(self, region);
        self.p.regions[region].insts = self.lists.pop().expect("pushed above");
    }

    fn inst(&mut self, inst: Inst, pass: &mut impl Edit) {
        for arg in &mut self.p.insts[inst].args {
            if let Some(new) = self.alias[*arg] {
                *arg = new;
            }
        }
        match pass.before(self, inst) {
            Step::Keep => (),
            Step::Drop => return self.changed = true,
            Step::Inline(region, skip) => return self.inline(inst, region, skip, pass),
        }
        for i in 0..self.p.insts[inst].regions.len() {
            self.region(self.p.insts[inst].regions[i], pass);
        }
        if self.p.insts[inst].regions.is_empty() {
            return self.place(inst);
        }
        match pass.after(self, inst) {
            Step::Keep => self.place(inst),
            Step::Drop => self.changed = true,
            Step::Inline(..) => unreachable!("a region is inlined before it is visited"),
        }
    }

    fn inline(&mut self, inst: Inst, region: Region, skip: usize, pass: &mut impl Edit) {
        let mut insts = std::mem::take(&mut self.p.regions[region].insts);
        let end = insts.pop().expect("a region ends in a yield");
        for &inner in &insts {
            self.inst(inner, pass);
        }
        self.changed = true;
        for i in 0..self.p.insts[inst].results.len() {
            let value = self.resolve(self.p.insts[end].args[skip + i]);
            self.alias(self.p.insts[inst].results[i], value);
        }
    }
}
