//! The types of registers, operands and memory.

/// A type as PTX names it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Type {
    Pred,
    B8,
    B16,
    B32,
    B64,
    U8,
    U16,
    U32,
    U64,
    S8,
    S16,
    S32,
    S64,
    U16x2,
    S16x2,
    F16,
    F16x2,
    Bf16,
    Bf16x2,
    Tf32,
    F32,
    F64,
}

/// A format of floating-point numbers.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub(crate) enum Format {
    F16,
    Bf16,
    Tf32,
    #[default]
    F32,
    F64,
}

const NAMES: [(&str, Type); 22] = [
    ("pred", Type::Pred),
    ("b8", Type::B8),
    ("b16", Type::B16),
    ("b32", Type::B32),
    ("b64", Type::B64),
    ("u8", Type::U8),
    ("u16", Type::U16),
    ("u32", Type::U32),
    ("u64", Type::U64),
    ("s8", Type::S8),
    ("s16", Type::S16),
    ("s32", Type::S32),
    ("s64", Type::S64),
    ("u16x2", Type::U16x2),
    ("s16x2", Type::S16x2),
    ("f16", Type::F16),
    ("f16x2", Type::F16x2),
    ("bf16", Type::Bf16),
    ("bf16x2", Type::Bf16x2),
    ("tf32", Type::Tf32),
    ("f32", Type::F32),
    ("f64", Type::F64),
];

impl Type {
    /// The type of that name, without its dot.
    pub(crate) fn named(name: &str) -> Option<Type> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    pub(crate) fn name(self) -> &'static str {
        NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    pub(crate) fn bits(self) -> u32 {
        use Type::*;
        match self {
            Pred => 1,
            B8 | U8 | S8 => 8,
            B16 | U16 | S16 | F16 | Bf16 => 16,
            B32 | U32 | S32 | U16x2 | S16x2 | F16x2 | Bf16x2 | Tf32 | F32 => 32,
            B64 | U64 | S64 | F64 => 64,
        }
    }

    pub(crate) fn bytes(self) -> u32 {
        self.bits().div_ceil(8)
    }

    /// The bits of a register of that type.
    pub(crate) fn mask(self) -> u64 {
        u64::MAX >> (64 - self.bits())
    }

    pub(crate) fn untyped(self) -> bool {
        matches!(self, Type::B8 | Type::B16 | Type::B32 | Type::B64)
    }

    pub(crate) fn signed(self) -> bool {
        matches!(self, Type::S8 | Type::S16 | Type::S32 | Type::S64)
    }

    pub(crate) fn integer(self) -> bool {
        self.signed() || matches!(self, Type::U8 | Type::U16 | Type::U32 | Type::U64)
    }

    /// The format, of a scalar or of both halves.
    pub(crate) fn format(self) -> Option<Format> {
        Some(match self {
            Type::F16 | Type::F16x2 => Format::F16,
            Type::Bf16 | Type::Bf16x2 => Format::Bf16,
            Type::Tf32 => Format::Tf32,
            Type::F32 => Format::F32,
            Type::F64 => Format::F64,
            _ => return None,
        })
    }

    pub(crate) fn packed(self) -> bool {
        matches!(self, Type::F16x2 | Type::Bf16x2 | Type::U16x2 | Type::S16x2)
    }

    /// Whether an instruction of this type takes a register of that one.
    pub(crate) fn takes(self, register: Type) -> bool {
        if self == Type::Pred || register == Type::Pred {
            return self == register;
        }
        if self.bits() != register.bits() {
            return false;
        }
        match self {
            // Both halves, and the formats without registers of their own, lie in registers without a type.
            Type::Bf16 | Type::Bf16x2 | Type::Tf32 => register.untyped(),
            Type::U16x2 | Type::S16x2 => register.untyped() || register.integer(),
            _ => {
                self.untyped()
                    || register.untyped()
                    || self == register
                    || (self.integer() && register.integer())
            }
        }
    }

    /// Whether loads, stores and conversions of this type take a register of that one, which can be wider.
    pub(crate) fn takes_wider(self, register: Type) -> bool {
        if self.bits() >= register.bits() || register == Type::Pred {
            return self.takes(register);
        }
        if self.untyped() {
            return true;
        }
        self.integer() && (register.integer() || register.untyped())
    }
}
