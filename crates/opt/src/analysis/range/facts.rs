//! What is known of values where the analysis is: intervals, and bounds by other values, from definitions and from
//! conditions around. Leaving a region forgets what its condition said.
//!
//! What a condition says of a value is also said of the operands that it was computed from. What was computed from it
//! before the condition is computed again when it is asked for.

use super::interval::{Interval, POSITIVE, compare, is_plain, word};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use vyre_ir::{Attr, Buffer, Def, InstData, Memory, Op, Program, Rule, Scalar, SideTable, Value};

/// How many operations back a condition is followed, and values are computed again.
const DEPTH: u32 = 8;
/// How many bounds of a value are kept.
const MOST_BOUNDS: usize = 8;
/// The most invocations that a subgroup of any device has: a ballot has so many bits.
const SUBGROUP: u32 = 128;

/// `scale * v <= of + plus`, without wrapping, for the value that has it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Bound {
    pub scale: u32,
    pub of: Value,
    pub plus: i64,
}

pub type Bounds = SmallVec<[Bound; 2]>;

/// What is known; see the module.
pub struct Facts<'p> {
    pub p: &'p Program,
    /// What is known of the bits of u32, i32 and bool.
    known: SideTable<Value, Interval>,
    bounds: FxHashMap<Value, Bounds>,
    /// How many scopes said something when a value was last computed.
    computed: SideTable<Value, u32>,
    /// How many open scopes say something.
    pub(super) said: u32,
    undo: Vec<Undo>,
    /// The value that stands for the length of a buffer, if the program asks for it.
    pub lengths: SideTable<Buffer, Option<Value>>,
    /// The values that stand for the numbers of workgroups.
    pub groups: [Option<Value>; 3],
}

enum Undo {
    Known(Value, Interval, u32),
    Bound(Value),
}

/// Where to go back to when a scope is left.
pub struct Scope {
    undo: usize,
    said: u32,
}

/// Whether the analysis has anything to say of a value.
pub fn is_tracked(p: &Program, value: Value) -> bool {
    let ty = p.ty(value);
    ty.lanes == 1 && matches!(ty.scalar, Scalar::U32 | Scalar::I32 | Scalar::Bool)
}

/// What a value can be of which nothing is known.
pub fn all(p: &Program, value: Value) -> Interval {
    match p.ty(value).scalar {
        Scalar::Bool => Interval::new(0, 1),
        _ => Interval::FULL,
    }
}

/// Whether a value is an integer of 32 bits.
pub fn is_word(p: &Program, value: Value) -> bool {
    is_tracked(p, value) && p.ty(value).scalar != Scalar::Bool
}

impl<'p> Facts<'p> {
    pub fn new(p: &'p Program) -> Facts<'p> {
        let (mut lengths, mut groups) = (SideTable::new(None), [None; 3]);
        for data in p.insts.values() {
            match (data.op, &data.attr) {
                (Op::Length, Attr::Buffer(buffer)) if lengths[*buffer].is_none() => {
                    lengths[*buffer] = Some(data.results[0]);
                }
                (Op::NumWorkgroups, Attr::Axis(axis)) => groups[*axis as usize] = Some(data.results[0]),
                _ => {}
            }
        }
        let mut facts = Facts {
            p,
            known: SideTable::new(Interval::FULL),
            bounds: FxHashMap::default(),
            computed: SideTable::new(0),
            said: 0,
            undo: Vec::new(),
            lengths,
            groups,
        };
        for value in p.buffers.keys().filter_map(|b| facts.lengths[b]).chain(groups.into_iter().flatten()) {
            let Def::Result(inst) = p.values[value].def else { continue };
            facts.known[value] = facts.position(&p.insts[inst]);
        }
        facts
    }

    /// The value that stands for all that are the same throughout a run.
    pub fn of_all(&self, value: Value) -> Value {
        let Some(data) = self.p.producer(value) else { return value };
        let all = match (data.op, &data.attr) {
            (Op::Length, Attr::Buffer(buffer)) => self.lengths[*buffer],
            (Op::NumWorkgroups, Attr::Axis(axis)) => self.groups[*axis as usize],
            _ => None,
        };
        all.unwrap_or(value)
    }

    pub fn open(&self) -> Scope {
        Scope { undo: self.undo.len(), said: self.said }
    }

    /// Forgets what was said since the scope was opened.
    pub fn close(&mut self, scope: Scope) {
        for undo in self.undo.drain(scope.undo..).rev() {
            match undo {
                Undo::Known(value, known, computed) => {
                    self.known[value] = known;
                    self.computed[value] = computed;
                }
                Undo::Bound(value) => _ = self.bounds.get_mut(&value).and_then(|bounds| bounds.pop()),
            }
        }
        self.said = scope.said;
    }

    /// Says what a value is where it is defined.
    pub fn define(&mut self, value: Value, known: Interval, bounds: Bounds) {
        // Of these one stands for all; what is known of it was known from the start.
        if self.p.producer(value).is_some_and(|data| matches!(data.op, Op::Length | Op::NumWorkgroups)) {
            return;
        }
        self.known[value] = known;
        self.computed[value] = self.said;
        if bounds.is_empty() { _ = self.bounds.remove(&value) } else { _ = self.bounds.insert(value, bounds) }
    }

    pub fn bounds(&self, value: Value) -> Bounds {
        self.bounds.get(&self.of_all(value)).cloned().unwrap_or_default()
    }

    /// What the bits of a value can be.
    pub fn interval(&mut self, value: Value) -> Interval {
        self.again(value, DEPTH)
    }

    fn again(&mut self, value: Value, depth: u32) -> Interval {
        let value = self.of_all(value);
        let known = self.known[value];
        if self.computed[value] >= self.said || depth == 0 || known.single().is_some() {
            return known;
        }
        let Def::Result(inst) = self.p.values[value].def else { return known };
        let data = &self.p.insts[inst];
        if !data.regions.is_empty() || !is_tracked(self.p, value) {
            return known;
        }
        let now = known.meet(self.compute(data, depth - 1)).unwrap_or(known);
        self.undo.push(Undo::Known(value, known, self.computed[value]));
        (self.known[value], self.computed[value]) = (now, self.said);
        now
    }

    /// What an instruction without regions gives.
    pub fn result(&mut self, data: &InstData) -> Interval {
        self.compute(data, DEPTH)
    }

    fn compute(&mut self, data: &InstData, depth: u32) -> Interval {
        let (p, result) = (self.p, data.results[0]);
        match (data.op, &data.attr) {
            (Op::Const, Attr::Bits(bits)) => return Interval::one(bits[0] as u32),
            (Op::Select, _) => {
                let condition = self.again(data.args[0], depth);
                let [then, otherwise] = [1, 2].map(|i| self.again(data.args[i], depth));
                return match condition.single() {
                    Some(0) => otherwise,
                    Some(_) => then,
                    None => then.hull(otherwise),
                };
            }
            (Op::Convert | Op::Bitcast, _) => return self.converted(data, depth),
            _ => {}
        }
        if data.args.is_empty() || data.op.info().rule == Rule::Load {
            return self.position(data);
        }
        let boolean = p.ty(result).scalar == Scalar::Bool;
        let all = all(p, result);
        if data.args.len() > 2 || !data.args.iter().all(|&arg| is_tracked(p, arg)) {
            return all;
        }
        let args: SmallVec<[Interval; 2]> = data.args.iter().map(|&arg| self.again(arg, depth)).collect();
        let signed = p.ty(data.args[0]).scalar == Scalar::I32;
        match (data.op, &args[..]) {
            (Op::Lt | Op::Le | Op::Eq | Op::Ne, &[a, b]) => compare(data.op, signed, a, b),
            (Op::Not, &[a]) if boolean => Interval::new(1 - a.high, 1 - a.low),
            // Of bits that are 0 or 1 the interval is known as well as that of others.
            (Op::And | Op::Or | Op::Xor, _) => word(data.op, signed, &args).meet(all).unwrap_or(all),
            _ if boolean => all,
            // Others look at memory or at other invocations.
            _ if matches!(data.op.info().rule, Rule::Same(..) | Rule::Shift(_))
                && data.op.info().eval.is_some() =>
            {
                word(data.op, signed, &args)
            }
            _ => all,
        }
    }

    fn converted(&mut self, data: &InstData, depth: u32) -> Interval {
        let (from, to) = (data.args[0], data.results[0]);
        let known = match self.p.ty(from).scalar {
            Scalar::U8 => Interval::new(0, 0xff),
            Scalar::U16 => Interval::new(0, 0xffff),
            _ if is_tracked(self.p, from) => self.again(from, depth),
            _ => Interval::FULL,
        };
        if is_word(self.p, to) {
            return known;
        }
        // Whether it is not zero.
        Interval::new((known.low > 0) as u32, (known.high > 0) as u32)
    }

    /// What is known of positions and sizes. Bound memory has the size that is declared, else at least one element;
    /// along an axis a grid has fewer than 2^32 invocations, and at least one.
    fn position(&self, data: &InstData) -> Interval {
        let p = self.p;
        let below = |n: u32| Interval::new(0, n.saturating_sub(1));
        let invocations = p.workgroup_invocations().min(u32::MAX as u64) as u32;
        let size = |axis: u8| p.workgroup_size[axis as usize].max(1);
        match (data.op, &data.attr) {
            (Op::LocalId, Attr::Axis(axis)) => below(size(*axis)),
            (Op::GlobalId, Attr::Axis(axis)) => below(u32::MAX / size(*axis) * size(*axis)),
            (Op::WorkgroupId, Attr::Axis(axis)) => below(u32::MAX / size(*axis)),
            (Op::NumWorkgroups, Attr::Axis(axis)) => Interval::new(1, u32::MAX / size(*axis)),
            (Op::LocalIndex | Op::SubgroupId, _) => below(invocations),
            (Op::SubgroupLane, _) => below(invocations.min(SUBGROUP)),
            (Op::SubgroupSize, _) => Interval::new(1, SUBGROUP),
            (Op::NumSubgroups, _) => Interval::new(1, invocations.max(1)),
            (Op::Length, Attr::Buffer(buffer)) => self.length(*buffer),
            _ => all(p, data.results[0]),
        }
    }

    /// What the length of a buffer can be.
    pub fn length(&self, buffer: Buffer) -> Interval {
        let decl = &self.p.buffers[buffer];
        match decl.count.min(u32::MAX as u64) as u32 {
            0 if matches!(decl.memory, Memory::Storage | Memory::Uniform) => Interval::new(1, u32::MAX),
            0 => Interval::FULL,
            count => Interval::one(count),
        }
    }

    /// Says that a value lies in an interval, and what follows for what it was computed from.
    pub fn narrow(&mut self, value: Value, to: Interval) {
        self.narrow_from(value, to, DEPTH);
    }

    fn narrow_from(&mut self, value: Value, to: Interval, depth: u32) {
        let value = self.of_all(value);
        let known = self.again(value, DEPTH);
        // What cannot be is not said: nobody comes there.
        let Some(now) = known.meet(to).filter(|&now| now != known) else { return };
        self.undo.push(Undo::Known(value, self.known[value], self.computed[value]));
        self.known[value] = now;
        if depth > 0 && is_word(self.p, value) {
            self.narrow_operands(value, now, depth - 1);
        }
    }

    fn narrow_operands(&mut self, value: Value, now: Interval, depth: u32) {
        let p = self.p;
        let Some(data) = p.producer(value) else { return };
        if data.args.is_empty() || data.args.len() > 2 || !data.args.iter().all(|&arg| is_word(p, arg)) {
            return;
        }
        let args: SmallVec<[Interval; 2]> = data.args.iter().map(|&arg| self.interval(arg)).collect();
        let signed = p.ty(data.args[0]).scalar == Scalar::I32;
        for i in 0..args.len() {
            if let Some(to) = operand(data.op, signed, &args, i, now) {
                self.narrow_from(data.args[i], to, depth);
            }
        }
    }

    /// Says `scale * value <= of + plus`, and what follows for what it was computed from.
    pub fn bound(&mut self, value: Value, bound: Bound) {
        self.bound_from(value, bound, DEPTH);
    }

    fn bound_from(&mut self, value: Value, bound: Bound, depth: u32) {
        let value = self.of_all(value);
        let known = self.bounds.entry(value).or_default();
        if known.len() == MOST_BOUNDS || bound.of == value || known.contains(&bound) {
            return;
        }
        known.push(bound);
        self.undo.push(Undo::Bound(value));
        let Some(data) = self.p.producer(value) else { return };
        if depth == 0 || data.args.is_empty() || !data.args.iter().all(|&arg| is_word(self.p, arg)) {
            return;
        }
        let args: SmallVec<[Interval; 3]> = data.args.iter().map(|&arg| self.interval(arg)).collect();
        let unsigned = is_plain(self.p.ty(value).scalar == Scalar::I32, &args);
        for (i, &arg) in data.args.iter().enumerate() {
            let other = args[args.len() - 1 - i];
            if args[i].single().is_some() {
                continue;
            }
            let Bound { scale, plus, .. } = bound;
            let less = |n: i64| {
                let plus = plus.checked_sub((scale as i64).checked_mul(n)?)?;
                Some(Bound { plus, ..bound })
            };
            let larger = |n: u32| scale.checked_mul(n).map(|scale| Bound { scale, ..bound });
            let fits = |n: u32| args[i].high as u64 * n as u64 <= u32::MAX as u64;
            let follows = match data.op {
                Op::Convert | Op::Bitcast => Some(bound),
                // `a + n` with a negative constant: `a` is at most the sum and the constant's magnitude, also when
                // the sum wraps.
                Op::Add if other.single().is_some_and(|n| n > POSITIVE) => less(other.low as i32 as i64),
                Op::Add if args[i].high.checked_add(other.high).is_some() => less(other.low as i64),
                // `a` is at most the difference and `b`, also when the difference wraps.
                Op::Sub if i == 0 => less(-(other.high as i64)),
                Op::Mul if other.low > 0 && other.single().is_some_and(fits) => larger(other.low),
                Op::Shl if i == 0 && other.single().is_some_and(|n| n < 32 && fits(1 << n)) => {
                    larger(1 << other.low)
                }
                Op::Or => Some(bound),
                Op::Max if unsigned => Some(bound),
                _ => None,
            };
            if let Some(follows) = follows {
                self.bound_from(arg, follows, depth - 1);
            }
        }
    }
}

/// What an operand can be where the result is `now`.
fn operand(op: Op, signed: bool, args: &[Interval], i: usize, now: Interval) -> Option<Interval> {
    let (own, other) = (args[i], args[args.len() - 1 - i]);
    let plain = is_plain(signed, args) && is_plain(signed, &[now]);
    let up_to = |high: u32| Some(Interval::new(0, high));
    let from = |low: u32| Some(Interval::new(low, u32::MAX));
    match op {
        Op::Convert | Op::Bitcast => Some(now),
        Op::Add => match other.single() {
            Some(n) => now.rotate(n.wrapping_neg()),
            None if own.high.checked_add(other.high).is_some() => {
                Some(Interval::new(now.low.saturating_sub(other.high), now.high.checked_sub(other.low)?))
            }
            None => None,
        },
        Op::Sub if i == 0 => now.rotate(other.single()?),
        Op::Mul | Op::Shl => {
            let by = match op {
                Op::Mul => other.single().filter(|n| *n > 0)?,
                _ if i == 0 => 1u32.checked_shl(other.single()?)?,
                _ => return None,
            };
            own.high.checked_mul(by)?;
            Some(Interval::new(now.low.div_ceil(by), now.high / by))
        }
        Op::Div | Op::Shr if i == 0 && plain => {
            let by = match op {
                Op::Div => other.single().filter(|n| *n > 0)?,
                _ => 1u32.checked_shl(other.single()?)?,
            };
            let high = now.high.saturating_mul(by).saturating_add(by - 1);
            Some(Interval::new(now.low.saturating_mul(by), high))
        }
        Op::Max if plain && other.high < now.low => Some(now),
        Op::Max if plain => up_to(now.high),
        Op::Min if plain && other.low > now.high => Some(now),
        Op::Min if plain => from(now.low),
        Op::And => from(now.low),
        Op::Or => up_to(now.high),
        _ => None,
    }
}
