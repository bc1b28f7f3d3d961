//! Emits instructions, each pure one once: what is computed already in an enclosing region is used again.
//!
//! Constants that joins need long after their region was left live in the prologue, which `finish` puts before
//! everything else.

use smallvec::SmallVec;
use std::collections::HashMap;
use vyre_ir::build::result_type;
use vyre_ir::program::{number_bits, splat_bits};
use vyre_ir::*;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    op: Op,
    attr: Attr,
    args: SmallVec<[Value; 3]>,
    ty: Type,
}

/// What [`Code::open_prologue`] put aside.
pub struct Outside {
    memo: HashMap<Key, Value>,
    added: Vec<Key>,
    marks: Vec<usize>,
}

/// A builder that remembers.
pub struct Code {
    pub b: Builder,
    memo: HashMap<Key, Value>,
    /// What the open regions added to the memo, outermost first, and where each region's part begins.
    added: Vec<Key>,
    marks: Vec<usize>,
    prologue: Region,
    prologue_memo: HashMap<Key, Value>,
}

impl Code {
    pub fn new(name: &str, workgroup_size: [u32; 3]) -> Code {
        let mut b = Builder::new(name, workgroup_size);
        let prologue = b.open(&[]);
        Code {
            b,
            memo: HashMap::new(),
            added: Vec::new(),
            marks: Vec::new(),
            prologue,
            prologue_memo: HashMap::new(),
        }
    }

    /// The finished program.
    pub fn finish(self) -> Program {
        self.finish_with(&[])
    }

    /// The finished program, whose body yields values.
    pub fn finish_with(mut self, results: &[Value]) -> Program {
        let first = std::mem::take(&mut self.b.p.regions[self.prologue].insts);
        let body = self.b.p.body;
        self.b.p.regions[body].insts.splice(0..0, first);
        self.b.end(results);
        self.b.p
    }

    pub fn enter(&mut self, region: Region) {
        self.marks.push(self.added.len());
        self.b.enter(region);
    }

    /// Leaves the innermost region without ending it.
    pub fn leave(&mut self) {
        let mark = self.marks.pop().expect("leave follows enter");
        for key in self.added.drain(mark..) {
            self.memo.remove(&key);
        }
        self.b.leave();
    }

    /// How many regions are open around this place.
    pub fn depth(&self) -> usize {
        self.marks.len()
    }

    /// Emits before everything else until [`Code::close_prologue`]; nothing from outside may be used.
    pub fn open_prologue(&mut self) -> Outside {
        let memo = std::mem::take(&mut self.prologue_memo);
        let outside = Outside {
            memo: std::mem::replace(&mut self.memo, memo),
            added: std::mem::take(&mut self.added),
            marks: std::mem::take(&mut self.marks),
        };
        self.b.enter(self.prologue);
        outside
    }

    /// Goes back to where the prologue was opened.
    pub fn close_prologue(&mut self, outside: Outside) {
        self.b.leave();
        self.prologue_memo = std::mem::replace(&mut self.memo, outside.memo);
        self.added = outside.added;
        self.marks = outside.marks;
    }

    /// A constant that every place may use.
    pub fn shared(&mut self, ty: Type, bits: u64) -> Value {
        let key = Key { op: Op::Const, attr: Attr::Bits(splat_bits(ty, bits)), args: SmallVec::new(), ty };
        if let Some(&known) = self.prologue_memo.get(&key) {
            return known;
        }
        let outside = self.open_prologue();
        let value = self.bits(ty, bits);
        self.close_prologue(outside);
        value
    }

    pub fn ty(&self, value: Value) -> Type {
        self.b.ty(value)
    }

    /// A pure instruction of one result.
    pub fn pure(&mut self, op: Op, attr: Attr, args: &[Value], ty: Type) -> Value {
        let key = Key { op, attr, args: SmallVec::from_slice(args), ty };
        if let Some(&known) = self.memo.get(&key) {
            return known;
        }
        let value = self.b.value(op, key.attr.clone(), args, ty);
        if !self.marks.is_empty() {
            self.added.push(key.clone());
        }
        self.memo.insert(key, value);
        value
    }

    /// An operation whose operands determine its type.
    pub fn op(&mut self, op: Op, args: &[Value]) -> Value {
        if op.info().effect != Effect::Pure {
            return self.b.op(op, args);
        }
        let types: SmallVec<[Type; 4]> = args.iter().map(|&v| self.ty(v)).collect();
        match result_type(op, &types) {
            Ok(ty) => self.pure(op, Attr::None, args, ty),
            Err(why) => panic!("{why}"),
        }
    }

    /// A load; from memory that nothing writes it is pure.
    pub fn load(&mut self, op: Op, from: Buffer, index: Value, ty: Type) -> Value {
        if op == Op::Load && !self.b.p.buffers[from].access.writes() {
            return self.pure(op, Attr::Buffer(from), &[index], ty);
        }
        self.b.load(op, from, index, ty)
    }

    pub fn bits(&mut self, ty: impl Into<Type>, bits: u64) -> Value {
        let ty = ty.into();
        self.pure(Op::Const, Attr::Bits(splat_bits(ty, bits)), &[], ty)
    }

    /// A number that the type holds exactly.
    pub fn number(&mut self, ty: impl Into<Type>, number: f64) -> Value {
        let ty = ty.into();
        self.bits(ty, number_bits(ty.scalar, number))
    }

    /// A number rounded to the type.
    pub fn rounded(&mut self, ty: Type, number: f64) -> Value {
        self.bits(ty, lane::convert(Scalar::F64, ty.scalar, number.to_bits()))
    }

    pub fn u32(&mut self, x: u32) -> Value {
        self.bits(Scalar::U32, x as u64)
    }

    /// The same number in u32 lanes beside a value: a shift amount.
    pub fn u32_like(&mut self, value: Value, x: u32) -> Value {
        let ty = self.ty(value).with(Scalar::U32);
        self.bits(ty, x as u64)
    }

    pub fn length(&mut self, buffer: Buffer) -> Value {
        self.pure(Op::Length, Attr::Buffer(buffer), &[], Scalar::U32.into())
    }

    pub fn axis(&mut self, op: Op, axis: u8) -> Value {
        self.pure(op, Attr::Axis(axis), &[], Scalar::U32.into())
    }

    pub fn index(&mut self, op: Op) -> Value {
        self.pure(op, Attr::None, &[], Scalar::U32.into())
    }

    pub fn convert(&mut self, value: Value, to: Scalar) -> Value {
        let ty = self.ty(value);
        if ty.scalar == to { value } else { self.pure(Op::Convert, Attr::None, &[value], ty.with(to)) }
    }

    pub fn bitcast(&mut self, value: Value, to: Scalar) -> Value {
        let ty = self.ty(value);
        assert_eq!(ty.scalar.bits(), to.bits(), "bitcast from {ty} to {to}");
        if ty.scalar == to { value } else { self.pure(Op::Bitcast, Attr::None, &[value], ty.with(to)) }
    }

    /// A vector of scalars; a constant one when all of them are constants.
    pub fn compose(&mut self, scalars: &[Value]) -> Value {
        if let [one] = scalars {
            return *one;
        }
        let ty = Type::new(self.ty(scalars[0]).scalar, scalars.len() as u8);
        let mut lanes = [0; 4];
        let constant = scalars.iter().zip(&mut lanes).all(|(&v, lane)| match self.b.p.constant(v) {
            Some(bits) => {
                *lane = bits[0];
                true
            }
            None => false,
        });
        if constant {
            return self.pure(Op::Const, Attr::Bits(lanes), &[], ty);
        }
        self.op(Op::Compose, scalars)
    }

    pub fn splat(&mut self, scalar: Value, lanes: u8) -> Value {
        let copies = [scalar; 4];
        self.compose(&copies[..lanes as usize])
    }

    /// A scalar in as many lanes as `like` has; a vector stays as it is.
    pub fn splat_like(&mut self, value: Value, like: Value) -> Value {
        let lanes = self.ty(like).lanes;
        if self.ty(value).lanes == lanes { value } else { self.splat(value, lanes) }
    }

    /// A lane; looks through the instruction that made the vector.
    pub fn extract(&mut self, vector: Value, lane: u8) -> Value {
        let ty = self.ty(vector);
        if ty.lanes == 1 {
            return vector;
        }
        match self.b.p.producer(vector) {
            Some(inst) if inst.op == Op::Compose => inst.args[lane as usize],
            Some(InstData { op: Op::Const, attr: Attr::Bits(bits), .. }) => {
                let bits = bits[lane as usize];
                self.bits(ty.scalar, bits)
            }
            _ => self.pure(Op::Extract, Attr::Lane(lane), &[vector], ty.scalar.into()),
        }
    }

    pub fn scalars(&mut self, value: Value) -> SmallVec<[Value; 4]> {
        (0..self.ty(value).lanes).map(|lane| self.extract(value, lane)).collect()
    }

    pub fn select(&mut self, condition: Value, yes: Value, no: Value) -> Value {
        let condition = self.splat_like(condition, yes);
        self.op(Op::Select, &[condition, yes, no])
    }

    /// The lane that a dynamic index names; 0 when there is none such.
    pub fn extract_dynamic(&mut self, vector: Value, index: Value) -> Value {
        let ty = self.ty(vector);
        if let Some(bits) = self.b.p.constant(index) {
            let lane = bits[0].min(4) as u8;
            return if lane < ty.lanes { self.extract(vector, lane) } else { self.bits(ty.scalar, 0) };
        }
        let lanes = self.scalars(vector);
        self.choose(&lanes, index)
    }

    /// The value of a short list that a dynamic index names; 0 when there is none such.
    pub fn choose(&mut self, values: &[Value], index: Value) -> Value {
        let ty = self.ty(values[0]);
        let mut result = self.bits(ty, 0);
        for (i, &value) in values.iter().enumerate().rev() {
            let i = self.u32(i as u32);
            let this = self.op(Op::Eq, &[index, i]);
            result = self.select(this, value, result);
        }
        result
    }

    /// One more than the largest value that a u32 can have here, as far as is plain to see.
    pub fn bound(&self, value: Value) -> u64 {
        self.bound_within(value, 4)
    }

    fn bound_within(&self, value: Value, steps: u32) -> u64 {
        let p = &self.b.p;
        let unknown = 1 << 32;
        let (Some(inst), Some(steps)) = (p.producer(value), steps.checked_sub(1)) else { return unknown };
        let arg = |i: usize| self.bound_within(inst.args[i], steps);
        match (inst.op, &inst.attr) {
            (Op::Const, Attr::Bits(bits)) => bits[0] + 1,
            (Op::LocalId, Attr::Axis(axis)) => p.workgroup_size[*axis as usize] as u64,
            (Op::LocalIndex, _) => p.workgroup_invocations(),
            (Op::And | Op::Min, _) => arg(0).min(arg(1)),
            (Op::Rem, _) => match p.constant(inst.args[1]) {
                Some(bits) if bits[0] > 0 => bits[0],
                _ => unknown,
            },
            (Op::Shr, _) => match p.constant(inst.args[1]) {
                Some(bits) => ((arg(0) - 1) >> (bits[0] % 32)) + 1,
                None => arg(0),
            },
            // Only unsigned division and only by what is not zero makes a number smaller.
            (Op::Div, _) => match p.constant(inst.args[1]) {
                Some(bits) if bits[0] > 0 => (arg(0) - 1) / bits[0] + 1,
                _ => unknown,
            },
            (Op::Add, _) => (arg(0) + arg(1) - 1).min(unknown),
            (Op::Select, _) => arg(1).max(arg(2)),
            _ => unknown,
        }
    }
}
