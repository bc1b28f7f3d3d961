//! Where values are between stages.
//!
//! The state has, after what [`crate::stages`] says, the [`Place::Word`]s. The saved values are, in words of 32 bits: the
//! [`Place::Once`] values; then for each workgroup its memory that outlasts a stage; then word by word, each for all
//! invocations of the grid, the [`Place::Each`] values and private memory that outlasts a stage.

use super::Known;
use super::graph::Graph;
use super::memory::Kept;
use crate::codes;
use crate::fission::{Fission, Interval, slots};
use crate::stages::{Control, Costs, Scratch, Staged, args};
use vyre_ir::uniform::{Scope, Uniformity, analyze};
use vyre_ir::{
    Access, Arena, Buffer, BufferDecl, Def, Diagnostic, Effect, Inst, Memory, Op, Program, SideTable, Type,
    Value,
};

/// The most words that an invocation may keep: 16 KiB, a GiB for a grid of 65,536 invocations.
const MAX_WORDS: u64 = 4096;

/// Where a value is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// Nowhere: it is computed again, or not needed elsewhere.
    None,
    /// In the state, from this word on.
    Word(u32),
    /// In the saved values, once for the grid, from this word on.
    Once(u32),
    /// In the saved values of each invocation, from this word on.
    Each(u32),
}

/// Where all is.
pub(super) struct Layout {
    pub place: SideTable<Value, Place>,
    /// The program's buffers and scratch, as stages see them.
    pub buffers: Arena<Buffer, BufferDecl>,
    pub state: Option<Buffer>,
    pub saved: Option<Buffer>,
    /// Workgroup memory through which what is saved reaches a workgroup as the same for all of it.
    pub shared: Option<Buffer>,
    /// Which stages read what is the same for a workgroup in that way: those in which barriers may depend on it.
    pub shares: Vec<bool>,
    /// Values that are the same for all invocations of a workgroup.
    pub alike: SideTable<Value, bool>,
    /// Which memory outlasts stages.
    pub kept: Kept,
    /// Words of the state.
    pub words: u32,
    /// Words that are saved once.
    pub once: u32,
    /// Words that are saved for each workgroup.
    pub workgroup: u32,
    /// Words that are saved for each invocation.
    pub each: u32,
    control: Option<(Vec<std::ops::Range<usize>>, Vec<crate::stages::Turn>)>,
    uniform_values: usize,
}

impl Layout {
    pub fn new(
        p: &Program,
        parts: &Fission,
        graph: &Graph<'_>,
        known: &Known,
        uniform: &Uniformity,
    ) -> Result<Layout, Diagnostic> {
        let mut place = SideTable::new(Place::None);
        let (mut words, mut once, mut each) = (args(graph.blocks.len()), 0, 0);
        let mut uniform_values = 0;
        let held = p.values.keys().filter(|&value| known.once[value] && !is_result_of(p, value, Op::Loop));
        for value in held {
            uniform_values += 1;
            let size = words_of(p.ty(value));
            place[value] = match is_result_of(p, value, Op::GridUniform) {
                true => Place::Once(take(&mut once, size)),
                false => Place::Word(take(&mut words, size)),
            };
        }
        let (alike, apart): (Vec<Interval>, Vec<Interval>) =
            parts.intervals.iter().copied().partition(|interval: &Interval| uniform.value(interval.value));
        for interval in alike {
            uniform_values += 1;
            place[interval.value] = Place::Once(take(&mut once, words_of(p.ty(interval.value))));
        }
        let size = |value| words_of(p.ty(value));
        let places =
            slots(apart, size, |size| -> Result<u64, Diagnostic> { Ok(take(&mut each, size).into()) })?;
        for (value, slot) in places {
            place[value] = Place::Each(slot as u32);
        }
        for (_, data) in p.insts.iter().filter(|(_, data)| data.op == Op::Loop) {
            for (&result, &param) in data.results.iter().zip(&p.regions[data.regions[0]].params) {
                if place[param] != Place::None {
                    place[result] = place[param];
                }
            }
        }
        let mut workgroup = 0;
        let mut kept = Kept::find(p, graph, &mut workgroup, &mut each);
        if each as u64 > MAX_WORDS {
            let message = format!(
                "each invocation of program `{}` has to keep {} bytes across grid syncs; at most {} are possible",
                p.name,
                4 * each as u64,
                4 * MAX_WORDS
            );
            let fix = "Keep large arrays in storage buffers.";
            return Err(Diagnostic::new(codes::S001, message).fix(fix));
        }
        let mut buffers = p.buffers.clone();
        let group =
            p.buffers.values().filter(|b| b.memory.is_bound()).map(|b| b.group + 1).max().unwrap_or(0);
        let mut scratch = |name: &str, binding: u32, access: Access| {
            let name = free_name(&buffers, name);
            buffers.push(BufferDecl { name, group, binding, access, ..BufferDecl::default() })
        };
        let state = graph.decides().then(|| scratch("grid_state", 0, Access::Read));
        let saved = (once + workgroup + each > 0)
            .then(|| scratch("grid_saved", state.is_some() as u32, Access::ReadWrite));
        let within = analyze(p, Scope::Workgroup);
        let shares: Vec<bool> = graph.stages.iter().map(|piece| has_inner_barrier(p, &piece.insts)).collect();
        let mut alike = SideTable::new(false);
        let mut words_alike = 0;
        for value in p.values.keys().filter(|&value| within.value(value)) {
            if let Place::Once(_) | Place::Each(_) = place[value] {
                alike[value] = true;
                words_alike = words_alike.max(words_of(p.ty(value)));
            }
        }
        words_alike = words_alike.max(kept.mark_alike(&within));
        let shared = (words_alike > 0 && shares.contains(&true)).then(|| {
            buffers.push(BufferDecl {
                name: free_name(&buffers, "grid_shared"),
                memory: Memory::Workgroup,
                access: Access::ReadWrite,
                count: words_alike.into(),
                ..BufferDecl::default()
            })
        });
        let control = graph.decides().then(|| (graph.blocks.clone(), graph.turns.clone()));
        Ok(Layout {
            shared,
            shares,
            alike,
            place,
            buffers,
            state,
            saved,
            kept,
            words,
            once,
            workgroup,
            each,
            control,
            uniform_values,
        })
    }

    /// The program in stages.
    pub fn staged(self, stages: Vec<Program>, control: Option<Program>, recomputed: usize) -> Staged {
        let bytes = |words: u32| 4 * words as u64;
        let mut scratch = Vec::new();
        if let Some(buffer) = self.state {
            scratch.push(Scratch { buffer, bytes: bytes(self.words), per_workgroup: 0, per_invocation: 0 });
        }
        if let Some(buffer) = self.saved {
            scratch.push(Scratch {
                buffer,
                bytes: bytes(self.once),
                per_workgroup: bytes(self.workgroup),
                per_invocation: bytes(self.each),
            });
        }
        let costs = Costs {
            stages: stages.len(),
            saved_bytes: bytes(self.each),
            workgroup_bytes: bytes(self.workgroup),
            recomputed,
            uniform_values: self.uniform_values,
        };
        let control = control.zip(self.control).zip(self.state).map(|((program, (blocks, turns)), state)| {
            Control { program, state, words: self.words, blocks, turns }
        });
        Staged { stages, control, scratch, costs }
    }
}

/// Words of 32 bits that a value takes: lanes below that size share a word.
pub(super) fn words_of(ty: Type) -> u32 {
    (ty.scalar.bits() * ty.lanes as u32).div_ceil(32)
}

fn free_name(buffers: &Arena<Buffer, BufferDecl>, name: &str) -> String {
    let mut name = name.to_string();
    while buffers.values().any(|buffer| buffer.name == name) {
        name.push('_');
    }
    name
}

/// Whether there are barriers in control flow, or loads for a whole workgroup.
fn has_inner_barrier(p: &Program, insts: &[Inst]) -> bool {
    let mut found = false;
    for &inst in insts {
        found |= p.insts[inst].op == Op::UniformLoad;
        for &region in &p.insts[inst].regions {
            p.walk(region, &mut |inner| found |= p.insts[inner].op.info().effect == Effect::Syncs);
        }
    }
    found
}

fn take(end: &mut u32, words: u32) -> u32 {
    *end += words;
    *end - words
}

fn is_result_of(p: &Program, value: Value, op: Op) -> bool {
    matches!(p.values[value].def, Def::Result(inst) if p.insts[inst].op == op)
}
