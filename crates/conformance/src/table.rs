//! The whole suite on one device: every row of the op table, by itself where the row says what it computes, else by the
//! programs that use it.

use crate::case::Case;
use crate::queues;
use crate::rows::{Signature, Verdict, check, signatures};
use crate::suite::{self, Report};
use vyre_driver::Device;
use vyre_ir::{OPS, Op};

/// An operation, and what became of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The operation.
    pub op: Op,
    /// The types; empty where programs speak for all of them.
    pub types: String,
    /// What the device makes of it.
    pub verdict: Verdict,
}

/// What became of the suite.
#[derive(Debug)]
pub struct Table {
    /// In the order of the op table.
    pub rows: Vec<Row>,
    /// The programs.
    pub programs: Report,
}

impl Table {
    /// Whether the device is right in all that it does.
    pub fn passed(&self) -> bool {
        self.programs.failed.is_empty()
            && !self.rows.iter().any(|row| matches!(row.verdict, Verdict::Wrong(_)))
    }
}

/// Runs the suite; `tell` hears how many of how many steps are done.
pub fn table(device: &Device, tell: &mut dyn FnMut(usize, usize)) -> Table {
    let (cases, signatures) = (suite::programs(), signatures());
    let steps = cases.len() + signatures.len();
    let mut done = 0;
    let mut step = || {
        tell(done, steps);
        done += 1;
    };
    let mut programs = Report::default();
    for case in &cases {
        step();
        programs.add(device, case);
    }
    let mut rows: Vec<Row> = signatures
        .iter()
        .map(|signature: &Signature| {
            step();
            Row { op: signature.op, types: signature.to_string(), verdict: check(device, signature) }
        })
        .collect();
    let used: Vec<(&Case, Vec<Op>)> = cases.iter().map(|case| (case, ops(case))).collect();
    let others = OPS.iter().filter(|info| !signatures.iter().any(|s| s.op == info.op));
    rows.extend(others.map(|info| {
        let users = used.iter().filter(|(_, ops)| ops.contains(&info.op)).map(|(case, _)| *case);
        let verdict = match info.op {
            Op::QueueItem | Op::QueuePush => queues::check(device),
            _ => by_programs(users, &programs),
        };
        Row { op: info.op, types: String::new(), verdict }
    }));
    rows.sort_by_key(|row| row.op);
    Table { rows, programs }
}

/// The operations of a program, each once.
fn ops(case: &Case) -> Vec<Op> {
    let Ok(p) = case.program() else { return Vec::new() };
    let mut ops = Vec::new();
    p.walk(p.body, &mut |inst| ops.push(p.insts[inst].op));
    ops.sort();
    ops.dedup();
    ops
}

/// What programs say of an operation that they use.
fn by_programs<'c>(users: impl Iterator<Item = &'c Case>, report: &Report) -> Verdict {
    let (mut passed, mut refused) = (0, None);
    for case in users {
        let about = |list: &[(String, String)]| list.iter().find(|(name, _)| *name == case.name).cloned();
        if let Some((name, why)) = about(&report.failed) {
            return Verdict::Wrong(format!("{name}: {why}"));
        }
        match about(&report.unsupported) {
            Some((_, why)) => refused = Some(why),
            None => passed += 1,
        }
    }
    match (passed, refused) {
        (0, Some(why)) => Verdict::Unsupported(why),
        (passed, _) => Verdict::Passed(passed),
    }
}
