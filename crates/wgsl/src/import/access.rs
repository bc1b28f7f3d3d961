//! Places that pointers name, and reading and writing them.
//!
//! An access chain becomes one scalar index. Constant parts are folded. A dynamic index into an inner array is
//! guarded, so that one past its end does not reach its neighbors; the outermost array may leave the check to the
//! access itself, as long as its index is kept from wrapping.

use super::lower::{Lower, Outcome};
use super::types::{Kind, Ty, stored};
use super::value::{BIG, Data, Leaves, Rvalue};
use super::vars::Slot;
use smallvec::SmallVec;
use vyre_ir::*;

/// What a pointer points to.
#[derive(Clone, Debug)]
pub struct Place {
    pub root: Root,
    pub ty: Ty,
    /// A lane of a vector in slots.
    lane: Option<Lane>,
    /// Bytes from the start of the buffer.
    offset: u64,
    terms: SmallVec<[Term; 2]>,
    /// Whether a constant index is past its array's end.
    outside: bool,
}

/// Where a place is.
#[derive(Copy, Clone, PartialEq, Debug)]
pub enum Root {
    /// The first of consecutive slots.
    Slots(Slot),
    Buffer(Buffer),
}

#[derive(Copy, Clone, Debug)]
enum Lane {
    Constant(u8),
    Dynamic(Value),
}

/// A dynamic index, a u32, and the distance of what it indexes in bytes.
#[derive(Copy, Clone, Debug)]
struct Term {
    index: Value,
    stride: u32,
    /// Elements of the array, when indices past its end must be caught here.
    count: Option<u32>,
    /// Whether the index is known to be below the count.
    proven: bool,
}

/// An index that is out of bounds in every buffer.
const NOWHERE: u32 = u32::MAX;

impl Place {
    /// A whole variable.
    pub fn new(root: Root, ty: Ty) -> Place {
        Place { root, ty, lane: None, offset: 0, terms: SmallVec::new(), outside: false }
    }

    /// The slots the place covers, if it is in slots.
    pub fn slots(&self, leaves: u64) -> std::ops::Range<Slot> {
        match self.root {
            Root::Slots(first) => first..first + leaves as Slot,
            Root::Buffer(_) => 0..0,
        }
    }

    /// Whether the place depends on an index that is known only when the program runs.
    pub fn is_dynamic(&self) -> bool {
        !self.terms.is_empty()
    }
}

impl Lower<'_> {
    /// An element, member, column or lane at a constant index.
    pub fn narrow(&mut self, mut place: Place, k: u32) -> Place {
        let (offset, ty) = match self.types[place.ty].kind {
            Kind::Leaf(vector) => {
                place.outside |= k >= vector.lanes as u32;
                let scalar = self.types.leaf(vector.scalar.into());
                match place.root {
                    Root::Slots(_) => place.lane = Some(Lane::Constant(k.min(vector.lanes as u32 - 1) as u8)),
                    Root::Buffer(_) => place.offset += k as u64 * stored(vector.scalar).bytes() as u64,
                }
                place.ty = scalar;
                return place;
            }
            Kind::Array { element, count, stride, .. } => {
                place.outside |= count.is_some_and(|n| k >= n);
                if place.outside {
                    place.ty = element;
                    return place;
                }
                if let Root::Slots(first) = &mut place.root {
                    *first += k * self.types[element].leaves as u32;
                }
                (k as u64 * stride as u64, element)
            }
            Kind::Struct(ref members) => {
                let member = members[k as usize];
                if let Root::Slots(first) = &mut place.root {
                    *first += member.leaf;
                }
                (member.offset as u64, member.ty)
            }
            ref other => unreachable!("naga indexes no {other:?}"),
        };
        place.offset += offset;
        place.ty = ty;
        place
    }

    /// An element, column or lane at a dynamic index, a u32.
    pub fn narrow_dynamic(&mut self, mut place: Place, index: Value) -> Place {
        if let Some(bits) = self.code.b.p.constant(index) {
            return self.narrow(place, bits[0] as u32);
        }
        let (stride, count, ty) = match self.types[place.ty].kind {
            Kind::Leaf(vector) => {
                let scalar = self.types.leaf(vector.scalar.into());
                if let Root::Slots(_) = place.root {
                    place.lane = Some(Lane::Dynamic(index));
                    place.ty = scalar;
                    return place;
                }
                (stored(vector.scalar).bytes(), Some(vector.lanes as u32), scalar)
            }
            Kind::Array { element, count, stride, .. } => (stride, count, element),
            ref other => unreachable!("naga indexes no {other:?}"),
        };
        let Root::Buffer(buffer) = place.root else {
            unreachable!("what is indexed dynamically was given memory")
        };
        // The access itself catches an index that leaves the buffer.
        let end = place.offset + stride as u64 * count.unwrap_or(0) as u64;
        let size = self.code.b.p.buffers[buffer].static_bytes();
        let open = place.terms.is_empty() && (count.is_none() || size.is_some_and(|size| end >= size));
        place.terms.push(Term { index, stride, count: if open { None } else { count }, proven: false });
        place.ty = ty;
        place
    }

    /// An element at an index that is known to be in bounds.
    fn narrow_proven(&mut self, mut place: Place, index: Value) -> Place {
        let Kind::Array { element, count, stride, .. } = self.types[place.ty].kind else {
            unreachable!("only arrays are copied element by element")
        };
        place.terms.push(Term { index, stride, count, proven: true });
        place.ty = element;
        place
    }

    /// The index of an access of `ty` to the place.
    fn address(&mut self, place: &Place, ty: Type) -> Value {
        let bytes = ty.scalar.bytes();
        if place.outside {
            return self.code.u32(NOWHERE);
        }
        debug_assert_eq!(place.offset % bytes as u64, 0, "an access is aligned to its scalar");
        let constant = (place.offset / bytes as u64) as u32;
        let mut largest = constant as u64 + ty.lanes as u64 - 1;
        let mut guards: SmallVec<[(Value, u32); 2]> = SmallVec::new();
        for term in &place.terms {
            let Some(count) = term.count else { continue };
            let bound = self.code.bound(term.index);
            if !term.proven && bound > count as u64 {
                guards.push((term.index, count));
            }
            largest += (bound.min(count as u64) - 1) * (term.stride / bytes) as u64;
        }
        let mut sum = None;
        for term in &place.terms {
            let stride = term.stride / bytes;
            let mut index = term.index;
            if term.count.is_none() {
                let limit = (u32::MAX as u64).saturating_sub(largest) / stride as u64;
                let whole = stride == 1 && largest == 0;
                if !whole && self.code.bound(index) > limit + 1 {
                    let limit = self.code.u32(limit as u32);
                    index = self.code.op(Op::Min, &[index, limit]);
                }
            }
            if stride != 1 {
                let stride = self.code.u32(stride);
                index = self.code.op(Op::Mul, &[index, stride]);
            }
            sum = Some(match sum {
                Some(before) => self.code.op(Op::Add, &[before, index]),
                None => index,
            });
        }
        let mut index = match sum {
            None => return self.code.u32(constant),
            Some(sum) if constant == 0 => sum,
            Some(sum) => {
                let constant = self.code.u32(constant);
                self.code.op(Op::Add, &[sum, constant])
            }
        };
        let mut inside = None;
        for (i, count) in guards {
            let count = self.code.u32(count);
            let this = self.code.op(Op::Lt, &[i, count]);
            inside = Some(match inside {
                Some(before) => self.code.op(Op::And, &[before, this]),
                None => this,
            });
        }
        if let Some(inside) = inside {
            let nowhere = self.code.u32(NOWHERE);
            index = self.code.op(Op::Select, &[inside, index, nowhere]);
        }
        index
    }

    /// The buffer and index of an atomic.
    pub fn atomic_place(&mut self, place: &Place) -> (Buffer, Value, Scalar) {
        let (Root::Buffer(buffer), &Kind::Atomic(scalar)) = (place.root, &self.types[place.ty].kind) else {
            unreachable!("atomics are in memory")
        };
        (buffer, self.address(place, scalar.into()), scalar)
    }

    /// Reads a scalar or vector, by `load` or `uniform_load`.
    fn load_leaf(&mut self, place: &Place, op: Op) -> Value {
        let (ty, op) = match (&self.types[place.ty].kind, op) {
            (&Kind::Leaf(ty), op) => (ty, op),
            (&Kind::Atomic(scalar), Op::Load) => (scalar.into(), Op::AtomicLoad),
            (&Kind::Atomic(scalar), op) => (scalar.into(), op),
            (other, _) => unreachable!("{other:?} is no leaf"),
        };
        match place.root {
            Root::Slots(slot) => {
                if place.outside {
                    return self.code.bits(ty, 0);
                }
                let value = self.vars.get(slot, &mut self.code);
                match place.lane {
                    None => value,
                    Some(Lane::Constant(lane)) => self.code.extract(value, lane),
                    Some(Lane::Dynamic(index)) => self.code.extract_dynamic(value, index),
                }
            }
            Root::Buffer(buffer) => {
                let held = ty.with(stored(ty.scalar));
                let index = self.address(place, held);
                let value = self.code.load(op, buffer, index, held);
                if ty.scalar == Scalar::Bool {
                    let zero = self.code.bits(held, 0);
                    return self.code.op(Op::Ne, &[value, zero]);
                }
                value
            }
        }
    }

    fn store_leaf(&mut self, place: &Place, value: Value) {
        if place.outside {
            return;
        }
        match place.root {
            Root::Slots(slot) => {
                let value = match place.lane {
                    None => value,
                    Some(lane) => {
                        let old = self.vars.get(slot, &mut self.code);
                        self.replace_lane(old, lane, value)
                    }
                };
                self.vars.assign(slot, value, &self.code);
            }
            Root::Buffer(buffer) => {
                let ty = self.code.ty(value);
                let value = if ty.scalar == Scalar::Bool {
                    let (one, zero) =
                        (self.code.bits(ty.with(Scalar::U32), 1), self.code.bits(ty.with(Scalar::U32), 0));
                    self.code.op(Op::Select, &[value, one, zero])
                } else {
                    value
                };
                let index = self.address(place, self.code.ty(value));
                let atomic = matches!(self.types[place.ty].kind, Kind::Atomic(_));
                self.code.b.store(if atomic { Op::AtomicStore } else { Op::Store }, buffer, index, value);
            }
        }
    }

    fn replace_lane(&mut self, vector: Value, lane: Lane, value: Value) -> Value {
        let mut lanes = self.code.scalars(vector);
        for i in 0..lanes.len() {
            lanes[i] = match lane {
                Lane::Constant(k) if k as usize == i => value,
                Lane::Constant(_) => lanes[i],
                Lane::Dynamic(index) => {
                    let k = self.code.u32(i as u32);
                    let this = self.code.op(Op::Eq, &[index, k]);
                    self.code.op(Op::Select, &[this, value, lanes[i]])
                }
            };
        }
        self.code.compose(&lanes)
    }

    /// Visits the leaves of a place in order.
    fn each_leaf(
        &mut self,
        place: &Place,
        visit: &mut impl FnMut(&mut Self, &Place) -> Outcome<()>,
    ) -> Outcome<()> {
        let n = match &self.types[place.ty].kind {
            Kind::Leaf(_) | Kind::Atomic(_) => return visit(self, place),
            Kind::Array { count, .. } => count.unwrap_or(0),
            Kind::Struct(members) => members.len() as u32,
            Kind::Opaque(what) => unreachable!("{what} has no leaves"),
        };
        for k in 0..n {
            let part = self.narrow(place.clone(), k);
            self.each_leaf(&part, visit)?;
        }
        Ok(())
    }

    /// The value at a place. A big one is copied to private memory of its own, named by `copy`.
    pub fn load(&mut self, place: &Place, copy: impl FnOnce(&mut Self) -> Outcome<Place>) -> Outcome<Rvalue> {
        if self.types[place.ty].leaves > BIG {
            let to = copy(self)?;
            self.copy(&to, &Source::Place(place.clone()))?;
            return Ok(Rvalue { ty: place.ty, data: Data::Place(to) });
        }
        self.load_by(place, Op::Load)
    }

    /// The value at a place that is not big, each leaf read by the operation.
    pub fn load_by(&mut self, place: &Place, op: Op) -> Outcome<Rvalue> {
        let mut leaves = Leaves::new();
        self.each_leaf(place, &mut |this, leaf| {
            leaves.push(this.load_leaf(leaf, op));
            Ok(())
        })?;
        Ok(Rvalue { ty: place.ty, data: Data::Leaves(leaves) })
    }

    /// Writes a value to a place.
    pub fn store(&mut self, place: &Place, value: &Rvalue) -> Outcome<()> {
        match &value.data {
            Data::Zero if self.types[place.ty].leaves > BIG => self.copy(place, &Source::Zero),
            Data::Place(from) => self.copy(place, &Source::Place(from.clone())),
            _ => {
                let mut leaves = self.leaves(value)?.into_iter();
                self.each_leaf(place, &mut |this, leaf| {
                    this.store_leaf(leaf, leaves.next().expect("both have the same type"));
                    Ok(())
                })
            }
        }
    }

    /// Writes zeros to a place.
    pub fn clear(&mut self, place: &Place) -> Outcome<()> {
        self.copy(place, &Source::Zero)
    }

    /// Copies memory leaf by leaf, long arrays in a loop.
    fn copy(&mut self, to: &Place, from: &Source) -> Outcome<()> {
        let (n, long) = match &self.types[to.ty].kind {
            &Kind::Leaf(ty) => {
                let value = match from {
                    Source::Zero => self.code.bits(ty, 0),
                    Source::Place(from) => self.load_leaf(from, Op::Load),
                };
                self.store_leaf(to, value);
                return Ok(());
            }
            &Kind::Array { count, .. } => {
                (count.unwrap_or(0), self.types[to.ty].leaves > 16 && matches!(to.root, Root::Buffer(_)))
            }
            Kind::Struct(members) => (members.len() as u32, false),
            other => unreachable!("{other:?} is not copied"),
        };
        if !long {
            for k in 0..n {
                let part = from.part(self, |this, place| this.narrow(place, k));
                let to = self.narrow(to.clone(), k);
                self.copy(&to, &part)?;
            }
            return Ok(());
        }
        self.check_depth()?;
        let zero = self.code.u32(0);
        let region = self.code.b.open(&[Scalar::U32.into()]);
        let i = self.code.b.p.regions[region].params[0];
        self.code.enter(region);
        let part = from.part(self, |this, place| this.narrow_proven(place, i));
        let element = self.narrow_proven(to.clone(), i);
        self.copy(&element, &part)?;
        let (one, n) = (self.code.u32(1), self.code.u32(n));
        let next = self.code.op(Op::Add, &[i, one]);
        let again = self.code.op(Op::Lt, &[next, n]);
        self.code.b.insert(Op::Yield, Attr::None, &[again, next], &[], []);
        self.code.leave();
        self.code.b.repeat(&[zero], region);
        Ok(())
    }

    /// The number of elements of a runtime-sized array.
    pub fn array_length(&mut self, place: &Place) -> Value {
        let (Root::Buffer(buffer), &Kind::Array { stride, .. }) = (place.root, &self.types[place.ty].kind)
        else {
            unreachable!("only runtime-sized arrays have a length")
        };
        let unit = self.code.b.p.buffers[buffer].element.bytes();
        let mut length = self.code.length(buffer);
        let (offset, size) = (place.offset as u32, stride);
        // Units before the array are taken off, then units are counted in elements, or elements in units.
        if size % unit == 0 {
            if offset >= unit {
                let before = self.code.u32(offset / unit);
                let at_least = self.code.op(Op::Max, &[length, before]);
                length = self.code.op(Op::Sub, &[at_least, before]);
            }
            if size > unit {
                let size = self.code.u32(size / unit);
                length = self.code.op(Op::Div, &[length, size]);
            }
            return length;
        }
        let (per_unit, before) = (unit / size, offset / size);
        let most = self.code.u32(u32::MAX / per_unit);
        let (per_unit, before) = (self.code.u32(per_unit), self.code.u32(before));
        let units = self.code.op(Op::Min, &[length, most]);
        let all = self.code.op(Op::Mul, &[units, per_unit]);
        let at_least = self.code.op(Op::Max, &[all, before]);
        self.code.op(Op::Sub, &[at_least, before])
    }
}

/// What is copied.
enum Source {
    Zero,
    Place(Place),
}

impl Source {
    fn part(&self, lower: &mut Lower<'_>, narrow: impl FnOnce(&mut Lower<'_>, Place) -> Place) -> Source {
        match self {
            Source::Zero => Source::Zero,
            Source::Place(place) => Source::Place(narrow(lower, place.clone())),
        }
    }
}
