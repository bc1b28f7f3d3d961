//! By which power of two the numbers of a program are divisible, so that accesses of vectors can be wide.
//!
//! Loop parameters begin with what their initial value is known to be, and are lowered as long as the body gives them
//! less; each is lowered at most 32 times. Numbers wrap at 2^32, which is divisible by all of these powers.

use vyre_ir::{Attr, InstData, Op, Program, Region, Scalar, SideTable, Value};

/// For values of u32 and i32, an exponent of a power of two that divides them.
pub(crate) struct Alignment(SideTable<Value, u8>);

impl Alignment {
    /// An exponent of a power of two that divides a value.
    pub fn exponent(&self, value: Value) -> u32 {
        self.0[value] as u32
    }
}

/// Finds the alignments of all values.
pub(crate) fn of(p: &Program) -> Alignment {
    let mut pass = Pass { p, table: SideTable::new(0), begun: SideTable::new(false), changed: true };
    while std::mem::take(&mut pass.changed) {
        pass.region(p.body);
    }
    Alignment(pass.table)
}

struct Pass<'p> {
    p: &'p Program,
    table: SideTable<Value, u8>,
    /// Parameters of loops that have something to begin with.
    begun: SideTable<Value, bool>,
    changed: bool,
}

impl Pass<'_> {
    fn region(&mut self, region: Region) {
        for &inst in &self.p.regions[region].insts {
            let data = &self.p.insts[inst];
            if data.op == Op::Loop {
                self.repeat(data);
                continue;
            }
            data.regions.iter().for_each(|&inner| self.region(inner));
            for (i, &result) in data.results.iter().enumerate() {
                self.table[result] = self.result(data, i);
            }
        }
    }

    fn repeat(&mut self, data: &InstData) {
        let body = data.regions[0];
        let params = &self.p.regions[body].params;
        for (&param, &first) in params.iter().zip(&data.args) {
            if !std::mem::replace(&mut self.begun[param], true) {
                self.table[param] = self.table[first];
            }
        }
        self.region(body);
        let next = &self.p.yielded(body)[1..];
        for (((&param, &first), &next), &result) in params.iter().zip(&data.args).zip(next).zip(&data.results)
        {
            let holds = self.table[param].min(self.table[first]).min(self.table[next]);
            self.changed |= holds != self.table[param];
            self.table[param] = holds;
            self.table[result] = self.table[next];
        }
    }

    fn result(&self, data: &InstData, i: usize) -> u8 {
        let p = self.p;
        let ty = p.ty(data.results[i]);
        if !matches!(ty.scalar, Scalar::U32 | Scalar::I32) || ty.lanes != 1 {
            return 0;
        }
        let arg = |i: usize| self.table[data.args[i]];
        let known = |i: usize| p.splat_constant(data.args[i]);
        match (data.op, &data.attr) {
            (Op::Const, Attr::Bits(bits)) => (bits[0] as u32).trailing_zeros() as u8,
            (Op::Add | Op::Sub | Op::Or | Op::Xor | Op::Min | Op::Max, _) => arg(0).min(arg(1)),
            (Op::Select, _) => arg(1).min(arg(2)),
            (Op::Mul, _) => (arg(0) + arg(1)).min(32),
            (Op::And, _) => arg(0).max(arg(1)),
            (Op::Shl, _) => known(1).map_or(arg(0), |n| (arg(0) + n as u8 % 32).min(32)),
            (Op::Shr, _) => known(1).map_or(0, |n| arg(0).saturating_sub(n as u8 % 32)),
            (Op::Neg, _) => arg(0),
            (Op::Convert | Op::Bitcast, _)
                if matches!(p.ty(data.args[0]).scalar, Scalar::U32 | Scalar::I32) =>
            {
                arg(0)
            }
            (Op::If | Op::Switch, _) => {
                data.regions.iter().map(|&r| self.table[p.yielded(r)[i]]).min().unwrap_or(0)
            }
            _ => 0,
        }
    }
}
