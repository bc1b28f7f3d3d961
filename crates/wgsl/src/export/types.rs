//! vyre types as naga's: the one place that says which scalars naga has.

use naga::{ScalarKind, TypeInner, VectorSize};
use vyre_ir::{Scalar, Type};

/// The scalar in naga's terms; `None` for those naga cannot spell.
pub(super) fn scalar(scalar: Scalar) -> Option<naga::Scalar> {
    let (kind, width) = match scalar {
        Scalar::Bool => (ScalarKind::Bool, 1),
        Scalar::I16 => (ScalarKind::Sint, 2),
        Scalar::I32 => (ScalarKind::Sint, 4),
        Scalar::I64 => (ScalarKind::Sint, 8),
        Scalar::U16 => (ScalarKind::Uint, 2),
        Scalar::U32 => (ScalarKind::Uint, 4),
        Scalar::U64 => (ScalarKind::Uint, 8),
        Scalar::F16 => (ScalarKind::Float, 2),
        Scalar::F32 => (ScalarKind::Float, 4),
        Scalar::F64 => (ScalarKind::Float, 8),
        Scalar::I8 | Scalar::U8 | Scalar::BF16 => return None,
    };
    Some(naga::Scalar { kind, width })
}

/// Like [`scalar`], where the instruction's types were checked before.
pub(super) fn known(s: Scalar) -> naga::Scalar {
    scalar(s).unwrap_or_else(|| unreachable!("types are checked before code is made, and naga has no {s}"))
}

/// The type of a value.
pub(super) fn inner(ty: Type) -> TypeInner {
    let scalar = known(ty.scalar);
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
