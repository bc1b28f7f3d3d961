//! Statements: structured code with jumps becomes regions without.
//!
//! Reading a block says whether its end is reached and which jumps may have been taken instead. Code after a
//! statement that may jump moves into the branch that did not jump; where either branch may have jumped, it runs
//! under a condition on the flags of the jumps. Nothing is ever read twice.

use super::facts::{CONTINUE, Flow, RETURN, Root, case_bits};
use super::lower::{Jump, Lower, Outcome};
use super::vars::{Changes, Slot, State};
use naga::{Block, Expression as E, Handle, Statement as S, SwitchCase};
use smallvec::SmallVec;
use vyre_ir::*;

/// How reading code ended.
struct End {
    /// Whether the end may be reached.
    falls: bool,
    /// Flags of the jumps that may have been taken instead.
    jumps: SmallVec<[Slot; 4]>,
}

impl End {
    fn falls() -> End {
        End { falls: true, jumps: SmallVec::new() }
    }
    fn jumped(flag: Slot) -> End {
        End { falls: false, jumps: SmallVec::from_slice(&[flag]) }
    }
    /// Either of two ends.
    fn or(mut self, other: End) -> End {
        for flag in other.jumps {
            if !self.jumps.contains(&flag) {
                self.jumps.push(flag);
            }
        }
        self.falls |= other.falls;
        self
    }
}

/// What follows a block.
#[derive(Copy, Clone)]
enum Next<'a, 'm> {
    Nothing,
    /// The rest of the block around it.
    Rest {
        block: &'m Block,
        from: usize,
        next: &'a Next<'a, 'm>,
    },
    /// The end of a loop's body.
    Tail(&'a Tail<'m>),
}

/// What a loop does at the end of its body.
#[derive(Copy, Clone)]
struct Tail<'m> {
    continuing: &'m Block,
    break_if: Option<Handle<E>>,
    /// The flag for another iteration.
    again: Slot,
}

/// What a branch runs.
enum Side<'a, 'm> {
    Code(&'m Block, &'a Next<'a, 'm>),
    Next(&'a Next<'a, 'm>),
    /// Nothing, after jumps taken earlier.
    Jumped(SmallVec<[Slot; 4]>),
}

impl<'m> Lower<'m> {
    /// Reads the body of a function.
    pub fn block(&mut self, block: &'m Block) -> Outcome<()> {
        self.sequence(block, 0, &Next::Nothing)?;
        Ok(())
    }

    fn flow(&self, block: &Block) -> Flow {
        self.frame.facts.flow[&std::ptr::from_ref(block)]
    }

    fn next(&mut self, next: &Next<'_, 'm>) -> Outcome<End> {
        match *next {
            Next::Nothing => Ok(End::falls()),
            Next::Rest { block, from, next } => self.sequence(block, from, next),
            Next::Tail(tail) => self.tail(tail),
        }
    }

    /// Reads a block from a statement on, and what follows it.
    fn sequence(&mut self, block: &'m Block, from: usize, next: &Next<'_, 'm>) -> Outcome<End> {
        for (i, (statement, &span)) in block.span_iter().enumerate().skip(from) {
            self.at(span);
            self.check_size()?;
            let rest = Next::Rest { block, from: i + 1, next };
            let end = match *statement {
                S::Block(ref inner) => {
                    if self.flow(inner).jumps != 0 {
                        return self.sequence(inner, 0, &rest);
                    }
                    self.sequence(inner, 0, &Next::Nothing)?
                }
                S::If { condition, ref accept, ref reject } => {
                    let condition = self.value(condition)?;
                    if let Some(bits) = self.code.b.p.constant(condition) {
                        return self.sequence(if bits[0] == 1 { accept } else { reject }, 0, &rest);
                    }
                    let (a, r) = (self.flow(accept).falls, self.flow(reject).falls);
                    // What follows belongs to the side that reaches it, when only one does.
                    let (after_a, after_r) = match (a, r) {
                        (true, false) => (rest, Next::Nothing),
                        (false, true) => (Next::Nothing, rest),
                        _ => (Next::Nothing, Next::Nothing),
                    };
                    let end =
                        self.branch(condition, Side::Code(accept, &after_a), Side::Code(reject, &after_r))?;
                    if a != r {
                        return Ok(end);
                    }
                    end
                }
                S::Switch { selector, ref cases } => {
                    let selector = self.value(selector)?;
                    self.switch(selector, cases)?
                }
                S::Loop { ref body, ref continuing, break_if } => self.repeat(body, continuing, break_if)?,
                S::Break => {
                    let flag = self.frame.jumps.last().expect("naga checks that a break has a target").broke;
                    return self.jump(flag);
                }
                S::Continue => {
                    let innermost = self.frame.jumps.iter().rev().find_map(|j| j.continued);
                    return self.jump(innermost.expect("naga checks that a continue has a loop"));
                }
                S::Return { value } => {
                    if let (Some(value), Some(place)) = (value, self.frame.result.clone()) {
                        let value = self.rvalue(value)?;
                        self.store(&place, &value)?;
                    }
                    return self.jump(self.frame.returned);
                }
                ref simple => {
                    self.simple(simple)?;
                    continue;
                }
            };
            if !end.falls {
                return Ok(end);
            }
            let last = i + 1 == block.len() && matches!(next, Next::Nothing);
            if !end.jumps.is_empty() {
                return if last { Ok(end) } else { self.unless_jumped(end.jumps, &rest) };
            }
        }
        self.next(next)
    }

    fn jump(&mut self, flag: Slot) -> Outcome<End> {
        self.vars.set(flag, State::True);
        Ok(End::jumped(flag))
    }

    /// Runs what follows unless one of the jumps was taken.
    fn unless_jumped(&mut self, jumps: SmallVec<[Slot; 4]>, next: &Next<'_, 'm>) -> Outcome<End> {
        let mut any = None;
        for &flag in &jumps {
            // Code that is never run was left out, and its jumps with it.
            if self.vars.state(flag) == State::Zero {
                continue;
            }
            let flag = self.vars.get(flag, &mut self.code);
            any = Some(match any {
                None => flag,
                Some(any) => self.code.op(Op::Or, &[any, flag]),
            });
        }
        let Some(any) = any else {
            return self.next(next);
        };
        self.branch(any, Side::Jumped(jumps), Side::Next(next))
    }

    /// `if condition { yes } else { no }`.
    fn branch(&mut self, condition: Value, yes: Side<'_, 'm>, no: Side<'_, 'm>) -> Outcome<End> {
        self.check_depth()?;
        let loc = self.code.b.loc;
        let (yes, a, changes_a) = self.region(yes)?;
        let (no, b, changes_b) = self.region(no)?;
        self.code.b.loc = loc;
        let p = &self.code.b.p;
        let idle = [yes, no].iter().all(|&r| p.regions[r].insts.len() == 1);
        if !(idle && changes_a.is_empty() && changes_b.is_empty()) {
            let inst = self.code.b.insert(Op::If, Attr::None, &[condition], &[], [yes, no]);
            self.vars.join(inst, &[changes_a, changes_b]);
            let last = [&a, &b].map(|end| self.is_last(end));
            if last != [false; 2] {
                self.last.push((inst, last));
            }
        }
        Ok(a.or(b))
    }

    /// Whether code outside of loops ends only in a return from the entry point.
    fn is_last(&self, end: &End) -> bool {
        self.loops == 0 && !end.falls && end.jumps[..] == [self.done]
    }

    /// A region that runs a side.
    fn region(&mut self, side: Side<'_, 'm>) -> Outcome<(Region, End, Changes)> {
        let (mark, region) = (self.vars.mark(), self.code.b.open(&[]));
        self.code.enter(region);
        let end = match side {
            Side::Code(block, next) => self.sequence(block, 0, next)?,
            Side::Next(next) => self.next(next)?,
            Side::Jumped(jumps) => End { falls: false, jumps },
        };
        if self.is_last(&end) {
            // Known also where it comes from a loop.
            self.vars.set(self.done, State::True);
        }
        self.code.b.insert(Op::Yield, Attr::None, &[], &[], []);
        self.code.leave();
        Ok((region, end, self.vars.take(mark)))
    }

    fn tail(&mut self, tail: &Tail<'m>) -> Outcome<End> {
        self.sequence(tail.continuing, 0, &Next::Nothing)?;
        match tail.break_if {
            None => self.vars.set(tail.again, State::True),
            Some(condition) => {
                let condition = self.value(condition)?;
                let again = self.code.op(Op::Not, &[condition]);
                self.vars.assign(tail.again, again, &self.code);
            }
        }
        Ok(End::falls())
    }

    fn repeat(
        &mut self,
        body: &'m Block,
        continuing: &'m Block,
        break_if: Option<Handle<E>>,
    ) -> Outcome<End> {
        self.check_depth()?;
        let (flow, loc) = (self.flow(body), self.code.b.loc);
        let (broke, continued, again) = (self.flag(), self.flag(), self.flag());
        let region = self.code.b.open(&[]);
        let looping = self.vars.open_loop(region);
        let mut carried = Vec::new();
        for slot in self.carried(body) {
            carried.push((slot, self.vars.carry(looping, slot)));
        }
        let flags = carried.len();
        if flow.jumps & RETURN != 0 {
            let result = self.frame.result.clone().map(|p| p.slots(self.types[p.ty].leaves));
            for slot in result.into_iter().flatten().chain([self.frame.returned]) {
                carried.push((slot, self.vars.carry(looping, slot)));
            }
        }
        let mark = self.vars.mark();
        for (i, &(slot, entry)) in carried.iter().enumerate() {
            // The loop goes on only while nothing was returned.
            self.vars.set(slot, if i < flags { entry } else { State::Zero });
        }
        self.code.enter(region);
        self.loops += 1;
        self.frame.jumps.push(Jump { broke, continued: Some(continued) });
        let tail = Tail { continuing, break_if, again };
        let mut end = if flow.jumps & CONTINUE == 0 {
            self.sequence(body, 0, &Next::Tail(&tail))?
        } else {
            let end = self.sequence(body, 0, &Next::Nothing)?;
            let reached = end.falls || end.jumps.contains(&continued);
            let others: SmallVec<[Slot; 4]> = end.jumps.iter().copied().filter(|&j| j != continued).collect();
            match (reached, others.is_empty()) {
                (false, _) => {}
                (true, true) => {
                    self.tail(&tail)?;
                }
                (true, false) => {
                    self.unless_jumped(others, &Next::Tail(&tail))?;
                }
            }
            end
        };
        self.frame.jumps.pop();
        self.loops -= 1;
        let again = self.vars.get(again, &mut self.code);
        let changes = self.vars.take(mark);
        let nexts: Vec<_> = carried
            .iter()
            .map(|&(slot, entry)| match changes.binary_search_by_key(&slot, |c| c.0) {
                Ok(i) => (slot, entry, changes[i].1),
                Err(_) => (slot, entry, entry),
            })
            .collect();
        self.code.b.loc = loc;
        self.vars.close_loop(looping, again, &nexts, &mut self.code);
        end.jumps.retain(|j| *j != broke && *j != continued);
        end.falls = flow.jumps & super::facts::BREAK != 0 || break_if.is_some();
        Ok(end)
    }

    /// The slots that a loop may change, apart from those of a return.
    fn carried(&self, body: &Block) -> Vec<Slot> {
        let mut slots = Vec::new();
        for &root in &self.frame.facts.assigned[&std::ptr::from_ref(body)] {
            let place = match root {
                Root::Local(local) => Some(&self.frame.locals[local.index()]),
                Root::Global(global) => self.globals[global.index()].as_ref(),
                Root::Argument(i) => match &self.frame.arguments[i as usize] {
                    super::lower::Argument::Pointer(place) => Some(place),
                    _ => None,
                },
            };
            if let Some(place) = place {
                slots.extend(place.slots(self.types[place.ty].leaves));
            }
        }
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    fn switch(&mut self, selector: Value, cases: &'m [SwitchCase]) -> Outcome<End> {
        self.check_depth()?;
        let loc = self.code.b.loc;
        let broke = self.flag();
        self.frame.jumps.push(Jump { broke, continued: None });
        // A group ends where control does not go on to the next case.
        let groups: Vec<&'m [SwitchCase]> = cases.split_inclusive(|c| !c.fall_through).collect();
        let is_default = |g: &&[SwitchCase]| g.iter().any(|c| case_bits(c.value).is_none());
        let default = groups.iter().position(is_default).expect("naga checks that there is a default");
        let mut order: Vec<usize> = (0..groups.len()).filter(|&i| i != default).collect();
        order.push(default);
        let (mut values, mut regions, mut changes, mut end) =
            (Vec::new(), Vec::new(), Vec::new(), None::<End>);
        for (place, &group) in order.iter().enumerate() {
            let group = groups[group];
            let simple = group.iter().rev().skip(1).all(|c| c.body.is_empty());
            if place + 1 < order.len() {
                let bits = group.iter().filter_map(|c| case_bits(c.value));
                values.extend(bits.map(|value| Case { value, region: place as u32 }));
            }
            let (mark, region) = (self.vars.mark(), self.code.b.open(&[]));
            // A default alone needs no region.
            let alone = order.len() == 1;
            if !alone {
                self.code.enter(region);
            }
            let this = if simple {
                let body = &group.last().expect("a group has a case").body;
                self.sequence(body, 0, &Next::Nothing)?
            } else {
                self.fall_through(selector, group, cases)?
            };
            if alone {
                end = Some(this);
                break;
            }
            self.code.b.insert(Op::Yield, Attr::None, &[], &[], []);
            self.code.leave();
            regions.push(region);
            changes.push(self.vars.take(mark));
            end = Some(match end {
                None => this,
                Some(end) => end.or(this),
            });
        }
        self.frame.jumps.pop();
        self.code.b.loc = loc;
        if !regions.is_empty() {
            let cases = Attr::Cases(values.into());
            let inst = self.code.b.insert(Op::Switch, cases, &[selector], &[], regions);
            self.vars.join(inst, &changes);
        }
        let mut end = end.expect("there is a default");
        end.falls |= end.jumps.contains(&broke);
        end.jumps.retain(|j| *j != broke);
        Ok(end)
    }

    /// Cases whose bodies run one into the next: each runs if it was chosen or the one before it ended.
    fn fall_through(&mut self, selector: Value, group: &'m [SwitchCase], all: &[SwitchCase]) -> Outcome<End> {
        let entered = self.flag();
        let mut jumps: SmallVec<[Slot; 4]> = SmallVec::new();
        let ty = self.code.ty(selector);
        let mut falls = true;
        for case in group {
            let mut chosen = None;
            // The default is chosen when no other case is.
            let candidates: Vec<u64> = match case_bits(case.value) {
                Some(value) => vec![value],
                None => all.iter().filter_map(|c| case_bits(c.value)).collect(),
            };
            for value in candidates {
                let value = self.code.bits(ty, value);
                let this = self.code.op(Op::Eq, &[selector, value]);
                chosen = Some(match chosen {
                    None => this,
                    Some(chosen) => self.code.op(Op::Or, &[chosen, this]),
                });
            }
            let mut runs = chosen.unwrap_or_else(|| self.code.bits(Scalar::Bool, 0));
            if case_bits(case.value).is_none() {
                runs = self.code.op(Op::Not, &[runs]);
            }
            let before = self.vars.get(entered, &mut self.code);
            runs = self.code.op(Op::Or, &[before, runs]);
            for &flag in &jumps {
                let flag = self.vars.get(flag, &mut self.code);
                let not = self.code.op(Op::Not, &[flag]);
                runs = self.code.op(Op::And, &[runs, not]);
            }
            self.vars.assign(entered, runs, &self.code);
            let nothing = Next::Nothing;
            let end = self.branch(runs, Side::Code(&case.body, &nothing), Side::Jumped(SmallVec::new()))?;
            falls = end.falls;
            jumps = End { falls: true, jumps }.or(end).jumps;
        }
        // A jump in an earlier body ends the group although the last body may fall through its end.
        Ok(End { falls, jumps })
    }

    /// A statement without control flow.
    fn simple(&mut self, statement: &'m S) -> Outcome<()> {
        match *statement {
            S::Emit(ref range) => {
                for e in range.clone() {
                    self.emit(e)?;
                }
                Ok(())
            }
            S::Store { pointer, value } => {
                let (place, value) = (self.place(pointer)?, self.rvalue(value)?);
                self.store(&place, &value)
            }
            S::Call { function, ref arguments, result } => self.call(function, arguments, result),
            S::Atomic { pointer, fun, value, result } => self.atomic(pointer, fun, value, result),
            S::ControlBarrier(flags) => {
                self.barrier(flags);
                Ok(())
            }
            S::WorkGroupUniformLoad { pointer, result } => self.uniform_load(pointer, result),
            S::SubgroupBallot { result, predicate } => self.ballot(predicate, result),
            S::SubgroupCollectiveOperation { op, collective_op, argument, result } => {
                self.collective(op, collective_op, argument, result)
            }
            S::SubgroupGather { mode, argument, result } => self.gather(mode, argument, result),
            S::MemoryBarrier(_) => Err(self.unsupported("a memory barrier that does not wait")),
            S::ImageStore { .. } | S::ImageAtomic { .. } => Err(self.unsupported("a texture function")),
            S::RayQuery { .. } | S::RayPipelineFunction(_) => Err(self.unsupported("ray tracing")),
            S::CooperativeStore { .. } => Err(self.unsupported("a cooperative matrix")),
            S::Kill => Err(self.unsupported("`discard`")),
            S::Block(_)
            | S::If { .. }
            | S::Switch { .. }
            | S::Loop { .. }
            | S::Break
            | S::Continue
            | S::Return { .. } => unreachable!("control flow is not simple"),
        }
    }
}
