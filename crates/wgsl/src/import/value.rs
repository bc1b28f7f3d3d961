//! Values of any type while they are not in a variable.

use super::access::Place;
use super::lower::{Lower, Outcome};
use super::types::{Kind, Ty};
use super::vars::Slot;
use smallvec::SmallVec;
use vyre_ir::*;

/// The scalars and vectors of a value, in order.
pub type Leaves = SmallVec<[Value; 4]>;

/// Values of more leaves than this are kept in private memory.
pub const BIG: u64 = 64;

/// A value of any type.
#[derive(Clone, Debug)]
pub struct Rvalue {
    pub ty: Ty,
    pub data: Data,
}

/// Where a value's parts are.
#[derive(Clone, Debug)]
pub enum Data {
    Leaves(Leaves),
    /// Slots that hold the leaves: the value of an expression that a `continue` may skip.
    Slots(Slot),
    /// Private memory that nothing changes while the value is in use.
    Place(Place),
    /// All zero.
    Zero,
}

impl Lower<'_> {
    pub fn of_leaves(&self, ty: Ty, leaves: Leaves) -> Rvalue {
        Rvalue { ty, data: Data::Leaves(leaves) }
    }

    /// A scalar or vector.
    pub fn of_value(&mut self, value: Value) -> Rvalue {
        let ty = self.types.leaf(self.code.ty(value));
        Rvalue { ty, data: Data::Leaves(SmallVec::from_slice(&[value])) }
    }

    /// The leaves of a value that is not big.
    pub fn leaves(&mut self, value: &Rvalue) -> Outcome<Leaves> {
        match &value.data {
            Data::Leaves(leaves) => Ok(leaves.clone()),
            &Data::Slots(first) => {
                let n = self.types[value.ty].leaves as u32;
                Ok((first..first + n).map(|slot| self.vars.get(slot, &mut self.code)).collect())
            }
            Data::Place(place) => {
                self.few(value.ty)?;
                match self.load_by(&place.clone(), Op::Load)?.data {
                    Data::Leaves(leaves) => Ok(leaves),
                    _ => unreachable!("a load gives leaves"),
                }
            }
            Data::Zero => {
                self.few(value.ty)?;
                let mut leaves = Leaves::new();
                self.zeros(value.ty, &mut leaves);
                Ok(leaves)
            }
        }
    }

    /// Refuses what would split into too many values.
    fn few(&self, ty: Ty) -> Outcome<()> {
        let leaves = self.types[ty].leaves;
        if leaves > BIG {
            return Err(self.unsupported(&format!("this use of a value with {leaves} parts")));
        }
        Ok(())
    }

    fn zeros(&mut self, ty: Ty, leaves: &mut Leaves) {
        match self.types[ty].kind.clone() {
            Kind::Leaf(ty) => {
                let zero = self.code.bits(ty, 0);
                leaves.push(zero);
            }
            Kind::Atomic(scalar) => {
                let zero = self.code.bits(scalar, 0);
                leaves.push(zero);
            }
            Kind::Array { element, count, .. } => {
                for _ in 0..count.unwrap_or(0) {
                    self.zeros(element, leaves);
                }
            }
            Kind::Struct(members) => members.iter().for_each(|m| self.zeros(m.ty, leaves)),
            Kind::Opaque(what) => unreachable!("{what} has no zero"),
        }
    }

    /// An element, member, column or lane of a value at a constant index.
    pub fn part(&mut self, value: &Rvalue, k: u32) -> Outcome<Rvalue> {
        let (first, ty) = match &self.types[value.ty].kind {
            &Kind::Leaf(vector) => {
                let vector_value = self.leaves(value)?[0];
                if k >= vector.lanes as u32 {
                    let zero = self.code.bits(vector.scalar, 0);
                    return Ok(self.of_value(zero));
                }
                let lane = self.code.extract(vector_value, k as u8);
                return Ok(self.of_value(lane));
            }
            &Kind::Array { element, count, .. } => {
                if count.is_some_and(|n| k >= n) {
                    return Ok(Rvalue { ty: element, data: Data::Zero });
                }
                (k as u64 * self.types[element].leaves, element)
            }
            Kind::Struct(members) => (members[k as usize].leaf as u64, members[k as usize].ty),
            other => unreachable!("naga takes no part of {other:?}"),
        };
        let n = self.types[ty].leaves;
        let data = match &value.data {
            Data::Leaves(all) => {
                Data::Leaves(SmallVec::from_slice(&all[first as usize..(first + n) as usize]))
            }
            Data::Slots(slot) => Data::Slots(slot + first as Slot),
            Data::Zero => Data::Zero,
            Data::Place(place) => {
                let place = self.narrow(place.clone(), k);
                return self.whole(place);
            }
        };
        Ok(Rvalue { ty, data })
    }

    /// The value at a place in memory that nothing changes: read at once if it is small.
    pub fn whole(&mut self, place: Place) -> Outcome<Rvalue> {
        if self.types[place.ty].leaves > 4 {
            return Ok(Rvalue { ty: place.ty, data: Data::Place(place) });
        }
        self.load_by(&place, Op::Load)
    }

    /// An element, column or lane of a value at a dynamic index.
    pub fn part_dynamic(&mut self, value: &Rvalue, index: Value) -> Outcome<Rvalue> {
        if let Some(bits) = self.code.b.p.constant(index) {
            return self.part(value, bits[0] as u32);
        }
        let (element, count) = match self.types[value.ty].kind {
            Kind::Leaf(_) => {
                let vector = self.leaves(value)?[0];
                let lane = self.code.extract_dynamic(vector, index);
                return Ok(self.of_value(lane));
            }
            Kind::Array { element, count, .. } => (element, count.unwrap_or(0)),
            ref other => unreachable!("naga indexes no {other:?}"),
        };
        if let Data::Place(place) = &value.data {
            let place = self.narrow_dynamic(place.clone(), index);
            return self.whole(place);
        }
        if matches!(value.data, Data::Zero) {
            return Ok(Rvalue { ty: element, data: Data::Zero });
        }
        // A short list: `tables` put longer ones into memory.
        let all = self.leaves(value)?;
        let n = self.types[element].leaves as usize;
        let leaves = (0..n)
            .map(|leaf| {
                let candidates: Leaves = (0..count as usize).map(|i| all[i * n + leaf]).collect();
                self.code.choose(&candidates, index)
            })
            .collect();
        Ok(Rvalue { ty: element, data: Data::Leaves(leaves) })
    }

    /// Whether a dynamic index into a value of this type goes through memory.
    pub fn wants_memory(&self, ty: Ty) -> bool {
        matches!(self.types[ty].kind, Kind::Array { count: Some(n), .. } if n > 4)
    }
}
