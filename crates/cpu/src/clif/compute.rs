//! Pure operations: the tables for scalars and vectors, and what is done where they have no entry.

use super::scalar::{self, plain_int_op};
use super::{Emitter, Lanes, bits, half, lanes, narrow, vector, wide};
use crate::form::{Var, Vars};
use crate::native_function;
use crate::shim::{self, Shim};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{self, InstBuilder, StackSlotData, StackSlotKind};
use cranelift_frontend::FunctionBuilder;
use smallvec::{SmallVec, smallvec};
use vyre_ir::{Inst, Op, Scalar, Sig};

impl Emitter<'_> {
    pub fn compute(&mut self, out: Var, op: Op, sig: Sig, args: &Vars) {
        let lanes = if self.ty(out).varying {
            match self.compute_vectors(op, sig, args) {
                Some(lanes) => lanes,
                None => self.compute_lanes(out, op, sig, args),
            }
        } else {
            let args: SmallVec<[ir::Value; 3]> = args.iter().map(|&x| self.uniform(x)).collect();
            smallvec![self.scalar_op(op, sig, &args)]
        };
        self.set(out, lanes);
    }

    /// An operation on scalars: by the table, else by its reference semantics.
    pub fn scalar_op(&mut self, op: Op, sig: Sig, args: &[ir::Value]) -> ir::Value {
        let constants =
            args.iter().map(|&x| scalar::known(&self.b, x)).collect::<Option<SmallVec<[u64; 3]>>>();
        if let Some(bits) = constants.and_then(|args| vyre_ir::eval::evaluate(op, sig, &args)) {
            return scalar::constant(&mut self.b, sig.result, bits);
        }
        if let Some(value) = scalar::emit(&mut self.b, self.features, op, sig, args) {
            return value;
        }
        let packed = self.b.ins().iconst(I64, shim::pack(op, sig) as i64);
        let mut words = [packed; 4];
        for (word, &arg) in words[1..].iter_mut().zip(args) {
            *word = scalar::to_word(&mut self.b, arg);
        }
        let word = self.call(Shim::Evaluate, &words)[0];
        scalar::of_word(&mut self.b, word, sig.result)
    }

    /// An operation on vectors, if there is one.
    fn compute_vectors(&mut self, op: Op, sig: Sig, vars: &Vars) -> Option<Lanes> {
        let scalar = sig.operand;
        if matches!(op, Op::Shl | Op::Shr) {
            return self.shift(op, scalar, vars[0], vars[1]);
        }
        let args: SmallVec<[Lanes; 3]> = vars.iter().map(|&x| self.vectors(x)).collect();
        if op == Op::Select {
            return Some(self.blend(scalar, &args[0], &args[1], &args[2]));
        }
        let b = &mut self.b;
        match op {
            Op::Convert => return convert(b, scalar, sig.result, &args[0]),
            Op::Bitcast => {
                return vector::map(b, &args, |b, x| {
                    let x = vector::cast(b, x[0], vector::vector_type(sig.result));
                    Some(if sig.result.bytes() < 4 { narrow::in_range(b, sig.result, x) } else { x })
                });
            }
            _ => {}
        }
        let lanes = self.map(&args, |e, x| e.vector_op(op, sig, x))?;
        let compared = sig.result == Scalar::Bool && scalar.bytes() == 8;
        Some(if compared { wide::truncate(&mut self.b, &lanes) } else { lanes })
    }

    fn map(
        &mut self,
        args: &[Lanes],
        mut f: impl FnMut(&mut Self, &[ir::Value]) -> Option<ir::Value>,
    ) -> Option<Lanes> {
        (0..args[0].len())
            .map(|i| {
                let args: SmallVec<[ir::Value; 3]> = args.iter().map(|a| a[i]).collect();
                f(self, &args)
            })
            .collect()
    }

    /// An operation on one vector of each operand, of one type; shifts, choices and conversions left out.
    pub fn vector_op(&mut self, op: Op, sig: Sig, x: &[ir::Value]) -> Option<ir::Value> {
        let (b, features, scalar) = (&mut self.b, self.features, sig.operand);
        match scalar {
            Scalar::Bool => vector::bool_op(b, op, x),
            Scalar::I32 | Scalar::U32 => vector::int_op(b, op, scalar.is_signed(), x),
            Scalar::F32 => vector::float_op(b, features, op, x),
            Scalar::F16 | Scalar::BF16 => half::emit(b, features, op, scalar, x),
            Scalar::I64 | Scalar::U64 | Scalar::F64 => wide::emit(b, features, op, scalar, x),
            _ => narrow::emit(b, op, scalar, x),
        }
    }

    fn shift(&mut self, op: Op, scalar: Scalar, x: Var, n: Var) -> Option<Lanes> {
        let (signed, uniform) = (scalar.is_signed(), !self.ty(n).varying);
        if scalar.bytes() == 8 && !uniform {
            return None;
        }
        let x = self.vectors(x);
        let most = scalar.bits() - 1;
        let lanes: Lanes = if uniform {
            let n = self.uniform(n);
            let n = match scalar::known(&self.b, n) {
                Some(n) => self.b.ins().iconst(I32, n as i64 & most as i64),
                None => self.b.ins().band_imm_u(n, most as i64),
            };
            x.iter().map(|&x| plain_int_op(&mut self.b, op, signed, &[x, n])).collect::<Option<_>>()?
        } else {
            let n = self.vectors(n);
            let most = vector::splat_bits(&mut self.b, most);
            let shift = |(&x, &n)| {
                let n = self.b.ins().band(n, most);
                match op {
                    Op::Shl => bits::shift_left(&mut self.b, x, n),
                    _ => bits::shift_right(&mut self.b, signed, x, n),
                }
            };
            x.iter().zip(&n).map(shift).collect()
        };
        if op == Op::Shr || scalar.bytes() >= 4 {
            return Some(lanes);
        }
        Some(lanes.iter().map(|&x| narrow::in_range(&mut self.b, scalar, x)).collect())
    }

    /// An operation lane by lane.
    fn compute_lanes(&mut self, out: Var, op: Op, sig: Sig, args: &Vars) -> Lanes {
        let result = self.ty(out).scalar;
        let inputs: SmallVec<[(Scalar, Lanes); 3]> =
            args.iter().map(|&x| (self.ty(x).scalar, self.vectors(x))).collect();
        // Division is long, and what the table of scalars lacks is a call.
        let small_float = |s| matches!(s, Scalar::F16 | Scalar::BF16);
        let long = matches!(op, Op::Div | Op::Rem | Op::Fma)
            || small_float(sig.operand)
            || small_float(sig.result)
            || op.info().eval.is_none();
        if !long {
            return self.each_lane(&inputs, result, |e, args| e.scalar_op(op, sig, args));
        }
        self.loop_lanes(&inputs, None, &[result], |e, _, args| smallvec![e.scalar_op(op, sig, args)])
            .remove(0)
    }

    /// A call of an intrinsic's own function for native code, or of its reference function.
    pub fn intrinsic(&mut self, out: Var, inst: Inst, args: &Vars, mask: Option<Var>) {
        let result = self.ty(out);
        if !result.varying {
            let args: lanes::Scalars = args.iter().map(|&x| self.uniform(x)).collect();
            let value = self.call_intrinsic(inst, &args, result.scalar);
            return self.set(out, smallvec![value]);
        }
        let inputs: SmallVec<[(Scalar, Lanes); 4]> =
            args.iter().map(|&x| (self.ty(x).scalar, self.vectors(x))).collect();
        let mask = mask.map(|mask| self.vectors(mask));
        let lanes = self
            .loop_lanes(&inputs, mask.as_ref(), &[result.scalar], |e, _, args| {
                smallvec![e.call_intrinsic(inst, args, result.scalar)]
            })
            .remove(0);
        self.set(out, lanes);
    }

    fn call_intrinsic(&mut self, inst: Inst, args: &[ir::Value], result: Scalar) -> ir::Value {
        let call = self.p.call(&self.p.insts[inst]).expect("the verifier checks attributes");
        let def = call.def.as_ref().expect("the inliner links calls");
        let function = native_function(def).expect("programs with other calls are refused");
        let mut words: Vec<ir::Value> =
            call.attributes.iter().map(|a| self.b.ins().iconst(I64, a.bits as i64)).collect();
        for &arg in args {
            words.push(scalar::to_word(&mut self.b, arg));
        }
        let bytes = 8 * words.len().max(1) as u32;
        let slot = self.b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 3));
        for (i, &word) in words.iter().enumerate() {
            self.b.ins().stack_store(I64, word, slot, 8 * i as i32);
        }
        let address = self.b.ins().stack_addr(I64, slot, 0);
        let function = self.b.ins().iconst(I64, function as usize as i64);
        let count = self.b.ins().iconst(I64, words.len() as i64);
        let word = self.call(Shim::Intrinsic, &[function, address, count])[0];
        scalar::of_word(&mut self.b, word, result)
    }
}

/// A conversion, if there are vectors for it.
fn convert(b: &mut FunctionBuilder, from: Scalar, to: Scalar, x: &Lanes) -> Option<Lanes> {
    use Scalar::{BF16, Bool, F16, F32, F64, I32, I64, U32, U64};
    let each = |b: &mut FunctionBuilder, from, to, x: &Lanes| {
        vector::map(b, std::slice::from_ref(x), |b, x| {
            let x = vector::convert(b, from, to, x[0])?;
            let saturated = from == F32;
            Some(if to.is_int() && !saturated { narrow::in_range(b, to, x) } else { x })
        })
    };
    match (from, to) {
        (F16 | BF16, _) => {
            let wide: Lanes = x.iter().map(|&x| half::to_f32(b, from, x)).collect();
            if to == F32 {
                // A product is quiet where it is NaN.
                let one = vector::splat_bits(b, 1.0f32.to_bits());
                let one = vector::cast(b, one, vector::vector_type(F32));
                return Some(wide.iter().map(|&x| b.ins().fmul(x, one)).collect());
            }
            convert(b, F32, to, &wide)
        }
        (F32, F16 | BF16) => Some(x.iter().map(|&x| half::of_f32(b, to, x)).collect()),
        (Bool, F16 | BF16) => {
            let wide = each(b, Bool, F32, x)?;
            convert(b, F32, to, &wide)
        }
        // Of the larger ones the nearest f32 is not on the way to the nearest number.
        (_, F16 | BF16) if from.is_int() && from.bytes() < 4 => {
            let wide = each(b, from, F32, x)?;
            convert(b, F32, to, &wide)
        }
        (I32 | U32, F16) => {
            // They fit an f32 exactly after those are cut off that are infinite anyway.
            let most = vector::splat_bits(b, 1 << 17);
            let least = vector::splat_bits(b, (-(1i32 << 17)) as u32);
            let near: Lanes = x
                .iter()
                .map(|&x| match from {
                    I32 => {
                        let x = b.ins().smin(x, most);
                        b.ins().smax(x, least)
                    }
                    _ => b.ins().umin(x, most),
                })
                .collect();
            let wide = each(b, I32, F32, &near)?;
            convert(b, F32, to, &wide)
        }
        _ if from.bytes() < 8 && to.bytes() < 8 => each(b, from, to, x),
        // By way of 32 bits, which loses nothing that the result would have.
        (I64 | U64, _) if to.is_int() => {
            let words = wide::convert(b, from, if to.bytes() == 8 { to } else { I32 }, x)?;
            if to.bytes() == 8 { Some(words) } else { each(b, I32, to, &words) }
        }
        (_, I64 | U64 | F64) if from.is_int() && from.bytes() < 8 => {
            let from = if from.is_signed() { I32 } else { U32 };
            wide::convert(b, from, to, x)
        }
        (F64, I32 | U32 | F32 | Bool) | (Bool | F32, F64) | (Bool, I64 | U64) | (I64 | U64, Bool) => {
            wide::convert(b, from, to, x)
        }
        (F64, _) if to.is_int() && to.bytes() < 4 => {
            let words = wide::convert(b, F64, I32, x)?;
            let one = [words];
            vector::map(b, &one, |b, x| Some(vector::clamp(b, to, x[0])))
        }
        _ => None,
    }
}
