//! What an operation gives for given operands: its body run step by step, or its reference function.
//!
//! Slow and simple; for checking laws and for tests.

use super::{OpDef, Target};
use crate::entity::SideTable;
use crate::op::Op;
use crate::program::{Attr, InstData, Program, Region, Value};
use std::cell::Cell;

/// The bits of each lane of a value; lanes it does not have are 0.
pub type Lanes = [u64; 4];

/// Steps after which a body is taken not to end.
const STEPS: u32 = 1 << 20;

/// The results for these attributes, in the order of their definition, and operands. `None` where the operation has
/// neither a body nor a reference function, or runs for more than a million steps.
pub fn evaluate(def: &OpDef, attributes: &[u64], operands: &[Lanes]) -> Option<Vec<Lanes>> {
    call(def, attributes, operands, &mut { STEPS })
}

/// As [`evaluate`], but takes the steps from a budget, and gives nothing when that is spent.
pub(super) fn evaluate_within(
    def: &OpDef,
    attributes: &[u64],
    operands: &[Lanes],
    budget: &Cell<u64>,
) -> Option<Vec<Lanes>> {
    let allowed = budget.get().min(STEPS.into()) as u32;
    let mut steps = allowed;
    let results = call(def, attributes, operands, &mut steps);
    budget.set(budget.get() - u64::from(allowed - steps));
    results
}

fn call(def: &OpDef, attributes: &[u64], operands: &[Lanes], steps: &mut u32) -> Option<Vec<Lanes>> {
    if let Some(function) = def.function(Target::ReferenceBackend) {
        let bits: Vec<u64> =
            attributes.iter().copied().chain(operands.iter().map(|lanes| lanes[0])).collect();
        return Some(vec![[function(&bits), 0, 0, 0]]);
    }
    let body = def.body.as_ref()?;
    let mut run = Run { p: &body.program, values: SideTable::new([0; 4]), steps };
    let given = attributes.iter().map(|&bits| [bits, 0, 0, 0]).chain(operands.iter().copied());
    for (&param, lanes) in body.parameters().iter().zip(given) {
        run.values[param] = lanes;
    }
    run.region(body.program.body)
}

struct Run<'p, 's> {
    p: &'p Program,
    values: SideTable<Value, Lanes>,
    steps: &'s mut u32,
}

impl Run<'_, '_> {
    /// What the region yields.
    fn region(&mut self, region: Region) -> Option<Vec<Lanes>> {
        for &inst in &self.p.regions[region].insts {
            *self.steps = self.steps.checked_sub(1)?;
            let data = &self.p.insts[inst];
            let args: Vec<Lanes> = data.args.iter().map(|&v| self.values[v]).collect();
            if data.op == Op::Yield {
                return Some(args);
            }
            let results = self.inst(data, args)?;
            for (&result, lanes) in data.results.iter().zip(results) {
                self.values[result] = lanes;
            }
        }
        None
    }

    fn inst(&mut self, data: &InstData, mut args: Vec<Lanes>) -> Option<Vec<Lanes>> {
        match (data.op, &data.attr) {
            (Op::If, _) => self.region(data.regions[(args[0][0] & 1 == 0) as usize]),
            (Op::Switch, Attr::Cases(cases)) => {
                let case = cases.iter().find(|case| case.value == args[0][0]);
                self.region(data.regions[case.map_or(data.regions.len() - 1, |case| case.region as usize)])
            }
            (Op::Loop, _) => loop {
                for (&param, &lanes) in self.p.regions[data.regions[0]].params.iter().zip(&args) {
                    self.values[param] = lanes;
                }
                let mut next = self.region(data.regions[0])?;
                let again = next.remove(0)[0] & 1 == 1;
                if !again {
                    return Some(next);
                }
                args = next;
            },
            (Op::Call, Attr::Call(named)) => {
                let attributes: Vec<u64> = named.attributes.iter().map(|a| a.bits).collect();
                call(named.def.as_ref()?, &attributes, &args, self.steps)
            }
            (Op::Const, Attr::Bits(bits)) => Some(vec![*bits]),
            (Op::Compose, _) => Some(vec![std::array::from_fn(|i| args.get(i).map_or(0, |a| a[0]))]),
            (Op::Extract, Attr::Lane(lane)) => Some(vec![[args[0][*lane as usize], 0, 0, 0]]),
            (op, _) => {
                let (sig, mut result) = (self.p.sig(data), [0; 4]);
                for lane in 0..self.p.ty(data.results[0]).lanes as usize {
                    let lanes: Vec<u64> = args.iter().map(|a| a[lane]).collect();
                    result[lane] = crate::eval::evaluate(op, sig, &lanes)?;
                }
                Some(vec![result])
            }
        }
    }
}
