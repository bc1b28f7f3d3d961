//! What the invocations of a subgroup, a warp, give each other.
//!
//! Every instruction names the lanes that take part: those that run the region. Values move as words of 32 bits; wider
//! ones in two, narrower ones in one. A lane that is not there is never read.
//!
//! Reductions and scans go through the lanes in order, as rounding wants it: one after the other where the lanes are
//! known when the program is compiled, else in a loop over the bits. What does not depend on the order is done by
//! `redux` from sm_80 on, or in five steps where all lanes are there.

use super::Emitter;
use super::code::{Class, Operand, Reg};
use super::convert::constant;
use crate::capability::Form;
use vyre_ir::{InstData, Op, Scalar};

/// What of a reduction a lane gets.
#[derive(Copy, Clone, PartialEq)]
enum Part {
    /// All of it.
    All,
    /// What the lanes up to this one give.
    Inclusive,
    /// What the lanes before this one give; for the first one the number.
    Exclusive(f64),
}

/// The operation by which a reduction or scan joins two values, and what of it a lane gets.
fn fold(op: Op) -> Option<(Op, Part)> {
    Some(match op {
        Op::SubgroupAdd => (Op::Add, Part::All),
        Op::SubgroupMul => (Op::Mul, Part::All),
        Op::SubgroupMin => (Op::Min, Part::All),
        Op::SubgroupMax => (Op::Max, Part::All),
        Op::SubgroupAnd => (Op::And, Part::All),
        Op::SubgroupOr => (Op::Or, Part::All),
        Op::SubgroupXor => (Op::Xor, Part::All),
        Op::SubgroupInclusiveAdd => (Op::Add, Part::Inclusive),
        Op::SubgroupInclusiveMul => (Op::Mul, Part::Inclusive),
        Op::SubgroupExclusiveAdd => (Op::Add, Part::Exclusive(0.0)),
        Op::SubgroupExclusiveMul => (Op::Mul, Part::Exclusive(1.0)),
        _ => return None,
    })
}

/// The mask of a whole subgroup.
const ALL: u64 = u32::MAX as u64;

impl Emitter<'_> {
    pub fn exchange(&mut self, data: &InstData) {
        let s = self.p.ty(data.args[0]).scalar;
        let x = self.get(data.args[0]);
        let active = self.active;
        let result = match data.op {
            Op::SubgroupBallot => {
                let bits = self.code.op(Class::Word, "vote.sync.ballot.b32", &[x, active]);
                let zero = Operand::word(0);
                self.values[data.results[0]] = [bits, zero, zero, zero].into_iter().collect();
                return;
            }
            Op::SubgroupAll => self.code.op(Class::Pred, "vote.sync.all.pred", &[x, active]),
            Op::SubgroupAny => self.code.op(Class::Pred, "vote.sync.any.pred", &[x, active]),
            Op::SubgroupBroadcastFirst => {
                let first = self.first_lane(active);
                self.lane_of(s, x, first)
            }
            _ => match fold(data.op) {
                Some((op, part)) => self.fold(op, part, s, x),
                None => {
                    let by = self.get(data.args[1]);
                    self.shuffle(data.op, s, x, by)
                }
            },
        };
        self.set(data.results[0], result);
    }

    // ---- moving values

    /// The value that a lane has, for all; the lane is active.
    fn lane_of(&mut self, s: Scalar, x: Operand, lane: Operand) -> Operand {
        self.moved("idx", s, x, lane)
    }

    /// A value moved by `shfl`.
    fn moved(&mut self, mode: &str, s: Scalar, x: Operand, by: Operand) -> Operand {
        match Class::of(s) {
            Class::Half => {
                let word = self.bitcast(s, Scalar::U16, x);
                let word = self.moved(mode, Scalar::U32, word, by);
                self.bitcast(Scalar::U16, s, word)
            }
            class @ (Class::Long | Class::Double) => {
                let x = self.code.in_register(x);
                let [low, high] = [(); 2].map(|()| self.code.reg(Class::Word));
                self.code.line(format_args!("mov.b64 {{{low}, {high}}}, {x}"));
                let [low, high] = [low, high].map(|part| self.moved(mode, Scalar::U32, part.into(), by));
                let to = self.code.reg(class);
                self.code.line(format_args!("mov.b64 {to}, {{{low}, {high}}}"));
                to.into()
            }
            class => {
                let (x, to, active) = (self.code.in_register(x), self.code.reg(class), self.active);
                // The highest lane, or for moves up the lowest.
                let end = if mode == "up" { 0 } else { 31 };
                self.code.line(format_args!("shfl.sync.{mode}.b32 {to}, {x}, {by}, {end}, {active}"));
                to.into()
            }
        }
    }

    fn shuffle(&mut self, op: Op, s: Scalar, x: Operand, by: Operand) -> Operand {
        let word = Operand::word;
        let all = self.active.bits() == Some(ALL);
        // What is known to be active needs no question.
        if all && by.bits().is_some_and(|n| n < 32) {
            match op {
                Op::SubgroupShuffle => return self.lane_of(s, x, by),
                Op::SubgroupShuffleXor => return self.moved("bfly", s, x, by),
                _ => {}
            }
        }
        let lane = self.lane();
        // Beyond 31 there is no lane. More than 32 lanes away there is none either, but a sum could wrap.
        let from = match op {
            Op::SubgroupShuffle => by,
            Op::SubgroupShuffleXor => self.code.op(Class::Word, "xor.b32", &[lane, by]),
            _ => {
                let by = self.code.op(Class::Word, "min.u32", &[by, word(32)]);
                let name = if op == Op::SubgroupShuffleUp { "sub.u32" } else { "add.u32" };
                self.code.op(Class::Word, name, &[lane, by])
            }
        };
        let is_there = match all {
            true => self.code.op(Class::Pred, "setp.lt.u32", &[from, word(32)]),
            false => {
                let active = self.active;
                let bit = self.code.op(Class::Word, "shr.u32", &[active, from]);
                let bit = self.code.op(Class::Word, "and.b32", &[bit, word(1)]);
                self.code.op(Class::Pred, "setp.ne.u32", &[bit, word(0)])
            }
        };
        let from = self.code.op(Class::Word, "selp.b32", &[from, lane, is_there]);
        let value = self.lane_of(s, x, from);
        self.select(s, &[is_there, value, Operand::constant(s, 0)])
    }

    /// The lowest lane of some.
    fn first_lane(&mut self, lanes: Operand) -> Operand {
        match lanes.bits() {
            Some(bits) => Operand::word((bits as u32).trailing_zeros()),
            None => {
                let reversed = self.code.op(Class::Word, "brev.b32", &[lanes]);
                self.code.op(Class::Word, "clz.b32", &[reversed])
            }
        }
    }

    // ---- reductions and scans

    fn fold(&mut self, op: Op, part: Part, s: Scalar, x: Operand) -> Operand {
        let any_order = s.is_int() || matches!(op, Op::Min | Op::Max);
        if part == Part::All
            && s.is_int()
            && self.has(Form::Redux)
            && let Some(result) = self.redux(op, s, x)
        {
            return result;
        }
        match self.active.bits() {
            Some(ALL) if any_order && part == Part::All => {
                [16, 8, 4, 2, 1].into_iter().fold(x, |sum, distance| {
                    let other = self.moved("bfly", s, sum, Operand::word(distance));
                    self.join(op, s, sum, other)
                })
            }
            Some(ALL) if any_order => self.scan(op, part, s, x),
            Some(lanes) => self.in_order(op, part, s, x, lanes as u32),
            None => self.in_a_loop(op, part, s, x),
        }
    }

    /// A reduction of integers by one instruction for each word.
    fn redux(&mut self, op: Op, s: Scalar, x: Operand) -> Option<Operand> {
        let active = self.active;
        let signed = s.is_signed();
        let name = match op {
            Op::And => "redux.sync.and.b32",
            Op::Or => "redux.sync.or.b32",
            Op::Xor => "redux.sync.xor.b32",
            Op::Add if signed => "redux.sync.add.s32",
            Op::Add => "redux.sync.add.u32",
            Op::Min if signed => "redux.sync.min.s32",
            Op::Min => "redux.sync.min.u32",
            Op::Max if signed => "redux.sync.max.s32",
            Op::Max => "redux.sync.max.u32",
            _ => return None,
        };
        let word = |e: &mut Self, x: Operand| {
            let (x, to) = (e.code.in_register(x), e.code.reg(Class::Word));
            e.code.line(format_args!("{name} {to}, {x}, {active}"));
            to
        };
        if Class::of(s) == Class::Word {
            let result = word(self, x);
            return Some(if op == Op::Add { self.wrap(s, result.into()) } else { result.into() });
        }
        // Of 64 bits those that take no carry.
        if !matches!(op, Op::And | Op::Or | Op::Xor) {
            return None;
        }
        let x = self.code.in_register(x);
        let [low, high] = [(); 2].map(|()| self.code.reg(Class::Word));
        self.code.line(format_args!("mov.b64 {{{low}, {high}}}, {x}"));
        let [low, high] = [low, high].map(|part| word(self, part.into()));
        let to = self.code.reg(Class::Long);
        self.code.line(format_args!("mov.b64 {to}, {{{low}, {high}}}"));
        Some(to.into())
    }

    /// A scan of a whole subgroup in steps of 1, 2, 4, 8 and 16 lanes.
    fn scan(&mut self, op: Op, part: Part, s: Scalar, x: Operand) -> Operand {
        let lane = self.lane();
        let mut sum = x;
        for distance in [1, 2, 4, 8, 16] {
            let before = self.moved("up", s, sum, Operand::word(distance));
            let both = self.join(op, s, before, sum);
            let is_there = self.code.op(Class::Pred, "setp.ge.u32", &[lane, Operand::word(distance)]);
            sum = self.select(s, &[is_there, both, sum]);
        }
        let Part::Exclusive(first) = part else { return sum };
        let before = self.moved("up", s, sum, Operand::word(1));
        let is_there = self.code.op(Class::Pred, "setp.ne.u32", &[lane, Operand::word(0)]);
        self.select(s, &[is_there, before, constant(s, first)])
    }

    /// Through lanes that are known, one after the other.
    fn in_order(&mut self, op: Op, part: Part, s: Scalar, x: Operand, lanes: u32) -> Operand {
        let mut lanes = (0..32).filter(|lane| lanes >> lane & 1 == 1).map(Operand::word);
        let first = lanes.next().expect("some lane runs the region");
        let mut sum = self.lane_of(s, x, first);
        let mut result = match part {
            Part::Exclusive(first) => constant(s, first),
            _ => sum,
        };
        for lane in lanes {
            let value = self.lane_of(s, x, lane);
            let next = self.join(op, s, sum, value);
            if part != Part::All {
                let own = self.lane();
                let reached = self.code.op(Class::Pred, "setp.ge.u32", &[own, lane]);
                let here = if part == Part::Inclusive { next } else { sum };
                result = self.select(s, &[reached, here, result]);
            }
            sum = next;
        }
        if part == Part::All { sum } else { result }
    }

    /// Through the lanes that are there, by a loop that all of them run.
    fn in_a_loop(&mut self, op: Op, part: Part, s: Scalar, x: Operand) -> Operand {
        let active = self.active;
        let class = Class::of(s);
        let own = self.lane();
        let [sum, result] = [(); 2].map(|()| self.code.reg(class));
        let rest = self.code.reg(Class::Word);
        let first = self.first_lane(active);
        let value = self.lane_of(s, x, first);
        self.code.mov(sum, value);
        let begin = match part {
            Part::Exclusive(first) => constant(s, first),
            _ => value,
        };
        if part != Part::All {
            self.code.mov(result, begin);
        }
        self.without_lowest(rest, active);
        let [turn, after] = [(); 2].map(|()| self.code.label());
        self.code.place(turn);
        let none = self.code.op(Class::Pred, "setp.eq.u32", &[rest.into(), Operand::word(0)]);
        self.code.line(format_args!("@{none} bra {after}"));
        let lane = self.first_lane(rest.into());
        let value = self.lane_of(s, x, lane);
        let next = self.join(op, s, sum.into(), value);
        if part != Part::All {
            let reached = self.code.op(Class::Pred, "setp.ge.u32", &[own, lane]);
            let here = if part == Part::Inclusive { next } else { sum.into() };
            let here = self.select(s, &[reached, here, result.into()]);
            self.code.mov(result, here);
        }
        self.code.mov(sum, next);
        self.without_lowest(rest, rest.into());
        self.code.line(format_args!("bra {turn}"));
        self.code.place(after);
        if part == Part::All { sum.into() } else { result.into() }
    }

    /// Lanes without the lowest of them.
    fn without_lowest(&mut self, to: Reg, lanes: Operand) {
        let below = self.code.op(Class::Word, "sub.u32", &[lanes, Operand::word(1)]);
        self.code.op_to(to, "and.b32", &[lanes, below]);
    }
}
