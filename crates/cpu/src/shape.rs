//! How a piece's values differ over a gang, which is `width` consecutive invocations that run in step.
//!
//! A value is [`Shape::Uniform`] if all invocations of the gang that compute it in the same pass through its region
//! get the same, [`Shape::Affine`] if each gets one more (modulo 2^32) than the one before, else [`Shape::Varying`].
//! What a varying loop or branch gives varies, because the invocations leave in different turns or come from
//! different sides; inside, a value may be uniform all the same, since those that are there run in step.
//!
//! Loop parameters start with the shape of their initial value and are only lowered, in passes over the piece, until
//! nothing changes. A piece is run in gangs if all that is not uniform fits [`crate::vector`].

use crate::fission::{Home, Piece, Plan, PrivateCopies};
use crate::order::Order;
use crate::subgroup::SIZE;
use crate::vector;
use vyre_ir::{
    Attr, Buffer, Def, Inst, InstData, Memory, Op, Program, Region, Rule, Scalar, SideTable, Value,
};

/// Passes after which all loop parameters that still could change are taken as varying.
const MAX_PASSES: usize = 32;

/// How a value differs between the invocations of a gang; see the module.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    Uniform,
    Affine,
    Varying,
}

use Shape::{Affine, Uniform, Varying};

impl Shape {
    fn join(self, other: Shape) -> Shape {
        if self == other { self } else { Varying }
    }
}

/// The shapes of the values of one piece at a time.
pub(crate) struct Shapes {
    pub width: u32,
    /// The piece that an entry is for, and the shape.
    table: SideTable<Value, (u32, Shape)>,
    piece: u32,
}

/// How a coordinate differs over a gang. Gangs start at multiples of the width in the order of invocations.
pub(crate) fn axis_shape(p: &Program, order: Order, axis: usize, width: u32) -> Shape {
    let (width, n, stride) = (width as u64, p.workgroup_size[axis] as u64, order.stride(p, axis));
    if n == 1 || stride.is_multiple_of(width) {
        Uniform
    } else if stride == 1 && (n.is_multiple_of(width) || n == p.workgroup_invocations()) {
        Affine
    } else {
        Varying
    }
}

impl Shapes {
    pub fn new(width: u32) -> Shapes {
        Shapes { width, table: SideTable::new((0, Uniform)), piece: 0 }
    }

    /// The shape of a value of the piece; what the piece does not have is a scalar of the workgroup.
    pub fn of(&self, value: Value) -> Shape {
        match self.table[value] {
            (piece, shape) if piece == self.piece => shape,
            _ => Uniform,
        }
    }

    /// Finds the shapes of a piece, which has not had the number before; gives whether it can be run in gangs.
    pub fn analyze(&mut self, p: &Program, plan: &Plan, piece: &Piece, number: u32) -> bool {
        self.piece = number;
        let mut pass = Pass { p, plan, shapes: self, fits: true, changed: false, give_up: false };
        for &value in &piece.live_in {
            if matches!(plan.homes[value], Home::Slot(_)) {
                pass.set(value, Varying);
            }
        }
        for &value in &piece.live_in {
            pass.again(value);
        }
        let live_in_fits = pass.fits;
        for round in 0.. {
            pass.changed = false;
            pass.fits = live_in_fits;
            pass.give_up = round >= MAX_PASSES;
            piece.insts.iter().for_each(|&inst| pass.inst(inst));
            if !pass.changed {
                break;
            }
        }
        // What later pieces need is kept for each invocation, also when all have the same.
        let results = piece.insts.iter().flat_map(|&inst| &p.insts[inst].results);
        let mut kept = results.chain(piece.copies.iter().map(|(_, to)| to));
        let slot = |value: &Value| matches!(plan.homes[*value], Home::Slot(_));
        pass.fits && kept.all(|value| !slot(value) || vector::fits(p.ty(*value).scalar))
    }
}

struct Pass<'a> {
    p: &'a Program,
    plan: &'a Plan,
    shapes: &'a mut Shapes,
    fits: bool,
    changed: bool,
    give_up: bool,
}

impl Pass<'_> {
    fn set(&mut self, value: Value, shape: Shape) {
        self.fits &= shape == Uniform || vector::fits(self.p.ty(value).scalar);
        self.shapes.table[value] = (self.shapes.piece, shape);
    }

    fn known(&self, value: Value) -> bool {
        self.shapes.table[value].0 == self.shapes.piece
    }

    fn of(&self, value: Value) -> Shape {
        self.shapes.of(value)
    }

    /// A value that the piece computes again, and what it needs.
    fn again(&mut self, value: Value) {
        let Def::Result(inst) = self.p.values[value].def else { return };
        if self.known(value) || self.plan.homes[value] == Home::Scalar {
            return;
        }
        for &arg in &self.p.insts[inst].args {
            self.again(arg);
        }
        self.inst(inst);
    }

    fn region(&mut self, region: Region) {
        for &inst in &self.p.regions[region].insts {
            self.inst(inst);
        }
    }

    fn inst(&mut self, inst: Inst) {
        let data = &self.p.insts[inst];
        match data.op {
            Op::If | Op::Switch => self.branch(data),
            Op::Loop => self.repeat(data),
            Op::Yield => {}
            _ => {
                // Atomics go one after another anyway; taking vectors apart for them costs more than the rest gains.
                let atomic = matches!(data.op.info().rule, Rule::Atomic(_) | Rule::CompareExchange(_));
                self.fits &= !atomic && data.op != Op::Call && self.private_fits(data);
                let shape = self.result(data);
                for &result in &data.results {
                    self.set(result, shape);
                }
            }
        }
    }

    fn branch(&mut self, data: &InstData) {
        data.regions.iter().for_each(|&region| self.region(region));
        let uniform = self.of(data.args[0]) == Uniform;
        for (i, &result) in data.results.iter().enumerate() {
            let shapes = data.regions.iter().map(|&r| self.of(self.p.yielded(r)[i]));
            let shape = if uniform { shapes.reduce(Shape::join).unwrap_or(Varying) } else { Varying };
            self.set(result, shape);
        }
    }

    fn repeat(&mut self, data: &InstData) {
        let p = self.p;
        let body = data.regions[0];
        let params = &p.regions[body].params;
        for (&param, &init) in params.iter().zip(&data.args) {
            let init = self.of(init);
            let shape = if self.known(param) { self.of(param).join(init) } else { init };
            self.set(param, if self.give_up { Varying } else { shape });
        }
        self.region(body);
        let yielded = p.yielded(body);
        let uniform = self.of(yielded[0]) == Uniform;
        for ((&param, &next), &result) in params.iter().zip(&yielded[1..]).zip(&data.results) {
            let shape = self.of(param).join(self.of(next));
            if shape != self.of(param) {
                self.changed = true;
                self.set(param, shape);
            }
            self.set(result, if uniform { shape } else { Varying });
        }
    }

    /// The shape of what an instruction without regions gives.
    fn result(&self, data: &InstData) -> Shape {
        let width = self.shapes.width;
        let args = || data.args.iter().map(|&v| self.of(v));
        match data.op.info().rule {
            Rule::Axis => match (data.op, &data.attr) {
                (Op::LocalId | Op::GlobalId, Attr::Axis(axis)) => {
                    axis_shape(self.p, self.plan.order, *axis as usize, width)
                }
                _ => Uniform,
            },
            Rule::Index => match data.op {
                Op::LocalIndex if self.plan.order == Order::BY_INDEX => Affine,
                Op::LocalIndex => Varying,
                Op::SubgroupLane if SIZE.is_multiple_of(width) => Affine,
                Op::SubgroupId if SIZE.is_multiple_of(width) => Uniform,
                Op::SubgroupLane | Op::SubgroupId => Varying,
                _ => Uniform,
            },
            // Invocations that run in step and load from one place get the same.
            Rule::Load if self.of(data.args[0]) == Uniform && private(self.p, data).is_none() => Uniform,
            Rule::Load | Rule::Atomic(_) | Rule::CompareExchange(_) => Varying,
            _ if args().all(|shape| shape == Uniform) => Uniform,
            _ if self.keeps_affine(data) => Affine,
            _ => Varying,
        }
    }

    /// Whether an operation on a sequence gives one: 32-bit sums with what is uniform, and reading the bits anew.
    fn keeps_affine(&self, data: &InstData) -> bool {
        let word = |v: &Value| matches!(self.p.ty(*v).scalar, Scalar::U32 | Scalar::I32);
        let one_lane = |v: &Value| self.p.ty(*v).lanes == 1;
        if !data.args.iter().chain(&data.results).all(|v| word(v) && one_lane(v)) {
            return false;
        }
        let shapes: Vec<Shape> = data.args.iter().map(|&v| self.of(v)).collect();
        match data.op {
            Op::Add => matches!(shapes[..], [Affine, Uniform] | [Uniform, Affine]),
            Op::Sub => shapes[..] == [Affine, Uniform],
            Op::Convert | Op::Bitcast => shapes[..] == [Affine],
            _ => false,
        }
    }

    /// Private memory of a gang is interleaved word by word, so it must be accessed as words; memory that lives from
    /// piece to piece is not.
    fn private_fits(&self, data: &InstData) -> bool {
        let Some(buffer) = private(self.p, data) else { return true };
        if self.plan.private[buffer] != PrivateCopies::One {
            return true;
        }
        let accessed = match data.op.info().rule {
            Rule::Store => data.args[1],
            _ => data.results[0],
        };
        let ty = self.p.ty(accessed);
        ty.lanes == 1 && ty.scalar.bytes() == 4
    }
}

/// The private buffer that an instruction accesses.
pub(crate) fn private(p: &Program, data: &InstData) -> Option<Buffer> {
    p.buffer_of(data).filter(|&b| p.buffers[b].memory == Memory::Private && data.op != Op::Length)
}
