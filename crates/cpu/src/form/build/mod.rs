//! From a plan to the gang form: every decision about what a gang does together and what apart.
//!
//! [`vyre_opt::analysis::shapes`] says what differs between the invocations of a gang. A uniform value is one scalar; an
//! affine one is the scalar of the gang's first invocation until somebody wants it for each lane; the rest varies.
//! The workgroup's level has the steps of [`mod@crate::plan`]; each of its pieces is a loop over gangs, and a last gang
//! under a mask where the workgroup does not fill it. [`control`] has what invocations do apart, [`guard`] what they
//! mostly do together, [`memory`] where things are, [`position`] who an invocation is, [`steps`] the workgroup's level.
//!
//! Recursion is as deep as the program's nesting, which the caller bounds.

mod control;
mod guard;
mod memory;
mod position;
mod steps;

use super::{Block, Form, Stmt, Type, Var, Vars};
use crate::brief::brief_loops;
use crate::plan::Plan;
use smallvec::{SmallVec, smallvec};
use vyre_ir::{Attr, Inst, InstData, Op, Program, Region, Rule, Scalar, SideTable, Sig, Value};
use vyre_opt::analysis::{Gang, Ranges, Shape, ranges, shapes};
use vyre_opt::fission::Home;

/// The variables of a value's lanes.
type Lanes = SmallVec<[Var; 4]>;

/// Makes the form of a plan.
pub(crate) fn build(p: &Program, plan: &Plan) -> Form {
    let width = plan.gang;
    let gang = Gang { width, axes: plan.order.0, subgroup: crate::SUBGROUP };
    let mut build = Build {
        p,
        plan,
        width,
        shapes: shapes(p, gang),
        kind: gang,
        ranges: ranges(p),
        used: used(p),
        brief: brief_loops(p),
        types: Vec::new(),
        open: vec![Block::new()],
        values: SideTable::new(None),
        piece: 0,
        pieces: 0,
        at: Var(0),
        asked: position::axes(p, plan),
        local: [Var(0); 3],
        mask: None,
    };
    if plan.frame.zeroed > 0 {
        build.push(Stmt::Zero { offset: 0, bytes: plan.frame.zeroed });
    }
    build.steps(&plan.steps);
    let body = build.open.pop().expect("blocks are closed where they are opened");
    Form { width, types: build.types, body, checked: plan.checked }
}

/// Which values anything uses.
fn used(p: &Program) -> SideTable<Value, bool> {
    let mut used = SideTable::new(false);
    p.walk(p.body, &mut |inst| p.insts[inst].args.iter().for_each(|&arg| used[arg] = true));
    used
}

struct Build<'a> {
    p: &'a Program,
    plan: &'a Plan,
    width: u32,
    kind: Gang,
    shapes: SideTable<Value, Shape>,
    ranges: Ranges,
    used: SideTable<Value, bool>,
    /// Loops that need not look whether the run is to stop.
    brief: SideTable<Inst, bool>,
    types: Vec<Type>,
    /// The blocks that are being made, innermost last.
    open: Vec<Block>,
    /// Variables of values and the piece that they are valid in; 0 for those of the workgroup.
    values: SideTable<Value, Option<(u32, Lanes)>>,
    /// The piece being made, counted from 1; 0 at the workgroup's level.
    piece: u32,
    pieces: u32,
    /// The position of the gang's first invocation in the order of invocations.
    at: Var,
    /// The axes that the program asks for, and its coordinates along them: uniform, that of the first lane, or varying.
    asked: [bool; 3],
    local: [Var; 3],
    /// The lanes that are where statements are being made; all if there is none.
    mask: Option<Var>,
}

impl Build<'_> {
    // ---- statements and variables

    fn push(&mut self, stmt: Stmt) {
        self.open.last_mut().expect("the body is open").push(stmt);
    }

    /// What `make` adds, as a block of its own.
    fn block<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> (Block, T) {
        self.open.push(Block::new());
        let result = make(self);
        (self.open.pop().expect("it was just opened"), result)
    }

    fn var(&mut self, scalar: Scalar, varying: bool) -> Var {
        self.types.push(Type { scalar, varying: varying && self.width > 1 });
        Var(self.types.len() as u32 - 1)
    }

    fn is_varying(&self, var: Var) -> bool {
        self.types[var.0 as usize].varying
    }

    fn constant(&mut self, scalar: Scalar, bits: u64) -> Var {
        let out = self.var(scalar, false);
        self.push(Stmt::Const { out, bits });
        out
    }

    /// An operation on variables; it varies if an operand does.
    fn compute(&mut self, op: Op, sig: Sig, args: &[Var]) -> Var {
        let varying = args.iter().any(|&arg| self.is_varying(arg));
        let out = self.var(sig.result, varying);
        self.push(Stmt::Compute { out, op, sig, args: args.into() });
        out
    }

    /// An operation on numbers of 32 bits without a sign.
    fn word(&mut self, op: Op, x: Var, y: Var) -> Var {
        self.compute(op, Sig { operand: Scalar::U32, result: Scalar::U32 }, &[x, y])
    }

    fn word_by(&mut self, op: Op, x: Var, n: u64) -> Var {
        let n = self.constant(Scalar::U32, n);
        self.word(op, x, n)
    }

    /// An operation on masks.
    fn logic(&mut self, op: Op, args: &[Var]) -> Var {
        self.compute(op, Sig { operand: Scalar::Bool, result: Scalar::Bool }, args)
    }

    fn select(&mut self, mask: Var, x: Var, y: Var) -> Var {
        if x == y {
            return x;
        }
        let scalar = self.types[x.0 as usize].scalar;
        self.compute(Op::Select, Sig { operand: scalar, result: scalar }, &[mask, x, y])
    }

    fn ramp(&mut self, base: Var, stride: u32) -> Var {
        let out = self.var(self.types[base.0 as usize].scalar, true);
        self.push(Stmt::Ramp { out, base, stride });
        out
    }

    // ---- values

    fn shape(&self, value: Value) -> Shape {
        if self.plan.homes[value] == Home::Scalar { Shape::Uniform } else { self.shapes[value] }
    }

    fn find(&self, value: Value) -> Option<&Lanes> {
        match &self.values[value] {
            Some((piece, lanes)) if *piece == 0 || *piece == self.piece => Some(lanes),
            _ => None,
        }
    }

    /// The variables of a value; for an affine one that of the first lane.
    fn get(&self, value: Value) -> Lanes {
        match self.find(value) {
            Some(lanes) => lanes.clone(),
            None => unreachable!("{value:?} is used where it is not available"),
        }
    }

    fn set(&mut self, value: Value, lanes: Lanes) {
        self.values[value] = Some((self.piece, lanes));
    }

    /// The variables of a value, right for every lane.
    fn each(&mut self, value: Value) -> Lanes {
        let lanes = self.get(value);
        match self.shape(value) {
            Shape::Affine(stride) => smallvec![self.ramp(lanes[0], stride)],
            _ => lanes,
        }
    }

    /// The variables of a value as one of another shape has them.
    fn shaped(&mut self, value: Value, shape: Shape) -> Lanes {
        if shape == Shape::Varying { self.each(value) } else { self.get(value) }
    }

    /// New variables for a value.
    fn fresh(&mut self, value: Value) -> Lanes {
        let (ty, varying) = (self.p.ty(value), self.shape(value) == Shape::Varying);
        (0..ty.lanes).map(|_| self.var(ty.scalar, varying)).collect()
    }

    // ---- instructions

    fn region(&mut self, region: Region) {
        for &inst in &self.p.regions[region].insts {
            self.inst(inst);
        }
    }

    /// An instruction for the gang, or for the workgroup.
    fn inst(&mut self, inst: Inst) {
        let p = self.p;
        let data = &p.insts[inst];
        let lanes: Lanes = match data.op {
            Op::If => return self.branch(data),
            Op::Switch => return self.switch(data),
            Op::Loop => return self.repeat(inst),
            // A gang is in step, and what it has written it sees.
            Op::Yield | Op::SubgroupBarrier => return,
            Op::Const => {
                let Attr::Bits(bits) = data.attr else { unreachable!("the verifier checks attributes") };
                let ty = p.ty(data.results[0]);
                bits[..ty.lanes as usize].iter().map(|&bits| self.constant(ty.scalar, bits)).collect()
            }
            Op::Compose => data.args.iter().flat_map(|&v| self.each(v)).collect(),
            Op::Extract => match data.attr {
                Attr::Lane(lane) => smallvec![self.get(data.args[0])[lane as usize]],
                _ => unreachable!("the verifier checks attributes"),
            },
            op => match op.info().rule {
                Rule::Axis | Rule::Index => smallvec![self.position(data)],
                Rule::Length => smallvec![self.length(data)],
                Rule::Load => self.load(inst),
                Rule::Store => return self.store(inst),
                Rule::Atomic(_) | Rule::CompareExchange(_) => return self.atomic(inst),
                Rule::Lane(_) | Rule::Ballot => self.exchange(data),
                _ if op.info().effect == vyre_ir::Effect::Converges => self.exchange(data),
                Rule::Call => smallvec![self.intrinsic(inst)],
                _ => self.operation(data),
            },
        };
        self.set(data.results[0], lanes);
    }

    /// An operation lane by lane. What it does to affine operands' first lanes gives the result's, if that is affine
    /// or uniform.
    fn operation(&mut self, data: &InstData) -> Lanes {
        let p = self.p;
        let (result, sig) = (data.results[0], p.sig(data));
        let shape = self.shape(result);
        let args: SmallVec<[Lanes; 3]> = data.args.iter().map(|&v| self.shaped(v, shape)).collect();
        (0..p.ty(result).lanes as usize)
            .map(|lane| {
                let args: Vars = args.iter().map(|a| a[lane]).collect();
                self.compute(data.op, sig, &args)
            })
            .collect()
    }

    fn intrinsic(&mut self, inst: Inst) -> Var {
        let p = self.p;
        let data = &p.insts[inst];
        let args: Vars = data.args.iter().map(|&v| self.each(v)[0]).collect();
        let varying = args.iter().any(|&arg| self.is_varying(arg));
        let out = self.var(p.ty(data.results[0]).scalar, varying);
        self.push(Stmt::Intrinsic { out, inst, args, mask: self.mask });
        out
    }

    /// A subgroup operation; the gang is the subgroup.
    fn exchange(&mut self, data: &InstData) -> Lanes {
        let p = self.p;
        let result = data.results[0];
        let sig = Sig { operand: p.ty(data.args[0]).scalar, result: p.ty(result).scalar };
        let args: SmallVec<[Lanes; 2]> = data.args.iter().map(|&v| self.each(v)).collect();
        let outs = self.fresh(result);
        let mut push = |outs: Vars, lane: usize| {
            // The lane of a shuffle is one scalar for all lanes of its operand.
            let args = args.iter().map(|a| a[lane.min(a.len() - 1)]).collect();
            let mask = self.mask;
            self.push(Stmt::Subgroup { op: data.op, sig, outs, args, mask });
        };
        if data.op == Op::SubgroupBallot {
            push(outs.iter().copied().collect(), 0);
        } else {
            outs.iter().enumerate().for_each(|(lane, &out)| push(smallvec![out], lane));
        }
        outs
    }
}
