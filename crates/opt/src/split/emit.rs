//! Values of the program in a stage or in the control program: read from where they are kept, or computed again.

use super::Source;
use super::layout::{Place, words_of};
use crate::rewrite::{Copier, Values};
use crate::stages::GRID;
use smallvec::SmallVec;
use vyre_ir::{Access, Attr, Buffer, Builder, Def, Inst, Op, Region, Scalar, Type, Value};

/// A program in the making.
pub(super) struct Emit<'a> {
    pub source: Source<'a>,
    pub copy: Copier<'a>,
    /// Whether it is the control program.
    control: bool,
    /// Through which values that are the same for a workgroup have to come, if they have to be seen to be.
    pub shared: Option<Buffer>,
    /// Instructions that were computed again.
    pub again: Vec<Inst>,
    /// Values that were brought here.
    got: Vec<Value>,
    grid: Option<Grid>,
}

/// Positions in the saved values; made where all of the program sees them.
#[derive(Copy, Clone)]
pub(super) struct Grid {
    /// Invocations of the grid.
    pub total: Value,
    /// The linear index of the workgroup.
    pub workgroup: Value,
    /// The linear index of the invocation.
    pub invocation: Value,
    /// The word at which the first word of each invocation begins, that of this invocation.
    pub each: Value,
}

impl<'a> Emit<'a> {
    pub fn new(source: Source<'a>, name: String, control: bool) -> Emit<'a> {
        let p = source.p;
        let mut b = Builder::new(&name, if control { [1; 3] } else { p.workgroup_size });
        b.p.buffers = source.layout.buffers.clone();
        b.p.source = p.source.clone();
        if let (Some(state), true) = (source.layout.state, control) {
            b.p.buffers[state].access = Access::ReadWrite;
        }
        Emit {
            source,
            copy: Copier::new(p, b),
            control,
            shared: None,
            again: Vec::new(),
            got: Vec::new(),
            grid: None,
        }
    }

    /// Positions in the saved values; the control program has those of the first invocation. To be asked for first at the
    /// level of the body.
    pub fn grid(&mut self) -> Grid {
        if let Some(grid) = self.grid {
            return grid;
        }
        let [nx, ny, nz] = [0, 1, 2].map(|axis| self.workgroups(axis));
        let invocations = self.source.p.workgroup_invocations() as u32;
        let layout = self.source.layout;
        let b = &mut self.copy.b;
        let size = b.u32(invocations);
        let plane = b.op(Op::Mul, &[nx, ny]);
        let workgroups = b.op(Op::Mul, &[plane, nz]);
        let total = b.op(Op::Mul, &[workgroups, size]);
        let (workgroup, invocation) = if self.control {
            let zero = b.u32(0);
            (zero, zero)
        } else {
            let [x, y, z] = [0, 1, 2].map(|axis| b.axis(Op::WorkgroupId, axis));
            let (planes, rows) = (b.op(Op::Mul, &[z, plane]), b.op(Op::Mul, &[y, nx]));
            let in_plane = b.op(Op::Add, &[rows, x]);
            let workgroup = b.op(Op::Add, &[planes, in_plane]);
            let first = b.op(Op::Mul, &[workgroup, size]);
            let local = b.index(Op::LocalIndex);
            (workgroup, b.op(Op::Add, &[first, local]))
        };
        let (once, kept) = (b.u32(layout.once), b.u32(layout.workgroup));
        let kept = b.op(Op::Mul, &[workgroups, kept]);
        let each = b.op(Op::Add, &[once, kept]);
        let each = b.op(Op::Add, &[each, invocation]);
        *self.grid.insert(Grid { total, workgroup, invocation, each })
    }

    /// Workgroups of the grid along an axis.
    fn workgroups(&mut self, axis: u8) -> Value {
        let b = &mut self.copy.b;
        if !self.control {
            return b.axis(Op::NumWorkgroups, axis);
        }
        let at = b.u32(GRID + axis as u32);
        let state = self.source.layout.state.expect("a control program has a state");
        b.load(Op::Load, state, at, Scalar::U32.into())
    }

    /// A value of the level of the grid.
    pub fn get(&mut self, value: Value) -> Value {
        if let Some(known) = self.copy.find(value) {
            return known;
        }
        let new = match self.source.layout.place[value] {
            Place::None => return self.again(value),
            _ => self.load(value),
        };
        self.set(value, new);
        new
    }

    fn set(&mut self, value: Value, new: Value) {
        self.copy.set(value, new);
        self.got.push(value);
    }

    /// Builds a region in which values may be brought that nobody else sees.
    pub fn apart(&mut self, region: Region, fill: impl FnOnce(&mut Self)) {
        self.copy.b.enter(region);
        let outside = self.got.len();
        fill(self);
        for value in self.got.drain(outside..) {
            self.copy.forget(value);
        }
    }

    /// Computes a value again.
    fn again(&mut self, value: Value) -> Value {
        let p = self.source.p;
        let mut open = vec![value];
        while let Some(&next) = open.last() {
            if self.copy.find(next).is_some() {
                open.pop();
                continue;
            }
            let place = self.source.layout.place[next];
            if place != Place::None {
                let new = self.load(next);
                self.set(next, new);
                continue;
            }
            let Def::Result(inst) = p.values[next].def else { panic!("{next} is kept nowhere") };
            let data = &p.insts[inst];
            assert!(data.regions.is_empty(), "control flow is not computed again");
            let before = open.len();
            open.extend(data.args.iter().rev().filter(|arg| self.copy.find(**arg).is_none()));
            if open.len() > before {
                continue;
            }
            match data.attr {
                Attr::Axis(axis) if data.op == Op::NumWorkgroups => {
                    let new = self.workgroups(axis);
                    self.copy.set(next, new);
                }
                _ => self.copy.insts(&[inst], &mut plain),
            }
            self.got.extend(&data.results);
            self.again.push(inst);
        }
        self.copy.get(value)
    }

    /// The index of a word of a place.
    fn at(&mut self, place: Place, word: u32) -> Value {
        match place {
            Place::Each(slot) => {
                let Grid { total, each, .. } = self.grid();
                let b = &mut self.copy.b;
                if slot + word == 0 {
                    return each;
                }
                let slot = b.u32(slot + word);
                let before = b.op(Op::Mul, &[slot, total]);
                b.op(Op::Add, &[before, each])
            }
            Place::Word(at) | Place::Once(at) => self.copy.b.u32(at + word),
            Place::None => unreachable!("a place that is none is not asked for"),
        }
    }

    /// Reads a value.
    fn load(&mut self, value: Value) -> Value {
        let layout = self.source.layout;
        let (place, ty) = (layout.place[value], self.source.p.ty(value));
        let from = if matches!(place, Place::Word(_)) { layout.state } else { layout.saved };
        let from = from.expect("a buffer with places");
        let mut words: SmallVec<[Value; 8]> = SmallVec::new();
        for word in 0..words_of(ty) {
            let at = self.at(place, word);
            words.push(self.copy.b.load(Op::Load, from, at, Scalar::U32.into()));
        }
        if let (Some(shared), true) = (self.shared, layout.alike[value]) {
            share(&mut self.copy.b, shared, &mut words);
        }
        decode(&mut self.copy.b, &words, ty)
    }

    /// Writes a value that was copied or brought here.
    pub fn store(&mut self, place: Place, value: Value) {
        let layout = self.source.layout;
        let to = if matches!(place, Place::Word(_)) { layout.state } else { layout.saved };
        let words = encode(&mut self.copy.b, value);
        for (word, value) in words.into_iter().enumerate() {
            let at = self.at(place, word as u32);
            self.copy.b.store(Op::Store, to.expect("a buffer with places"), at, value);
        }
    }
}

/// Lets all invocations of a workgroup have the words of its first one, as they have them anyway, and it can be seen.
pub(super) fn share(b: &mut Builder, shared: Buffer, words: &mut [Value]) {
    let (zero, local) = (b.u32(0), b.index(Op::LocalIndex));
    let first = b.op(Op::Eq, &[local, zero]);
    b.if_(
        first,
        |b| {
            for (i, &word) in words.iter().enumerate() {
                let i = b.u32(i as u32);
                b.store(Op::Store, shared, i, word);
            }
            Vec::new()
        },
        |_| Vec::new(),
    );
    for (i, word) in words.iter_mut().enumerate() {
        let i = b.u32(i as u32);
        *word = b.load(Op::UniformLoad, shared, i, Scalar::U32.into());
    }
}

/// Copies an instruction as it is.
pub(super) fn plain(_: &mut Copier<'_>, _: Inst, _: &[Value]) -> Option<Values> {
    None
}

/// A value as words of 32 bits.
pub(super) fn encode(b: &mut Builder, value: Value) -> SmallVec<[Value; 8]> {
    let ty = b.ty(value);
    let scalars = b.scalars(value);
    match ty.scalar.bits() {
        64 => scalars
            .into_iter()
            .flat_map(|x| {
                let bits = b.bitcast(x, Scalar::U64);
                let shift = b.u32(32);
                let high = b.op(Op::Shr, &[bits, shift]);
                [b.convert(bits, Scalar::U32), b.convert(high, Scalar::U32)]
            })
            .collect(),
        32 => scalars.into_iter().map(|x| b.bitcast(x, Scalar::U32)).collect(),
        bits => scalars
            .chunks((32 / bits) as usize)
            .map(|lanes| {
                let mut lanes = lanes.iter().enumerate().map(|(lane, &x)| {
                    let x = if ty.scalar == Scalar::Bool { x } else { b.bitcast(x, unsigned(bits)) };
                    let word = b.convert(x, Scalar::U32);
                    let shift = b.u32(lane as u32 * bits);
                    if lane == 0 { word } else { b.op(Op::Shl, &[word, shift]) }
                });
                let lanes: SmallVec<[Value; 4]> = lanes.by_ref().collect();
                lanes.into_iter().reduce(|all, lane| b.op(Op::Or, &[all, lane])).expect("a value has lanes")
            })
            .collect(),
    }
}

/// The value that words stand for.
pub(super) fn decode(b: &mut Builder, words: &[Value], ty: Type) -> Value {
    let bits = ty.scalar.bits();
    let scalars: SmallVec<[Value; 4]> = (0..ty.lanes as usize)
        .map(|lane| match bits {
            64 => {
                let [low, high] = [0, 1].map(|i| b.convert(words[2 * lane + i], Scalar::U64));
                let shift = b.u32(32);
                let high = b.op(Op::Shl, &[high, shift]);
                let both = b.op(Op::Or, &[low, high]);
                b.bitcast(both, ty.scalar)
            }
            32 => b.bitcast(words[lane], ty.scalar),
            _ => {
                let lanes = (32 / bits) as usize;
                let (word, shift) = (words[lane / lanes], (lane % lanes) as u32 * bits);
                let amount = b.u32(shift);
                let word = if shift == 0 { word } else { b.op(Op::Shr, &[word, amount]) };
                let mask = b.u32((1 << bits) - 1);
                let low = b.op(Op::And, &[word, mask]);
                if ty.scalar == Scalar::Bool {
                    let zero = b.u32(0);
                    b.op(Op::Ne, &[low, zero])
                } else {
                    let narrow = b.convert(low, unsigned(bits));
                    b.bitcast(narrow, ty.scalar)
                }
            }
        })
        .collect();
    b.compose(&scalars)
}

fn unsigned(bits: u32) -> Scalar {
    if bits == 8 { Scalar::U8 } else { Scalar::U16 }
}
