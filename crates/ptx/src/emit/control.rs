//! Control flow: regions, and the registers that change where they meet.
//!
//! What branches and loops give, and a loop's parameters, are registers that are assigned on every way there; the
//! assignments of one edge happen together ([`Emitter::moves`]).
//!
//! In regions where invocations of a subgroup exchange values, the lanes that run the region are known, as bits: a
//! vote before the branch, while all that come there are together, says who goes which way, and a vote at the end
//! of a loop's turn who goes on. No vote is needed where the workgroup goes one way.

use super::Emitter;
use super::address::Pointer;
use super::code::{Class, Label, Operand, Reg};
use smallvec::SmallVec;
use vyre_ir::{Attr, Case, InstData, Op, Region, Scalar, Value};

/// From how many cases on a switch is a table of places to jump to.
const TABLE: usize = 4;

/// What the turns of a loop have in common.
struct Turn {
    head: Label,
    end: Label,
    /// The loop's parameters.
    registers: SmallVec<[Option<Reg>; 4]>,
    /// The lanes that go on, where they have to know of each other.
    lanes: Option<Reg>,
    pointers: Vec<(Pointer, i64)>,
}

impl Emitter<'_> {
    pub fn branch(&mut self, data: &InstData) {
        let (then, other) = (data.regions[0], data.regions[1]);
        let condition = self.get(data.args[0]);
        if let Some(bits) = condition.bits() {
            let taken = if bits & 1 == 1 { then } else { other };
            self.region(taken);
            for (&result, &value) in data.results.iter().zip(self.p.yielded(taken)) {
                self.values[result] = self.values[value].clone();
            }
            return;
        }
        let around = self.active;
        let sides = self.sides(data, &[Some(condition), None]);
        let results = self.results(data);
        let condition = self.code.in_register(condition);
        let after = self.code.label();
        if self.is_empty(other) && results.is_empty() {
            self.code.line(format_args!("@!{condition} bra {after}"));
            self.side(then, sides[0], &results);
        } else if self.is_empty(then) && results.is_empty() {
            self.code.line(format_args!("@{condition} bra {after}"));
            self.side(other, sides[1], &results);
        } else {
            let otherwise = self.code.label();
            self.code.line(format_args!("@!{condition} bra {otherwise}"));
            self.side(then, sides[0], &results);
            self.code.line(format_args!("bra {after}"));
            self.code.place(otherwise);
            self.side(other, sides[1], &results);
        }
        self.code.place(after);
        self.active = around;
    }

    /// Whether a region does nothing.
    fn is_empty(&self, region: Region) -> bool {
        self.p.regions[region].insts.len() == 1
    }

    /// Registers for what an instruction gives, as far as somebody takes it.
    fn results(&mut self, data: &InstData) -> SmallVec<[Option<Reg>; 4]> {
        let registers = data.results.iter().map(|&result| {
            let reg =
                self.known.needs.used[result].then(|| self.code.reg(Class::of(self.p.ty(result).scalar)));
            if let Some(reg) = reg {
                self.set(result, reg.into());
            }
            reg
        });
        let registers: SmallVec<[Option<Reg>; 4]> = registers.collect();
        if registers.iter().all(Option::is_none) { SmallVec::new() } else { registers }
    }

    /// A region that runs on one of several ways, by the lanes that go it.
    fn side(&mut self, region: Region, active: Operand, results: &[Option<Reg>]) {
        self.active = active;
        self.region(region);
        self.give(self.p.yielded(region), results);
    }

    /// Assigns values to registers.
    fn give(&mut self, values: &[Value], registers: &[Option<Reg>]) {
        let pairs = registers.iter().zip(values).filter_map(|(reg, &value)| Some(((*reg)?, self.get(value))));
        let pairs: Vec<(Reg, Operand)> = pairs.collect();
        self.moves(pairs);
    }

    /// The lanes that go each way, given the condition of each; that of the last is that none of the others holds.
    fn sides(&mut self, data: &InstData, conditions: &[Option<Operand>]) -> SmallVec<[Operand; 4]> {
        let all = self.active;
        let meets = |e: &Self, i: usize| e.known.needs.meets[data.regions[i]];
        let together = self.known.uniform.value(data.args[0]);
        if together || !(0..conditions.len()).any(|i| meets(self, i)) {
            return SmallVec::from_elem(all, conditions.len());
        }
        let mut sides = SmallVec::new();
        let mut rest = all;
        let last_meets = meets(self, conditions.len() - 1);
        for (i, condition) in conditions.iter().enumerate() {
            let side = match condition {
                Some(condition) if meets(self, i) || last_meets => {
                    let lanes = self.code.op(Class::Word, "vote.sync.ballot.b32", &[*condition, all]);
                    if last_meets {
                        let others = self.code.op(Class::Word, "not.b32", &[lanes]);
                        rest = self.code.op(Class::Word, "and.b32", &[rest, others]);
                    }
                    lanes
                }
                Some(_) => all,
                None => rest,
            };
            sides.push(side);
        }
        sides
    }

    pub fn repeat(&mut self, data: &InstData) {
        let p = self.p;
        let body = data.regions[0];
        let params = &p.regions[body].params;
        let registers: SmallVec<[Option<Reg>; 4]> =
            params.iter().map(|&v| Some(self.code.reg(Class::of(p.ty(v).scalar)))).collect();
        self.give(&data.args, &registers);
        for (&param, reg) in params.iter().zip(&registers) {
            self.set(param, reg.expect("every parameter has one").into());
        }
        let yielded = p.yielded(body);
        let around = self.active;
        let lanes = (self.known.needs.meets[body] && !self.known.uniform.value(yielded[0])).then(|| {
            let lanes = self.code.reg(Class::Word);
            self.code.mov(lanes, around);
            self.active = lanes.into();
            lanes
        });
        let pointers = self.open_pointers(data);
        let around_turn =
            Turn { head: self.code.label(), end: self.code.label(), registers, lanes, pointers };
        self.code.place(around_turn.head);
        if data.loc.pass == Some("limit") {
            // What is left of a loop beyond its buffers is not worth copies.
            self.code.line(format_args!(".pragma \"nounroll\""));
        }
        self.turn(body, &around_turn, true);
        let Turn { registers, end, .. } = around_turn;
        self.code.place(end);
        for (&result, reg) in data.results.iter().zip(&registers) {
            self.set(result, reg.expect("every parameter has one").into());
        }
        self.active = around;
    }

    /// A turn of a loop, or what is left of it, and where it goes from there. It can end in a branch that gives all that
    /// the turn does: then each side goes on from where it is.
    fn turn(&mut self, region: Region, turn: &Turn, last: bool) {
        let p = self.p;
        let (insts, yielded) = (&p.regions[region].insts, p.yielded(region));
        if let [before @ .., branch, _] = &insts[..]
            && let data = &p.insts[*branch]
            && data.op == Op::If
            && data.results[..] == *yielded
            && turn.lanes.is_none()
            && !self.known.needs.meets[region]
        {
            self.find_neighbors(region);
            before.iter().for_each(|&inst| self.inst(inst));
            let condition = self.get(data.args[0]);
            if let Some(bits) = condition.bits() {
                return self.turn(data.regions[(bits & 1 == 0) as usize], turn, last);
            }
            let condition = self.code.in_register(condition);
            let otherwise = self.code.label();
            self.code.line(format_args!("@!{condition} bra {otherwise}"));
            self.turn(data.regions[0], turn, false);
            self.code.place(otherwise);
            return self.turn(data.regions[1], turn, last);
        }
        self.region(region);
        self.move_pointers(&turn.pointers);
        let mut again = self.get(yielded[0]);
        if let Some(lanes) = turn.lanes {
            self.code.op_to(lanes, "vote.sync.ballot.b32", &[again, lanes.into()]);
        }
        // The condition may be a parameter, which is about to change.
        if turn.registers.iter().any(|reg| reg.map(Operand::from) == Some(again)) {
            let kept = self.code.reg(Class::Pred);
            self.code.mov(kept, again);
            again = kept.into();
        }
        self.give(&yielded[1..], &turn.registers);
        let (head, end) = (turn.head, turn.end);
        match again.bits() {
            None => self.code.line(format_args!("@{again} bra {head}")),
            Some(0) => {}
            Some(_) => return self.code.line(format_args!("bra {head}")),
        }
        if !last {
            self.code.line(format_args!("bra {end}"));
        }
    }

    pub fn switch(&mut self, data: &InstData) {
        let Attr::Cases(cases) = &data.attr else { unreachable!("a switch has cases") };
        let selector = self.get(data.args[0]);
        let last = data.regions.len() - 1;
        let cases: Vec<Case> = cases.iter().copied().filter(|case| case.region as usize != last).collect();
        let around = self.active;
        let conditions: SmallVec<[Option<Operand>; 4]> = match self.needs_votes(data) {
            false => SmallVec::from_elem(None, data.regions.len()),
            true => {
                let of_cases = (0..last).map(|region| Some(self.is_case(selector, &cases, region)));
                of_cases.chain([None]).collect()
            }
        };
        let sides = self.sides(data, &conditions);
        let results = self.results(data);
        let labels: Vec<Label> = data.regions.iter().map(|_| self.code.label()).collect();
        let after = self.code.label();
        self.jump(selector, &cases, &labels);
        for (i, &region) in data.regions.iter().enumerate() {
            self.code.place(labels[i]);
            self.side(region, sides[i], &results);
            if i < last {
                self.code.line(format_args!("bra {after}"));
            }
        }
        self.code.place(after);
        self.active = around;
    }

    fn needs_votes(&self, data: &InstData) -> bool {
        !self.known.uniform.value(data.args[0]) && data.regions.iter().any(|&r| self.known.needs.meets[r])
    }

    /// Whether a selector is one of a region's cases.
    fn is_case(&mut self, selector: Operand, cases: &[Case], region: usize) -> Operand {
        let mut is = Operand::constant(Scalar::Bool, 0);
        for case in cases.iter().filter(|case| case.region as usize == region) {
            let value = Operand::word(case.value as u32);
            is = match is.bits() {
                Some(_) => self.code.op(Class::Pred, "setp.eq.u32", &[selector, value]),
                None => self.code.op(Class::Pred, "setp.eq.or.u32", &[selector, value, is]),
            };
        }
        is
    }

    /// Jumps to the region of a selector.
    fn jump(&mut self, selector: Operand, cases: &[Case], labels: &[Label]) {
        let default = *labels.last().expect("a switch has a region");
        let least = cases.iter().map(|case| case.value as i32).min().unwrap_or(0);
        let most = cases.iter().map(|case| case.value as i32).max().unwrap_or(0);
        let span = most.wrapping_sub(least) as u32;
        if cases.len() >= TABLE && (span as usize) < 2 * cases.len() {
            let entry = self.code.op(Class::Word, "sub.u32", &[selector, Operand::word(least as u32)]);
            let beyond = self.code.op(Class::Pred, "setp.gt.u32", &[entry, Operand::word(span)]);
            self.code.line(format_args!("@{beyond} bra {default}"));
            let mut places = vec![default; span as usize + 1];
            for case in cases {
                places[(case.value as i32).wrapping_sub(least) as usize] = labels[case.region as usize];
            }
            let places: Vec<String> = places.iter().map(ToString::to_string).collect();
            let table = self.code.label();
            self.code.place(table);
            self.code.line(format_args!(".branchtargets {}", places.join(", ")));
            self.code.line(format_args!("brx.idx {entry}, {table}"));
            return;
        }
        for case in cases {
            let value = Operand::word(case.value as u32);
            let is = self.code.op(Class::Pred, "setp.eq.u32", &[selector, value]);
            self.code.line(format_args!("@{is} bra {}", labels[case.region as usize]));
        }
        self.code.line(format_args!("bra {default}"));
    }

    /// Assigns several registers at the same time.
    pub fn moves(&mut self, mut pairs: Vec<(Reg, Operand)>) {
        pairs.retain(|(to, from)| Operand::Reg(*to) != *from);
        let mut readers: std::collections::HashMap<Reg, usize> = std::collections::HashMap::new();
        for (_, from) in &pairs {
            if let Operand::Reg(reg) = from {
                *readers.entry(*reg).or_default() += 1;
            }
        }
        // Registers that nobody reads any more can be assigned; that may free what is copied from.
        let by_target: std::collections::HashMap<Reg, usize> =
            pairs.iter().enumerate().map(|(i, (to, _))| (*to, i)).collect();
        let mut done = vec![false; pairs.len()];
        let mut ready: Vec<usize> =
            (0..pairs.len()).rev().filter(|&i| !readers.contains_key(&pairs[i].0)).collect();
        for start in 0..=pairs.len() {
            while let Some(i) = ready.pop() {
                let (to, from) = pairs[i];
                self.code.mov(to, from);
                done[i] = true;
                if let Operand::Reg(reg) = from
                    && let Some(count) = readers.get_mut(&reg)
                {
                    *count -= 1;
                    if *count == 0
                        && let Some(&next) = by_target.get(&reg)
                        && !done[next]
                    {
                        ready.push(next);
                    }
                }
            }
            // What is left goes in circles: one register of each is kept aside.
            if start < pairs.len() && !done[start] {
                let (to, _) = pairs[start];
                let aside = self.code.reg(to.class);
                self.code.mov(aside, to.into());
                for (_, from) in &mut pairs {
                    if *from == Operand::Reg(to) {
                        *from = aside.into();
                    }
                }
                readers.remove(&to);
                ready.push(start);
            }
        }
    }
}
