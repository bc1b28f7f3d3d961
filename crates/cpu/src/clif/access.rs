//! Loads and stores: contiguous ones as vectors, the others scalar by scalar.
//!
//! One check covers all lanes. If it fails, a short loop over the lanes checks each one; that loop is in a cold block.
//! What lanes outside of the mask would load may be loaded too where it is in bounds, because loads have no effects;
//! stores are for those in the mask only. What is known of indices holds for the lanes of the mask, so a check is left
//! out only where the others cannot do harm: without a mask, or with their indices taken as 0.

use super::memory::{Count, Inside, Memory};
use super::{Emitter, Lanes, block_args, vector};
use crate::form::{Place, Space, Step, Type, Var, Vars};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8X16, I32, I32X4, I64, I64X2};
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData};
use smallvec::{SmallVec, smallvec};
use vyre_ir::Scalar;

/// Where the lanes of an access go.
enum Indices {
    /// All have this index.
    Same(ir::Value),
    /// The first lane has this index, each further one a stride more, without wrapping where the fast way is taken.
    Strided(ir::Value, u32),
    /// Each has its own.
    Each(Lanes),
}

impl Emitter<'_> {
    pub fn load(&mut self, outs: &Vars, place: &Place) {
        let memory = self.memory(place);
        let (n, scalar) = (outs.len(), place.scalar);
        let types: SmallVec<[Type; 4]> = outs.iter().map(|&out| self.ty(out)).collect();
        let values = if !types[0].varying {
            let index = self.uniform(place.index);
            let inside = self.inside_place(place, &memory, index, n);
            self.guarded(inside, &types, |e| e.load_scalars(scalar, &memory, index, 0, n))
        } else {
            let mask = place.mask.map(|mask| self.vectors(mask));
            let (indices, inside) = self.indices(place, &memory, n, mask.as_ref());
            match (inside, &indices) {
                (Inside::Always, _) => self.fast_load(scalar, &memory, &indices, n),
                (Inside::Never, _) if self.form.checked => {
                    self.slow_load(place, &memory, &indices, n, mask.as_ref())
                }
                (Inside::Never, _) => self.guarded(Inside::Never, &types, |_| Lanes::new()),
                // There is nothing to be done lane by lane.
                (inside, Indices::Same(_)) => {
                    self.guarded(inside, &types, |e| e.fast_load(scalar, &memory, &indices, n))
                }
                (Inside::When(condition), _) => self.either(
                    condition,
                    |e| e.fast_load(scalar, &memory, &indices, n),
                    |e| e.slow_load(place, &memory, &indices, n, mask.as_ref()),
                ),
            }
        };
        self.set_each(outs, values);
    }

    pub fn store(&mut self, values: &Vars, place: &Place) {
        let memory = self.memory(place);
        let (n, scalar) = (values.len(), place.scalar);
        if place.is_same() || self.form.width == 1 {
            let index = self.uniform(place.index);
            let inside = self.inside_place(place, &memory, index, n);
            let inside = self.if_active(place.mask, inside);
            let scalars: Lanes = values.iter().map(|&x| self.uniform(x)).collect();
            self.guarded(inside, &[], |e| {
                e.store_scalars(&memory, index, 0, &scalars);
                Lanes::new()
            });
            return;
        }
        let mask = place.mask.map(|mask| self.vectors(mask));
        let vectors: Vec<Lanes> = values.iter().map(|&x| self.vectors(x)).collect();
        let (indices, inside) = self.indices(place, &memory, n, mask.as_ref());
        if let (Indices::Same(index), true) = (&indices, memory.step > memory.lane) {
            // The memory is each lane's own, so those outside of the mask may write what they have.
            self.guarded(inside, &[], |e| {
                let vectors = match &mask {
                    None => vectors,
                    Some(mask) => {
                        let old = e.fast_load(scalar, &memory, &Indices::Same(*index), n);
                        let old = old.chunks(vectors[0].len());
                        vectors.iter().zip(old).map(|(x, old)| e.blend(scalar, mask, x, old)).collect()
                    }
                };
                e.fast_store(scalar, &memory, &indices, &vectors);
                Lanes::new()
            });
            return;
        }
        let all = mask.as_ref().map(|mask| self.all(mask));
        let condition = match (inside, all) {
            (Inside::Never, _) if self.form.checked => {
                return self.slow_store(place, &memory, &indices, &vectors, mask.as_ref());
            }
            (Inside::Never, _) => return,
            (Inside::Always, None) => return self.fast_store(scalar, &memory, &indices, &vectors),
            (Inside::Always, Some(all)) => all,
            (Inside::When(inside), None) => inside,
            (Inside::When(inside), Some(all)) => self.b.ins().band(inside, all),
        };
        self.either(
            condition,
            |e| {
                e.fast_store(scalar, &memory, &indices, &vectors);
                Lanes::new()
            },
            |e| {
                e.slow_store(place, &memory, &indices, &vectors, mask.as_ref());
                Lanes::new()
            },
        );
    }

    /// That an access is in bounds and any lane does it.
    pub fn if_active(&mut self, mask: Option<Var>, inside: Inside) -> Inside {
        let Some(mask) = mask else { return inside };
        let active = if self.ty(mask).varying {
            let mask = self.get(mask);
            self.any(&mask)
        } else {
            self.uniform(mask)
        };
        match inside {
            Inside::Always => Inside::When(active),
            Inside::Never => Inside::Never,
            Inside::When(inside) => Inside::When(self.b.ins().band(inside, active)),
        }
    }

    /// Sets variables to their values, one after another.
    pub fn set_each(&mut self, vars: &[Var], values: Lanes) {
        let mut rest = values.into_iter();
        for &var in vars {
            let count = self.count(self.ty(var));
            let lanes = rest.by_ref().take(count).collect();
            self.set(var, lanes);
        }
    }

    /// Where lanes go, and whether all of them are in bounds.
    fn indices(
        &mut self,
        place: &Place,
        memory: &Memory,
        n: usize,
        mask: Option<&Lanes>,
    ) -> (Indices, Inside) {
        match place.step {
            Step::Same => {
                let index = self.uniform(place.index);
                (Indices::Same(index), self.inside_place(place, memory, index, n))
            }
            Step::By(stride) => {
                let first = self.uniform(place.index);
                let reach = (self.form.width as u64 - 1) * stride as u64 + n as u64 - 1;
                let inside = match place.memory {
                    Space::Private(_) => None,
                    _ => self.strided_inside(memory, first, reach, place.proven && mask.is_none()),
                };
                match inside {
                    Some(inside) => (Indices::Strided(first, stride), inside),
                    None => {
                        let indices = self.ramp(place.index, stride);
                        self.each_index(indices, place, memory, n, mask)
                    }
                }
            }
            Step::Each => {
                let indices = self.vectors(place.index);
                self.each_index(indices, place, memory, n, mask)
            }
        }
    }

    /// Whether scalars from an index to `reach` after it are in bounds; `None` if they never are.
    fn strided_inside(
        &mut self,
        memory: &Memory,
        first: ir::Value,
        reach: u64,
        proven: bool,
    ) -> Option<Inside> {
        match memory.count {
            Count::Known(count) if count.min(1 << 32) <= reach => None,
            _ if reach >= 1 << 32 => None,
            _ if proven => Some(Inside::Always),
            Count::Known(count) => {
                let last = count.min(1 << 32) - 1 - reach;
                let op = IntCC::UnsignedLessThanOrEqual;
                Some(Inside::When(self.b.ins().icmp_imm_u(op, first, last as i64)))
            }
            Count::Counted(_, count) => {
                // Indices are below 2^32 and do not wrap then.
                let end = self.b.ins().iadd_imm_s(count, -(reach as i64));
                let wide = self.b.ins().uextend(I64, first);
                Some(Inside::When(self.b.ins().icmp(IntCC::SignedLessThan, wide, end)))
            }
        }
    }

    fn each_index(
        &mut self,
        mut indices: Lanes,
        place: &Place,
        memory: &Memory,
        n: usize,
        mask: Option<&Lanes>,
    ) -> (Indices, Inside) {
        if let Some(mask) = mask {
            for (index, &mask) in indices.iter_mut().zip(mask) {
                *index = self.b.ins().band(*index, mask);
            }
        }
        let end = match memory.count {
            Count::Known(count) if count < n as u64 => return (Indices::Each(indices), Inside::Never),
            Count::Known(_) if place.proven => return (Indices::Each(indices), Inside::Always),
            Count::Counted(..) if place.proven && mask.is_none() => {
                return (Indices::Each(indices), Inside::Always);
            }
            Count::Known(count) => {
                let end = (count + 1 - n as u64).min(u32::MAX as u64);
                self.b.ins().iconst(I32, end as i64)
            }
            Count::Counted(_, count) => {
                let mut end = count;
                if n > 1 {
                    let zero = self.b.ins().iconst(I64, 0);
                    end = self.b.ins().iadd_imm_s(end, 1 - n as i64);
                    end = self.b.ins().smax(end, zero);
                }
                let most = self.b.ins().iconst(I64, u32::MAX as i64);
                let end = self.b.ins().umin(end, most);
                self.b.ins().ireduce(I32, end)
            }
        };
        // The largest of them stands for all.
        let largest = indices[1..].iter().fold(indices[0], |most, &index| self.b.ins().umax(most, index));
        let end = self.b.ins().splat(I32X4, end);
        let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, largest, end);
        let all = self.b.ins().vall_true(inside);
        (Indices::Each(indices), Inside::When(all))
    }

    /// One of two ways to the same values; the second one is rare.
    fn either(
        &mut self,
        condition: ir::Value,
        fast: impl FnOnce(&mut Self) -> Lanes,
        slow: impl FnOnce(&mut Self) -> Lanes,
    ) -> Lanes {
        let [there, rare, after] = [(); 3].map(|()| self.b.create_block());
        self.b.set_cold_block(rare);
        self.b.ins().brif(condition, there, &[], rare, &[]);
        self.b.switch_to_block(there);
        let values = fast(self);
        self.b.ins().jump(after, &block_args(&values));
        self.b.switch_to_block(rare);
        let others = slow(self);
        self.b.ins().jump(after, &block_args(&others));
        self.b.switch_to_block(after);
        self.same_params(after, &values)
    }

    // ---- all lanes in bounds

    /// The index of a lane.
    fn index_of(&mut self, indices: &Indices, lane: usize) -> ir::Value {
        match indices {
            Indices::Same(index) => *index,
            Indices::Strided(first, stride) => {
                let first = *first;
                self.b.ins().iadd_imm_u(first, (lane as u32).wrapping_mul(*stride) as i64)
            }
            Indices::Each(indices) => self.lane_of(Scalar::U32, indices, lane),
        }
    }

    /// Where lane after lane lies side by side, if it does: where the first is.
    fn contiguous(&mut self, scalar: Scalar, memory: &Memory, indices: &Indices) -> Option<(ir::Value, i32)> {
        match indices {
            Indices::Strided(first, 1) => Some(self.address(memory, *first, 0)),
            Indices::Same(index) if memory.lane == scalar.bytes() as u64 => {
                Some(self.address(memory, *index, 0))
            }
            _ => None,
        }
    }

    /// The memory for one lane of a strided access, at the first lane's index.
    fn lane_memory(&self, memory: &Memory, indices: &Indices, lane: usize) -> Memory {
        match indices {
            Indices::Strided(_, stride) if *stride < 1 << 16 => {
                Memory { offset: memory.offset + lane as u64 * *stride as u64 * memory.step, ..*memory }
            }
            _ => *memory,
        }
    }

    /// As [`Emitter::lane_memory`], and the index to go with it.
    fn lane_place(&mut self, memory: &Memory, indices: &Indices, lane: usize) -> (Memory, ir::Value) {
        let there = self.lane_memory(memory, indices, lane);
        let index = match indices {
            Indices::Strided(first, stride) if *stride < 1 << 16 => *first,
            _ => self.index_of(indices, lane),
        };
        (there, index)
    }

    fn fast_load(&mut self, scalar: Scalar, memory: &Memory, indices: &Indices, n: usize) -> Lanes {
        if !memory.atomic
            && (n == 1 || matches!(indices, Indices::Same(_)))
            && let Some((address, at)) = self.contiguous(scalar, memory, indices)
        {
            let mut values = Lanes::new();
            for k in 0..n {
                let at = at + (k as u64 * memory.step) as i32;
                values.extend(self.load_contiguous(scalar, memory.flags, address, at));
            }
            return values;
        }
        if let Indices::Strided(first, stride) = indices
            && (*stride as usize, scalar.bytes()) == (n, 4)
            && (2..=4).contains(&n)
        {
            let (address, at) = self.address(memory, *first, 0);
            return self.load_interleaved(scalar, memory.flags, address, at, n);
        }
        // Lane after lane, so that few indices wait in registers.
        let mut each: SmallVec<[Lanes; 4]> = smallvec![Lanes::new(); n];
        for lane in 0..self.width() {
            let (there, index) = self.lane_place(memory, indices, lane);
            let scalars = self.load_scalars(scalar, &there, index, lane, n);
            each.iter_mut().zip(scalars).for_each(|(each, x)| self.put_lane(scalar, each, lane, x));
        }
        each.into_iter().flatten().collect()
    }

    fn fast_store(&mut self, scalar: Scalar, memory: &Memory, indices: &Indices, values: &[Lanes]) {
        let n = values.len();
        if (n == 1 || matches!(indices, Indices::Same(_)))
            && let Some((address, at)) = self.contiguous(scalar, memory, indices)
        {
            for (k, vectors) in values.iter().enumerate() {
                let at = at + (k as u64 * memory.step) as i32;
                self.store_contiguous(scalar, memory.flags, address, at, vectors);
            }
            return;
        }
        if let Indices::Strided(first, stride) = indices
            && (*stride as usize, scalar.bytes()) == (n, 4)
            && (2..=4).contains(&n)
        {
            let (address, at) = self.address(memory, *first, 0);
            return self.store_interleaved(memory.flags, address, at, values);
        }
        for lane in 0..self.width() {
            let (there, index) = self.lane_place(memory, indices, lane);
            let scalars: Lanes = values.iter().map(|v| self.lane_of(scalar, v, lane)).collect();
            self.store_scalars(&there, index, lane, &scalars);
        }
    }

    /// A scalar for each lane, side by side.
    fn load_contiguous(&mut self, scalar: Scalar, flags: MemFlagsData, address: ir::Value, at: i32) -> Lanes {
        let signed = scalar.is_signed();
        match scalar.bytes() {
            2 => (0..self.width() as i32 / 4)
                .map(|i| match signed {
                    true => self.b.ins().sload16x4(flags, address, at + 8 * i),
                    false => self.b.ins().uload16x4(flags, address, at + 8 * i),
                })
                .collect(),
            1 => {
                let mut words = Lanes::new();
                let widen = |e: &mut Self, x| match signed {
                    true => e.b.ins().swiden_low(x),
                    false => e.b.ins().uwiden_low(x),
                };
                if self.width() == 4 {
                    let bytes = self.b.ins().load(I32, flags, address, at);
                    let bytes = self.b.ins().splat(I32X4, bytes);
                    let bytes = vector::cast(&mut self.b, bytes, I8X16);
                    let halves = widen(self, bytes);
                    return smallvec![widen(self, halves)];
                }
                for i in 0..self.width() as i32 / 8 {
                    let halves = match signed {
                        true => self.b.ins().sload8x8(flags, address, at + 8 * i),
                        false => self.b.ins().uload8x8(flags, address, at + 8 * i),
                    };
                    words.push(widen(self, halves));
                    words.push(match signed {
                        true => self.b.ins().swiden_high(halves),
                        false => self.b.ins().uwiden_high(halves),
                    });
                }
                words
            }
            _ => self.load_vectors(scalar, flags, address, at),
        }
    }

    fn store_contiguous(
        &mut self,
        scalar: Scalar,
        flags: MemFlagsData,
        address: ir::Value,
        at: i32,
        vectors: &[ir::Value],
    ) {
        let bytes = scalar.bytes() as usize;
        if bytes >= 4 {
            return self.store_vectors(flags, address, at, vectors);
        }
        // Bytes of two vectors become one until they are as small as in memory.
        let mut packed: Lanes = vectors.iter().map(|&x| vector::cast(&mut self.b, x, I8X16)).collect();
        let mut lane = 4;
        while lane > bytes {
            let half = lane / 2;
            let order: Vec<u8> = (0..16).map(|i| (i / half * lane + i % half) as u8).collect();
            packed = packed
                .chunks(2)
                .map(|pair| vector::shuffle_bytes(&mut self.b, pair[0], pair[pair.len() - 1], &order))
                .collect();
            lane = half;
        }
        match self.width() * bytes {
            all if all % 16 == 0 => self.store_vectors(flags, address, at, &packed),
            all => {
                let ty = if all == 8 { I64X2 } else { I32X4 };
                let x = vector::cast(&mut self.b, packed[0], ty);
                let x = self.b.ins().extractlane(x, 0);
                self.b.ins().store(flags, x, address, at);
            }
        }
    }

    /// `n` words for each lane, side by side.
    fn load_interleaved(
        &mut self,
        scalar: Scalar,
        flags: MemFlagsData,
        address: ir::Value,
        at: i32,
        n: usize,
    ) -> Lanes {
        let ty = vector::vector_type(scalar);
        let mut each: Vec<Lanes> = vec![Lanes::new(); n];
        for group in 0..self.width() / 4 {
            let at = at + (16 * n * group) as i32;
            let vectors: Lanes =
                (0..n as i32).map(|i| self.b.ins().load(ty, flags, address, at + 16 * i)).collect();
            let apart = self.apart(&vectors);
            each.iter_mut().zip(apart).for_each(|(each, x)| each.push(x));
        }
        each.into_iter().flatten().collect()
    }

    fn store_interleaved(&mut self, flags: MemFlagsData, address: ir::Value, at: i32, values: &[Lanes]) {
        let n = values.len();
        for group in 0..self.width() / 4 {
            let vectors: Lanes = values.iter().map(|v| v[group]).collect();
            let together = self.together(&vectors);
            self.store_vectors(flags, address, at + (16 * n * group) as i32, &together);
        }
    }

    /// Of `n` vectors with the words of four lanes, one lane after another, a vector for each word.
    fn apart(&mut self, x: &[ir::Value]) -> Lanes {
        let b = &mut self.b;
        match x.len() {
            2 => smallvec![
                vector::shuffle(b, x[0], x[1], [0, 2, 4, 6]),
                vector::shuffle(b, x[0], x[1], [1, 3, 5, 7])
            ],
            3 => (0..3)
                .map(|k| {
                    let place: [u8; 4] = std::array::from_fn(|lane| 3 * lane as u8 + k);
                    let first = place.map(|p| if p < 8 { p } else { 0 });
                    let both = vector::shuffle(b, x[0], x[1], first);
                    let second =
                        std::array::from_fn(
                            |lane| {
                                if place[lane] < 8 { lane as u8 } else { place[lane] - 4 }
                            },
                        );
                    vector::shuffle(b, both, x[2], second)
                })
                .collect(),
            _ => self.transposed(x),
        }
    }

    /// The reverse of [`Emitter::apart`].
    fn together(&mut self, x: &[ir::Value]) -> Lanes {
        let b = &mut self.b;
        match x.len() {
            2 => smallvec![
                vector::shuffle(b, x[0], x[1], [0, 4, 1, 5]),
                vector::shuffle(b, x[0], x[1], [2, 6, 3, 7])
            ],
            3 => (0..3)
                .map(|i| {
                    let place: [(u8, u8); 4] = std::array::from_fn(|w| {
                        let p = 4 * i + w as u8;
                        (p / 3, p % 3)
                    });
                    let first = place.map(|(lane, k)| if k < 2 { 4 * k + lane } else { 0 });
                    let both = vector::shuffle(b, x[0], x[1], first);
                    let second = std::array::from_fn(|w| {
                        let (lane, k) = place[w];
                        if k < 2 { w as u8 } else { 4 + lane }
                    });
                    vector::shuffle(b, both, x[2], second)
                })
                .collect(),
            _ => self.transposed(x),
        }
    }

    fn transposed(&mut self, x: &[ir::Value]) -> Lanes {
        let b = &mut self.b;
        let low =
            [vector::shuffle(b, x[0], x[1], [0, 4, 1, 5]), vector::shuffle(b, x[2], x[3], [0, 4, 1, 5])];
        let high =
            [vector::shuffle(b, x[0], x[1], [2, 6, 3, 7]), vector::shuffle(b, x[2], x[3], [2, 6, 3, 7])];
        let mut pair = |[x, y]: [ir::Value; 2], order| vector::shuffle(b, x, y, order);
        smallvec![
            pair(low, [0, 1, 4, 5]),
            pair(low, [2, 3, 6, 7]),
            pair(high, [0, 1, 4, 5]),
            pair(high, [2, 3, 6, 7])
        ]
    }

    // ---- lane by lane

    /// What the lane-by-lane way takes from the stack.
    fn slow_inputs(&self, indices: &Indices) -> SmallVec<[(Scalar, Lanes); 4]> {
        match indices {
            Indices::Each(indices) => smallvec![(Scalar::U32, indices.clone())],
            _ => SmallVec::new(),
        }
    }

    /// A lane's index there.
    fn slow_index(&mut self, indices: &Indices, lane: ir::Value, args: &[ir::Value]) -> ir::Value {
        match indices {
            Indices::Same(index) => *index,
            Indices::Strided(first, stride) => {
                let lane = self.lane_number(lane);
                let steps = self.b.ins().imul_imm_u(lane, *stride as i64);
                self.b.ins().iadd(*first, steps)
            }
            Indices::Each(_) => args[0],
        }
    }

    fn slow_load(
        &mut self,
        place: &Place,
        memory: &Memory,
        indices: &Indices,
        n: usize,
        mask: Option<&Lanes>,
    ) -> Lanes {
        let scalar = place.scalar;
        let inputs = self.slow_inputs(indices);
        let scalars: SmallVec<[Scalar; 4]> = smallvec![scalar; n];
        let types: SmallVec<[Type; 4]> = smallvec![Type { scalar, varying: false }; n];
        let loaded = self.loop_lanes(&inputs, mask, &scalars, |e, lane, args| {
            let index = e.slow_index(indices, lane, args);
            let memory = e.moved_to_lane(memory, lane);
            let inside = e.inside_lane(place, &memory, index, n, lane);
            e.guarded(inside, &types, |e| e.load_scalars(scalar, &memory, index, 0, n))
        });
        loaded.into_iter().flatten().collect()
    }

    fn slow_store(
        &mut self,
        place: &Place,
        memory: &Memory,
        indices: &Indices,
        values: &[Lanes],
        mask: Option<&Lanes>,
    ) {
        let mut inputs = self.slow_inputs(indices);
        let first = inputs.len();
        inputs.extend(values.iter().map(|v| (place.scalar, v.clone())));
        self.loop_lanes(&inputs, mask, &[], |e, lane, args| {
            let index = e.slow_index(indices, lane, args);
            let memory = e.moved_to_lane(memory, lane);
            let inside = e.inside_lane(place, &memory, index, values.len(), lane);
            e.guarded(inside, &[], |e| {
                e.store_scalars(&memory, index, 0, &args[first..]);
                Lanes::new()
            })
        });
    }
}
