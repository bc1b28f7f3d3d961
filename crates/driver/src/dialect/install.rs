//! Puts what a file says into the registry, or finds everything that keeps it from being put there.

use super::LoadedDialect;
use super::file::{Draft, Places};
use super::place::Problems;
use std::collections::BTreeSet;
use vyre_ir::dialect::{DialectDef, DialectRegistry, OpDef, RegistryBuilder, RegistryError, Subject};
use vyre_ir::{Attr, Diagnostic, Loc};

/// Installs a draft that nothing is wrong with so far.
pub(super) fn install(draft: Draft, mut problems: Problems) -> Result<LoadedDialect, Vec<Diagnostic>> {
    if problems.found.is_empty() {
        let Draft { def, repository, .. } = &draft;
        let change = |builder: RegistryBuilder| builder.remove_from(&def.origin).dialect(def.clone());
        if let Ok(registry) = DialectRegistry::update(change) {
            return Ok(LoadedDialect {
                name: def.name.clone(),
                version: def.version.clone(),
                repository: repository.clone(),
                ops: def.ops.iter().map(|op| op.id.clone()).collect(),
                registry,
            });
        }
    }
    if draft.whole {
        check(draft, &mut problems);
    }
    Err(in_order(problems))
}

/// Finds what is wrong with the operations taken together. What is wrong with one is left out, with all that needs it,
/// and the rest is checked again, until nothing is found.
fn check(draft: Draft, problems: &mut Problems) {
    let Draft { mut def, places, failed, .. } = draft;
    let mut missing: BTreeSet<String> = failed.into_iter().collect();
    let mut migrations: Vec<Loc> = places.migrations.clone();
    loop {
        leave_out(&mut def, &mut migrations, &mut missing);
        let registry = DialectRegistry::global();
        let builder = RegistryBuilder::from(&registry).remove_from(&def.origin).dialect(def.clone());
        let Err(RegistryError { problems: found, subjects, .. }) = builder.build() else { return };
        for (diagnostic, subject) in found.into_iter().zip(&subjects) {
            let diagnostic = located(diagnostic, subject, &places, &migrations, problems);
            if !problems.found.contains(&diagnostic) {
                problems.found.push(diagnostic);
            }
        }
        let wrong: BTreeSet<&str> = subjects.iter().filter_map(Subject::op).collect();
        let left = def.ops.len() + def.migrations.len();
        missing.extend(wrong.iter().map(|&id| id.into()));
        def.ops.retain(|op| !wrong.contains(&*op.id));
        if subjects.iter().any(|subject| matches!(subject, Subject::Migration(..))) {
            def.migrations.clear();
        }
        if def.ops.len() + def.migrations.len() == left {
            return;
        }
    }
}

/// Leaves out what calls or leads to an operation that is missing.
fn leave_out(def: &mut DialectDef, migrations: &mut Vec<Loc>, missing: &mut BTreeSet<String>) {
    loop {
        let needs = |op: &OpDef, missing: &BTreeSet<String>| {
            op.body.iter().flat_map(|body| body.program.insts.values()).any(|data| match &data.attr {
                Attr::Call(call) => missing.contains(&*call.op),
                _ => false,
            })
        };
        let place = def.ops.iter().position(|op| needs(op, missing));
        let leads = def.migrations.iter().position(|step| missing.contains(&step.to));
        match (place, leads) {
            (Some(place), _) => drop(missing.insert(def.ops.remove(place).id)),
            (None, Some(place)) => {
                migrations.remove(place);
                missing.insert(def.migrations.remove(place).from);
            }
            (None, None) => return,
        }
    }
}

/// A problem of the registry with its place in the file.
fn located(
    diagnostic: Diagnostic,
    subject: &Subject,
    places: &Places,
    migrations: &[Loc],
    problems: &Problems,
) -> Diagnostic {
    // What is within a body has its place, in this file or in another.
    if !diagnostic.labels.is_empty() {
        return diagnostic;
    }
    let op = subject.op().and_then(|id| places.ops.get(id));
    let loc = match (subject, op) {
        (Subject::Law(_, law), Some(op)) => op.laws.get(*law).copied(),
        (_, Some(op)) if diagnostic.code == "O005" => Some(op.body),
        (_, Some(op)) => Some(op.name),
        (Subject::Migration(_, place), _) => migrations.get(*place).copied(),
        _ => None,
    };
    diagnostic.at(loc.unwrap_or(places.name), "").in_source(Some(&problems.source))
}

/// The problems in the order of the file; those of other files last.
pub(super) fn in_order(problems: Problems) -> Vec<Diagnostic> {
    let Problems { source, mut found } = problems;
    found.sort_by_key(|diagnostic| {
        let here = diagnostic.source.as_ref().is_some_and(|other| *other == source);
        (!here, diagnostic.labels.first().map(|label| label.loc.start))
    });
    found
}
