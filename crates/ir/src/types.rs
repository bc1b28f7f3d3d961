//! Types of values. Aggregates exist only in memory, so a value is a scalar or a short vector.
//!
//! Sign lives in the type, not in the operation. `bool` is a value type only: no buffer holds it.

use std::fmt;

/// One lane's type.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[allow(missing_docs)] // the names are the documentation
pub enum Scalar {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    BF16,
    F32,
    F64,
}

impl Scalar {
    /// Every scalar, in the order of the enumeration.
    pub const ALL: [Scalar; 13] = [
        Scalar::Bool,
        Scalar::I8,
        Scalar::I16,
        Scalar::I32,
        Scalar::I64,
        Scalar::U8,
        Scalar::U16,
        Scalar::U32,
        Scalar::U64,
        Scalar::F16,
        Scalar::BF16,
        Scalar::F32,
        Scalar::F64,
    ];

    /// The name in text form.
    pub fn name(self) -> &'static str {
        match self {
            Scalar::Bool => "bool",
            Scalar::I8 => "i8",
            Scalar::I16 => "i16",
            Scalar::I32 => "i32",
            Scalar::I64 => "i64",
            Scalar::U8 => "u8",
            Scalar::U16 => "u16",
            Scalar::U32 => "u32",
            Scalar::U64 => "u64",
            Scalar::F16 => "f16",
            Scalar::BF16 => "bf16",
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
        }
    }

    /// The scalar of that name.
    pub fn parse(name: &str) -> Option<Scalar> {
        Scalar::ALL.into_iter().find(|s| s.name() == name)
    }

    /// Width in bits; a bool is one bit.
    pub fn bits(self) -> u32 {
        match self {
            Scalar::Bool => 1,
            _ => self.bytes() * 8,
        }
    }

    /// Size in memory in bytes. A bool has none and counts as 1.
    pub fn bytes(self) -> u32 {
        match self {
            Scalar::Bool | Scalar::I8 | Scalar::U8 => 1,
            Scalar::I16 | Scalar::U16 | Scalar::F16 | Scalar::BF16 => 2,
            Scalar::I32 | Scalar::U32 | Scalar::F32 => 4,
            Scalar::I64 | Scalar::U64 | Scalar::F64 => 8,
        }
    }

    /// All bits of a value of this type: values are held in the low bits of a `u64`, the rest zero.
    pub fn mask(self) -> u64 {
        u64::MAX >> (64 - self.bits())
    }

    /// Whether the type is an integer with a sign.
    pub fn is_signed(self) -> bool {
        matches!(self, Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64)
    }

    /// Whether the type is an integer.
    pub fn is_int(self) -> bool {
        INT.has(self)
    }

    /// Whether the type is a floating-point number.
    pub fn is_float(self) -> bool {
        FLOAT.has(self)
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The type of a value: a scalar (`lanes == 1`) or a vector of 2 to 4 lanes.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Type {
    /// The type of each lane.
    pub scalar: Scalar,
    /// 1 to 4.
    pub lanes: u8,
}

impl Type {
    /// A vector type; `lanes` of 1 is the scalar itself.
    ///
    /// # Panics
    /// When `lanes` is not 1 to 4.
    pub fn new(scalar: Scalar, lanes: u8) -> Type {
        assert!((1..=4).contains(&lanes), "a value has 1 to 4 lanes, not {lanes}");
        Type { scalar, lanes }
    }

    /// The same lanes of another scalar.
    pub fn with(self, scalar: Scalar) -> Type {
        Type { scalar, ..self }
    }

    /// Size in memory in bytes, without padding.
    pub fn bytes(self) -> u32 {
        self.scalar.bytes() * self.lanes as u32
    }

    /// The type of that text form (`f32`, `u32x3`).
    pub fn parse(name: &str) -> Option<Type> {
        if let Some(scalar) = Scalar::parse(name) {
            return Some(scalar.into());
        }
        let (scalar, lanes) = name.split_once('x')?;
        let lanes = match lanes {
            "2" => 2,
            "3" => 3,
            "4" => 4,
            _ => return None,
        };
        Some(Type { scalar: Scalar::parse(scalar)?, lanes })
    }
}

impl From<Scalar> for Type {
    fn from(scalar: Scalar) -> Type {
        Type { scalar, lanes: 1 }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lanes {
            1 => f.write_str(self.scalar.name()),
            n => write!(f, "{}x{n}", self.scalar.name()),
        }
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A set of scalars: what an operand may be.
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct Class(u16);

const fn class(scalars: &[Scalar]) -> Class {
    let (mut set, mut i) = (0, 0);
    while i < scalars.len() {
        set |= 1 << scalars[i] as u16;
        i += 1;
    }
    Class(set)
}

/// `bool` alone.
pub const BOOL: Class = class(&[Scalar::Bool]);
/// Integers with a sign.
pub const SIGNED: Class = class(&[Scalar::I8, Scalar::I16, Scalar::I32, Scalar::I64]);
/// Integers without a sign.
pub const UNSIGNED: Class = class(&[Scalar::U8, Scalar::U16, Scalar::U32, Scalar::U64]);
/// All integers.
pub const INT: Class = SIGNED.or(UNSIGNED);
/// All floating-point types.
pub const FLOAT: Class = class(&[Scalar::F16, Scalar::BF16, Scalar::F32, Scalar::F64]);
/// The floating-point types that the expanded math functions are defined for.
pub const MATH: Class = class(&[Scalar::F16, Scalar::F32]);
/// All numbers.
pub const NUM: Class = INT.or(FLOAT);
/// Numbers that can be negative.
pub const NEGATABLE: Class = SIGNED.or(FLOAT);
/// What bitwise operations take.
pub const BITS: Class = INT.or(BOOL);
/// Integers an atomic operation may work on.
pub const ATOMIC_INT: Class = class(&[Scalar::I32, Scalar::U32, Scalar::I64, Scalar::U64]);
/// Numbers an atomic operation may work on.
pub const ATOMIC: Class = ATOMIC_INT.or(class(&[Scalar::F32]));
/// Every scalar.
pub const ANY: Class = NUM.or(BOOL);
/// Numbers of 32 bits: what items of a work queue are made of.
pub const WORD: Class = class(&[Scalar::I32, Scalar::U32, Scalar::F32]);
/// Every scalar that memory can hold.
pub const STORED: Class = NUM;

impl Class {
    /// The union of two classes.
    pub const fn or(self, other: Class) -> Class {
        Class(self.0 | other.0)
    }
    /// Whether the scalar is in the class.
    pub fn has(self, scalar: Scalar) -> bool {
        self.0 >> scalar as u16 & 1 == 1
    }
    /// The scalars of the class.
    pub fn scalars(self) -> impl Iterator<Item = Scalar> {
        Scalar::ALL.into_iter().filter(move |s| self.has(*s))
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.scalars().map(Scalar::name).collect();
        f.write_str(&names.join("|"))
    }
}
