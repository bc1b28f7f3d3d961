//! How programs that were written for an older version of a dialect become ones of the present version.

use super::{Call, CallAttribute, DialectRegistry};
use crate::op::Op;
use crate::program::{Attr, InstData, Program};
use crate::types::Scalar;
use semver::Version;
use std::sync::Arc;

/// A change of an operation from one version of its dialect to the next: a name, attributes, the order of operands.
///
/// It is made to calls that were written for a version before `since`, when an old file is decoded and when a program is
/// linked. Several in a row are made one after another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpMigration {
    /// The operation's id before.
    pub from: String,
    /// Its id after; the same if it keeps it. Of the same dialect.
    pub to: String,
    /// The first version of the dialect that has it so.
    pub since: Version,
    /// For each operand after, its place before; none if they stay as they are.
    pub operands: Option<Vec<usize>>,
    /// What changes in the attributes, in order.
    pub attributes: Vec<AttributeChange>,
}

/// A change of an attribute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AttributeChange {
    /// It has another name.
    Rename {
        /// Before.
        from: String,
        /// After.
        to: String,
    },
    /// It is gone.
    Remove(String),
    /// It is new, and calls from before meant this.
    Add {
        /// Its name.
        name: String,
        /// Its type.
        ty: Scalar,
        /// Its bits.
        bits: u64,
    },
}

impl OpMigration {
    /// Another name.
    pub fn rename(from: &str, to: &str, since: Version) -> OpMigration {
        OpMigration { from: from.into(), to: to.into(), since, operands: None, attributes: Vec::new() }
    }

    /// With the operands in another order: for each after, its place before.
    pub fn operands(mut self, order: &[usize]) -> OpMigration {
        self.operands = Some(order.into());
        self
    }

    /// With other attributes.
    pub fn attributes(mut self, changes: impl IntoIterator<Item = AttributeChange>) -> OpMigration {
        self.attributes.extend(changes);
        self
    }

    fn apply(&self, data: &mut InstData, call: &mut Call) {
        call.op = self.to.as_str().into();
        call.version = Some(self.since.clone());
        if let Some(order) = &self.operands {
            // An operand that is not there makes a call that does not fit, which is reported as such.
            data.args = order.iter().filter_map(|&place| data.args.get(place).copied()).collect();
        }
        for change in &self.attributes {
            match change {
                AttributeChange::Rename { from, to } => {
                    for attribute in call.attributes.iter_mut().filter(|a| *a.name == **from) {
                        attribute.name = to.as_str().into();
                    }
                }
                AttributeChange::Remove(name) => call.attributes.retain(|a| *a.name != **name),
                AttributeChange::Add { name, ty, bits } => {
                    let attribute = CallAttribute { name: name.as_str().into(), ty: *ty, bits: *bits };
                    call.attributes.push(attribute);
                }
            }
        }
    }
}

/// The migration that is next for a call of this version of the dialect.
pub(super) fn next<'m>(
    migrations: &'m [OpMigration],
    op: &str,
    version: &Version,
) -> Option<&'m OpMigration> {
    let due = migrations.iter().filter(|m| m.from == op && *version < m.since);
    due.min_by(|a, b| a.since.cmp(&b.since))
}

/// The program with every call whose version is known brought to the present version of its dialect.
pub(crate) fn migrate(p: &Program, registry: &DialectRegistry) -> Program {
    let mut p = p.clone();
    for inst in p.insts.keys() {
        let data = &mut p.insts[inst];
        let (Op::Call, Attr::Call(old)) = (data.op, &data.attr) else { continue };
        let dialect = old.op.split('.').next().unwrap_or_default();
        let Some(dialect) = registry.dialect(dialect) else { continue };
        let mut call = Call::clone(old);
        // Versions only grow, so this ends.
        while let Some(step) =
            call.version.as_ref().and_then(|version| next(&dialect.migrations, &call.op, version))
        {
            step.apply(data, &mut call);
        }
        if data.attr != Attr::Call(Arc::new(call.clone())) {
            data.attr = Attr::Call(Arc::new(Call { def: None, ..call }));
        }
    }
    p
}
