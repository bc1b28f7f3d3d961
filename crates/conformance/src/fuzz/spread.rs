//! Any program as one that many invocations run side by side, each on memory of its own, so that its result does not
//! depend on their order whatever the program does: memory that is written becomes private memory, filled at the start
//! and put out at the end.

use super::checks::shows_nans;
use super::mutate::Mutator;
use crate::trial::{PATIENCE, Trial};
use smallvec::smallvec;
use vyre_ir::{
    Access, Attr, Buffer, BufferDecl, Builder, Inst, Memory, Op, Program, Rule, Scalar, Type, Value,
};
use vyre_opt::rewrite::{Copier, Values, rewrite};

/// The most bytes that become private memory.
const MOST: u64 = 2048;

/// The program on this many workgroups of this many invocations; `None` when it has too much memory, or when the bits
/// of a NaN may matter in it.
pub fn spread(seed: u64, program: &Program, invocations: u32, workgroups: u32) -> Option<Trial> {
    let mut p = rewrite(program, &mut without_atomics);
    p.workgroup_size = [invocations, 1, 1];
    let (mut own, mut bytes) = (Vec::new(), 0);
    for buffer in p.buffers.keys().collect::<Vec<_>>() {
        let decl = &mut p.buffers[buffer];
        if !decl.access.writes() && decl.memory.is_bound() {
            continue;
        }
        if decl.memory.is_bound() {
            own.push(buffer);
        }
        // An even number of words.
        decl.count = if decl.count == 0 { (1 + seed % 17) * 8 } else { decl.count };
        bytes += decl.static_bytes()?;
        (decl.memory, decl.access, decl.output) = (Memory::Private, Access::ReadWrite, false);
        (decl.group, decl.binding) = (0, 0);
    }
    // What is put out in words would show the bits of other NaNs than those of f32.
    let other = |s: Scalar| s.is_float() && s != Scalar::F32;
    let others = p.buffers.values().any(|decl| other(decl.element.scalar));
    if bytes > MOST || others || shows_nans(program) {
        return None;
    }
    // Where there are floats, any NaN is like any other.
    let floats = p.buffers.values().any(|decl| decl.element.scalar == Scalar::F32);
    let element = if floats { Scalar::F32 } else { Scalar::U32 };
    let mut b = Builder::new("", [1, 1, 1]);
    b.p = p;
    let end = b.p.regions[b.p.body].insts.pop()?;
    let rest = std::mem::take(&mut b.p.regions[b.p.body].insts);
    let bound = |b: &mut Builder, name: &str, binding, access| {
        b.buffer(BufferDecl {
            name: format!("{name}_of_all"),
            group: 1 << 16,
            binding,
            memory: Memory::Storage,
            access,
            element: element.into(),
            count: 0,
            ..BufferDecl::default()
        })
    };
    let first = bound(&mut b, "first", 0, Access::Read);
    let last = bound(&mut b, "last", 1, Access::ReadWrite);
    copies(&mut b, &own, invocations, |b, index, buffer, ty, at| {
        let value = b.load(Op::Load, first, index, ty);
        b.store(Op::Store, buffer, at, value);
    });
    let body = b.p.body;
    b.p.regions[body].insts.extend(rest);
    copies(&mut b, &own, invocations, |b, index, buffer, ty, at| {
        let value = b.load(Op::Load, buffer, at, ty);
        b.store(Op::Store, last, index, value);
    });
    b.p.regions[body].insts.push(end);
    let program = b.p;
    let total = own.iter().map(|&o| program.buffers[o].static_bytes().unwrap_or(0)).sum::<u64>();
    let total = total.next_multiple_of(8) * (invocations * workgroups) as u64;
    let mut mutator = Mutator::new(seed);
    let contents = program.buffers.values().map(|decl| match decl.memory.is_bound() {
        false => Vec::new(),
        true if decl.group == 1 << 16 => mutator.contents(total as usize, Scalar::U32),
        true => {
            let count = if decl.count == 0 { 1 + seed % 17 } else { decl.count.min(1 << 16) };
            mutator.contents((count * decl.element.bytes() as u64) as usize, decl.element.scalar)
        }
    });
    let contents = contents.collect();
    Some(Trial { program, grid: [workgroups, 1, 1], contents, patience: PATIENCE })
}

/// Loops over all elements of the buffers: the index of each among those of all invocations, buffer, type, index.
fn copies(
    b: &mut Builder,
    own: &[Buffer],
    invocations: u32,
    mut copy: impl FnMut(&mut Builder, Value, Buffer, Type, Value),
) {
    let bytes = |b: &Builder, buffer: Buffer| b.p.buffers[buffer].static_bytes().unwrap_or(0) as u32;
    let stride = own.iter().map(|&buffer| bytes(b, buffer)).sum::<u32>().next_multiple_of(8);
    let (workgroup, local) = (b.axis(Op::WorkgroupId, 0), b.index(Op::LocalIndex));
    let threads = b.u32(invocations);
    let before = b.op(Op::Mul, &[workgroup, threads]);
    let me = b.op(Op::Add, &[before, local]);
    let mut start = 0;
    for &buffer in own {
        let bytes = bytes(b, buffer);
        // The widest unit that divides where it starts and ends.
        let scalar = match (start | bytes | stride).trailing_zeros() {
            0 => Scalar::U8,
            1 => Scalar::U16,
            _ => Scalar::U32,
        };
        let size = scalar.bytes();
        let (zero, one, scale) = (b.u32(0), b.u32(1), b.u32(stride / size));
        let (offset, limit) = (b.u32(start / size), b.u32(bytes / size));
        let mine = b.op(Op::Mul, &[me, scale]);
        let mine = b.op(Op::Add, &[mine, offset]);
        b.loop_(&[zero], |b, at| {
            let index = b.op(Op::Add, &[mine, at[0]]);
            copy(b, index, buffer, scalar.into(), at[0]);
            let next = b.op(Op::Add, &[at[0], one]);
            let goes = b.op(Op::Lt, &[next, limit]);
            vec![goes, next]
        });
        start += bytes;
    }
}

/// Atomics as accesses of memory that nobody shares.
fn without_atomics(copy: &mut Copier<'_>, inst: Inst, args: &[Value]) -> Option<Values> {
    let from = copy.from;
    let data = &from.insts[inst];
    let Attr::Buffer(buffer) = data.attr else { return None };
    let ty = |i: usize| from.ty(data.results[i]);
    let b = &mut copy.b;
    let step = match data.op {
        Op::AtomicLoad | Op::UniformLoad => {
            return Some(smallvec![b.load(Op::Load, buffer, args[0], ty(0))]);
        }
        Op::AtomicStore => {
            b.store(Op::Store, buffer, args[0], args[1]);
            return Some(smallvec![]);
        }
        Op::AtomicCompareExchange => {
            let old = b.load(Op::Load, buffer, args[0], ty(0));
            let same = b.op(Op::Eq, &[old, args[1]]);
            let new = b.op(Op::Select, &[same, args[2], old]);
            b.store(Op::Store, buffer, args[0], new);
            return Some(smallvec![old, same]);
        }
        op if matches!(op.info().rule, Rule::Atomic(_)) => op.info().update,
        _ => return None,
    };
    let old = b.load(Op::Load, buffer, args[0], ty(0));
    let new = step.map_or(args[1], |op| b.op(op, &[old, args[1]]));
    b.store(Op::Store, buffer, args[0], new);
    Some(smallvec![old])
}
