//! The naga function under construction: where an expression goes, when it is evaluated, and what it is called.
//!
//! A value is either a constant, which is folded on the way and spelled inline where it is used, or one naga
//! expression, evaluated exactly once at the place where it was made. Folding here is not an optimization: an
//! operation whose operands are all literals is a constant expression to WGSL, and those are rejected where a runtime
//! operation would wrap (`1u << 32u`, `2147483647i + 1i`, `1f / 0f`).
//!
//! Invariants:
//! - expressions that naga must see evaluated are covered by exactly one `Emit` of the block they were made in;
//! - a literal never is NaN or infinite (naga and WGSL have no such literals): those come from the bits in a variable.

use super::device::{Features, Immediate};
use super::interface::Words;
use super::{narrow, types};
use naga::{Block, Expression, Handle, Literal, Span, Statement};
use std::collections::HashMap;
use vyre_ir::{Scalar, Type};

type Expr = Handle<Expression>;

/// A value on its way into the function.
#[derive(Copy, Clone, Debug)]
pub(super) struct Val {
    /// Its vyre type; naga's is that of the [`types::carrier`].
    pub ty: Type,
    /// What it is.
    pub node: Node,
    /// No lane is larger, for unsigned integers; `u64::MAX` where nothing is known.
    pub max: u64,
}

/// A constant or an expression.
#[derive(Copy, Clone, Debug)]
pub(super) enum Node {
    /// The bits of each lane.
    Const([u64; 4]),
    /// An expression that is in scope.
    Expr(Expr),
}

impl Val {
    /// A constant from the bits of each lane.
    pub fn constant(ty: Type, bits: [u64; 4]) -> Val {
        let max = *bits[..ty.lanes as usize].iter().max().expect("a value has lanes");
        Val { ty, node: Node::Const(bits), max }
    }
    /// A constant with the same bits in each lane.
    pub fn splat(ty: impl Into<Type>, bits: u64) -> Val {
        let ty = ty.into();
        Val::constant(ty, vyre_ir::program::splat_bits(ty, bits))
    }
    /// A u32 constant.
    pub fn u32(x: u32) -> Val {
        Val::splat(Scalar::U32, x as u64)
    }
    /// An expression of that type.
    pub fn expr(ty: impl Into<Type>, expr: Expr) -> Val {
        let ty = ty.into();
        Val { ty, node: Node::Expr(expr), max: ty.scalar.mask() }
    }
    /// The bits, when it is a constant.
    pub fn bits(&self) -> Option<[u64; 4]> {
        match self.node {
            Node::Const(bits) => Some(bits),
            Node::Expr(_) => None,
        }
    }
    /// The bits of the only lane or of all lanes alike, when it is such a constant.
    pub fn same_bits(&self) -> Option<u64> {
        let bits = self.bits()?;
        let lanes = &bits[..self.ty.lanes as usize];
        lanes.iter().all(|b| *b == lanes[0]).then_some(lanes[0])
    }
    /// The same value with a known bound.
    pub fn at_most(self, max: u64) -> Val {
        Val { max: max.min(self.max), ..self }
    }
}

/// The module, its only function, and the place where code is added.
pub(super) struct Code {
    /// The module so far.
    pub module: naga::Module,
    /// The entry point's function so far.
    pub function: naga::Function,
    /// Whether floats are to be exact where the languages leave something open that can be said otherwise.
    pub exact: bool,
    /// What there is to use.
    pub has: Features,
    /// How many buffers are bound.
    pub bound: u32,
    /// What is set when the device ends a loop early.
    pub watch: Option<Expr>,
    /// The immediate data that it reads so far.
    pub words: Words,
    blocks: Vec<Block>,
    prologue: Block,
    starting: bool,
    pending: Option<(Expr, Expr)>,
    literals: HashMap<(Scalar, u64), Expr>,
    vectors: HashMap<(Type, [u64; 4]), Expr>,
    not_finite: HashMap<(Scalar, u64), Expr>,
    types: HashMap<Type, Handle<naga::Type>>,
}

impl Code {
    /// An empty module for so many bound buffers, with floats as [`Code::exact`] says, with its function's body open.
    pub fn new(exact: bool, has: Features, bound: u32) -> Code {
        Code {
            module: naga::Module::default(),
            function: naga::Function::default(),
            exact,
            has,
            bound,
            watch: None,
            words: Words::default(),
            blocks: vec![Block::new()],
            prologue: Block::new(),
            starting: false,
            pending: None,
            literals: HashMap::new(),
            vectors: HashMap::new(),
            not_finite: HashMap::new(),
            types: HashMap::new(),
        }
    }

    /// The finished module, its function, and the immediate data that this reads.
    pub fn finish(mut self) -> (naga::Module, naga::Function, Vec<Immediate>) {
        self.statement(Statement::Return { value: None });
        let body = self.close();
        assert!(self.blocks.is_empty(), "a block is still open");
        self.prologue.extend_block(body);
        self.function.body = self.prologue;
        let immediates = self.words.finish(&mut self.module);
        (self.module, self.function, immediates)
    }

    // ---- places

    /// Opens a block.
    pub fn open(&mut self) {
        self.flush();
        self.blocks.push(Block::new());
    }

    /// Closes the innermost block.
    pub fn close(&mut self) -> Block {
        self.flush();
        self.blocks.pop().expect("a block is open")
    }

    /// A block made by a closure.
    pub fn block(&mut self, fill: impl FnOnce(&mut Code)) -> Block {
        self.open();
        fill(self);
        self.close()
    }

    /// Adds code at the function's beginning, in scope everywhere.
    pub fn at_start<T>(&mut self, fill: impl FnOnce(&mut Code) -> T) -> T {
        if self.starting {
            return fill(self);
        }
        self.flush();
        self.starting = true;
        let prologue = std::mem::take(&mut self.prologue);
        self.blocks.push(prologue);
        let result = fill(self);
        self.prologue = self.close();
        self.starting = false;
        result
    }

    /// Adds a statement after everything evaluated so far.
    pub fn statement(&mut self, statement: Statement) {
        self.flush();
        self.blocks.last_mut().expect("a block is open").push(statement, Span::UNDEFINED);
    }

    /// Adds an expression that is evaluated here.
    pub fn emit(&mut self, expression: Expression) -> Expr {
        let expr = self.function.expressions.append(expression, Span::UNDEFINED);
        match &mut self.pending {
            Some((_, last)) if last.index() + 1 == expr.index() => *last = expr,
            _ => {
                self.flush();
                self.pending = Some((expr, expr));
            }
        }
        expr
    }

    /// Adds an expression that is not evaluated by itself: a literal, a variable, an argument, a statement's result.
    pub fn declare(&mut self, expression: Expression) -> Expr {
        self.function.expressions.append(expression, Span::UNDEFINED)
    }

    fn flush(&mut self) {
        if let Some((first, last)) = self.pending.take() {
            let range = naga::Range::new_from_bounds(first, last);
            let block = self.blocks.last_mut().expect("a block is open");
            block.push(Statement::Emit(range), Span::UNDEFINED);
        }
    }

    // ---- values

    /// The expression of a value; constants are spelled here.
    pub fn get(&mut self, value: Val) -> Expr {
        match value.node {
            Node::Expr(expr) => expr,
            Node::Const(bits) => self.constant(value.ty, bits),
        }
    }

    /// Evaluates an expression here, as a value.
    pub fn value(&mut self, ty: impl Into<Type>, expression: Expression) -> Val {
        let ty = ty.into();
        self.ty(ty); // naga's writer enables the extensions of the types that the module lists
        Val::expr(ty, self.emit(expression))
    }

    /// Gives an expression its name in the text forms. Named expressions are evaluated into a variable where they
    /// stand, so the depth of an expression in the output is bounded by what one instruction expands to.
    pub fn name(&mut self, value: Val, name: &str) {
        if let Node::Expr(expr) = value.node {
            let is_access = matches!(
                self.function.expressions[expr],
                Expression::AccessIndex { .. } | Expression::FunctionArgument(_)
            );
            if !is_access {
                self.function.named_expressions.entry(expr).or_insert_with(|| name.into());
            }
        }
    }

    /// The naga type of a value.
    pub fn ty(&mut self, ty: Type) -> Handle<naga::Type> {
        let types = &mut self.module.types;
        *self.types.entry(ty).or_insert_with(|| insert(types, types::inner(ty)))
    }

    /// Adds a type to the module.
    pub fn insert_type(&mut self, inner: naga::TypeInner) -> Handle<naga::Type> {
        insert(&mut self.module.types, inner)
    }

    /// A variable of the function, as a pointer.
    pub fn variable(&mut self, name: &str, ty: Type) -> Expr {
        let ty = self.ty(ty);
        self.local(name, ty, None)
    }

    fn local(&mut self, name: &str, ty: Handle<naga::Type>, init: Option<Expr>) -> Expr {
        let variable = naga::LocalVariable { name: Some(name.into()), ty, init };
        let variable = self.function.local_variables.append(variable, Span::UNDEFINED);
        self.declare(Expression::LocalVariable(variable))
    }

    /// Assigns a variable.
    pub fn assign(&mut self, pointer: Expr, value: Val) {
        let value = self.get(value);
        self.statement(Statement::Store { pointer, value });
    }

    /// Chooses between two values by one bool, whatever their lanes.
    pub fn choose(&mut self, condition: Val, accept: Val, reject: Val) -> Val {
        let (condition, accept_expr, reject) = (self.get(condition), self.get(accept), self.get(reject));
        self.value(accept.ty, Expression::Select { condition, accept: accept_expr, reject })
    }

    /// Runs one block or another.
    pub fn branch(&mut self, condition: Val, accept: Block, reject: Block) {
        let condition = self.get(condition);
        self.statement(Statement::If { condition, accept, reject });
    }

    /// Reads what a pointer points to.
    pub fn read(&mut self, ty: impl Into<Type>, pointer: Expr) -> Val {
        self.value(ty, Expression::Load { pointer })
    }

    fn constant(&mut self, ty: Type, bits: [u64; 4]) -> Expr {
        let (ty, bits) =
            (ty.with(types::carrier(ty.scalar)), bits.map(|b| narrow::carried_bits(ty.scalar, b)));
        let lanes = &bits[..ty.lanes as usize];
        if lanes.iter().any(|&b| literal(ty.scalar, b).is_none()) {
            let components: Vec<Expr> = lanes.iter().map(|&b| self.scalar_constant(ty.scalar, b)).collect();
            return match components[..] {
                [one] => one,
                _ => {
                    let ty = self.ty(ty);
                    self.emit(Expression::Compose { ty, components })
                }
            };
        }
        match types::lanes(ty.lanes) {
            None => self.scalar_constant(ty.scalar, bits[0]),
            Some(size) => self.vector_constant(ty, bits, size),
        }
    }

    fn scalar_constant(&mut self, scalar: Scalar, bits: u64) -> Expr {
        let Some(literal) = literal(scalar, bits) else { return self.not_finite(scalar, bits) };
        if let Some(&expr) = self.literals.get(&(scalar, bits)) {
            return expr;
        }
        self.ty(scalar.into());
        let expr = self.declare(Expression::Literal(literal));
        self.literals.insert((scalar, bits), expr);
        expr
    }

    /// An unnamed constant of the module: the writers spell it inline.
    fn vector_constant(&mut self, ty: Type, bits: [u64; 4], size: naga::VectorSize) -> Expr {
        if let Some(&expr) = self.vectors.get(&(ty, bits)) {
            return expr;
        }
        let naga_type = self.ty(ty);
        let global = &mut self.module.global_expressions;
        let components: Vec<_> = bits[..ty.lanes as usize]
            .iter()
            .map(|&b| literal(ty.scalar, b).expect("the caller asked"))
            .map(|literal| global.append(Expression::Literal(literal), Span::UNDEFINED))
            .collect();
        let init = if bits[..ty.lanes as usize].iter().all(|b| *b == bits[0]) {
            Expression::Splat { size, value: components[0] }
        } else {
            Expression::Compose { ty: naga_type, components }
        };
        let init = global.append(init, Span::UNDEFINED);
        let constant = naga::Constant { name: None, ty: naga_type, init };
        let constant = self.module.constants.append(constant, Span::UNDEFINED);
        let expr = self.declare(Expression::Constant(constant));
        self.vectors.insert((ty, bits), expr);
        expr
    }

    /// An infinity or NaN: the bits, read from a variable so that no writer or front end sees a constant expression.
    fn not_finite(&mut self, scalar: Scalar, bits: u64) -> Expr {
        if let Some(&expr) = self.not_finite.get(&(scalar, bits)) {
            return expr;
        }
        // f16 goes by way of f32, which has a bit cast in every output language.
        let (wide, wide_bits) = match scalar {
            Scalar::F16 => (Scalar::F32, vyre_ir::lane::convert(scalar, Scalar::F32, bits)),
            other => (other, bits),
        };
        let (holder, kind) = (types::bits_type(wide), types::scalar(wide).kind);
        let init = self.scalar_constant(holder, wide_bits);
        let ty = self.ty(holder.into());
        let is_nan = vyre_ir::lane::convert(scalar, Scalar::F64, bits) << 1 > f64::INFINITY.to_bits() << 1;
        let name = if is_nan { "nan" } else { "infinity" };
        let variable = self.local(&format!("{name}_bits"), ty, Some(init));
        let expr = self.at_start(|code| {
            let holder = code.emit(Expression::Load { pointer: variable });
            let mut expr = code.emit(Expression::As { expr: holder, kind, convert: None });
            if scalar == Scalar::F16 {
                expr = code.emit(Expression::As { expr, kind, convert: Some(2) });
            }
            code.function.named_expressions.insert(expr, name.into());
            expr
        });
        self.not_finite.insert((scalar, bits), expr);
        expr
    }
}

fn insert(types: &mut naga::UniqueArena<naga::Type>, inner: naga::TypeInner) -> Handle<naga::Type> {
    types.insert(naga::Type { name: None, inner }, Span::UNDEFINED)
}

/// The literal of these bits; none for infinities and NaN.
fn literal(scalar: Scalar, bits: u64) -> Option<Literal> {
    Some(match scalar {
        Scalar::Bool => Literal::Bool(bits & 1 == 1),
        Scalar::I16 => Literal::I16(bits as i16),
        Scalar::U16 => Literal::U16(bits as u16),
        Scalar::I32 => Literal::I32(bits as i32),
        Scalar::U32 => Literal::U32(bits as u32),
        Scalar::I64 => Literal::I64(bits as i64),
        Scalar::U64 => Literal::U64(bits),
        Scalar::F16 => Literal::F16(Some(half::f16::from_bits(bits as u16)).filter(|x| x.is_finite())?),
        Scalar::F32 => Literal::F32(Some(f32::from_bits(bits as u32)).filter(|x| x.is_finite())?),
        Scalar::F64 => Literal::F64(Some(f64::from_bits(bits)).filter(|x| x.is_finite())?),
        Scalar::I8 | Scalar::U8 | Scalar::BF16 => unreachable!("a constant is spelled as its carrier's"),
    })
}
