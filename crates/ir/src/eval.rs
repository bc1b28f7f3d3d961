//! What an operation computes for one lane: its row's function, or its expansion run step by step.
//!
//! Constant folding, the interpreter and the tests all ask here, so a row whose meaning is its expansion needs no
//! second definition.

use crate::build::Builder;
use crate::entity::SideTable;
use crate::op::{OPS, Op, Rule, Sig};
use crate::program::{Attr, Value};
use crate::types::{Scalar, Type};
use std::sync::OnceLock;

/// One step of a flattened expansion: a constant, or an operation on earlier steps.
enum Step {
    Const(u64),
    Op { op: Op, sig: Sig, args: [usize; 3], arity: usize },
}

/// A row's expansion for one scalar type, as a list of steps; the operands come first.
struct Tape {
    arity: usize,
    steps: Vec<Step>,
    result: usize,
}

/// The value of a pure operation on one lane, or `None` where the row has neither semantics nor an expansion.
pub fn evaluate(op: Op, sig: Sig, args: &[u64]) -> Option<u64> {
    let info = op.info();
    if let Some(eval) = info.eval {
        return Some(eval(sig, args));
    }
    info.expand?;
    Some(tape(op, sig.operand).run(args))
}

/// Whether [`evaluate`] gives a value.
pub fn is_evaluable(op: Op) -> bool {
    op.info().eval.is_some() || op.info().expand.is_some()
}

fn tape(op: Op, scalar: Scalar) -> &'static Tape {
    static TAPES: [[OnceLock<Tape>; Scalar::ALL.len()]; OPS.len()] =
        [const { [const { OnceLock::new() }; Scalar::ALL.len()] }; OPS.len()];
    TAPES[op as usize][scalar as usize].get_or_init(|| Tape::record(op, scalar))
}

impl Tape {
    fn record(op: Op, scalar: Scalar) -> Tape {
        let arity = match op.info().rule {
            Rule::Same(_, n) => n as usize,
            rule => unreachable!("rows with an expansion take operands of one type, not {rule:?}"),
        };
        let expand = op.info().expand.expect("the caller asked whether there is one");
        let mut b = Builder::new(op.name(), [1, 1, 1]);
        let region = b.open(&vec![Type::from(scalar); arity]);
        b.enter(region);
        let params = b.p.regions[region].params.clone();
        let result = expand(&mut b, &params);
        let mut place: SideTable<Value, usize> = SideTable::new(usize::MAX);
        for (i, &param) in params.iter().enumerate() {
            place[param] = i;
        }
        let mut steps = Vec::new();
        for &inst in &b.p.regions[region].insts {
            let data = &b.p.insts[inst];
            place[data.results[0]] = arity + steps.len();
            steps.push(match (&data.attr, data.op) {
                (Attr::Bits(bits), Op::Const) => Step::Const(bits[0]),
                (Attr::None, op) => {
                    let mut args = [0; 3];
                    for (slot, &arg) in args.iter_mut().zip(&data.args) {
                        *slot = place[arg];
                    }
                    Step::Op { op, sig: b.p.sig(data), args, arity: data.args.len() }
                }
                (attr, op) => unreachable!("an expansion is straight-line and pure, not {op:?} {attr:?}"),
            });
        }
        Tape { arity, steps, result: place[result] }
    }

    fn run(&self, args: &[u64]) -> u64 {
        debug_assert_eq!(args.len(), self.arity);
        let mut values = Vec::with_capacity(self.arity + self.steps.len());
        values.extend_from_slice(args);
        for step in &self.steps {
            values.push(match step {
                Step::Const(bits) => *bits,
                Step::Op { op, sig, args, arity } => {
                    let operands = args.map(|i| values.get(i).copied().unwrap_or(0));
                    evaluate(*op, *sig, &operands[..*arity]).expect("expansions end in basic operations")
                }
            });
        }
        values[self.result]
    }
}
