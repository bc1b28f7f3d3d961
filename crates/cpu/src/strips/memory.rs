//! Accesses: to the worker's scratch memory, and to bound memory, which other threads may access at the same time.
//!
//! Every access is checked against the bytes that its memory has, proven or not. Bound memory that the program writes
//! is only ever accessed by relaxed atomic operations, so that a program's race is none of Rust's.

use super::{Flow, Worker};
use crate::context;
use crate::form::{Place, Slot, Space, Step, Var};
use crate::report;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};
use vyre_ir::{Entity, Op, Scalar, Sig, eval};

/// The memory of a place, for all lanes.
#[derive(Copy, Clone)]
struct Span {
    base: *mut u8,
    /// What a lane may access.
    bytes: u64,
    /// From one scalar to the next.
    scale: u64,
    /// From one lane's first scalar to that of the next.
    lane: u64,
    /// Whether other threads may write it.
    shared: bool,
}

/// An integer in memory.
trait Cell: Copy + Sized {
    /// # Safety
    /// `at` must be valid, and if `shared` aligned; otherwise nothing may write it meanwhile.
    unsafe fn read(at: *mut u8, shared: bool) -> u64;
    /// # Safety
    /// As [`Cell::read`], and `at` must be writable.
    unsafe fn write(at: *mut u8, bits: u64, shared: bool);
    /// Replaces what is there by what the function makes of it, if it does; gives what was there.
    ///
    /// # Safety
    /// As [`Cell::write`].
    unsafe fn update(at: *mut u8, shared: bool, new: impl FnMut(u64) -> Option<u64>) -> u64;
}

macro_rules! cells {
    ($($t:ident $atomic:ident),*) => { $(impl Cell for $t {
        #[inline(always)]
        unsafe fn read(at: *mut u8, shared: bool) -> u64 {
            // SAFETY: the caller's promise.
            unsafe {
                if shared { $atomic::from_ptr(at.cast()).load(Relaxed) as u64 }
                else { at.cast::<$t>().read_unaligned() as u64 }
            }
        }
        #[inline(always)]
        unsafe fn write(at: *mut u8, bits: u64, shared: bool) {
            // SAFETY: the caller's promise.
            unsafe {
                if shared { $atomic::from_ptr(at.cast()).store(bits as $t, Relaxed) }
                else { at.cast::<$t>().write_unaligned(bits as $t) }
            }
        }
        unsafe fn update(at: *mut u8, shared: bool, mut new: impl FnMut(u64) -> Option<u64>) -> u64 {
            if shared {
                // SAFETY: the caller's promise.
                let place = unsafe { $atomic::from_ptr(at.cast()) };
                let old = place.fetch_update(Relaxed, Relaxed, |old| Some(new(old as u64)? as $t));
                return old.unwrap_or_else(|old| old) as u64;
            }
            // SAFETY: the caller's promise.
            unsafe {
                let old = at.cast::<$t>().read_unaligned() as u64;
                if let Some(new) = new(old) {
                    at.cast::<$t>().write_unaligned(new as $t);
                }
                old
            }
        }
    })* };
}
cells!(u8 AtomicU8, u16 AtomicU16, u32 AtomicU32, u64 AtomicU64);

impl Span {
    /// Where `count` scalars of a lane from an index on start, if they are in bounds.
    #[inline(always)]
    fn at(&self, index: u32, count: u64, size: u64, lane: usize) -> Option<*mut u8> {
        let inside = (index as u64 + count) * size <= self.bytes;
        let offset = index as u64 * self.scale + lane as u64 * self.lane;
        // Only what is in bounds is accessed.
        inside.then(|| self.base.wrapping_add(offset as usize))
    }
}

impl Worker<'_> {
    fn span(&self, place: &Place) -> Span {
        let size = place.scalar.bytes() as u64;
        match place.memory {
            Space::Bound { buffer, shared } => {
                let [base, bytes] = self.buffer(buffer);
                Span { base: base as *mut u8, bytes, scale: size, lane: 0, shared }
            }
            Space::Workgroup { offset, bytes } => {
                Span { base: self.own(offset), bytes, scale: size, lane: 0, shared: false }
            }
            Space::Private(private) => {
                let at = private.at.map_or(0, |at| self.lanes.first(at) as u64);
                let base = self.own(private.offset + at * private.bytes);
                let bytes = private.bytes;
                match private.interleaved as u64 {
                    0 => Span { base, bytes, scale: size, lane: bytes, shared: false },
                    lane => Span { base, bytes, scale: lane * self.lanes.width as u64, lane, shared: false },
                }
            }
        }
    }

    /// A part of the scratch memory.
    fn own(&self, offset: u64) -> *mut u8 {
        self.scratch.wrapping_add(offset as usize)
    }

    /// Lanes of a place, and whether one does it for all of them.
    fn count(&self, place: &Place) -> usize {
        if place.is_same() { 1 } else { self.lanes.width }
    }

    /// Whether a lane accesses a place; if all access the same, whether any does.
    fn accesses(&self, place: &Place, lane: usize) -> bool {
        match place.mask {
            Some(mask) if place.is_same() => self.lanes.all::<u32>(mask).iter().any(|&bit| bit != 0),
            mask => self.lanes.is_active(mask, lane),
        }
    }

    fn index(&self, place: &Place, lane: usize) -> u32 {
        let index = match place.step {
            Step::Same => self.lanes.first(place.index),
            Step::By(stride) => self.lanes.first(place.index).wrapping_add(stride.wrapping_mul(lane as u32)),
            Step::Each => self.lanes.get(place.index, lane) as u32,
        };
        index.wrapping_add(place.plus)
    }

    /// What becomes of an access out of bounds.
    #[cold]
    fn outside(&self, place: &Place, index: u32, lane: usize) -> Flow {
        if !self.strips.form.checked {
            return Ok(());
        }
        // What is the same for all lanes is reported of the first one that is there.
        let active = |lane: &usize| self.lanes.is_active(place.mask, *lane);
        let lane = if place.is_same() { (0..self.lanes.width).find(active).unwrap_or(0) } else { lane };
        let [x, y, z] = self.invocation.map_or([0; 3], |local| local.map(|var| self.lanes.get(var, lane)));
        let [group_x, group_y, group_z] = self.workgroup.map(u64::from);
        let report = self.word(context::REPORT) as *const report::Report;
        // SAFETY: the launch put the address of its report there.
        unsafe {
            report::outside(
                report,
                place.inst.index() as u64,
                index as u64,
                x,
                y,
                z,
                group_x,
                group_y,
                group_z,
            );
        }
        Err(context::OUTSIDE as u32)
    }

    #[inline(never)]
    pub fn load(&mut self, outs: &[Var], place: &Place) -> Flow {
        match place.scalar.bytes() {
            1 => self.load_as::<u8>(outs, place),
            2 => self.load_as::<u16>(outs, place),
            4 => self.load_as::<u32>(outs, place),
            _ => self.load_as::<u64>(outs, place),
        }
    }

    fn load_as<T: Cell>(&mut self, outs: &[Var], place: &Place) -> Flow {
        let span = self.span(place);
        let (size, count) = (size_of::<T>() as u64, outs.len() as u64);
        if let (&[out], 4, Step::By(1), Some(first)) = (outs, size, place.step, self.run(&span, place)) {
            // What lanes get that are not in the mask is arbitrary.
            for (lane, word) in self.lanes.all_mut::<u32>(out).iter_mut().enumerate() {
                // SAFETY: `run` says that it is in bounds; bound memory is as large as the launch says, scratch
                // memory as the form says.
                *word = unsafe { u32::read(first.wrapping_add(4 * lane), span.shared) } as u32;
            }
            return Ok(());
        }
        for lane in 0..self.count(place) {
            if !self.accesses(place, lane) {
                outs.iter().for_each(|&out| self.lanes.set(out, lane, 0));
                continue;
            }
            let index = self.index(place, lane);
            let Some(at) = span.at(index, count, size, lane) else {
                outs.iter().for_each(|&out| self.lanes.set(out, lane, 0));
                self.outside(place, index, lane)?;
                continue;
            };
            for (i, &out) in outs.iter().enumerate() {
                // SAFETY: it is in bounds, as above.
                let bits = unsafe { T::read(at.wrapping_add(i * span.scale as usize), span.shared) };
                self.lanes.set(out, lane, bits);
            }
        }
        Ok(())
    }

    /// Where the words of all lanes lie one after another, if they do and are in bounds.
    fn run(&self, span: &Span, place: &Place) -> Option<*mut u8> {
        let width = self.lanes.width as u32;
        let first = self.index(place, 0);
        first.checked_add(width - 1)?;
        if span.scale != 4 || span.lane != 0 {
            return None;
        }
        span.at(first, width as u64, 4, 0)
    }

    #[inline(never)]
    pub fn store(&mut self, values: &[Var], place: &Place) -> Flow {
        match place.scalar.bytes() {
            1 => self.store_as::<u8>(values, place),
            2 => self.store_as::<u16>(values, place),
            4 => self.store_as::<u32>(values, place),
            _ => self.store_as::<u64>(values, place),
        }
    }

    fn store_as<T: Cell>(&mut self, values: &[Var], place: &Place) -> Flow {
        let span = self.span(place);
        let (size, count) = (size_of::<T>() as u64, values.len() as u64);
        if let (&[value], 4, Step::By(1), None, Some(first)) =
            (values, size, place.step, place.mask, self.run(&span, place))
            && self.lanes.is_varying(value)
        {
            for (lane, &word) in self.lanes.all::<u32>(value).iter().enumerate() {
                // SAFETY: as for a load.
                unsafe { u32::write(first.wrapping_add(4 * lane), word as u64, span.shared) };
            }
            return Ok(());
        }
        for lane in 0..self.count(place) {
            if !self.accesses(place, lane) {
                continue;
            }
            let index = self.index(place, lane);
            let Some(at) = span.at(index, count, size, lane) else {
                self.outside(place, index, lane)?;
                continue;
            };
            for (i, &value) in values.iter().enumerate() {
                let bits = self.lanes.get(value, lane);
                // SAFETY: it is in bounds, as for a load.
                unsafe { T::write(at.wrapping_add(i * span.scale as usize), bits, span.shared) };
            }
        }
        Ok(())
    }

    #[inline(never)]
    pub fn atomic(&mut self, op: Op, outs: &[Var], operands: &[Var], place: &Place) -> Flow {
        let span = self.span(place);
        let size = place.scalar.bytes() as u64;
        for lane in 0..self.lanes.width {
            outs.iter().for_each(|&out| self.lanes.set(out, lane, 0));
            if !self.lanes.is_active(place.mask, lane) {
                continue;
            }
            let index = self.index(place, lane);
            let Some(at) = span.at(index, 1, size, lane) else {
                self.outside(place, index, lane)?;
                continue;
            };
            let mut words = [0; 2];
            for (word, &operand) in words.iter_mut().zip(operands) {
                *word = self.lanes.get(operand, lane);
            }
            // SAFETY: it is in bounds, as for a load; the launch aligns memory that is written.
            let results = unsafe {
                match size {
                    1 => step::<u8>(op, place.scalar, at, words, span.shared),
                    2 => step::<u16>(op, place.scalar, at, words, span.shared),
                    4 => step::<u32>(op, place.scalar, at, words, span.shared),
                    _ => step::<u64>(op, place.scalar, at, words, span.shared),
                }
            };
            for (&out, bits) in outs.iter().zip(results) {
                self.lanes.set(out, lane, bits);
            }
        }
        Ok(())
    }

    pub fn zero(&mut self, offset: u64, bytes: u64) {
        // SAFETY: it is a part of the worker's scratch memory.
        unsafe { self.own(offset).write_bytes(0, bytes as usize) };
    }

    pub fn kept(&mut self, out: Var, slot: Slot, at: Var) {
        let count = if self.lanes.is_varying(out) { self.lanes.width } else { 1 };
        let (base, bytes) = self.kept_at(out, slot, at);
        for lane in 0..count {
            let place = base.wrapping_add(lane * bytes);
            // SAFETY: a slot has room for each invocation, and the slots of whole gangs.
            let bits = unsafe { if bytes == 4 { u32::read(place, false) } else { u64::read(place, false) } };
            self.lanes.set(out, lane, bits);
        }
    }

    pub fn keep(&mut self, value: Var, slot: Slot, at: Var) {
        let (base, bytes) = self.kept_at(value, slot, at);
        for lane in 0..self.lanes.width {
            let (place, bits) = (base.wrapping_add(lane * bytes), self.lanes.get(value, lane));
            // SAFETY: as for what is read.
            unsafe {
                if bytes == 4 {
                    u32::write(place, bits, false);
                } else {
                    u64::write(place, bits, false);
                }
            }
        }
    }

    /// Where what the gang's first lane keeps is, and how far the next one is.
    fn kept_at(&self, var: Var, slot: Slot, at: Var) -> (*mut u8, usize) {
        let bytes = Slot::bytes(self.strips.form.ty(var).scalar) as usize;
        (self.own(slot.offset + self.lanes.first(at) as u64 * bytes as u64), bytes)
    }
}

/// An atomic operation on one place: the old scalar, and whether it was exchanged.
///
/// # Safety
/// As [`Cell::write`].
unsafe fn step<T: Cell>(op: Op, scalar: Scalar, at: *mut u8, operands: [u64; 2], shared: bool) -> [u64; 2] {
    let [a, b] = operands;
    let sig = Sig { operand: scalar, result: scalar };
    // SAFETY: the caller's promise.
    unsafe {
        match (op, op.info().update) {
            (Op::AtomicLoad, _) => [T::read(at, shared), 0],
            (Op::AtomicStore, _) => {
                T::write(at, a, shared);
                [0, 0]
            }
            (Op::AtomicCompareExchange, _) => {
                let old = T::update(at, shared, |old| (old == a).then_some(b));
                [old, (old == a) as u64]
            }
            (_, Some(by)) => {
                [T::update(at, shared, |old| Some(eval::evaluate(by, sig, &[old, a]).unwrap_or(old))), 0]
            }
            (_, None) => [T::update(at, shared, |_| Some(a)), 0],
        }
    }
}
