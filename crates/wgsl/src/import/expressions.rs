//! Expressions: values are computed where naga emits them, pointers where they are used.

use super::access::Place;
use super::lower::{Argument, Constant, Lower, Outcome};
use super::types::{Kind, Ty, scalar};
use super::value::{Data, Leaves, Rvalue};
use half::f16;
use naga::proc::TypeResolution;
use naga::{Arena, Expression as E, Handle, Literal, TypeInner};
use vyre_ir::program::splat_bits;
use vyre_ir::*;

/// Leaves of a constant that is written out; more than any table should have.
const MAX_CONSTANT: usize = 1 << 16;

impl Lower<'_> {
    /// Computes an expression where the program says so.
    pub fn emit(&mut self, e: Handle<E>) -> Outcome<()> {
        let info = &self.frame.info[e];
        let pointer = matches!(
            info.ty.inner_with(&self.m.types),
            TypeInner::Pointer { .. } | TypeInner::ValuePointer { .. }
        );
        if pointer || info.ref_count == 0 {
            return Ok(());
        }
        self.at(self.frame.f.expressions.get_span(e));
        let value = self.eval(e)?;
        self.set_value(e, value)
    }

    /// Remembers the value of an expression.
    pub fn set_value(&mut self, e: Handle<E>, mut value: Rvalue) -> Outcome<()> {
        if self.frame.facts.tables.contains(&e) && self.wants_memory(value.ty) {
            value = self.in_memory(e, value)?;
        }
        if self.frame.facts.skipped.contains(&e)
            && let Data::Leaves(leaves) = &value.data
        {
            let mut first = None;
            for &leaf in leaves {
                let slot = self.vars.slot(self.code.ty(leaf));
                self.vars.assign(slot, leaf, &self.code);
                first.get_or_insert(slot);
            }
            value.data = Data::Slots(first.unwrap_or(0));
        }
        self.frame.values[e.index()] = Some(value);
        Ok(())
    }

    /// Gives an array memory, so that it can be indexed dynamically.
    fn in_memory(&mut self, e: Handle<E>, value: Rvalue) -> Outcome<Rvalue> {
        let Data::Leaves(leaves) = &value.data else { return Ok(value) };
        let constants: Option<Vec<Constant>> = leaves
            .iter()
            .map(|&v| Some(Constant { ty: self.code.ty(v), bits: self.code.b.p.constant(v)? }))
            .collect();
        if let Some(constants) = constants {
            return self.table(Some(self.function_id()), e, value.ty, &constants);
        }
        let place = self.expression_memory(e, value.ty)?;
        self.store(&place, &value)?;
        Ok(Rvalue { ty: value.ty, data: Data::Place(place) })
    }

    /// The value of an expression.
    pub fn rvalue(&mut self, e: Handle<E>) -> Outcome<Rvalue> {
        match &self.frame.values[e.index()] {
            Some(value) => Ok(value.clone()),
            None => self.eval(e),
        }
    }

    /// The value of an expression that is a scalar or vector.
    pub fn value(&mut self, e: Handle<E>) -> Outcome<Value> {
        let value = self.rvalue(e)?;
        Ok(self.leaves(&value)?[0])
    }

    /// The value of an expression as an index: a u32, out of bounds where the number does not fit.
    pub fn index(&mut self, e: Handle<E>) -> Outcome<Value> {
        let value = self.value(e)?;
        let from = self.code.ty(value).scalar;
        if let Some(bits) = self.code.b.p.constant(value) {
            let wide = lane::convert(from, Scalar::I64, bits[0]);
            return Ok(self.code.u32(wide.min(u32::MAX as u64) as u32));
        }
        Ok(match from {
            Scalar::U32 => value,
            Scalar::I8 | Scalar::I16 | Scalar::I32 => {
                let signed = self.code.convert(value, Scalar::I32);
                self.code.bitcast(signed, Scalar::U32)
            }
            Scalar::I64 | Scalar::U64 => {
                let unsigned = self.code.bitcast(value, Scalar::U64);
                let limit = self.code.bits(Scalar::U64, u32::MAX as u64);
                let least = self.code.op(Op::Min, &[unsigned, limit]);
                self.code.convert(least, Scalar::U32)
            }
            _ => self.code.convert(value, Scalar::U32),
        })
    }

    /// The place that a pointer names.
    pub fn place(&mut self, e: Handle<E>) -> Outcome<Place> {
        match self.frame.f.expressions[e] {
            E::LocalVariable(local) => Ok(self.frame.locals[local.index()].clone()),
            E::GlobalVariable(global) => match &self.globals[global.index()] {
                Some(place) => Ok(place.clone()),
                None => unreachable!("naga says that the entry point does not use this variable"),
            },
            E::FunctionArgument(i) => match &self.frame.arguments[i as usize] {
                Argument::Pointer(place) => Ok(place.clone()),
                _ => Err(self.unsupported("a pointer of this kind")),
            },
            E::Access { base, index } => {
                let base = self.place(base)?;
                let index = self.index(index)?;
                Ok(self.narrow_dynamic(base, index))
            }
            E::AccessIndex { base, index } => {
                let base = self.place(base)?;
                Ok(self.narrow(base, index))
            }
            _ => Err(self.unsupported("a pointer of this kind")),
        }
    }

    /// The type of an expression's value.
    pub fn type_of(&mut self, e: Handle<E>) -> Ty {
        match self.frame.info[e].ty {
            TypeResolution::Handle(handle) => self.types.own(handle),
            TypeResolution::Value(ref inner) => self.types.value(inner),
        }
    }

    fn eval(&mut self, e: Handle<E>) -> Outcome<Rvalue> {
        let f = self.frame.f;
        match f.expressions[e] {
            E::Literal(literal) => {
                let constant = self.literal(literal)?;
                let value = self.code.bits(constant.ty, constant.bits[0]);
                Ok(self.of_value(value))
            }
            E::Constant(constant) => self.global_value(self.m.constants[constant].init),
            E::Override(_) => Err(self.unsupported("an override without a value")),
            E::ZeroValue(ty) => Ok(Rvalue { ty: self.types.own(ty), data: Data::Zero }),
            E::Compose { ty, ref components } => {
                let ty = self.types.own(ty);
                let mut leaves = Leaves::new();
                for &component in components {
                    let value = self.rvalue(component)?;
                    leaves.extend(self.leaves(&value)?);
                }
                Ok(self.composed(ty, leaves))
            }
            E::Access { base, index } => {
                let i = self.index(index)?;
                let value = self.base(base)?;
                self.part_dynamic(&value, i)
            }
            E::AccessIndex { base, index } => {
                if let E::FunctionArgument(argument) = f.expressions[base]
                    && let Some(value) = self.built_in_part(argument, index)?
                {
                    return Ok(self.of_value(value));
                }
                let value = self.rvalue(base)?;
                self.part(&value, index)
            }
            E::Splat { size, value } => {
                let scalar = self.value(value)?;
                let vector = self.code.splat(scalar, size as u8);
                Ok(self.of_value(vector))
            }
            E::Swizzle { size, vector, pattern } => {
                let vector = self.value(vector)?;
                let lanes: Leaves =
                    pattern[..size as usize].iter().map(|&c| self.code.extract(vector, c as u8)).collect();
                let same = self.code.ty(vector).lanes as usize == lanes.len()
                    && pattern[..size as usize].iter().enumerate().all(|(i, &c)| c as usize == i);
                let value = if same { vector } else { self.code.compose(&lanes) };
                Ok(self.of_value(value))
            }
            E::FunctionArgument(i) => match self.frame.arguments[i as usize].clone() {
                Argument::Value(value) => Ok(value),
                Argument::Pointer(_) => unreachable!("pointers are not values"),
                built_in => self.built_in_value(&built_in, e),
            },
            E::Load { pointer } => {
                let place = self.place(pointer)?;
                self.load(&place, |this| this.expression_memory(e, place.ty))
            }
            E::Unary { op, expr } => {
                let value = self.rvalue(expr)?;
                self.unary(op, &value)
            }
            E::Binary { op, left, right } => {
                let (left, right) = (self.rvalue(left)?, self.rvalue(right)?);
                let ty = self.type_of(e);
                self.binary(op, &left, &right, ty)
            }
            E::Select { condition, accept, reject } => {
                let condition = self.value(condition)?;
                let (accept, reject) = (self.rvalue(accept)?, self.rvalue(reject)?);
                let ty = accept.ty;
                let (accept, reject) = (self.leaves(&accept)?, self.leaves(&reject)?);
                let leaves =
                    accept.iter().zip(&reject).map(|(&a, &r)| self.code.select(condition, a, r)).collect();
                Ok(self.of_leaves(ty, leaves))
            }
            E::Relational { fun, argument } => {
                let value = self.value(argument)?;
                let value = self.relational(fun, value);
                Ok(self.of_value(value))
            }
            E::Math { fun, arg, arg1, arg2, arg3 } => {
                let mut arguments = Vec::with_capacity(4);
                for e in [Some(arg), arg1, arg2, arg3].into_iter().flatten() {
                    arguments.push(self.rvalue(e)?);
                }
                let ty = self.type_of(e);
                self.math(fun, &arguments, ty)
            }
            E::As { expr, kind, convert } => {
                let value = self.rvalue(expr)?;
                self.cast(&value, kind, convert)
            }
            E::ArrayLength(pointer) => {
                let place = self.place(pointer)?;
                if place.is_dynamic() {
                    return Err(self.unsupported("the length of this array"));
                }
                let length = self.array_length(&place);
                Ok(self.of_value(length))
            }
            E::CallResult(_)
            | E::AtomicResult { .. }
            | E::WorkGroupUniformLoadResult { .. }
            | E::SubgroupBallotResult
            | E::SubgroupOperationResult { .. } => {
                unreachable!("statements set results before they are used")
            }
            E::GlobalVariable(_) | E::LocalVariable(_) => Err(self.unsupported("this use of a variable")),
            E::ImageSample { .. } | E::ImageLoad { .. } | E::ImageQuery { .. } => {
                Err(self.unsupported("a texture function"))
            }
            E::Derivative { .. } => Err(self.unsupported("a derivative")),
            E::RayQueryVertexPositions { .. }
            | E::RayQueryProceedResult
            | E::RayQueryGetIntersection { .. } => Err(self.unsupported("a ray query")),
            E::CooperativeLoad { .. } | E::CooperativeMultiplyAdd { .. } => {
                Err(self.unsupported("a cooperative matrix"))
            }
        }
    }

    /// What a dynamic index is about to select from.
    fn base(&mut self, e: Handle<E>) -> Outcome<Rvalue> {
        if let E::Constant(constant) = self.frame.f.expressions[e] {
            let constant = &self.m.constants[constant];
            let ty = self.types.own(constant.ty);
            if self.wants_memory(ty) {
                let mut leaves = Vec::new();
                self.constants(&self.m.global_expressions, constant.init, &mut leaves)?;
                return self.table(None, constant.init, ty, &leaves);
            }
        }
        self.rvalue(e)
    }

    /// A composite of leaves; a vector is one leaf made of its components' lanes.
    fn composed(&mut self, ty: Ty, leaves: Leaves) -> Rvalue {
        if let Kind::Leaf(_) = self.types[ty].kind {
            let lanes: Leaves = leaves.iter().flat_map(|&v| self.code.scalars(v)).collect();
            let vector = self.code.compose(&lanes);
            return self.of_value(vector);
        }
        self.of_leaves(ty, leaves)
    }

    /// The value of an expression of the module: a constant.
    pub fn global_value(&mut self, e: Handle<E>) -> Outcome<Rvalue> {
        let expressions = &self.m.global_expressions;
        if let E::ZeroValue(ty) = expressions[e] {
            return Ok(Rvalue { ty: self.types.own(ty), data: Data::Zero });
        }
        let mut constants = Vec::new();
        self.constants(expressions, e, &mut constants)?;
        let ty = match self.info[e] {
            TypeResolution::Handle(handle) => self.types.own(handle),
            TypeResolution::Value(ref inner) => self.types.value(inner),
        };
        let leaves =
            constants.iter().map(|c| self.code.pure(Op::Const, Attr::Bits(c.bits), &[], c.ty)).collect();
        Ok(self.of_leaves(ty, leaves))
    }

    /// The leaves of a constant expression, without emitting anything.
    fn constants(&mut self, expressions: &Arena<E>, e: Handle<E>, to: &mut Vec<Constant>) -> Outcome<()> {
        if to.len() > MAX_CONSTANT {
            return Err(self.unsupported(&format!("a constant with more than {MAX_CONSTANT} parts")));
        }
        match expressions[e] {
            E::Literal(literal) => to.push(self.literal(literal)?),
            E::Constant(constant) => {
                let init = self.m.constants[constant].init;
                self.constants(&self.m.global_expressions, init, to)?;
            }
            E::ZeroValue(ty) => self.zero_constants(self.types.own(ty), to)?,
            E::Splat { size, value } => {
                self.constants(expressions, value, to)?;
                if let Some(last) = to.last_mut() {
                    last.ty.lanes = size as u8;
                    last.bits = splat_bits(last.ty, last.bits[0]);
                }
            }
            E::Compose { ty, ref components } => {
                let first = to.len();
                for &component in components {
                    self.constants(expressions, component, to)?;
                }
                if let Kind::Leaf(vector) = self.types[self.types.own(ty)].kind {
                    let mut lanes = [0; 4];
                    let parts = to.drain(first..).flat_map(|c| c.bits.into_iter().take(c.ty.lanes as usize));
                    lanes.iter_mut().zip(parts).for_each(|(lane, bits)| *lane = bits);
                    to.push(Constant { ty: vector, bits: lanes });
                }
            }
            _ => return Err(self.unsupported("a constant expression that naga left unevaluated")),
        }
        Ok(())
    }

    fn zero_constants(&mut self, ty: Ty, to: &mut Vec<Constant>) -> Outcome<()> {
        if to.len() > MAX_CONSTANT {
            return Err(self.unsupported(&format!("a constant with more than {MAX_CONSTANT} parts")));
        }
        match self.types[ty].kind.clone() {
            Kind::Leaf(ty) => to.push(Constant { ty, bits: [0; 4] }),
            Kind::Atomic(scalar) => to.push(Constant { ty: scalar.into(), bits: [0; 4] }),
            Kind::Array { element, count, .. } => {
                for _ in 0..count.unwrap_or(0) {
                    self.zero_constants(element, to)?;
                }
            }
            Kind::Struct(members) => {
                for member in members {
                    self.zero_constants(member.ty, to)?;
                }
            }
            Kind::Opaque(what) => return Err(self.unsupported(what)),
        }
        Ok(())
    }

    fn literal(&self, literal: Literal) -> Outcome<Constant> {
        let bits = match literal {
            Literal::F64(x) => x.to_bits(),
            Literal::F32(x) => x.to_bits() as u64,
            Literal::F16(x) => f16::to_bits(x) as u64,
            Literal::U16(x) => x as u64,
            Literal::I16(x) => x as u16 as u64,
            Literal::U32(x) => x as u64,
            Literal::I32(x) => x as u32 as u64,
            Literal::U64(x) => x,
            Literal::I64(x) => x as u64,
            Literal::Bool(x) => x as u64,
            Literal::AbstractInt(_) | Literal::AbstractFloat(_) => {
                return Err(self.unsupported("an abstract number"));
            }
        };
        let scalar = scalar(literal.scalar()).expect("every concrete literal has a scalar");
        Ok(Constant { ty: scalar.into(), bits: [bits, 0, 0, 0] })
    }
}
