//! naga's types as the importer sees them: what memory they take and into which values they split.
//!
//! A value of any type is a flat list of leaves, each a scalar or a vector; a matrix is its columns. Each naga type has
//! two layouts. The host layout has the offsets and strides naga computed, for memory the host sees. The own layout is
//! for workgroup and private memory: without padding, each leaf aligned to its scalar, a bool held as u32. The leaves
//! are the same in both.

use naga::{ArraySize, Handle, Module, TypeInner, VectorSize};
use std::collections::HashMap;
use vyre_ir::{Scalar, Type};

/// A type with a layout.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Ty(u32);

/// What a type is made of.
#[derive(Clone, PartialEq, Debug)]
pub enum Kind {
    /// A scalar or a vector.
    Leaf(Type),
    /// An atomic scalar.
    Atomic(Scalar),
    /// Elements of one type at equal distances; a matrix is an array of its columns. No count: sized at run time.
    Array { element: Ty, count: Option<u32>, stride: u32, matrix: bool },
    /// Members at offsets; `leaf` is the index of a member's first leaf.
    Struct(Vec<Member>),
    /// A pointer or something that no program can hold, such as a texture.
    Opaque(&'static str),
}

/// A member of a structure.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct Member {
    pub ty: Ty,
    pub offset: u32,
    pub leaf: u32,
}

/// A type's contents and measures.
#[derive(Clone, PartialEq, Debug)]
pub struct Shape {
    pub kind: Kind,
    /// Bytes; those before the runtime-sized tail when there is one.
    pub size: u64,
    pub align: u32,
    /// Number of leaves; 0 when sized at run time.
    pub leaves: u64,
    /// Whether it ends in a runtime-sized array.
    pub unsized_: bool,
    /// The scalar of all leaves, if it is one.
    pub scalar: Option<Scalar>,
}

/// All types of a module.
#[derive(Default)]
pub struct Types {
    shapes: Vec<Shape>,
    host: Vec<Ty>,
    own: Vec<Ty>,
    leaves: HashMap<Type, Ty>,
    matrices: HashMap<(Type, u8), Ty>,
}

impl std::ops::Index<Ty> for Types {
    type Output = Shape;
    fn index(&self, ty: Ty) -> &Shape {
        &self.shapes[ty.0 as usize]
    }
}

/// naga's scalar, if the IR has it.
pub fn scalar(s: naga::Scalar) -> Option<Scalar> {
    use naga::ScalarKind::*;
    Some(match (s.kind, s.width) {
        (Bool, _) => Scalar::Bool,
        (Sint, 1) => Scalar::I8,
        (Sint, 2) => Scalar::I16,
        (Sint, 4) => Scalar::I32,
        (Sint, 8) => Scalar::I64,
        (Uint, 1) => Scalar::U8,
        (Uint, 2) => Scalar::U16,
        (Uint, 4) => Scalar::U32,
        (Uint, 8) => Scalar::U64,
        (Float, 2) => Scalar::F16,
        (Float, 4) => Scalar::F32,
        (Float, 8) => Scalar::F64,
        _ => return None,
    })
}

/// The type of a scalar or a vector.
pub fn leaf(inner: &TypeInner) -> Option<Type> {
    match *inner {
        TypeInner::Scalar(s) => scalar(s).map(Type::from),
        TypeInner::Vector { size, scalar: s } => Some(Type::new(scalar(s)?, lanes(size))),
        _ => None,
    }
}

/// How memory holds a scalar: a bool is a u32.
pub fn stored(scalar: Scalar) -> Scalar {
    if scalar == Scalar::Bool { Scalar::U32 } else { scalar }
}

fn lanes(size: VectorSize) -> u8 {
    size as u8
}

impl Types {
    /// The types of a module whose overrides have values.
    pub fn of(module: &Module) -> Types {
        let mut types = Types::default();
        for (_, ty) in module.types.iter() {
            let host = types.lower(module, &ty.inner, true);
            types.host.push(host);
            let own = types.lower(module, &ty.inner, false);
            types.own.push(own);
        }
        types
    }

    /// The type in the host's layout.
    pub fn host(&self, handle: Handle<naga::Type>) -> Ty {
        self.host[handle.index()]
    }
    /// The type in the layout of workgroup and private memory.
    pub fn own(&self, handle: Handle<naga::Type>) -> Ty {
        self.own[handle.index()]
    }

    /// The type of a value; its own layout.
    pub fn value(&mut self, inner: &TypeInner) -> Ty {
        match *inner {
            TypeInner::Scalar(s) => self.numeric(s, 1),
            TypeInner::Vector { size, scalar } => self.numeric(scalar, lanes(size)),
            TypeInner::Matrix { columns, rows, scalar } => match self::scalar(scalar) {
                Some(s) => self.matrix(Type::new(s, lanes(rows)), lanes(columns)),
                None => self.opaque("a matrix of abstract numbers"),
            },
            _ => self.opaque("a value of this type"),
        }
    }

    /// The type of a scalar or vector value.
    pub fn leaf(&mut self, ty: Type) -> Ty {
        if let Some(&known) = self.leaves.get(&ty) {
            return known;
        }
        let held = stored(ty.scalar);
        let id = self.push(Shape {
            kind: Kind::Leaf(ty),
            size: (held.bytes() * ty.lanes as u32) as u64,
            align: held.bytes(),
            leaves: 1,
            unsized_: false,
            scalar: Some(held),
        });
        self.leaves.insert(ty, id);
        id
    }

    /// A matrix of that many columns, without padding.
    pub fn matrix(&mut self, column: Type, columns: u8) -> Ty {
        if let Some(&known) = self.matrices.get(&(column, columns)) {
            return known;
        }
        let id = self.matrix_of(column, columns, column.bytes());
        self.matrices.insert((column, columns), id);
        id
    }

    fn matrix_of(&mut self, column: Type, columns: u8, stride: u32) -> Ty {
        let element = self.leaf(column);
        self.push(Shape {
            kind: Kind::Array { element, count: Some(columns as u32), stride, matrix: true },
            size: stride as u64 * columns as u64,
            align: column.scalar.bytes(),
            leaves: columns as u64,
            unsized_: false,
            scalar: Some(column.scalar),
        })
    }

    fn push(&mut self, shape: Shape) -> Ty {
        self.shapes.push(shape);
        Ty(self.shapes.len() as u32 - 1)
    }

    fn opaque(&mut self, what: &'static str) -> Ty {
        self.push(Shape {
            kind: Kind::Opaque(what),
            size: 0,
            align: 1,
            leaves: 0,
            unsized_: false,
            scalar: None,
        })
    }

    fn numeric(&mut self, scalar: naga::Scalar, lanes: u8) -> Ty {
        match self::scalar(scalar) {
            Some(s) => self.leaf(Type::new(s, lanes)),
            None => self.opaque("an abstract number"),
        }
    }

    fn lower(&mut self, module: &Module, inner: &TypeInner, host: bool) -> Ty {
        match *inner {
            TypeInner::Scalar(_) | TypeInner::Vector { .. } => self.value(inner),
            TypeInner::Matrix { columns, rows, scalar } => match self::scalar(scalar) {
                Some(s) if host => {
                    // A column of three is aligned like one of four.
                    let aligned = if rows == VectorSize::Tri { 4 } else { lanes(rows) as u32 };
                    self.matrix_of(Type::new(s, lanes(rows)), lanes(columns), aligned * s.bytes())
                }
                _ => self.value(inner),
            },
            TypeInner::Atomic(s) => match self::scalar(s) {
                Some(s) => self.push(Shape {
                    kind: Kind::Atomic(s),
                    size: s.bytes() as u64,
                    align: s.bytes(),
                    leaves: 1,
                    unsized_: false,
                    scalar: Some(s),
                }),
                None => self.opaque("an abstract atomic"),
            },
            TypeInner::Array { base, size, stride } => self.array(module, base, size, stride, host),
            TypeInner::Struct { ref members, span } => self.structure(members, span, host),
            TypeInner::Pointer { .. } | TypeInner::ValuePointer { .. } => self.opaque("a pointer"),
            TypeInner::Image { .. } => self.opaque("a texture"),
            TypeInner::Sampler { .. } => self.opaque("a sampler"),
            TypeInner::AccelerationStructure { .. } => self.opaque("an acceleration structure"),
            TypeInner::RayQuery { .. } => self.opaque("a ray query"),
            TypeInner::BindingArray { .. } => self.opaque("a binding array"),
            TypeInner::CooperativeMatrix { .. } => self.opaque("a cooperative matrix"),
        }
    }

    fn array(
        &mut self,
        module: &Module,
        base: Handle<naga::Type>,
        size: ArraySize,
        stride: u32,
        host: bool,
    ) -> Ty {
        use naga::proc::IndexableLength as Length;
        let count = match size.resolve(module.to_ctx()) {
            Ok(Length::Known(n)) => Some(n),
            Ok(Length::Dynamic) => None,
            Err(_) => return self.opaque("an array of a size that is not a positive constant"),
        };
        let element = if host { self.host(base) } else { self.own(base) };
        let shape = &self[element];
        if let Kind::Opaque(what) = shape.kind {
            return self.opaque(what);
        }
        let stride = if host { stride as u64 } else { shape.size };
        let n = count.unwrap_or(0) as u64;
        let Ok(narrow) = u32::try_from(stride) else { return self.opaque("an array of elements over 4 GB") };
        let shape = Shape {
            kind: Kind::Array { element, count, stride: narrow, matrix: false },
            size: stride.saturating_mul(n),
            align: shape.align,
            leaves: shape.leaves.saturating_mul(n),
            unsized_: count.is_none(),
            scalar: shape.scalar,
        };
        self.push(shape)
    }

    fn structure(&mut self, members: &[naga::StructMember], span: u32, host: bool) -> Ty {
        let (mut end, mut align, mut leaves, mut unsized_) = (0u64, 1, 0u64, false);
        let (mut scalars, mut list) = (Vec::new(), Vec::new());
        for member in members {
            let ty = if host { self.host(member.ty) } else { self.own(member.ty) };
            let shape = &self[ty];
            if let Kind::Opaque(what) = shape.kind {
                return self.opaque(what);
            }
            let own = end.next_multiple_of(shape.align as u64);
            let offset = if host { member.offset as u64 } else { own };
            end = offset.saturating_add(shape.size);
            if end > u32::MAX as u64 || leaves > u32::MAX as u64 {
                return self.opaque("a structure over 4 GB");
            }
            list.push(Member { ty, offset: offset as u32, leaf: leaves as u32 });
            align = align.max(shape.align);
            leaves += shape.leaves;
            unsized_ |= shape.unsized_;
            scalars.push(shape.scalar);
        }
        let scalar = scalars.first().copied().flatten().filter(|s| scalars.iter().all(|x| *x == Some(*s)));
        let size = if host { span as u64 } else { end.next_multiple_of(align as u64) };
        let kind = Kind::Struct(list);
        self.push(Shape { kind, size, align, leaves: if unsized_ { 0 } else { leaves }, unsized_, scalar })
    }

    /// How the host sees a buffer of this type: the scalar or vector of a plain array, the scalar that all leaves have,
    /// or words.
    pub fn element(&self, ty: Ty) -> Type {
        let shape = &self[ty];
        let vector = |t: Ty, stride: Option<u32>| match self[t].kind {
            Kind::Leaf(v) if v.lanes != 3 && stride.is_none_or(|s| s == v.bytes()) => {
                Some(v.with(stored(v.scalar)))
            }
            Kind::Atomic(s) => Some(s.into()),
            _ => None,
        };
        let plain = match shape.kind {
            Kind::Array { element, stride, matrix: false, .. } => vector(element, Some(stride)),
            _ => vector(ty, None),
        };
        // A structure of f16 and i16 alone may have an odd number of half words.
        let words = if shape.align >= 4 { Scalar::U32 } else { Scalar::U16 };
        plain.unwrap_or_else(|| shape.scalar.unwrap_or(words).into())
    }
}
