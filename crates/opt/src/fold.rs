//! Constant folding: a pure operation on constants is its row's semantics; a branch on a constant is the
//! region it takes; a loop that runs once is its body.

use crate::Target;
use crate::edit::{Edit, Editor, Step, edit};
use vyre_ir::eval::{evaluate, is_evaluable};
use vyre_ir::{Attr, Def, Inst, Op, Program, Region, Value};

/// Folds constants.
pub fn fold(p: &mut Program, _: &Target) -> bool {
    edit(p, &mut Fold)
}

struct Fold;

impl Edit for Fold {
    fn before(&mut self, e: &mut Editor<'_>, inst: Inst) -> Step {
        let data = &e.p.insts[inst];
        match data.op {
            Op::Const | Op::Yield => (),
            Op::If => {
                if let Some(condition) = e.p.splat_constant(data.args[0]) {
                    return Step::Inline(data.regions[(condition == 0) as usize], 0);
                }
            }
            Op::Switch => {
                if let Some(region) = taken(e.p, inst) {
                    return Step::Inline(region, 0);
                }
            }
            Op::Loop => {
                let (body, args) = (data.regions[0], data.args.clone());
                if runs_once(e, inst) {
                    for (i, arg) in args.into_iter().enumerate() {
                        e.alias(e.p.regions[body].params[i], arg);
                    }
                    return Step::Inline(body, 1);
                }
            }
            Op::LocalId if matches!(data.attr, Attr::Axis(a) if e.p.workgroup_size[a as usize] == 1) => {
                e.set_bits(inst, [0; 4])
            }
            _ => {
                if let Some(bits) = value(e.p, inst) {
                    e.set_bits(inst, bits);
                }
            }
        }
        Step::Keep
    }
}

/// The value of an instruction whose operands are constants, lane by lane.
fn value(p: &Program, inst: Inst) -> Option<[u64; 4]> {
    let data = &p.insts[inst];
    let mut bits = [[0; 4]; 4];
    if data.args.is_empty() || data.args.len() > bits.len() {
        return None;
    }
    for (slot, &arg) in bits.iter_mut().zip(&data.args) {
        *slot = p.constant(arg)?;
    }
    apply(p, inst, &bits)
}

/// What an instruction gives for these operands.
fn apply(p: &Program, inst: Inst, args: &[[u64; 4]; 4]) -> Option<[u64; 4]> {
    let data = &p.insts[inst];
    let mut result = [0; 4];
    match (data.op, &data.attr) {
        (Op::Extract, Attr::Lane(lane)) => result[0] = args[0][*lane as usize],
        (Op::Compose, _) => {
            for (slot, arg) in result.iter_mut().zip(&args[..data.args.len()]) {
                *slot = arg[0];
            }
        }
        (op, _) if is_evaluable(op) => {
            let sig = p.sig(data);
            for lane in 0..p.ty(data.results[0]).lanes as usize {
                let lanes = args.map(|arg| arg[lane]);
                result[lane] = evaluate(op, sig, &lanes[..data.args.len()])?;
            }
        }
        _ => return None,
    }
    Some(result)
}

/// The region a switch always takes.
fn taken(p: &Program, inst: Inst) -> Option<Region> {
    let data = &p.insts[inst];
    let Attr::Cases(cases) = &data.attr else { unreachable!("a switch has cases") };
    let default = data.regions.len() - 1;
    if default == 0 {
        return Some(data.regions[0]);
    }
    let selector = p.splat_constant(data.args[0])?;
    let case = cases.iter().find(|case| case.value == selector);
    Some(data.regions[case.map_or(default, |case| case.region as usize)])
}

/// How many instructions are evaluated to find out whether a loop runs once.
const STEPS: u32 = 16;

/// Whether the condition for going on is false after the first iteration.
fn runs_once(e: &Editor<'_>, inst: Inst) -> bool {
    let again = e.resolve(e.p.yielded(e.p.insts[inst].regions[0])[0]);
    first_value(e, inst, again, &mut { STEPS }) == Some([0; 4])
}

/// A value of a loop's body in the first iteration, if it follows from constants in a few steps.
fn first_value(e: &Editor<'_>, repeat: Inst, value: Value, steps: &mut u32) -> Option<[u64; 4]> {
    let value = e.resolve(value);
    if let Some(bits) = e.p.constant(value) {
        return Some(bits);
    }
    *steps = steps.checked_sub(1)?;
    let data = match e.p.values[value].def {
        Def::Result(inst) => &e.p.insts[inst],
        Def::Param(region) if e.p.insts[repeat].regions[0] == region => {
            let i = e.p.regions[region].params.iter().position(|&v| v == value)?;
            return e.p.constant(e.p.insts[repeat].args[i]);
        }
        Def::Param(_) => return None,
    };
    let mut bits = [[0; 4]; 4];
    if data.args.is_empty() || data.args.len() > bits.len() || !data.regions.is_empty() {
        return None;
    }
    for (slot, &arg) in bits.iter_mut().zip(&data.args) {
        *slot = first_value(e, repeat, arg, steps)?;
    }
    let Def::Result(inst) = e.p.values[value].def else { unreachable!("parameters are handled above") };
    apply(e.p, inst, &bits)
}
