//! What a reduction leaves alone, because without it a program may give several results, each of them right.
//!
//! - Bits of a NaN are unspecified: the comparison that finds a NaN stays as long as it is used, and the choice that
//!   depends on it gives way to anything but the value that may be NaN.
//! - With several invocations, those that write a place do so each in its own, or in ways that commute: what says
//!   where they write stays, as long as they do. Barriers stay while memory of the workgroup is read.

use std::collections::HashSet;
use vyre_ir::{Def, Effect, Inst, InstData, Memory, Op, Program, Value};

/// The instructions of a program that stay.
pub struct Fixed {
    stay: HashSet<Inst>,
    guards: HashSet<Inst>,
}

impl Fixed {
    /// What stays in this program; `several` says whether several invocations run.
    pub fn of(p: &Program, several: bool) -> Fixed {
        let mut fixed = Fixed { stay: HashSet::new(), guards: HashSet::new() };
        let (mut barriers, mut shared) = (Vec::new(), false);
        let used = uses(p);
        p.walk(p.body, &mut |inst| {
            let data = &p.insts[inst];
            if finds_nan(p, data) && used.contains(&data.results[0]) {
                fixed.stay.insert(inst);
            }
            if data.op == Op::Select && p.producer(data.args[0]).is_some_and(|c| finds_nan(p, c)) {
                fixed.guards.insert(inst);
            }
            let Some(memory) = p.buffer_of(data).map(|b| p.buffers[b].memory) else {
                if data.op.info().effect == Effect::Syncs {
                    barriers.push(inst);
                }
                return;
            };
            let effect = p.effect(data);
            shared |= memory == Memory::Workgroup && effect != Effect::Writes;
            let placed = match memory {
                Memory::Private => false,
                Memory::Workgroup => effect == Effect::Writes,
                _ => effect != Effect::Pure,
            };
            if several && placed && !data.args.is_empty() {
                fixed.index(p, data.args[0]);
            }
        });
        if several && shared {
            fixed.stay.extend(barriers);
        }
        fixed
    }

    /// Whether an instruction may be replaced by nothing.
    pub fn stays(&self, inst: Inst) -> bool {
        self.stay.contains(&inst)
    }

    /// Whether an instruction is there so that an operand of it is not seen as it is.
    pub fn guards(&self, inst: Inst, operand: usize) -> bool {
        operand == 1 && self.guards.contains(&inst)
    }

    fn index(&mut self, p: &Program, index: Value) {
        let mut open = vec![index];
        while let Some(value) = open.pop() {
            let Def::Result(inst) = p.values[value].def else { continue };
            let data = &p.insts[inst];
            if !self.stay.insert(inst) || p.effect(data) != Effect::Pure || data.op == Op::Load {
                continue;
            }
            // What is cut to a range may be anything.
            let cut = data.op == Op::And && data.args.iter().any(|&v| p.constant(v).is_some());
            open.extend(data.args.iter().copied().filter(|&v| !cut || p.constant(v).is_some()));
        }
    }
}

/// Every value that is an operand.
pub fn uses(p: &Program) -> HashSet<Value> {
    let mut used = HashSet::new();
    p.walk(p.body, &mut |inst| used.extend(p.insts[inst].args.iter().copied()));
    used
}

/// Whether it compares a float with itself.
fn finds_nan(p: &Program, data: &InstData) -> bool {
    data.op == Op::Eq && data.args[0] == data.args[1] && p.ty(data.args[0]).scalar.is_float()
}
