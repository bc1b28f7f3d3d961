//! Variables become values, and jumps become region results, once and here.
//!
//! A slot is one scalar or vector of a variable, or a flag that says whether a jump was taken. The current state of
//! each slot is known while code is read in order; every region's changes are taken back when it ends and joined with
//! those of the regions beside it. A join is only noted. It becomes results of the `if`, parameters of the `loop`, when
//! somebody reads the slot, so what is dead after a region is neither joined nor carried; the arena lets a finished
//! instruction get another result.
//!
//! Invariant: a state read in a region names a value that dominates it, or constants, which live in the prologue.

use super::code::Code;
use vyre_ir::*;

/// Index of a slot.
pub type Slot = u32;

/// What a slot holds.
#[derive(Copy, Clone, PartialEq, Debug)]
pub enum State {
    /// Zero, or `false`: where everything begins.
    Zero,
    /// `true`.
    True,
    /// A value.
    Is(Value),
    /// What several regions leave; see [`Vars`].
    Join(u32),
}

/// What a finished region left in the slots it changed, ordered by slot.
pub type Changes = Vec<(Slot, State)>;

enum Kind {
    /// What the regions of an `if` or a `switch` leave.
    Sides { inst: Inst, sides: Box<[State]> },
    /// A loop's slot at the start of its body: before the loop, and at the end of the body.
    Entry { looping: u32, before: State, next: State },
    /// A loop's slot after it.
    Exit { looping: u32, entry: u32 },
}

struct Join {
    ty: Type,
    value: Option<Value>,
    kind: Kind,
}

struct Loop {
    region: Region,
    /// The entries that somebody reads: parameter i is entry i, and so on for operands and results.
    live: Vec<u32>,
    before: Vec<Value>,
    inst: Option<Inst>,
}

/// All slots and joins.
#[derive(Default)]
pub struct Vars {
    states: Vec<State>,
    types: Vec<Type>,
    /// Former states of changed slots, oldest first.
    log: Vec<(Slot, State)>,
    joins: Vec<Join>,
    loops: Vec<Loop>,
}

/// The slots at some time.
#[derive(Copy, Clone)]
pub struct Mark {
    slots: usize,
    log: usize,
}

impl Mark {
    /// The slot that was made next.
    pub fn slots(self) -> Slot {
        self.slots as Slot
    }
}

impl Vars {
    /// A new slot, zero.
    pub fn slot(&mut self, ty: Type) -> Slot {
        self.states.push(State::Zero);
        self.types.push(ty);
        self.states.len() as Slot - 1
    }

    pub fn ty(&self, slot: Slot) -> Type {
        self.types[slot as usize]
    }

    pub fn state(&self, slot: Slot) -> State {
        self.states[slot as usize]
    }

    /// The slot's value here.
    pub fn get(&mut self, slot: Slot, code: &mut Code) -> Value {
        let state = self.state(slot);
        let value = self.value(state, self.ty(slot), code);
        self.states[slot as usize] = match state {
            State::Join(_) => State::Is(value),
            _ => state,
        };
        value
    }

    pub fn set(&mut self, slot: Slot, state: State) {
        self.log.push((slot, self.states[slot as usize]));
        self.states[slot as usize] = state;
    }

    /// Sets a slot to a value; `true` and `false` are known as such.
    pub fn assign(&mut self, slot: Slot, value: Value, code: &Code) {
        let state = match code.b.p.constant(value) {
            Some(bits) if code.ty(value) == Scalar::Bool.into() => {
                if bits[0] == 1 {
                    State::True
                } else {
                    State::Zero
                }
            }
            _ => State::Is(value),
        };
        self.set(slot, state);
    }

    pub fn mark(&self) -> Mark {
        Mark { slots: self.states.len(), log: self.log.len() }
    }

    /// Forgets the slots made since; their changes go with them.
    pub fn forget(&mut self, mark: Mark) {
        let mut kept = mark.log;
        for i in mark.log..self.log.len() {
            if (self.log[i].0 as usize) < mark.slots {
                self.log[kept] = self.log[i];
                kept += 1;
            }
        }
        self.log.truncate(kept);
        self.states.truncate(mark.slots);
        self.types.truncate(mark.slots);
    }

    /// Takes back what changed since, and says what it was.
    pub fn take(&mut self, mark: Mark) -> Changes {
        let mut changes: Changes =
            self.log[mark.log..].iter().map(|&(slot, _)| (slot, self.states[slot as usize])).collect();
        changes.sort_unstable_by_key(|c| c.0);
        changes.dedup_by_key(|c| c.0);
        for (slot, before) in self.log.drain(mark.log..).rev() {
            self.states[slot as usize] = before;
        }
        changes
    }

    /// Continues after an `if` or a `switch` whose regions left these changes.
    pub fn join(&mut self, inst: Inst, regions: &[Changes]) {
        let mut slots: Vec<Slot> = regions.iter().flatten().map(|c| c.0).collect();
        slots.sort_unstable();
        slots.dedup();
        let mut at = vec![0; regions.len()];
        for slot in slots {
            let current = self.state(slot);
            let sides: Box<[State]> = regions
                .iter()
                .zip(&mut at)
                .map(|(changes, at)| match changes.get(*at) {
                    Some(&(s, state)) if s == slot => {
                        *at += 1;
                        state
                    }
                    _ => current,
                })
                .collect();
            let joined = if sides.iter().all(|s| *s == sides[0]) {
                sides[0]
            } else {
                self.note(self.ty(slot), Kind::Sides { inst, sides })
            };
            self.set(slot, joined);
        }
    }

    /// A loop whose body is `region`.
    pub fn open_loop(&mut self, region: Region) -> u32 {
        self.loops.push(Loop { region, live: Vec::new(), before: Vec::new(), inst: None });
        self.loops.len() as u32 - 1
    }

    /// A slot that the loop may change: its state at the start of the body.
    pub fn carry(&mut self, looping: u32, slot: Slot) -> State {
        let kind = Kind::Entry { looping, before: self.state(slot), next: State::Zero };
        self.note(self.ty(slot), kind)
    }

    /// Ends the loop, whose region is still open. `carried` are slots with their state at the start of the body and at
    /// its end, whose changes were taken back. `again` says whether the body runs once more.
    pub fn close_loop(
        &mut self,
        looping: u32,
        again: Value,
        carried: &[(Slot, State, State)],
        code: &mut Code,
    ) {
        for &(_, entry, end) in carried {
            if let Kind::Entry { next, .. } = &mut self.entry(entry).kind {
                *next = end;
            }
        }
        // Reading what an entry becomes may make further entries live.
        let mut yielded = vec![again];
        let mut i = 0;
        while let Some(&entry) = self.loops[looping as usize].live.get(i) {
            let Join { ty, kind: Kind::Entry { next, .. }, .. } = self.joins[entry as usize] else {
                unreachable!("loops hold entries")
            };
            yielded.push(self.value(next, ty, code));
            i += 1;
        }
        code.b.insert(Op::Yield, Attr::None, &yielded, &[], []);
        code.leave();
        let l = &mut self.loops[looping as usize];
        let types: Vec<Type> = l.before.iter().map(|&v| code.ty(v)).collect();
        l.inst = Some(code.b.insert(Op::Loop, Attr::None, &l.before, &types, [l.region]));
        for &(slot, entry, end) in carried {
            if let (State::Join(id), true) = (entry, entry != end) {
                let after = self.note(self.ty(slot), Kind::Exit { looping, entry: id });
                self.set(slot, after);
            }
        }
    }

    fn entry(&mut self, state: State) -> &mut Join {
        match state {
            State::Join(id) => &mut self.joins[id as usize],
            other => unreachable!("a carried slot starts as a join, not {other:?}"),
        }
    }

    fn note(&mut self, ty: Type, kind: Kind) -> State {
        self.joins.push(Join { ty, value: None, kind });
        State::Join(self.joins.len() as u32 - 1)
    }

    fn value(&mut self, state: State, ty: Type, code: &mut Code) -> Value {
        match state {
            State::Zero => code.shared(ty, 0),
            State::True => code.shared(ty, 1),
            State::Is(value) => value,
            State::Join(id) => self.joined(id, code),
        }
    }

    fn joined(&mut self, id: u32, code: &mut Code) -> Value {
        let join = &self.joins[id as usize];
        if let Some(value) = join.value {
            return value;
        }
        let ty = join.ty;
        let value = match &join.kind {
            Kind::Sides { inst, sides } => {
                let (inst, sides) = (*inst, sides.clone());
                self.sides(id, inst, &sides, ty, code)
            }
            &Kind::Entry { looping, before, .. } => return self.parameter(id, looping, before, code),
            &Kind::Exit { looping, entry } => {
                self.joined(entry, code);
                let l = &self.loops[looping as usize];
                let i = l.live.iter().position(|&e| e == entry).expect("a read entry is live");
                code.b.p.insts[l.inst.expect("an exit is after its loop")].results[i]
            }
        };
        self.joins[id as usize].value = Some(value);
        value
    }

    /// Makes the join a result of a finished `if` or `switch`.
    fn sides(&mut self, id: u32, inst: Inst, sides: &[State], ty: Type, code: &mut Code) -> Value {
        if let (Op::If, [State::True, State::Zero]) = (code.b.p.insts[inst].op, sides) {
            return code.b.p.insts[inst].args[0];
        }
        let values: Vec<Value> = sides.iter().map(|&s| self.value(s, ty, code)).collect();
        if let Some(value) = self.joins[id as usize].value {
            return value;
        }
        if values.iter().all(|v| *v == values[0]) {
            return values[0];
        }
        let p = &mut code.b.p;
        for (region, value) in p.insts[inst].regions.clone().into_iter().zip(values) {
            let end = *p.regions[region].insts.last().expect("a finished region ends in a yield");
            p.insts[end].args.push(value);
        }
        let result = p.values.push(ValueData { ty, def: Def::Result(inst) });
        p.insts[inst].results.push(result);
        result
    }

    /// Makes the slot a parameter of the loop, and if that is finished, an operand and a result.
    fn parameter(&mut self, id: u32, looping: u32, before: State, code: &mut Code) -> Value {
        let ty = self.joins[id as usize].ty;
        let region = self.loops[looping as usize].region;
        let parameter = code.b.p.values.push(ValueData { ty, def: Def::Param(region) });
        code.b.p.regions[region].params.push(parameter);
        self.joins[id as usize].value = Some(parameter);
        self.loops[looping as usize].live.push(id);
        let before = self.value(before, ty, code);
        let l = &mut self.loops[looping as usize];
        l.before.push(before);
        let Some(inst) = l.inst else { return parameter };
        let p = &mut code.b.p;
        p.insts[inst].args.push(before);
        let result = p.values.push(ValueData { ty, def: Def::Result(inst) });
        p.insts[inst].results.push(result);
        let end = *p.regions[region].insts.last().expect("a finished region ends in a yield");
        // Reading the next value may add more parameters, so the place is taken first.
        let place = p.insts[end].args.len();
        p.insts[end].args.push(parameter);
        if let Kind::Entry { next, .. } = self.joins[id as usize].kind {
            let next = self.value(next, ty, code);
            code.b.p.insts[end].args[place] = next;
        }
        parameter
    }
}
