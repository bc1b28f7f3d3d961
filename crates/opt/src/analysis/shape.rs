//! How values differ over a gang: invocations that are consecutive in some order of the workgroup and run in step.
//!
//! A value is [`Shape::Uniform`] if all invocations of a gang that compute it in the same pass through its region get
//! the same, [`Shape::Affine`] if each gets a fixed number more (modulo 2^32) than the one before in the gang, else
//! [`Shape::Varying`]. The last gang of a workgroup may be shorter.
//!
//! What a varying loop or branch gives varies, because the invocations leave in different turns or come from
//! different sides; inside, a value may be uniform all the same, since those that are there run in step. For the same
//! reason a load at a uniform index is uniform, whoever writes that memory: one load serves the gang.
//!
//! The analysis is optimistic: loop parameters start with the shape of their initial value. Rules see to it that a
//! shape which changes because an operand's did becomes `Varying`. So a value changes at most once, and the time is
//! linear in the program's size.

use vyre_ir::{Attr, Effect, Inst, InstData, Memory, Op, Program, Region, Rule, Scalar, SideTable, Value};

/// How a value differs between the invocations of a gang.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Shape {
    /// All invocations get the same.
    Uniform,
    /// Each has this much more than the one before: added to the bits of a u32 or i32, wrapping. Never 0.
    Affine(u32),
    /// Anything else.
    Varying,
}

use Shape::{Affine, Uniform, Varying};

impl Shape {
    /// Each has so much more than the one before.
    fn by(stride: u32) -> Shape {
        if stride == 0 { Uniform } else { Affine(stride) }
    }

    fn join(self, other: Shape) -> Shape {
        if self == other { self } else { Varying }
    }

    /// How much more each has than the one before, if that is known.
    fn stride(self) -> Option<u32> {
        match self {
            Uniform => Some(0),
            Affine(stride) => Some(stride),
            Varying => None,
        }
    }
}

/// What a gang is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Gang {
    /// Invocations: a power of two, or 1. Gangs start at multiples of it.
    pub width: u32,
    /// Axes by how fast they change from one invocation to the next; `[0, 1, 2]` is the order of the local index.
    pub axes: [usize; 3],
    /// Invocations of a subgroup.
    pub subgroup: u32,
}

impl Gang {
    /// How far apart in the order neighbors along an axis are.
    fn distance(&self, p: &Program, axis: usize) -> u64 {
        let faster = self.axes.iter().take_while(|&&faster| faster != axis);
        faster.map(|&a| p.workgroup_size[a] as u64).product()
    }

    /// How a position along an axis differs.
    pub fn axis(&self, p: &Program, axis: usize) -> Shape {
        let (width, n) = (self.width as u64, p.workgroup_size[axis] as u64);
        let distance = self.distance(p, axis);
        if n == 1 || distance.is_multiple_of(width) {
            Uniform
        } else if distance == 1 && (n.is_multiple_of(width) || n == p.workgroup_invocations()) {
            Affine(1)
        } else {
            Varying
        }
    }

    /// Whether the order is that of the local index.
    pub fn is_by_index(&self, p: &Program) -> bool {
        self.axes.iter().filter(|&&axis| p.workgroup_size[axis] > 1).is_sorted()
    }

    /// Whether all invocations of a gang are in one subgroup.
    fn is_in_one_subgroup(&self, p: &Program) -> bool {
        self.subgroup as u64 >= p.workgroup_invocations()
            || self.is_by_index(p) && self.subgroup.is_multiple_of(self.width)
    }
}

/// The shapes of all values of a program. With a width of 1 everything is uniform.
pub fn shapes(p: &Program, gang: Gang) -> SideTable<Value, Shape> {
    let mut pass = Pass { p, gang, table: SideTable::new(Uniform), lowered: Vec::new() };
    if gang.width > 1 {
        pass.region(p.body);
        pass.spread();
    }
    pass.table
}

struct Pass<'p> {
    p: &'p Program,
    gang: Gang,
    table: SideTable<Value, Shape>,
    /// Values that became `Varying` after others were computed from them.
    lowered: Vec<Value>,
}

impl Pass<'_> {
    fn region(&mut self, region: Region) {
        for &inst in &self.p.regions[region].insts {
            let data = &self.p.insts[inst];
            if data.op == Op::Loop {
                let params = &self.p.regions[data.regions[0]].params;
                for (&param, &init) in params.iter().zip(&data.args) {
                    self.table[param] = self.table[init];
                }
            }
            data.regions.iter().for_each(|&inner| self.region(inner));
            for (i, &result) in data.results.iter().enumerate() {
                self.table[result] = self.shape(data, i);
            }
            self.params(data);
        }
    }

    /// Lowers the parameters of a loop that are given something else than they began with.
    fn params(&mut self, data: &InstData) {
        if data.op != Op::Loop {
            return;
        }
        let body = data.regions[0];
        let next = &self.p.yielded(body)[1..];
        for (i, &param) in self.p.regions[body].params.iter().enumerate() {
            self.lower(param, self.table[data.args[i]].join(self.table[next[i]]));
        }
    }

    fn lower(&mut self, value: Value, shape: Shape) {
        if self.table[value] != shape && self.table[value] != Varying {
            self.table[value] = Varying;
            self.lowered.push(value);
        }
    }

    /// Brings up to date what was computed from values that were lowered since.
    fn spread(&mut self) {
        if self.lowered.is_empty() {
            return;
        }
        let users = Users::of(self.p);
        while let Some(value) = self.lowered.pop() {
            for inst in users.of_value(value) {
                let data = &self.p.insts[inst];
                for (i, &result) in data.results.iter().enumerate() {
                    self.lower(result, self.shape(data, i));
                }
                self.params(data);
            }
        }
    }

    /// The shape of an instruction's result.
    fn shape(&self, data: &InstData, result: usize) -> Shape {
        match data.op {
            Op::If | Op::Switch if self.table[data.args[0]] != Uniform => Varying,
            Op::If | Op::Switch => {
                let sides = data.regions.iter().map(|&r| self.table[self.p.yielded(r)[result]]);
                sides.reduce(Shape::join).unwrap_or(Varying)
            }
            Op::Loop => match self.p.yielded(data.regions[0]) {
                // All that are in the loop leave it together.
                [go_on, next @ ..] if self.table[*go_on] == Uniform => self.table[next[result]],
                _ => Varying,
            },
            _ => match data.op.info().rule {
                Rule::Axis | Rule::Index => self.position(data),
                _ if data.op == Op::GridUniform => Uniform,
                // Its index is the same for the whole workgroup, as the verifier checks.
                Rule::Load if data.op == Op::UniformLoad => Uniform,
                Rule::Load if self.table[data.args[0]] == Uniform && !self.is_private(data) => Uniform,
                Rule::Load | Rule::Atomic(_) | Rule::CompareExchange(_) => Varying,
                _ if data.op.info().effect == Effect::Converges => self.exchanged(data),
                _ if data.args.iter().all(|&v| self.table[v] == Uniform) => Uniform,
                _ => self.sequence(data).unwrap_or(Varying),
            },
        }
    }

    fn is_private(&self, data: &InstData) -> bool {
        let buffer = self.p.buffer_of(data);
        buffer.is_none_or(|buffer| self.p.buffers[buffer].memory == Memory::Private)
    }

    /// The shape of where an invocation is.
    fn position(&self, data: &InstData) -> Shape {
        let (p, gang) = (self.p, self.gang);
        let consecutive = if gang.is_by_index(p) { Affine(1) } else { Varying };
        match (data.op, &data.attr) {
            (Op::LocalId | Op::GlobalId, Attr::Axis(axis)) => gang.axis(p, *axis as usize),
            (Op::LocalIndex, _) => consecutive,
            (Op::SubgroupLane, _) if gang.is_in_one_subgroup(p) => consecutive,
            (Op::SubgroupId, _) if gang.is_in_one_subgroup(p) => Uniform,
            (Op::SubgroupLane | Op::SubgroupId, _) => Varying,
            _ => Uniform,
        }
    }

    /// The shape of what an operation of a subgroup gives.
    fn exchanged(&self, data: &InstData) -> Shape {
        let all_get_the_same = match data.op {
            Op::SubgroupBallot
            | Op::SubgroupAll
            | Op::SubgroupAny
            | Op::SubgroupAdd
            | Op::SubgroupMul
            | Op::SubgroupMin
            | Op::SubgroupMax
            | Op::SubgroupAnd
            | Op::SubgroupOr
            | Op::SubgroupXor
            | Op::SubgroupBroadcastFirst => true,
            Op::SubgroupShuffle => self.table[data.args[1]] == Uniform,
            _ => false,
        };
        if all_get_the_same && self.gang.is_in_one_subgroup(self.p) { Uniform } else { Varying }
    }

    /// The shape of a pure operation on something that is not uniform.
    fn sequence(&self, data: &InstData) -> Option<Shape> {
        let p = self.p;
        let shape = |i: usize| self.table[data.args[i]];
        let word = |v: &Value| matches!(p.ty(*v).scalar, Scalar::U32 | Scalar::I32) && p.ty(*v).lanes == 1;
        if data.op == Op::Select {
            return (shape(0) == Uniform).then(|| shape(1).join(shape(2)));
        }
        if !data.args.iter().all(word) {
            return None;
        }
        // Sequences of one stride are equal everywhere or nowhere.
        if matches!(data.op, Op::Eq | Op::Ne) {
            return (shape(0).stride()? == shape(1).stride()?).then_some(Uniform);
        }
        if !data.results.iter().all(word) {
            return None;
        }
        let known = |i: usize| p.splat_constant(data.args[i]).map(|bits| bits as u32);
        let stride = |i: usize| shape(i).stride();
        Some(Shape::by(match data.op {
            Op::Add => stride(0)?.wrapping_add(stride(1)?),
            Op::Sub => stride(0)?.wrapping_sub(stride(1)?),
            // `!x` is `-x - 1`.
            Op::Neg | Op::Not => stride(0)?.wrapping_neg(),
            Op::Mul => match (known(0), known(1)) {
                (_, Some(n)) => stride(0)?.wrapping_mul(n),
                (Some(n), _) => stride(1)?.wrapping_mul(n),
                _ => return None,
            },
            Op::Shl => stride(0)?.wrapping_shl(known(1)?),
            Op::Convert | Op::Bitcast => stride(0)?,
            Op::Div | Op::Rem | Op::Shr | Op::And | Op::Or | Op::Xor => {
                return self.part(data.op, data.args[0], known(1)?);
            }
            _ => return None,
        }))
    }

    /// The shape of an index that a constant takes apart, as in `local_index / 16` and `local_index % 16`.
    fn part(&self, op: Op, value: Value, n: u32) -> Option<Shape> {
        let width = self.gang.width;
        if !self.counts_from_a_multiple(value) {
            return None;
        }
        match op {
            Op::Div if n > 0 && n.is_multiple_of(width) => Some(Uniform),
            Op::Shr if (1 << (n % 32)) >= width => Some(Uniform),
            Op::Rem if n > 0 && n.is_multiple_of(width) => Some(Affine(1)),
            Op::And if n & (width - 1) == 0 => Some(Uniform),
            // The bits that count within a gang stay as they are.
            Op::And if n.trailing_ones() >= width.trailing_zeros() => Some(Affine(1)),
            Op::Or | Op::Xor if n & (width - 1) == 0 => Some(Affine(1)),
            _ => None,
        }
    }

    /// Whether a gang's first invocation has a multiple of the width and each further one 1 more, without wrapping.
    fn counts_from_a_multiple(&self, value: Value) -> bool {
        let Some(data) = self.p.producer(value) else { return false };
        let starts = match (data.op, &data.attr) {
            (Op::LocalIndex | Op::LocalId, _) => true,
            (Op::GlobalId, Attr::Axis(axis)) => {
                self.p.workgroup_size[*axis as usize].is_multiple_of(self.gang.width)
            }
            _ => false,
        };
        starts && self.table[value] == Affine(1)
    }
}

/// The instructions that must be looked at again when a value changes.
struct Users {
    /// Each value's first entry of the list.
    first: SideTable<Value, u32>,
    /// An instruction, and the value's next entry.
    list: Vec<(Inst, u32)>,
}

const NONE: u32 = u32::MAX;

impl Users {
    fn of(p: &Program) -> Users {
        let mut users = Users { first: SideTable::new(NONE), list: Vec::new() };
        let mut open = vec![(p.body, None)];
        while let Some((region, owner)) = open.pop() {
            for &inst in &p.regions[region].insts {
                let data = &p.insts[inst];
                open.extend(data.regions.iter().map(|&inner| (inner, Some(inst))));
                // What a region yields is for the instruction that has it.
                let user = if data.op == Op::Yield { owner } else { Some(inst) };
                for &arg in &data.args {
                    if let Some(user) = user {
                        let next = std::mem::replace(&mut users.first[arg], users.list.len() as u32);
                        users.list.push((user, next));
                    }
                }
            }
        }
        users
    }

    fn of_value(&self, value: Value) -> impl Iterator<Item = Inst> {
        let mut at = self.first[value];
        std::iter::from_fn(move || {
            let &(inst, next) = self.list.get(at as usize)?;
            at = next;
            Some(inst)
        })
    }
}
