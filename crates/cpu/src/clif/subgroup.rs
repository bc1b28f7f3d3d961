//! What the lanes of a gang exchange; the gang is the subgroup.
//!
//! What is short is done in registers: votes, reductions of integers, also under a mask, and of f32 and f64 without
//! one, in ascending order as the rows want it. The rest calls [`crate::subgroup`] with the lanes on the stack.

use super::scalar::constant;
use super::{Emitter, Lanes};
use crate::form::{Type, Var, Vars};
use crate::shim::{self, Shim};
use crate::subgroup::Fold;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{self, InstBuilder};
use smallvec::{SmallVec, smallvec};
use vyre_ir::{Op, Scalar, Sig};

impl Emitter<'_> {
    pub fn subgroup(&mut self, op: Op, sig: Sig, outs: &Vars, args: &Vars, mask: Option<Var>) {
        if self.form.width > 1 && self.in_registers(op, sig, outs, args, mask) {
            return;
        }
        let varying = self.form.width > 1;
        let lanes_of = |e: &mut Self, var: Var| if varying { e.vectors(var) } else { e.get(var) };
        let mut inputs: SmallVec<[(Scalar, Lanes); 2]> = SmallVec::new();
        for &arg in args {
            inputs.push((self.ty(arg).scalar, lanes_of(self, arg)));
        }
        let results: SmallVec<[Scalar; 4]> = outs.iter().map(|_| sig.result).collect();
        let arrays = self.arrays(&inputs, &results);
        let active = match mask {
            Some(mask) if varying => {
                let mask = self.vectors(mask);
                let bits = self.mask_bits(&mask);
                self.b.ins().uextend(I64, bits)
            }
            _ => self.b.ins().iconst(I64, (1 << self.form.width) - 1),
        };
        let packed = self.b.ins().iconst(I64, shim::pack(op, sig) as i64);
        let count = self.b.ins().iconst(I64, self.form.width as i64);
        let mut address = |i: usize| self.b.ins().iadd_imm_s(arrays.base, arrays.offsets[i] as i64);
        let a = address(0);
        let b = address(args.len() - 1);
        let result = address(args.len());
        self.call(Shim::Subgroup, &[packed, count, active, a, b, result]);
        for (i, &out) in outs.iter().enumerate() {
            let i = args.len() + i;
            let lanes = if self.ty(out).varying {
                self.array(&arrays, i)
            } else {
                // All lanes have it there, active or not.
                let first = self.b.ins().iconst(I64, 0);
                smallvec![self.element(&arrays, i, first)]
            };
            self.set(out, lanes);
        }
    }

    /// The lanes of a mask as bits, of 32 bits.
    pub fn mask_bits(&mut self, mask: &[ir::Value]) -> ir::Value {
        let mut bits = self.b.ins().iconst(I32, 0);
        for (i, &mask) in mask.iter().enumerate() {
            let four = self.b.ins().vhigh_bits(I32, mask);
            let four = self.b.ins().ishl_imm_u(four, 4 * i as i64);
            bits = self.b.ins().bor(bits, four);
        }
        bits
    }

    /// Sets a variable to a scalar, for all lanes.
    fn set_all(&mut self, out: Var, x: ir::Value) {
        let Type { scalar, varying } = self.ty(out);
        let lanes = if varying { self.splat(scalar, x) } else { smallvec![x] };
        self.set(out, lanes);
    }

    fn in_registers(&mut self, op: Op, sig: Sig, outs: &Vars, args: &Vars, mask: Option<Var>) -> bool {
        let scalar = sig.operand;
        let values = self.vectors(args[0]);
        let mask = mask.map(|mask| self.vectors(mask));
        match op {
            Op::SubgroupAny | Op::SubgroupBallot => {
                let values = self.only(&values, mask.as_ref());
                if op == Op::SubgroupAny {
                    let any = self.any(&values);
                    self.set_all(outs[0], any);
                    return true;
                }
                let bits = self.mask_bits(&values);
                let zero = self.b.ins().iconst(I32, 0);
                for (i, &out) in outs.iter().enumerate() {
                    self.set_all(out, if i == 0 { bits } else { zero });
                }
                return true;
            }
            Op::SubgroupAll => {
                let values: Lanes = match &mask {
                    None => values,
                    Some(mask) => values
                        .iter()
                        .zip(mask)
                        .map(|(&x, &m)| {
                            let other = self.b.ins().bnot(m);
                            self.b.ins().bor(x, other)
                        })
                        .collect(),
                };
                let all = self.all(&values);
                self.set_all(outs[0], all);
                return true;
            }
            Op::SubgroupBroadcastFirst if mask.is_none() => {
                let first = self.lane_of(scalar, &values, 0);
                self.set_all(outs[0], first);
                return true;
            }
            _ => {}
        }
        let Some(fold) = Fold::of(op) else { return false };
        match fold {
            Fold::All(join) if scalar.is_int() => {
                let all = self.fold_lanes(join, scalar, &values, mask.as_ref());
                self.set_all(outs[0], all);
                true
            }
            _ if mask.is_some() || matches!(scalar, Scalar::F16 | Scalar::BF16) => false,
            Fold::All(join) => {
                let all = self.prefixes(join, scalar, &values);
                self.set_all(outs[0], all[all.len() - 1]);
                true
            }
            Fold::Inclusive(join) => {
                let prefixes = self.prefixes(join, scalar, &values);
                let lanes = self.gather_lanes(scalar, &prefixes);
                self.set(outs[0], lanes);
                true
            }
            Fold::Exclusive(join, first) => {
                let mut prefixes = self.prefixes(join, scalar, &values);
                let bits = vyre_ir::program::number_bits(scalar, first);
                prefixes.pop();
                prefixes.insert(0, constant(&mut self.b, scalar, bits));
                let lanes = self.gather_lanes(scalar, &prefixes);
                self.set(outs[0], lanes);
                true
            }
        }
    }

    /// What all lanes up to each one give.
    fn prefixes(&mut self, op: Op, scalar: Scalar, values: &Lanes) -> SmallVec<[ir::Value; 16]> {
        let sig = Sig { operand: scalar, result: scalar };
        let mut prefixes: SmallVec<[ir::Value; 16]> = SmallVec::new();
        for lane in 0..self.width() {
            let x = self.lane_of(scalar, values, lane);
            let next = match prefixes.last() {
                Some(&before) => self.scalar_op(op, sig, &[before, x]),
                None => x,
            };
            prefixes.push(next);
        }
        prefixes
    }

    /// Bools that are true in a mask only.
    fn only(&mut self, values: &Lanes, mask: Option<&Lanes>) -> Lanes {
        match mask {
            None => values.clone(),
            Some(mask) => values.iter().zip(mask).map(|(&x, &m)| self.b.ins().band(x, m)).collect(),
        }
    }
}
