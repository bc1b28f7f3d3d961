//! Builds programs. The result type of an instruction follows from its row, so frontends only name operations.
//!
//! Methods panic on operands that do not fit the row: that is a bug of the frontend or pass, never of its input.

use crate::diagnostic::Loc;
use crate::dialect::Call;
use crate::entity::Arena;
use crate::op::{Op, Rule};
use crate::program::*;
use crate::types::*;
use smallvec::SmallVec;
use std::sync::Arc;

/// Adds instructions at the end of the innermost open region.
pub struct Builder {
    /// The program so far.
    pub p: Program,
    scopes: Vec<Region>,
    /// The location given to new instructions.
    pub loc: Loc,
}

impl Builder {
    /// An empty program with its body open.
    pub fn new(name: &str, workgroup_size: [u32; 3]) -> Builder {
        let mut regions = Arena::default();
        let body = regions.push(RegionData::default());
        let p = Program {
            name: name.into(),
            workgroup_size,
            buffers: Arena::default(),
            insts: Arena::default(),
            regions,
            values: Arena::default(),
            body,
            source: None,
        };
        Builder { p, scopes: vec![body], loc: Loc::default() }
    }

    /// An empty program with the name, workgroup size, buffers and source of another.
    pub fn like(p: &Program) -> Builder {
        let mut b = Builder::new(&p.name, p.workgroup_size);
        b.p.buffers = p.buffers.clone();
        b.p.source = p.source.clone();
        b
    }

    /// Gives the body of an empty program parameters, as the body of a dialect's operation has them.
    pub fn parameters(&mut self, types: &[Type]) -> Vec<Value> {
        let body = self.p.body;
        let params: Vec<Value> =
            types.iter().map(|&ty| self.p.values.push(ValueData { ty, def: Def::Param(body) })).collect();
        self.p.regions[body].params.extend_from_slice(&params);
        params
    }

    /// Declares a buffer.
    pub fn buffer(&mut self, decl: BufferDecl) -> Buffer {
        self.p.buffers.push(decl)
    }

    /// Adds an instruction as it is.
    pub fn insert(
        &mut self,
        op: Op,
        attr: Attr,
        args: &[Value],
        types: &[Type],
        regions: impl IntoIterator<Item = Region>,
    ) -> Inst {
        let inst = self.p.insts.push(InstData {
            op,
            attr,
            args: SmallVec::from_slice(args),
            results: SmallVec::new(),
            regions: regions.into_iter().collect(),
            loc: self.loc,
        });
        self.p.insts[inst].results =
            types.iter().map(|&ty| self.p.values.push(ValueData { ty, def: Def::Result(inst) })).collect();
        let at = self.at();
        self.p.regions[at].insts.push(inst);
        inst
    }

    /// Adds an instruction of one result as it is.
    pub fn value(&mut self, op: Op, attr: Attr, args: &[Value], ty: Type) -> Value {
        let inst = self.insert(op, attr, args, &[ty], []);
        self.p.insts[inst].results[0]
    }

    /// A value's type.
    pub fn ty(&self, value: Value) -> Type {
        self.p.ty(value)
    }

    /// An operation whose operands determine its type.
    pub fn op(&mut self, op: Op, args: &[Value]) -> Value {
        let types: SmallVec<[Type; 4]> = args.iter().map(|&v| self.p.ty(v)).collect();
        match result_type(op, &types) {
            Ok(ty) => self.value(op, Attr::None, args, ty),
            Err(why) => panic!("{why}"),
        }
    }

    /// The number in another scalar type, lane by lane; the value itself when it has the type already.
    pub fn convert(&mut self, value: Value, to: Scalar) -> Value {
        let ty = self.p.ty(value);
        if ty.scalar == to { value } else { self.value(Op::Convert, Attr::None, &[value], ty.with(to)) }
    }

    /// The bits as another scalar type of the same width.
    pub fn bitcast(&mut self, value: Value, to: Scalar) -> Value {
        let ty = self.p.ty(value);
        assert_eq!(ty.scalar.bits(), to.bits(), "bitcast from {ty} to {to}");
        if ty.scalar == to { value } else { self.value(Op::Bitcast, Attr::None, &[value], ty.with(to)) }
    }

    /// A constant from its bits, the same in every lane of `ty`.
    pub fn bits(&mut self, ty: impl Into<Type>, bits: u64) -> Value {
        let ty = ty.into();
        self.value(Op::Const, Attr::Bits(splat_bits(ty, bits)), &[], ty)
    }

    /// A constant from a number that the type holds exactly, the same in every lane of `ty`.
    pub fn number(&mut self, ty: impl Into<Type>, number: f64) -> Value {
        let ty = ty.into();
        self.bits(ty, number_bits(ty.scalar, number))
    }

    /// A u32 constant.
    pub fn u32(&mut self, x: u32) -> Value {
        self.bits(Scalar::U32, x as u64)
    }

    /// A bool constant.
    pub fn bool(&mut self, x: bool) -> Value {
        self.bits(Scalar::Bool, x as u64)
    }

    /// A constant whose lanes differ.
    pub fn lanes(&mut self, ty: Type, lanes: [u64; 4]) -> Value {
        self.value(Op::Const, Attr::Bits(lanes), &[], ty)
    }

    /// A vector of scalars; a single scalar is itself.
    pub fn compose(&mut self, scalars: &[Value]) -> Value {
        if let [one] = scalars {
            return *one;
        }
        self.op(Op::Compose, scalars)
    }

    /// The same scalar in each of `lanes` lanes.
    pub fn splat(&mut self, scalar: Value, lanes: u8) -> Value {
        let copies = [scalar; 4];
        self.compose(&copies[..lanes as usize])
    }

    /// One lane of a vector; lane 0 of a scalar is itself.
    pub fn extract(&mut self, vector: Value, lane: u8) -> Value {
        let ty = self.p.ty(vector);
        assert!(lane < ty.lanes, "lane {lane} of {ty}");
        if ty.lanes == 1 {
            return vector;
        }
        self.value(Op::Extract, Attr::Lane(lane), &[vector], ty.scalar.into())
    }

    /// All lanes of a value as scalars.
    pub fn scalars(&mut self, value: Value) -> SmallVec<[Value; 4]> {
        (0..self.p.ty(value).lanes).map(|lane| self.extract(value, lane)).collect()
    }

    /// A position along an axis: `global_id`, `local_id`, `workgroup_id`, `num_workgroups`.
    pub fn axis(&mut self, op: Op, axis: u8) -> Value {
        self.value(op, Attr::Axis(axis), &[], Scalar::U32.into())
    }

    /// A u32 without operands: `local_index`, `subgroup_size` and their like.
    pub fn index(&mut self, op: Op) -> Value {
        self.value(op, Attr::None, &[], Scalar::U32.into())
    }

    /// Number of elements of a buffer.
    pub fn length(&mut self, buffer: Buffer) -> Value {
        self.value(Op::Length, Attr::Buffer(buffer), &[], Scalar::U32.into())
    }

    /// Reads a value of type `ty` at an index that counts scalars of `ty`. `op` is `load`, `atomic_load` or `uniform_load`.
    pub fn load(&mut self, op: Op, from: Buffer, index: Value, ty: Type) -> Value {
        self.value(op, Attr::Buffer(from), &[index], ty)
    }

    /// Writes a value at an index that counts scalars of its type. `op` is `store` or `atomic_store`.
    pub fn store(&mut self, op: Op, to: Buffer, index: Value, value: Value) {
        self.insert(op, Attr::Buffer(to), &[index, value], &[], []);
    }

    /// An atomic read-modify-write: the old value.
    pub fn atomic(&mut self, op: Op, buffer: Buffer, index: Value, value: Value) -> Value {
        let ty = self.p.ty(value);
        self.value(op, Attr::Buffer(buffer), &[index, value], ty)
    }

    /// Atomic compare and exchange: the old value and whether it was exchanged.
    pub fn compare_exchange(
        &mut self,
        buffer: Buffer,
        index: Value,
        expected: Value,
        new: Value,
    ) -> (Value, Value) {
        let types = [self.p.ty(new), Scalar::Bool.into()];
        let args = [index, expected, new];
        let inst = self.insert(Op::AtomicCompareExchange, Attr::Buffer(buffer), &args, &types, []);
        (self.p.insts[inst].results[0], self.p.insts[inst].results[1])
    }

    /// A call of a dialect's operation, with results of these types.
    pub fn call(&mut self, call: Call, args: &[Value], results: &[Type]) -> SmallVec<[Value; 1]> {
        let inst = self.insert(Op::Call, Attr::Call(Arc::new(call)), args, results, []);
        self.p.insts[inst].results.clone()
    }

    /// A barrier.
    pub fn sync(&mut self, op: Op) {
        self.insert(op, Attr::None, &[], &[], []);
    }

    /// Waits for the grid and gives every invocation what the grid's first one passes.
    pub fn grid_uniform(&mut self, value: Value) -> Value {
        let takes_part = self.bool(true);
        self.op(Op::GridUniform, &[value, takes_part])
    }

    /// The item of a work queue that this invocation handles: an i32, u32 or f32, or a vector of such.
    pub fn queue_item(&mut self, ty: Type) -> Value {
        self.value(Op::QueueItem, Attr::None, &[], ty)
    }

    /// Puts an item into the work queue.
    pub fn queue_push(&mut self, item: Value) {
        self.insert(Op::QueuePush, Attr::None, &[item], &[], []);
    }

    /// A region with parameters and no instructions yet; [`Builder::enter`] it, end it with [`Builder::end`].
    pub fn open(&mut self, params: &[Type]) -> Region {
        let region = self.p.regions.push(RegionData::default());
        self.p.regions[region].params =
            params.iter().map(|&ty| self.p.values.push(ValueData { ty, def: Def::Param(region) })).collect();
        region
    }
    /// Builds inside `region` until [`Builder::leave`] or [`Builder::end`].
    pub fn enter(&mut self, region: Region) {
        self.scopes.push(region);
    }
    /// Stops building inside the innermost region.
    pub fn leave(&mut self) {
        self.scopes.pop();
    }
    /// Ends the innermost region with what it yields, and leaves it.
    pub fn end(&mut self, results: &[Value]) {
        self.insert(Op::Yield, Attr::None, results, &[], []);
        self.leave();
    }
    /// The regions open here, outermost first.
    pub fn scopes(&self) -> &[Region] {
        &self.scopes
    }
    /// The innermost open region.
    pub fn at(&self) -> Region {
        *self.scopes.last().expect("the body is never left")
    }

    /// A finished region made by a closure that gets its parameters and gives what it yields.
    pub fn region(
        &mut self,
        params: &[Type],
        fill: impl FnOnce(&mut Builder, &[Value]) -> Vec<Value>,
    ) -> Region {
        let region = self.open(params);
        self.enter(region);
        let params = self.p.regions[region].params.clone();
        let results = fill(self, &params);
        self.end(&results);
        region
    }

    /// A branch with results.
    pub fn if_(
        &mut self,
        condition: Value,
        then: impl FnOnce(&mut Builder) -> Vec<Value>,
        otherwise: impl FnOnce(&mut Builder) -> Vec<Value>,
    ) -> SmallVec<[Value; 1]> {
        let then = self.region(&[], |b, _| then(b));
        let otherwise = self.region(&[], |b, _| otherwise(b));
        self.branch(condition, then, otherwise)
    }

    /// A branch between two finished regions.
    pub fn branch(&mut self, condition: Value, then: Region, otherwise: Region) -> SmallVec<[Value; 1]> {
        let types = self.yielded_types(then);
        let inst = self.insert(Op::If, Attr::None, &[condition], &types, [then, otherwise]);
        self.p.insts[inst].results.clone()
    }

    /// Runs the body at least once; it gives whether to go on, then the next values.
    pub fn loop_(
        &mut self,
        init: &[Value],
        body: impl FnOnce(&mut Builder, &[Value]) -> Vec<Value>,
    ) -> SmallVec<[Value; 1]> {
        let types: Vec<Type> = init.iter().map(|&v| self.p.ty(v)).collect();
        let body = self.region(&types, body);
        self.repeat(init, body)
    }

    /// A loop around a finished region.
    pub fn repeat(&mut self, init: &[Value], body: Region) -> SmallVec<[Value; 1]> {
        let types: Vec<Type> = init.iter().map(|&v| self.p.ty(v)).collect();
        let inst = self.insert(Op::Loop, Attr::None, init, &types, [body]);
        self.p.insts[inst].results.clone()
    }

    /// A switch over finished regions, the default last.
    pub fn switch(
        &mut self,
        selector: Value,
        cases: impl Into<Arc<[Case]>>,
        regions: &[Region],
    ) -> SmallVec<[Value; 1]> {
        let types = self.yielded_types(*regions.last().expect("a switch has a default"));
        let attr = Attr::Cases(cases.into());
        let inst = self.insert(Op::Switch, attr, &[selector], &types, regions.iter().copied());
        self.p.insts[inst].results.clone()
    }

    fn yielded_types(&self, region: Region) -> Vec<Type> {
        self.p.yielded(region).iter().map(|&v| self.p.ty(v)).collect()
    }

    /// Ends the body and gives the program.
    pub fn finish(mut self) -> Program {
        assert_eq!(self.scopes.len(), 1, "a region is still open");
        self.end(&[]);
        self.p
    }
}

/// The type that a row gives for operands of these types, or why it gives none.
pub fn result_type(op: Op, args: &[Type]) -> Result<Type, String> {
    let u32_like = |t: Type| t.with(Scalar::U32);
    let found = match (op.info().rule, args) {
        (Rule::Same(class, n), [first, ..])
            if args.len() == n as usize && class.has(first.scalar) && args.iter().all(|t| t == first) =>
        {
            Some(*first)
        }
        (Rule::Compare(class), [a, b]) if a == b && class.has(a.scalar) => Some(a.with(Scalar::Bool)),
        (Rule::Shift(class), [a, n]) if class.has(a.scalar) && *n == u32_like(*a) => Some(*a),
        (Rule::Select, [c, a, b]) if *c == a.with(Scalar::Bool) && a == b => Some(*a),
        (Rule::Compose, [a, ..])
            if (2..=4).contains(&args.len()) && a.lanes == 1 && args.iter().all(|t| t == a) =>
        {
            Some(Type::new(a.scalar, args.len() as u8))
        }
        (Rule::Extract, [a]) if a.lanes > 1 => Some(a.scalar.into()),
        (Rule::Axis | Rule::Index | Rule::Length, []) => Some(Scalar::U32.into()),
        (Rule::Lane(class), [a, n]) if class.has(a.scalar) && *n == Scalar::U32.into() => Some(*a),
        (Rule::Agree(class), [v, c]) if v.lanes == 1 && class.has(v.scalar) && *c == Scalar::Bool.into() => {
            Some(*v)
        }
        (Rule::Ballot, [c]) if *c == Scalar::Bool.into() => Some(Type::new(Scalar::U32, 4)),
        _ => None,
    };
    found.ok_or_else(|| format!("`{}` takes {}, not {}", op.name(), wants(op), type_list(args)))
}

/// What an operation's operands must be, in words.
pub fn wants(op: Op) -> String {
    match op.info().rule {
        Rule::Same(class, 1) => format!("one operand of {class:?}"),
        Rule::Same(class, n) => format!("{n} operands of one type of {class:?}"),
        Rule::Compare(class) => format!("2 operands of one type of {class:?}"),
        Rule::Shift(class) => format!("an operand of {class:?} and u32 of the same lanes"),
        Rule::Select => "bool, T, T of the same lanes".into(),
        Rule::Convert => "one operand of another scalar type".into(),
        Rule::Bitcast => "one operand of another number type of the same width".into(),
        Rule::Compose => "2 to 4 scalars of one type".into(),
        Rule::Extract => "one vector and a lane that it has".into(),
        Rule::Const | Rule::Axis | Rule::Index | Rule::Length | Rule::Item(_) | Rule::Nothing => {
            "no operands".into()
        }
        Rule::Load => "a u32 index".into(),
        Rule::Store => "a u32 index and a number".into(),
        Rule::Atomic(class) => format!("a u32 index and a scalar of {class:?}"),
        Rule::CompareExchange(class) => format!("a u32 index and two scalars of one type of {class:?}"),
        Rule::Lane(class) => format!("an operand of {class:?} and one u32"),
        Rule::Ballot => "one bool".into(),
        Rule::Agree(class) => format!("a scalar of {class:?} and one bool"),
        Rule::Push(class) => format!("one operand of {class:?}"),
        Rule::Call => "what the operation of its dialect takes".into(),
        Rule::Structure => "operands that fit its regions".into(),
    }
}

/// Types as text, separated by commas.
pub fn type_list(types: &[Type]) -> String {
    if types.is_empty() {
        return "none".into();
    }
    types.iter().map(Type::to_string).collect::<Vec<_>>().join(", ")
}
