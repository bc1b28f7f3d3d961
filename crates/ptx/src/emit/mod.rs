//! A program's instructions as those of PTX.
//!
//! Each scalar value of the program has one register, or is a number that instructions take as it is; vectors exist as
//! their lanes. Registers are assigned again only where control flow meets: see [`control`]. Whatever else could be
//! said better (which register, in which order, fused with what) is left to ptxas, which does that anyway.
//!
//! Every rounding is said (`.rn`): ptxas fuses a product and a sum whose roundings are not.

mod address;
mod arithmetic;
mod atomic;
mod call;
pub(crate) mod code;
mod control;
mod convert;
mod integer;
mod memory;
mod narrow;
mod neighbors;
pub(crate) mod position;
mod subgroup;
mod sync;

pub(crate) use call::text_of;

use crate::Options;
use crate::alignment::{self, Alignment};
use crate::capability::{self, Form};
use crate::kernel::Param;
use crate::layout::Layout;
use crate::lines::Lines;
use crate::needs::Needs;
use code::{Class, Code, Operand};
use position::Fixed;
use smallvec::{SmallVec, smallvec};
use std::collections::HashMap;
use vyre_ir::uniform::{Scope, Uniformity, analyze};
use vyre_ir::{Attr, Effect, Inst, InstData, Loc, Op, Program, Region, Rule, SideTable, Value};
use vyre_opt::analysis::{Fit, Ranges, ranges};

/// The lanes of a value.
type Lanes = SmallVec<[Operand; 4]>;

/// What is known of a program before it is written.
pub(crate) struct Known<'p> {
    needs: &'p Needs,
    layout: &'p Layout,
    lines: Option<&'p Lines<'p>>,
    ranges: Ranges,
    alignment: Alignment,
    /// What is the same for the invocations of a workgroup, and so for those of a subgroup.
    uniform: Uniformity,
}

impl<'p> Known<'p> {
    pub fn of(p: &Program, needs: &'p Needs, layout: &'p Layout, lines: Option<&'p Lines<'p>>) -> Known<'p> {
        let uniform = analyze(p, Scope::Workgroup);
        Known { needs, layout, lines, ranges: ranges(p), alignment: alignment::of(p), uniform }
    }

    /// Whether an access is in bounds if buffers fit.
    pub fn fits(&self, p: &Program) -> bool {
        p.insts.keys().any(|inst| self.ranges.fit(inst).is_some())
    }
}

/// What a kernel's body takes to be written.
pub(crate) struct Emitter<'p> {
    p: &'p Program,
    options: Options,
    code: Code,
    known: &'p Known<'p>,
    /// What is relied on, if anything can be.
    fits: Option<Vec<Fit>>,
    values: SideTable<Value, Lanes>,
    /// What the prologue has computed.
    fixed: HashMap<Fixed, Operand>,
    params: Vec<Param>,
    /// Accesses that are done together, for each of them that is yet to come.
    groups: HashMap<Inst, neighbors::Group>,
    /// Pointers that loops move.
    pointers: HashMap<address::Pointer, code::Reg>,
    /// The lanes of the subgroup that run the region, as bits. Only in regions where they have to know of each other.
    active: Operand,
    /// Which of the two words for the grid's first invocation is next, as a distance in bytes.
    turn: Option<code::Reg>,
    /// The line that the last `.loc` said.
    said: Option<(usize, usize)>,
}

/// The instructions of a kernel.
pub(crate) struct Body {
    pub text: String,
    /// What it is given.
    pub params: Vec<Param>,
    /// What it relies on.
    pub fits: Vec<Fit>,
}

/// The instructions of a kernel that is given this and what it needs beside it, and relies on buffers that fit or not.
pub(crate) fn body(
    p: &Program,
    options: &Options,
    known: &Known<'_>,
    params: Vec<Param>,
    relies: bool,
) -> Body {
    let mut emitter = Emitter {
        p,
        options: *options,
        code: Code::default(),
        known,
        fits: relies.then(Vec::new),
        values: SideTable::new(Lanes::new()),
        fixed: HashMap::new(),
        params,
        groups: HashMap::new(),
        pointers: HashMap::new(),
        active: Operand::word(u32::MAX),
        turn: None,
        said: None,
    };
    emitter.begin();
    emitter.region(p.body);
    emitter.code.line(format_args!("ret"));
    let fits = emitter.fits.unwrap_or_default();
    Body { text: emitter.code.finish(), params: emitter.params, fits }
}

impl Emitter<'_> {
    /// What comes before the program.
    fn begin(&mut self) {
        self.leave_unless_wanted();
        if self.known.needs.meets[self.p.body] {
            self.active = self.all_lanes();
        }
        if self.known.needs.tells {
            let turn = self.code.reg(Class::Word);
            self.code.mov(turn, Operand::word(0));
            self.turn = Some(turn);
        }
        self.clear_memory();
    }

    fn region(&mut self, region: Region) {
        let p = self.p;
        self.find_neighbors(region);
        for &inst in &p.regions[region].insts {
            self.inst(inst);
        }
    }

    /// Says where the next instructions come from.
    fn locate(&mut self, loc: Loc) {
        let Some(place) = self.known.lines.and_then(|lines| lines.place(loc)) else { return };
        if self.said != Some(place) {
            self.said = Some(place);
            self.code.remark(format_args!(".loc 1 {} {}", place.0, place.1));
        }
    }

    fn inst(&mut self, inst: Inst) {
        let p = self.p;
        let data = &p.insts[inst];
        if is_dead(data, self.known.needs) {
            return;
        }
        if !matches!(data.op, Op::Const | Op::Compose | Op::Extract | Op::Yield) {
            self.locate(data.loc);
        }
        match (data.op, &data.attr) {
            (Op::If, _) => self.branch(data),
            (Op::Loop, _) => self.repeat(data),
            (Op::Switch, _) => self.switch(data),
            (Op::Yield, _) => {}
            (Op::Const, Attr::Bits(bits)) => {
                let ty = p.ty(data.results[0]);
                let lanes = bits[..ty.lanes as usize].iter();
                let lanes = lanes.map(|&bits| Operand::constant(ty.scalar, bits)).collect();
                self.values[data.results[0]] = lanes;
            }
            (Op::Compose, _) => {
                self.values[data.results[0]] = data.args.iter().map(|&v| self.get(v)).collect();
            }
            (Op::Extract, Attr::Lane(lane)) => {
                let x = self.values[data.args[0]][*lane as usize];
                self.set(data.results[0], x);
            }
            (Op::Call, _) => self.call(data),
            (Op::Length, Attr::Buffer(buffer)) => {
                let length = self.length(*buffer);
                self.set(data.results[0], length);
            }
            (op, attr) => match op.info().rule {
                Rule::Axis | Rule::Index => {
                    let position = self.position(op, attr);
                    self.set(data.results[0], position);
                }
                Rule::Load if op == Op::UniformLoad => self.uniform_load(inst, data),
                Rule::Load => self.load(inst, data),
                Rule::Store => self.store(inst, data),
                Rule::Atomic(_) => self.atomic(inst, data),
                Rule::CompareExchange(_) => self.compare_exchange(inst, data),
                _ if op.info().effect == Effect::Converges => self.exchange(data),
                _ if op.info().effect == Effect::Syncs => self.sync(data),
                _ => self.pure(data),
            },
        }
    }

    /// An operation on scalars.
    fn pure(&mut self, data: &InstData) {
        let args: Lanes = data.args.iter().map(|&v| self.get(v)).collect();
        let seen = self.known.needs.seen[data.results[0]];
        let result = self.compute(data.op, self.p.sig(data), &args, seen);
        self.set(data.results[0], result);
    }

    /// Whether the devices that this is for have a form of an instruction.
    fn has(&self, form: Form) -> bool {
        capability::has(self.options.arch, form)
    }

    /// The operand that is a scalar value.
    fn get(&self, value: Value) -> Operand {
        self.values[value][0]
    }

    fn set(&mut self, value: Value, x: Operand) {
        self.values[value] = smallvec![x];
    }
}

/// Whether nobody needs an instruction.
fn is_dead(data: &InstData, needs: &Needs) -> bool {
    matches!(data.op.info().effect, Effect::Pure | Effect::Reads)
        && data.results.iter().all(|&v| !needs.used[v])
}
