//! vyre types as naga's: the one place that says which scalars naga has, and what carries those it has not.

use naga::{ScalarKind, TypeInner, VectorSize};
use vyre_ir::{Scalar, Type};

/// The type that values of a scalar have in naga: its own, or a wider one where naga has none. An i8 is an i32 with the
/// sign extended, a u8 a u32 with zeros above, a bf16 an f32 whose low 16 bits are zero.
pub(super) fn carrier(scalar: Scalar) -> Scalar {
    match scalar {
        Scalar::I8 => Scalar::I32,
        Scalar::U8 => Scalar::U32,
        Scalar::BF16 => Scalar::F32,
        own => own,
    }
}

/// Whether naga has no such type.
pub(super) fn is_carried(scalar: Scalar) -> bool {
    carrier(scalar) != scalar
}

/// The scalar in naga's terms: that of its carrier.
pub(super) fn scalar(scalar: Scalar) -> naga::Scalar {
    let (kind, width) = match scalar {
        Scalar::Bool => (ScalarKind::Bool, 1),
        Scalar::I16 => (ScalarKind::Sint, 2),
        Scalar::I8 | Scalar::I32 => (ScalarKind::Sint, 4),
        Scalar::I64 => (ScalarKind::Sint, 8),
        Scalar::U16 => (ScalarKind::Uint, 2),
        Scalar::U8 | Scalar::U32 => (ScalarKind::Uint, 4),
        Scalar::U64 => (ScalarKind::Uint, 8),
        Scalar::F16 => (ScalarKind::Float, 2),
        Scalar::BF16 | Scalar::F32 => (ScalarKind::Float, 4),
        Scalar::F64 => (ScalarKind::Float, 8),
    };
    naga::Scalar { kind, width }
}

/// The type of a value.
pub(super) fn inner(ty: Type) -> TypeInner {
    let scalar = scalar(ty.scalar);
    match lanes(ty.lanes) {
        None => TypeInner::Scalar(scalar),
        Some(size) => TypeInner::Vector { size, scalar },
    }
}

/// The size of a vector; `None` for a scalar.
pub(super) fn lanes(n: u8) -> Option<VectorSize> {
    match n {
        1 => None,
        2 => Some(VectorSize::Bi),
        3 => Some(VectorSize::Tri),
        _ => Some(VectorSize::Quad),
    }
}

/// The unsigned integer of the same width, whose bits every other type of that width can be cast to.
pub(super) fn bits_type(scalar: Scalar) -> Scalar {
    match scalar.bytes() {
        1 => Scalar::U8,
        2 => Scalar::U16,
        4 => Scalar::U32,
        _ => Scalar::U64,
    }
}

/// The bits of the smallest positive float that is not subnormal.
pub(super) fn smallest_normal(scalar: Scalar) -> u64 {
    match scalar {
        Scalar::F16 => 1 << 10,
        Scalar::BF16 => 1 << 7,
        Scalar::F32 => 1 << 23,
        _ => 1 << 52,
    }
}
