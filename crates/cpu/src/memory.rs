//! Loads, stores and atomics: address, bounds check, access.
//!
//! Each access is checked against the bytes that the buffer has: a load outside gives 0, a store and an atomic do
//! nothing. The check is a branch to a cold block: in code that is in bounds it costs a compare and a predicted
//! branch, where selecting an address would lengthen the way from index to value. Arrays of fixed size are not checked
//! where [`crate::range`] proves the index small enough. In checked code the cold block reports the access and ends the
//! run instead ([`crate::report`]).
//!
//! Memory of a workgroup and its invocations belongs to one thread, so atomics on it are ordinary accesses. On bound
//! memory they are the machine's; a relaxed order is all that the rows promise.

use crate::fission::PrivateCopies;
use crate::gang_memory::interleaved_bytes;
use crate::lower::{Lanes, Lower};
use crate::ops::{self, cast, clif_type, constant};
use crate::shim::Shim;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I32, I64};
use cranelift_codegen::ir::{self, AtomicRmwOp, BlockArg, InstBuilder, MemFlagsData};
use smallvec::{SmallVec, smallvec};
use vyre_ir::{Attr, Buffer, InstData, Memory, Op, Rule, Scalar, Sig, Value};

/// Up to this many bytes are zeroed in line.
const INLINE_ZERO: u64 = 128;

/// Where an access goes.
struct Place {
    address: ir::Value,
    offset: i32,
    inside: Inside,
}

/// Whether an access is in bounds.
enum Inside {
    Always,
    Never,
    When(ir::Value),
}

impl Lower<'_> {
    /// A load, store or atomic: the lanes of its results.
    pub fn access(&mut self, data: &InstData) -> Vec<Lanes> {
        let index = self.get_scalar(data.args[0]);
        match data.op.info().rule {
            Rule::Load => vec![self.load_at(data, index)],
            Rule::Store => {
                self.store_at(data, index);
                vec![]
            }
            _ => self.atomic_at(data, index),
        }
    }

    /// A load at an index.
    pub fn load_at(&mut self, data: &InstData, index: ir::Value) -> Lanes {
        let ty = self.p.ty(data.results[0]);
        let place = self.place(data, index, ty.scalar, ty.lanes);
        let flags = self.buffer_flags(self.buffer(data));
        let atomic = data.op == Op::AtomicLoad && self.is_shared(data);
        let types: SmallVec<[Scalar; 4]> = smallvec![ty.scalar; ty.lanes as usize];
        self.guarded(place.inside, &types, |l| {
            let (size, clif) = (ty.scalar.bytes() as i32, clif_type(ty.scalar));
            if atomic {
                let address = l.b.ins().iadd_imm_s(place.address, place.offset as i64);
                let bits = l.b.ins().atomic_load(bits_type(ty.scalar), flags.with_aligned(), address);
                return smallvec![cast(&mut l.b, bits, clif)];
            }
            (0..ty.lanes as i32)
                .map(|lane| l.b.ins().load(clif, flags, place.address, place.offset + lane * size))
                .collect()
        })
    }

    fn store_at(&mut self, data: &InstData, index: ir::Value) {
        let ty = self.p.ty(data.args[1]);
        let lanes = self.get(data.args[1]);
        let place = self.place(data, index, ty.scalar, ty.lanes);
        let flags = self.buffer_flags(self.buffer(data));
        // A relaxed atomic store is an ordinary one of a whole aligned scalar.
        self.guarded(place.inside, &[], |l| {
            for (lane, &bits) in lanes.iter().enumerate() {
                let at = place.offset + lane as i32 * ty.scalar.bytes() as i32;
                l.b.ins().store(flags, bits, place.address, at);
            }
            Lanes::new()
        });
    }

    fn atomic_at(&mut self, data: &InstData, index: ir::Value) -> Vec<Lanes> {
        let scalar = self.p.ty(data.results[0]).scalar;
        let operands: SmallVec<[ir::Value; 2]> = data.args[1..].iter().map(|&v| self.get_scalar(v)).collect();
        let place = self.place(data, index, scalar, 1);
        let shared = self.is_shared(data);
        let flags = self.buffer_flags(self.buffer(data)).with_aligned();
        if data.op == Op::AtomicCompareExchange {
            let results = self.guarded(place.inside, &[scalar, Scalar::Bool], |l| {
                let address = l.b.ins().iadd_imm_s(place.address, place.offset as i64);
                l.compare_exchange(address, flags, scalar, &operands, shared)
            });
            return results.into_iter().map(|v| smallvec![v]).collect();
        }
        let old = self.guarded(place.inside, &[scalar], |l| {
            let address = l.b.ins().iadd_imm_s(place.address, place.offset as i64);
            smallvec![l.update(data.op, address, flags, scalar, operands[0], shared)]
        });
        vec![old]
    }

    fn compare_exchange(
        &mut self,
        address: ir::Value,
        flags: MemFlagsData,
        scalar: Scalar,
        operands: &[ir::Value],
        shared: bool,
    ) -> Lanes {
        let ty = bits_type(scalar);
        let expected = cast(&mut self.b, operands[0], ty);
        let new = cast(&mut self.b, operands[1], ty);
        let old = if shared {
            self.b.ins().atomic_cas(flags, address, expected, new)
        } else {
            self.b.ins().load(ty, flags, address, 0)
        };
        let equal = self.b.ins().icmp(IntCC::Equal, old, expected);
        if !shared {
            let kept = self.b.ins().select(equal, new, old);
            self.b.ins().store(flags, kept, address, 0);
        }
        smallvec![cast(&mut self.b, old, clif_type(scalar)), equal]
    }

    /// Reads, changes and writes a scalar; gives the old one.
    fn update(
        &mut self,
        op: Op,
        address: ir::Value,
        flags: MemFlagsData,
        scalar: Scalar,
        operand: ir::Value,
        shared: bool,
    ) -> ir::Value {
        let (ty, bits) = (clif_type(scalar), bits_type(scalar));
        if !shared {
            let old = self.b.ins().load(ty, flags, address, 0);
            let new = self.updated(op, scalar, old, operand);
            self.b.ins().store(flags, new, address, 0);
            return old;
        }
        if let Some(machine) = machine_atomic(op, scalar) {
            let operand = cast(&mut self.b, operand, bits);
            let old = self.b.ins().atomic_rmw(bits, flags, machine, address, operand);
            return cast(&mut self.b, old, ty);
        }
        // What the machine has no instruction for is tried until no other thread came between.
        let [retry, done] = [(); 2].map(|()| self.b.create_block());
        let seen = self.b.append_block_param(retry, bits);
        let first = self.b.ins().atomic_load(bits, flags, address);
        self.b.ins().jump(retry, &[BlockArg::Value(first)]);
        self.b.switch_to_block(retry);
        let old = cast(&mut self.b, seen, ty);
        let new = self.updated(op, scalar, old, operand);
        let new = cast(&mut self.b, new, bits);
        let found = self.b.ins().atomic_cas(flags, address, seen, new);
        let same = self.b.ins().icmp(IntCC::Equal, found, seen);
        self.b.ins().brif(same, done, &[], retry, &[BlockArg::Value(found)]);
        self.b.switch_to_block(done);
        old
    }

    fn updated(&mut self, op: Op, scalar: Scalar, old: ir::Value, operand: ir::Value) -> ir::Value {
        // Without an update the operand replaces the old value.
        let Some(op) = op.info().update else { return operand };
        self.lane(op, Sig { operand: scalar, result: scalar }, &[old, operand])
    }

    /// Number of elements of a buffer.
    pub fn length(&mut self, data: &InstData) -> ir::Value {
        let buffer = self.buffer(data);
        let decl = &self.p.buffers[buffer];
        if decl.count > 0 {
            return constant(&mut self.b, Scalar::U32, decl.count.min(u32::MAX as u64));
        }
        let bytes = self.bound[buffer].expect("only bound buffers are sized at run time").scalars[0];
        let count = self.b.ins().udiv_imm_u(bytes, decl.element.bytes() as i64);
        let most = self.b.ins().iconst(I64, u32::MAX as i64);
        let count = self.b.ins().umin(count, most);
        self.b.ins().ireduce(I32, count)
    }

    /// Zeroes memory at an offset from a base.
    pub fn zero(&mut self, base: ir::Value, offset: u64, bytes: u64) {
        let flags = self.scratch_flags();
        if bytes > INLINE_ZERO {
            let address = self.b.ins().iadd_imm_u(base, offset as i64);
            let bytes = self.b.ins().iconst(I64, bytes as i64);
            self.call(Shim::Zero, &[address, bytes]);
            return;
        }
        // Everything in the frame is padded to 16 bytes.
        let zero = self.b.ins().iconst(I64, 0);
        for word in 0..bytes.div_ceil(8) {
            self.b.ins().store(flags, zero, base, (offset + 8 * word) as i32);
        }
    }

    fn buffer(&self, data: &InstData) -> Buffer {
        match data.attr {
            Attr::Buffer(buffer) => buffer,
            _ => unreachable!("the verifier checks attributes"),
        }
    }

    /// Whether several threads may write what an instruction accesses.
    fn is_shared(&self, data: &InstData) -> bool {
        let decl = &self.p.buffers[self.buffer(data)];
        decl.memory.is_bound() && decl.access.writes()
    }

    /// Where `lanes` scalars at an index are.
    fn place(&mut self, data: &InstData, index: ir::Value, scalar: Scalar, lanes: u8) -> Place {
        let buffer = self.buffer(data);
        let decl = &self.p.buffers[buffer];
        let (size, lanes) = (scalar.bytes() as u64, lanes as u64);
        // From one scalar to the next, and to the first.
        let (mut step, mut first) = (size, 0);
        let (base, offset, inside) = if decl.memory.is_bound() {
            let bound = self.bound[buffer].expect("accessed buffers are loaded on entry");
            let wide = self.b.ins().uextend(I64, index);
            let last = if lanes > 1 { self.b.ins().iadd_imm_u(wide, lanes as i64 - 1) } else { wide };
            let scalars = bound.scalars[size.trailing_zeros() as usize];
            let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, last, scalars);
            (bound.base, 0, Inside::When(inside))
        } else {
            let count = decl.static_bytes().unwrap_or(0) / size;
            if let (PrivateCopies::One, Some(lane)) = (self.plan.private[buffer], self.lane) {
                step = interleaved_bytes(self.plan.gang) as u64;
                first = 4 * lane as u64;
            }
            (
                self.own_base(buffer),
                self.plan.frame.buffers[buffer] + first,
                self.check(data.args[0], index, count, lanes),
            )
        };
        let inside = if self.plan.checked {
            self.require(&inside, index);
            Inside::Always
        } else {
            inside
        };
        if let Some(index) = ops::known(&self.b, index) {
            let at = offset + index * step;
            if at < 1 << 30 {
                return Place { address: base, offset: at as i32, inside };
            }
        }
        let wide = self.b.ins().uextend(I64, index);
        let scaled = self.b.ins().ishl_imm_u(wide, step.trailing_zeros() as i64);
        let address = self.b.ins().iadd(base, scaled);
        Place { address, offset: offset as i32, inside }
    }

    /// Goes on only where the access that code is being made for is in bounds.
    fn require(&mut self, inside: &Inside, index: ir::Value) {
        let condition = match *inside {
            Inside::Always => return,
            Inside::Never => self.b.ins().iconst(I8, 0),
            Inside::When(condition) => condition,
        };
        let there = self.b.create_block();
        let outside = self.outside(index);
        self.b.ins().brif(condition, there, &[], outside.0, &outside.1);
        self.b.switch_to_block(there);
    }

    /// Whether an index lies in an array of `count` scalars.
    fn check(&mut self, value: Value, index: ir::Value, count: u64, lanes: u64) -> Inside {
        let Some(last) = count.checked_sub(lanes) else { return Inside::Never };
        if self.limits.largest(self.p, value) as u64 <= last {
            return Inside::Always;
        }
        // Code may have found out what the program does not say: a load outside is a constant.
        if let Some(index) = ops::known(&self.b, index) {
            return if index <= last { Inside::Always } else { Inside::Never };
        }
        let inside = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThanOrEqual, index, last as i64);
        Inside::When(inside)
    }

    /// What a workgroup or private buffer's offset counts from.
    fn own_base(&mut self, buffer: Buffer) -> ir::Value {
        let decl = &self.p.buffers[buffer];
        if decl.memory == Memory::Workgroup || self.plan.private[buffer] == PrivateCopies::One {
            return self.scratch;
        }
        let wide = self.b.ins().uextend(I64, self.index);
        let start = self.b.ins().imul_imm_u(wide, decl.static_bytes().unwrap_or(0) as i64);
        self.b.ins().iadd(self.scratch, start)
    }

    /// Does something that gives scalars of these types if an access is in bounds; else they are 0.
    fn guarded(
        &mut self,
        inside: Inside,
        types: &[Scalar],
        access: impl FnOnce(&mut Self) -> Lanes,
    ) -> Lanes {
        let condition = match inside {
            Inside::Always => return access(self),
            Inside::Never => return types.iter().map(|&s| constant(&mut self.b, s, 0)).collect(),
            Inside::When(condition) => condition,
        };
        let [there, after] = [(); 2].map(|()| self.b.create_block());
        let outside = if types.is_empty() { after } else { self.b.create_block() };
        self.b.ins().brif(condition, there, &[], outside, &[]);
        self.b.switch_to_block(there);
        let values: SmallVec<[BlockArg; 4]> = access(self).into_iter().map(BlockArg::Value).collect();
        self.b.ins().jump(after, &values);
        if outside != after {
            self.b.set_cold_block(outside);
            self.b.switch_to_block(outside);
            let zeros: SmallVec<[BlockArg; 4]> =
                types.iter().map(|&s| BlockArg::Value(constant(&mut self.b, s, 0))).collect();
            self.b.ins().jump(after, &zeros);
        }
        self.b.switch_to_block(after);
        types.iter().map(|&s| self.b.append_block_param(after, clif_type(s))).collect()
    }
}

/// The integer that has a scalar's bits.
fn bits_type(scalar: Scalar) -> ir::Type {
    match scalar {
        Scalar::F32 => I32,
        Scalar::F64 => I64,
        other => clif_type(other),
    }
}

/// The machine's own instruction, or Cranelift's loop, for an update of an integer or for an exchange.
fn machine_atomic(op: Op, scalar: Scalar) -> Option<AtomicRmwOp> {
    let signed = scalar.is_signed();
    Some(match op {
        Op::AtomicExchange => AtomicRmwOp::Xchg,
        _ if !scalar.is_int() => return None,
        Op::AtomicAdd => AtomicRmwOp::Add,
        Op::AtomicSub => AtomicRmwOp::Sub,
        Op::AtomicAnd => AtomicRmwOp::And,
        Op::AtomicOr => AtomicRmwOp::Or,
        Op::AtomicXor => AtomicRmwOp::Xor,
        Op::AtomicMin if signed => AtomicRmwOp::Smin,
        Op::AtomicMin => AtomicRmwOp::Umin,
        Op::AtomicMax if signed => AtomicRmwOp::Smax,
        Op::AtomicMax => AtomicRmwOp::Umax,
        _ => return None,
    })
}
