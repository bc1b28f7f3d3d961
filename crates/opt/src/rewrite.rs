//! Copying a program instruction by instruction with replacements: the tool of passes that put several
//! instructions in place of one.
//!
//! The copy's ids are in program order and its arenas hold nothing that does not run. Recursion is as deep as
//! regions are nested, which the program's readers bound.

use smallvec::SmallVec;
use vyre_ir::{Builder, Inst, Op, Program, Region, SideTable, Type, Value};

/// Values that take the place of an instruction's results.
pub type Values = SmallVec<[Value; 4]>;

/// What to put in the place of instructions.
pub trait Replace {
    /// The values that take the place of the results of `inst` (of the program being copied), or `None` for a
    /// copy of it. The operands `args` are of the copy already. New instructions go to `copy.b`, whose
    /// location is that of `inst`.
    fn replace(&mut self, copy: &mut Copier<'_>, inst: Inst, args: &[Value]) -> Option<Values>;
}

impl<F: FnMut(&mut Copier<'_>, Inst, &[Value]) -> Option<Values>> Replace for F {
    fn replace(&mut self, copy: &mut Copier<'_>, inst: Inst, args: &[Value]) -> Option<Values> {
        self(copy, inst, args)
    }
}

/// A copy in the making.
pub struct Copier<'p> {
    /// The program that is copied.
    pub from: &'p Program,
    /// The copy.
    pub b: Builder,
    map: SideTable<Value, Option<Value>>,
}

/// Copies a program.
pub fn rewrite(p: &Program, replace: &mut impl Replace) -> Program {
    let mut copy = Copier::new(p, Builder::like(p));
    copy.insts(&p.regions[p.body].insts, replace);
    copy.b.p
}

impl<'p> Copier<'p> {
    /// Nothing yet of a program, to be copied to where `b` is.
    pub fn new(from: &'p Program, b: Builder) -> Copier<'p> {
        Copier { from, b, map: SideTable::new(None) }
    }

    /// What stands for a value of the original in the copy.
    ///
    /// # Panics
    /// When the value's definition was not copied yet.
    pub fn get(&self, old: Value) -> Value {
        self.map[old].unwrap_or_else(|| panic!("{old} is used before it is defined"))
    }

    /// What stands for a value of the original in the copy, if anything does.
    pub fn find(&self, old: Value) -> Option<Value> {
        self.map[old]
    }

    /// Lets nothing stand for a value any more.
    pub fn forget(&mut self, old: Value) {
        self.map[old] = None;
    }

    /// Lets `new` stand for `old`.
    pub fn set(&mut self, old: Value, new: Value) {
        self.map[old] = Some(new);
    }

    /// Copies instructions to the innermost open region of the copy.
    pub fn insts(&mut self, insts: &[Inst], replace: &mut impl Replace) {
        for &inst in insts {
            self.inst(inst, replace);
        }
    }

    fn inst(&mut self, inst: Inst, replace: &mut impl Replace) {
        let from = self.from;
        let data = &from.insts[inst];
        let args: SmallVec<[Value; 4]> = data.args.iter().map(|&v| self.get(v)).collect();
        self.b.loc = data.loc;
        if let Some(values) = replace.replace(self, inst, &args) {
            assert_eq!(values.len(), data.results.len(), "`{}` is replaced by other results", data.op.name());
            for (&old, new) in data.results.iter().zip(values) {
                self.set(old, new);
            }
            return;
        }
        let regions: SmallVec<[Region; 2]> =
            data.regions.iter().map(|&region| self.region(region, replace)).collect();
        let types: SmallVec<[Type; 4]> = data.results.iter().map(|&v| from.ty(v)).collect();
        self.b.loc = data.loc;
        let new = self.b.insert(data.op, data.attr.clone(), &args, &types, regions);
        for (i, &old) in data.results.iter().enumerate() {
            self.map[old] = Some(self.b.p.insts[new].results[i]);
        }
    }

    /// Copies a region.
    pub fn region(&mut self, region: Region, replace: &mut impl Replace) -> Region {
        let from = self.from;
        let data = &from.regions[region];
        let types: SmallVec<[Type; 4]> = data.params.iter().map(|&v| from.ty(v)).collect();
        let new = self.b.open(&types);
        for (i, &old) in data.params.iter().enumerate() {
            self.map[old] = Some(self.b.p.regions[new].params[i]);
        }
        self.b.enter(new);
        self.b.p.regions[new].insts.reserve(data.insts.len());
        self.insts(&data.insts, replace);
        self.b.leave();
        new
    }

    /// The instructions of a region of the original without its yield, and what that yields.
    pub fn split(&self, region: Region) -> (&[Inst], &[Value]) {
        let insts = &self.from.regions[region].insts;
        let (last, rest) = insts.split_last().expect("a region ends in a yield");
        debug_assert_eq!(self.from.insts[*last].op, Op::Yield);
        (rest, &self.from.insts[*last].args)
    }
}
