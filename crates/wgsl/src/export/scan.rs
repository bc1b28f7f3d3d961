//! What a program needs, found in one walk before any code is made: everything that cannot be exported is refused
//! here, so that the code after it has no errors to report.

use crate::codes;
use vyre_ir::{Diagnostic, Effect, Inst, Op, Program, Region, Rule, Scalar, SideTable, Value};

/// Regions inside regions at most: naga's validator and writers call themselves for each, and each takes up to two
/// blocks. naga's WGSL front end reads 127 blocks inside each other.
pub const MAX_DEPTH: usize = 120;

/// Scalars, as a set.
#[derive(Copy, Clone, Default, PartialEq, Eq)]
pub(super) struct Scalars(u16);

impl Scalars {
    /// Adds one.
    pub fn add(&mut self, scalar: Scalar) {
        self.0 |= 1 << scalar as u16;
    }
    /// All of them, in the order of the enumeration.
    pub fn iter(self) -> impl Iterator<Item = Scalar> {
        Scalar::ALL.into_iter().filter(move |s| self.0 >> *s as u16 & 1 == 1)
    }
    /// The only one, if there is just one.
    pub fn only(self) -> Option<Scalar> {
        let mut all = self.iter();
        all.next().filter(|_| all.next().is_none())
    }
    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// How the program accesses a buffer.
#[derive(Copy, Clone, Default)]
pub(super) struct Uses {
    /// The scalars of all accesses.
    pub scalars: Scalars,
    /// Those of the atomic ones.
    pub atomics: Scalars,
    /// Those of the stores.
    pub stores: Scalars,
    /// Whether there is an atomic sum.
    pub sums: bool,
    /// Whether an atomic operation is neither a sum nor an exchange, a load or a store.
    beyond_sums: bool,
    /// Whether an access is not an atomic minimum or maximum.
    beyond_extrema: bool,
    /// An instruction that accesses it, for messages.
    pub first: Option<Inst>,
}

impl Uses {
    /// Whether all accesses are of one scalar, and all atomic ones what f32 atomics of devices do.
    pub fn sums_only(self) -> bool {
        self.sums && !self.beyond_sums && self.scalars.only().is_some()
    }

    /// Whether all accesses are atomic minima and maxima of one scalar.
    pub fn extrema_only(self) -> bool {
        !self.beyond_extrema && self.scalars.only().is_some()
    }
}

/// The result of the walk.
pub(super) struct Needs {
    /// For each buffer.
    pub buffers: Vec<Uses>,
    /// Values that an instruction takes as operands.
    pub used: SideTable<Value, bool>,
    /// Whether invocations of a subgroup are told apart or exchange values.
    pub subgroups: bool,
}

/// Walks the program.
pub(super) fn scan(p: &Program) -> Result<Needs, Diagnostic> {
    let mut needs = Needs {
        buffers: vec![Uses::default(); p.buffers.len()],
        used: SideTable::new(false),
        subgroups: false,
    };
    let mut todo: Vec<(Region, usize)> = vec![(p.body, 0)];
    while let Some((region, depth)) = todo.pop() {
        for &inst in &p.regions[region].insts {
            let data = &p.insts[inst];
            if depth > MAX_DEPTH {
                let message = format!("control flow nests deeper than {MAX_DEPTH} levels");
                return Err(at(p, inst, Diagnostic::new(codes::E004, message))
                    .fix("Turn a long chain of `else if` into a `switch` or a table."));
            }
            check(p, inst)?;
            for &arg in &data.args {
                needs.used[arg] = true;
            }
            needs.subgroups |= is_subgroup(data.op);
            if let (Some(buffer), Some(ty)) = (p.buffer_of(data), p.accessed(data)) {
                let uses = &mut needs.buffers[vyre_ir::Entity::index(buffer)];
                uses.first.get_or_insert(inst);
                uses.scalars.add(ty.scalar);
                uses.beyond_extrema |= !matches!(data.op, Op::AtomicMin | Op::AtomicMax);
                if is_atomic(data.op) {
                    uses.atomics.add(ty.scalar);
                    uses.sums |= data.op == Op::AtomicAdd;
                    uses.beyond_sums |= !matches!(
                        data.op,
                        Op::AtomicAdd | Op::AtomicExchange | Op::AtomicLoad | Op::AtomicStore
                    );
                }
                if data.op.info().effect == Effect::Writes {
                    uses.stores.add(ty.scalar);
                }
            }
            todo.extend(data.regions.iter().map(|&inner| (inner, depth + 1)));
        }
    }
    Ok(needs)
}

/// Adds an instruction's place to a message.
pub(super) fn at(p: &Program, inst: Inst, message: Diagnostic) -> Diagnostic {
    message.at(p.insts[inst].loc, "").in_source(p.source.as_ref())
}

/// Whether the operation makes its buffer one of atomics.
pub(super) fn is_atomic(op: Op) -> bool {
    matches!(op.info().rule, Rule::Atomic(_) | Rule::CompareExchange(_))
        || matches!(op, Op::AtomicLoad | Op::AtomicStore)
}

/// Whether it needs invocations to be in subgroups.
pub(super) fn is_subgroup(op: Op) -> bool {
    op.info().effect == Effect::Converges
        || matches!(op, Op::SubgroupSize | Op::SubgroupLane | Op::SubgroupId | Op::NumSubgroups)
}

fn check(p: &Program, inst: Inst) -> Result<(), Diagnostic> {
    let data = &p.insts[inst];
    if data.op.info().expand.is_some() {
        let message =
            format!("`{}` has no spelling with a defined result in the output languages", data.op.name());
        return Err(at(p, inst, Diagnostic::new(codes::E003, message))
            .fix("Run the optimizer for this target first: it expands the operation into basic ones."));
    }
    if data.op.syncs_grid() || data.op.uses_queue() {
        let message = format!("`{}` cannot be said in the output languages", data.op.name());
        return Err(at(p, inst, Diagnostic::new(codes::E008, message)).fix(if data.op.syncs_grid() {
            "Have it cut at its grid syncs: `vyre opt` shows the stages, and the driver runs them on every device."
        } else {
            "Hand the program to a work queue of the driver, which makes one of it that keeps the queue in buffers."
        }));
    }
    Ok(())
}
