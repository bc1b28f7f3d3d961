//! Workgroup and private memory that outlasts a stage: what a stage leaves there that a later one finds is saved at the
//! end of the one and restored at the start of the other.
//!
//! A stage restores what it may read, or write only a part of, once any stage before may have written it. It saves
//! what it may have written as long as a stage may restore it before it is all written anew. Memory is zero at first: where a
//! stage restores what may not have been written yet, a stage at the start saves the zeros.

use super::emit::{Emit, Grid, decode, encode, share};
use super::graph::Graph;
use super::layout::words_of;
use vyre_ir::uniform::Uniformity;
use vyre_ir::{Attr, Buffer, Builder, Inst, Memory, Op, Program, Rule, Scalar, Value};

/// Which memory is saved where, and when.
pub(super) struct Kept {
    areas: Vec<Area>,
    /// For each stage the areas that are restored before it.
    restore: Vec<Vec<usize>>,
    /// For each stage the areas that are saved after it.
    save: Vec<Vec<usize>>,
}

/// A buffer that is saved.
#[derive(Copy, Clone)]
struct Area {
    buffer: Buffer,
    memory: Memory,
    /// What it is read and written as.
    scalar: Scalar,
    /// How many.
    count: u32,
    /// Whether what a private buffer holds is the same for all invocations of a workgroup.
    alike: bool,
    /// Its first word in what is saved of a workgroup or an invocation.
    at: u32,
}

impl Kept {
    /// What is kept, with its place in the words that are saved of each workgroup and invocation.
    pub fn find(p: &Program, graph: &Graph<'_>, workgroup: &mut u32, each: &mut u32) -> Kept {
        let stages = graph.stages.len();
        let mut kept =
            Kept { areas: Vec::new(), restore: vec![Vec::new(); stages], save: vec![Vec::new(); stages] };
        for (buffer, decl) in p.buffers.iter().filter(|(_, decl)| !decl.memory.is_bound()) {
            let flow = Flow::of(p, graph, buffer);
            if !flow.restore.contains(&true) {
                continue;
            }
            let scalar = scalar_of(p, buffer);
            let count = decl.static_bytes().unwrap_or(0) / scalar.bytes() as u64;
            let words = count.saturating_mul(words_of(scalar.into()) as u64).min(u32::MAX as u64 / 4) as u32;
            let end = if decl.memory == Memory::Workgroup { &mut *workgroup } else { &mut *each };
            let area =
                Area { buffer, memory: decl.memory, scalar, count: count as u32, alike: false, at: *end };
            *end = end.saturating_add(words);
            for stage in 0..stages {
                let i = kept.areas.len();
                kept.restore[stage].extend(flow.restore[stage].then_some(i));
                kept.save[stage].extend(flow.save[stage].then_some(i));
            }
            kept.areas.push(area);
        }
        kept
    }
}

impl Kept {
    /// Notes which private memory is the same for all invocations of a workgroup; gives the words of its largest scalar.
    pub fn mark_alike(&mut self, within: &Uniformity) -> u32 {
        let mut words = 0;
        for area in self.areas.iter_mut().filter(|area| area.memory == Memory::Private) {
            area.alike = within.buffer(area.buffer);
            words = words.max(area.alike as u32 * words_of(area.scalar.into()));
        }
        words
    }
}

/// Whether a stage restores memory that may not have been written before.
pub(super) fn starts_as_zero(p: &Program, graph: &Graph<'_>) -> bool {
    let own = p.buffers.iter().filter(|(_, decl)| !decl.memory.is_bound());
    own.map(|(buffer, _)| buffer).any(|buffer| Flow::of(p, graph, buffer).zero)
}

/// What stages do with a buffer.
struct Flow {
    restore: Vec<bool>,
    save: Vec<bool>,
    /// Whether something is restored that may not have been written.
    zero: bool,
}

impl Flow {
    fn of(p: &Program, graph: &Graph<'_>, buffer: Buffer) -> Flow {
        let mut uses: Vec<Use> = graph.stages.iter().map(|piece| Use::of(p, &piece.insts, buffer)).collect();
        let flow = Flow::between(graph, &uses);
        if !(flow.zero && graph.zero) {
            return flow;
        }
        // What the stage at the start does for it is to leave the zeros.
        uses[0].writes = true;
        Flow::between(graph, &uses)
    }

    fn between(graph: &Graph<'_>, uses: &[Use]) -> Flow {
        let stages = graph.stages.len();
        let next: Vec<Vec<usize>> = graph.after.iter().map(|&node| graph.next_stages(node)).collect();
        let (mut written, mut unwritten, mut wanted) =
            (vec![false; stages], vec![false; stages], vec![false; stages]);
        for first in graph.next_stages(graph.start) {
            unwritten[first] = true;
        }
        loop {
            let before = (written.clone(), unwritten.clone(), wanted.clone());
            for stage in 0..stages {
                for &later in &next[stage] {
                    written[later] |= written[stage] || uses[stage].writes;
                    unwritten[later] |= unwritten[stage] && !uses[stage].writes;
                    wanted[stage] |= uses[later].reads || wanted[later];
                }
            }
            if before == (written.clone(), unwritten.clone(), wanted.clone()) {
                break;
            }
        }
        let restore: Vec<bool> = (0..stages)
            .map(|stage| written[stage] && (uses[stage].reads || uses[stage].writes && wanted[stage]))
            .collect();
        let zero = (0..stages).any(|stage| restore[stage] && unwritten[stage]);
        let save = (0..stages).map(|stage| wanted[stage] && uses[stage].writes).collect();
        Flow { restore, save, zero }
    }
}

/// What a stage does with a buffer.
#[derive(Copy, Clone, Default)]
struct Use {
    reads: bool,
    writes: bool,
}

impl Use {
    fn of(p: &Program, insts: &[Inst], buffer: Buffer) -> Use {
        let mut found = Use::default();
        each_access(p, insts, &mut |inst| {
            if p.insts[inst].attr != Attr::Buffer(buffer) {
                return;
            }
            match p.insts[inst].op.info().rule {
                Rule::Length => {}
                Rule::Load => found.reads = true,
                Rule::Store => found.writes = true,
                _ => found = Use { reads: true, writes: true },
            }
        });
        found
    }
}

fn each_access(p: &Program, insts: &[Inst], visit: &mut impl FnMut(Inst)) {
    for &inst in insts {
        visit(inst);
        p.insts[inst].regions.iter().for_each(|&region| p.walk(region, visit));
    }
}

/// The scalar that accesses to a buffer are of if they agree and it has no rest, else that of its elements.
fn scalar_of(p: &Program, buffer: Buffer) -> Scalar {
    let decl = &p.buffers[buffer];
    let mut found: Vec<Scalar> = Vec::new();
    p.walk(p.body, &mut |inst| {
        let data = &p.insts[inst];
        if data.attr == Attr::Buffer(buffer)
            && let Some(ty) = p.accessed(data)
            && !found.contains(&ty.scalar)
        {
            found.push(ty.scalar);
        }
    });
    match (&found[..], decl.static_bytes()) {
        (&[scalar], Some(bytes)) if bytes.is_multiple_of(scalar.bytes() as u64) => scalar,
        _ => decl.element.scalar,
    }
}

impl Emit<'_> {
    /// Brings the memory back that a stage needs.
    pub fn restore(&mut self, stage: usize) {
        self.move_all(stage, |kept| &kept.restore, false);
    }

    /// Saves the memory that later stages need of this one.
    pub fn keep(&mut self, stage: usize) {
        self.move_all(stage, |kept| &kept.save, true);
    }

    fn move_all(&mut self, stage: usize, which: fn(&Kept) -> &Vec<Vec<usize>>, save: bool) {
        let kept = &self.source.layout.kept;
        let areas = || which(kept)[stage].iter().map(|&i| kept.areas[i]);
        let shared = areas().any(|area| area.memory == Memory::Workgroup);
        // The others may not have come to the end of the stage yet, or not have brought back their part.
        if shared && save {
            self.copy.b.sync(Op::WorkgroupBarrier);
        }
        for area in areas() {
            let grid = self.grid();
            let size = self.source.p.workgroup_invocations() as u32;
            let layout = self.source.layout;
            let saved = layout.saved.expect("memory is saved");
            let (base, per_workgroup) = (layout.once, layout.workgroup);
            let shared_by = self.shared;
            let b = &mut self.copy.b;
            match area.memory {
                Memory::Workgroup => {
                    let all = b.u32(per_workgroup);
                    let before = b.op(Op::Mul, &[grid.workgroup, all]);
                    let start = b.u32(base + area.at);
                    let start = b.op(Op::Add, &[before, start]);
                    let local = b.index(Op::LocalIndex);
                    turns(b, area.count.div_ceil(size), |b, turn| {
                        let size = b.u32(size);
                        let before = b.op(Op::Mul, &[turn, size]);
                        let i = b.op(Op::Add, &[before, local]);
                        let count = b.u32(area.count);
                        let inside = b.op(Op::Lt, &[i, count]);
                        b.if_(
                            inside,
                            |b| {
                                area.move_one(b, saved, i, save, None, |b, word| {
                                    b.op(Op::Add, &[start, word])
                                });
                                Vec::new()
                            },
                            |_| Vec::new(),
                        );
                    });
                }
                _ => turns(b, area.count, |b, i| {
                    let shared = shared_by.filter(|_| area.alike);
                    area.move_one(b, saved, i, save, shared, |b, word| at_each(b, grid, area.at, word));
                }),
            }
        }
        if shared && !save {
            self.copy.b.sync(Op::WorkgroupBarrier);
        }
    }
}

impl Area {
    /// Saves or restores one scalar; `at`: where a word of the area is.
    fn move_one(
        self,
        b: &mut Builder,
        saved: Buffer,
        i: Value,
        save: bool,
        shared: Option<Buffer>,
        at: impl Fn(&mut Builder, Value) -> Value,
    ) {
        let words = words_of(self.scalar.into());
        let count = b.u32(words);
        let first = b.op(Op::Mul, &[i, count]);
        let place = |b: &mut Builder, word: u32| {
            let word = b.u32(word);
            let word = b.op(Op::Add, &[first, word]);
            at(b, word)
        };
        if save {
            let value = b.load(Op::Load, self.buffer, i, self.scalar.into());
            for (word, value) in encode(b, value).into_iter().enumerate() {
                let at = place(b, word as u32);
                b.store(Op::Store, saved, at, value);
            }
        } else {
            let mut found = Vec::new();
            for word in 0..words {
                let at = place(b, word);
                found.push(b.load(Op::Load, saved, at, Scalar::U32.into()));
            }
            if let Some(shared) = shared {
                share(b, shared, &mut found);
            }
            let value = decode(b, &found, self.scalar.into());
            b.store(Op::Store, self.buffer, i, value);
        }
    }
}

/// Where a word is in what is saved of each invocation, counted from `from` on.
fn at_each(b: &mut Builder, grid: Grid, from: u32, word: Value) -> Value {
    let from = b.u32(from);
    let word = b.op(Op::Add, &[word, from]);
    let before = b.op(Op::Mul, &[word, grid.total]);
    b.op(Op::Add, &[before, grid.each])
}

/// Does something for each number below `count`.
fn turns(b: &mut Builder, count: u32, mut each: impl FnMut(&mut Builder, Value)) {
    let zero = b.u32(0);
    if count < 2 {
        return if count == 1 {
            each(b, zero)
        };
    }
    b.loop_(&[zero], |b, params| {
        each(b, params[0]);
        let (one, end) = (b.u32(1), b.u32(count));
        let next = b.op(Op::Add, &[params[0], one]);
        vec![b.op(Op::Lt, &[next, end]), next]
    });
}
