//! Loops that are soon over: code need not look at the stop flag in them.

use vyre_ir::{Inst, Op, Program, Region, SideTable};
use vyre_opt::analysis::counted::counted;

/// Instructions that code may run between two looks at the stop flag: some milliseconds.
const UNWATCHED: u64 = 1 << 24;

/// Which loops need not look at the stop flag, because a workgroup is soon through with them.
pub(crate) fn brief_loops(p: &Program) -> SideTable<Inst, bool> {
    let mut brief = SideTable::new(false);
    weigh(p, p.body, &mut brief);
    brief
}

/// How many instructions an invocation runs in a region between two looks at the flag, at most.
fn weigh(p: &Program, region: Region, brief: &mut SideTable<Inst, bool>) -> u64 {
    let mut weight = 0u64;
    for &inst in &p.regions[region].insts {
        let data = &p.insts[inst];
        weight = weight.saturating_add(1);
        let inner = data.regions.iter().fold(0u64, |w, &r| w.saturating_add(weigh(p, r, brief)));
        let turns = if data.op == Op::Loop { counted(p, data).map(|c| c.turns) } else { Some(1) };
        let all = turns.map_or(u64::MAX, |turns| inner.saturating_mul(turns));
        if data.op == Op::Loop {
            brief[inst] = all.saturating_mul(p.workgroup_invocations()) <= UNWATCHED;
        }
        weight = weight.saturating_add(if data.op == Op::Loop && !brief[inst] { inner } else { all });
    }
    weight
}
