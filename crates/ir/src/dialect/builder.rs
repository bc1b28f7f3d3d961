//! Making a registry: everything is checked at once, and nothing changes unless all is right.

use super::def::{Facts, Known};
use super::register::Defined;
use super::validate::{self, is_word};
use super::{
    Call, DialectRegistry, DuplicateOpIdError, ExternDialect, ExternOp, InTreeDialect, Law, OpDef,
    OpMigration, RegistryError, Subject, check_laws, link,
};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::verify::{MAX_DEPTH, MAX_INSTS};
use rustc_hash::{FxHashMap, FxHashSet};
use semver::Version;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A dialect as it is given to a registry.
#[derive(Clone, Debug)]
pub struct DialectDef {
    /// Its name: letters, digits and `_`.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Where it comes from: a repository or a file; for messages.
    pub origin: String,
    /// Its operations.
    pub ops: Vec<OpDef>,
    /// How programs written for older versions change.
    pub migrations: Vec<OpMigration>,
}

/// A dialect in a registry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dialect {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Where it comes from.
    pub origin: String,
    /// How programs written for older versions change.
    pub migrations: Vec<OpMigration>,
}

/// What is to be in a registry.
#[derive(Default)]
pub struct RegistryBuilder {
    dialects: Vec<Arc<Dialect>>,
    ops: Vec<Candidate>,
    /// What went wrong before anything was put together.
    problems: Vec<Problem>,
    /// Those of the registry that this one starts from.
    linked: RegistryError,
    skip_laws: bool,
}

/// An operation that is to be in a registry.
#[derive(Clone)]
struct Candidate {
    dialect: String,
    def: Arc<OpDef>,
    registrant: Arc<str>,
    /// Whether it is in the registry that this one starts from, and so has been checked.
    known: bool,
}

/// What is wrong, and what would have to go for it to be right.
#[derive(Clone)]
struct Problem {
    diagnostic: Diagnostic,
    duplicate: Option<DuplicateOpIdError>,
    subject: Subject,
}

impl Problem {
    fn of_op(op: &str, diagnostic: Diagnostic) -> Problem {
        Problem { diagnostic, duplicate: None, subject: Subject::Op(op.into()) }
    }

    fn of_dialect(dialect: &str, diagnostic: Diagnostic) -> Problem {
        Problem { diagnostic, duplicate: None, subject: Subject::Dialect(dialect.into()) }
    }
}

impl RegistryBuilder {
    /// Nothing.
    pub fn new() -> RegistryBuilder {
        RegistryBuilder::default()
    }

    /// What is in a registry.
    pub fn from(registry: &DialectRegistry) -> RegistryBuilder {
        let candidate = |def: &Arc<OpDef>| Candidate {
            dialect: def.dialect.clone(),
            def: def.clone(),
            registrant: def.registrant().into(),
            known: true,
        };
        RegistryBuilder {
            dialects: registry.dialects.values().cloned().collect(),
            ops: registry.iter().map(candidate).collect(),
            linked: registry.problems_of_linked().clone(),
            ..RegistryBuilder::new()
        }
    }

    /// What is linked into the process. Laws of these are checked by tests.
    pub(super) fn linked() -> RegistryBuilder {
        let mut new = RegistryBuilder { skip_laws: true, ..RegistryBuilder::new() };
        for dialect in inventory::iter::<InTreeDialect> {
            new.linked_dialect(dialect.name, dialect.version, "vyre", (dialect.migrations)());
            for defined in (dialect.ops)() {
                new.linked_op(dialect.name, "vyre", defined);
            }
        }
        for dialect in inventory::iter::<ExternDialect> {
            let migrations = (dialect.migrations)();
            new.linked_dialect(dialect.name, dialect.version, dialect.repository, migrations);
        }
        for op in inventory::iter::<ExternOp> {
            new.linked_op(op.dialect, &op.at.to_string(), (op.make)());
        }
        // The linker decides the order of the streams; what is reported must not depend on it.
        new.ops.sort_by(|a, b| (&a.def.id, &a.registrant).cmp(&(&b.def.id, &b.registrant)));
        new
    }

    fn linked_dialect(&mut self, name: &str, version: &str, origin: &str, migrations: Vec<OpMigration>) {
        match Version::parse(version) {
            Ok(version) => self.dialects.push(Arc::new(Dialect {
                name: name.into(),
                version,
                origin: origin.into(),
                migrations,
            })),
            Err(why) => {
                let message = format!("the version `{version}` of the dialect `{name}` is none: {why}");
                let diagnostic = Diagnostic::new(codes::O001, message).fix("Write it as in `1.2.0`.");
                self.problems.push(Problem::of_dialect(name, diagnostic));
            }
        }
    }

    fn linked_op(&mut self, dialect: &str, registrant: &str, defined: Defined) {
        match defined {
            Ok(def) => self.candidate(dialect, def, registrant),
            Err(errors) => self.problems.extend(errors.into_iter().map(|mut diagnostic| {
                diagnostic.message =
                    format!("an operation of `{dialect}` from {registrant}: {}", diagnostic.message);
                Problem { diagnostic, duplicate: None, subject: Subject::Unnamed }
            })),
        }
    }

    fn candidate(&mut self, dialect: &str, def: OpDef, registrant: &str) {
        let (dialect, registrant) = (dialect.into(), registrant.into());
        self.ops.push(Candidate { dialect, def: Arc::new(def), registrant, known: false });
    }

    /// Adds a dialect. One of that name must not be there.
    pub fn dialect(mut self, dialect: DialectDef) -> RegistryBuilder {
        for def in dialect.ops {
            self.candidate(&dialect.name, def, &dialect.origin);
        }
        let DialectDef { name, version, origin, migrations, .. } = dialect;
        self.dialects.push(Arc::new(Dialect { name, version, origin, migrations }));
        self
    }

    /// Adds a dialect in the place of the one of that name, if there is one.
    pub fn replace(self, dialect: DialectDef) -> RegistryBuilder {
        self.remove(&dialect.name).dialect(dialect)
    }

    /// Leaves a dialect out.
    pub fn remove(mut self, name: &str) -> RegistryBuilder {
        self.dialects.retain(|dialect| dialect.name != name);
        self.ops.retain(|op| op.dialect != name);
        self
    }

    /// Leaves out every dialect that comes from there.
    pub fn remove_from(mut self, origin: &str) -> RegistryBuilder {
        let from: Vec<String> =
            self.dialects.iter().filter(|d| d.origin == origin).map(|d| d.name.clone()).collect();
        for name in from {
            self = self.remove(&name);
        }
        self
    }

    /// Adds an operation to a dialect; `registrant` is for messages.
    pub fn op(mut self, dialect: &str, def: OpDef, registrant: &str) -> RegistryBuilder {
        self.candidate(dialect, def, registrant);
        self
    }

    /// The registry.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn build(self) -> Result<DialectRegistry, RegistryError> {
        self.put_together().map_err(error)
    }

    /// The registry without what is not right, which it keeps as its problems.
    pub(super) fn build_what_is_right(mut self) -> DialectRegistry {
        let mut first = None;
        loop {
            let problems = match self.put_together() {
                Ok(mut registry) if first.is_some() => {
                    registry.set_problems(first.unwrap_or_default());
                    return registry;
                }
                Ok(registry) => return registry,
                Err(problems) => problems,
            };
            // What fails next only needs what has been left out.
            first.get_or_insert_with(|| error(problems.clone()));
            self.problems.clear();
            let gone = |of: fn(&Subject) -> Option<&str>| -> FxHashSet<&str> {
                problems.iter().filter_map(|p| of(&p.subject)).collect()
            };
            let (ops, dialects) = (gone(Subject::op), gone(Subject::dialect));
            self.ops.retain(|op| !ops.contains(&*op.def.id) && !dialects.contains(&*op.dialect));
            self.dialects.retain(|dialect| !dialects.contains(&*dialect.name));
        }
    }

    fn put_together(&self) -> Result<DialectRegistry, Vec<Problem>> {
        let mut problems = self.problems.clone();
        let dialects = self.check_dialects(&mut problems);
        let mut by_id: FxHashMap<&str, &Candidate> = FxHashMap::default();
        for op in &self.ops {
            if let Some(diagnostic) = validate::check_id(&op.def, &op.dialect) {
                problems.push(Problem::of_op(&op.def.id, diagnostic));
            } else if !dialects.contains_key(&op.dialect) {
                let what = format!("`{}` is registered under a dialect that is not", op.def.id);
                let fix = format!("Register the dialect `{}` too.", op.dialect);
                let diagnostic = Diagnostic::new(codes::O002, what).fix(fix);
                problems.push(Problem::of_op(&op.def.id, diagnostic));
            }
            if let Some(first) = by_id.insert(&op.def.id, op) {
                let duplicate = DuplicateOpIdError {
                    op_id: op.def.id.clone(),
                    first: first.registrant.to_string(),
                    second: op.registrant.to_string(),
                };
                let problem = Problem::of_op(&op.def.id, duplicate.diagnostic());
                problems.push(Problem { duplicate: Some(duplicate), ..problem });
            }
            if !op.known {
                let found = validate::check(&op.def);
                problems.extend(found.into_iter().map(|d| Problem::of_op(&op.def.id, d)));
            }
        }
        check_migrations(&dialects, &by_id, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let ops = self.link_bodies(&dialects, &by_id)?;
        Ok(DialectRegistry::of(dialects, ops, self.linked.clone()))
    }

    fn check_dialects(&self, problems: &mut Vec<Problem>) -> BTreeMap<String, Arc<Dialect>> {
        let mut dialects: BTreeMap<String, Arc<Dialect>> = BTreeMap::new();
        for dialect in &self.dialects {
            let name = &dialect.name;
            if !is_word(name) {
                let what = format!("`{name}` is no name of a dialect");
                problems
                    .push(Problem::of_dialect(name, Diagnostic::new(codes::O001, what).fix(validate::NAMES)));
            }
            if let Some(first) = dialects.insert(name.clone(), dialect.clone()) {
                let (first, second) = (&first.origin, &dialect.origin);
                let what = format!("the dialect `{name}` is registered twice: by {first} and by {second}");
                let diagnostic = Diagnostic::new(codes::O003, what).fix("Give one of them another name.");
                problems.push(Problem::of_dialect(name, diagnostic));
            }
        }
        dialects
    }

    /// Every operation, each after those it calls, with its calls linked.
    fn link_bodies(
        &self,
        dialects: &BTreeMap<String, Arc<Dialect>>,
        by_id: &FxHashMap<&str, &Candidate>,
    ) -> Result<Vec<Arc<OpDef>>, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut done: FxHashMap<&str, Arc<OpDef>> = FxHashMap::default();
        for op in in_order(&self.ops, by_id, &mut problems) {
            let def = &op.def;
            let find = |name: &str| done.get(name);
            let same = |call: &Call| match (&call.def, find(&call.op)) {
                (Some(before), Some(now)) => Arc::ptr_eq(before, now),
                _ => false,
            };
            if op.known && def.body.iter().all(|body| link::calls(&body.program).all(|(_, call)| same(call)))
            {
                done.insert(&def.id, def.clone());
                continue;
            }
            let mut new = OpDef::clone(def);
            let linked = match &mut new.body {
                Some(body) => link::link_calls(&mut Arc::make_mut(body).program, &find, &|call| {
                    Diagnostic::new(codes::V012, format!("there is no operation `{}`", call.op))
                }),
                None => Vec::new(),
            };
            let unknown = linked.len();
            problems.extend(
                linked
                    .into_iter()
                    .map(|error| Problem::of_op(&def.id, validate::in_body(def, error.code, error))),
            );
            let (size, depth) = new.body.as_ref().map_or((1, 1), |body| (body.size(), body.depth()));
            if unknown == 0 && (size > MAX_INSTS as u64 || depth > MAX_DEPTH as u64) {
                let what = format!(
                    "with what it calls, `{}` has {size} instructions nested {depth} deep; at most {MAX_INSTS} and \
                     {MAX_DEPTH} are allowed",
                    def.id
                );
                problems.push(Problem::of_op(&def.id, Diagnostic::new(codes::V010, what)));
            }
            let version = dialects[&op.dialect].version.clone();
            let fingerprint = super::fingerprint::fingerprint(&new);
            let registrant = op.registrant.clone();
            new.facts = Facts(Some(Known { version, registrant, size, depth, fingerprint }));
            if unknown == 0 && !self.skip_laws {
                problems.extend(broken_laws(&new));
            }
            done.insert(&def.id, Arc::new(new));
        }
        if problems.is_empty() { Ok(done.into_values().collect()) } else { Err(problems) }
    }
}

/// Lists of operands that a law is tried on when an operation is installed.
const SAMPLES: u32 = 64;

/// Each law that an operation breaks.
fn broken_laws(def: &OpDef) -> Vec<Problem> {
    let mut one = def.clone();
    let broken = |(place, &law): (usize, &Law)| {
        one.laws = vec![law];
        let diagnostic = Diagnostic::new(codes::O007, check_laws(&one, SAMPLES, 1)?);
        Some(Problem { diagnostic, duplicate: None, subject: Subject::Law(def.id.clone(), place) })
    };
    def.laws.iter().enumerate().filter_map(broken).collect()
}

fn error(problems: Vec<Problem>) -> RegistryError {
    RegistryError {
        duplicates: problems.iter().filter_map(|p| p.duplicate.clone()).collect(),
        subjects: problems.iter().map(|p| p.subject.clone()).collect(),
        problems: problems.into_iter().map(|p| p.diagnostic).collect(),
    }
}

/// Every operation after those that its body calls (Kahn's algorithm, which needs no recursion). Those that call
/// themselves, and those that call these, are left out; the former are reported.
fn in_order<'b>(
    ops: &'b [Candidate],
    by_id: &FxHashMap<&str, &'b Candidate>,
    problems: &mut Vec<Problem>,
) -> Vec<&'b Candidate> {
    let callees = |op: &'b Candidate| -> Vec<&'b Candidate> {
        let calls = op.def.body.iter().flat_map(|body| link::calls(&body.program));
        calls.filter_map(|(_, call)| by_id.get(&*call.op).copied()).collect()
    };
    let mut callers: FxHashMap<&str, Vec<&'b Candidate>> = FxHashMap::default();
    let mut missing: FxHashMap<&str, usize> = FxHashMap::default();
    for op in ops {
        let callees = callees(op);
        missing.insert(&op.def.id, callees.len());
        for callee in callees {
            callers.entry(&callee.def.id).or_default().push(op);
        }
    }
    let mut order: Vec<&Candidate> = ops.iter().filter(|op| missing[&*op.def.id] == 0).collect();
    let mut at = 0;
    while let Some(op) = order.get(at) {
        at += 1;
        for caller in callers.remove(&*op.def.id).unwrap_or_default() {
            let left = missing.get_mut(&*caller.def.id).expect("every operation has an entry");
            *left -= 1;
            if *left == 0 {
                order.push(caller);
            }
        }
    }
    let mut reported: FxHashSet<&str> = FxHashSet::default();
    for op in ops.iter().filter(|op| missing[&*op.def.id] > 0) {
        // Every operation that is left calls one that is left: going on ends in a cycle.
        let (mut path, mut now): (Vec<&str>, &Candidate) = (Vec::new(), op);
        while !path.contains(&&*now.def.id) && !reported.contains(&*now.def.id) {
            path.push(&now.def.id);
            let next = callees(now).into_iter().find(|callee| missing[&*callee.def.id] > 0);
            now = next.expect("it waits for one");
        }
        let start = path.iter().position(|id| *id == now.def.id);
        if let Some(start) = start {
            let cycle: Vec<String> =
                path[start..].iter().chain([&&*now.def.id]).map(|id| format!("`{id}`")).collect();
            let message = format!("an operation calls itself: {}", cycle.join(" calls "));
            let fix = "Use a loop in the body.";
            problems.push(Problem::of_op(path[start], Diagnostic::new(codes::O006, message).fix(fix)));
        }
        reported.extend(path);
    }
    order
}

fn check_migrations(
    dialects: &BTreeMap<String, Arc<Dialect>>,
    ops: &FxHashMap<&str, &Candidate>,
    problems: &mut Vec<Problem>,
) {
    for dialect in dialects.values() {
        let name = &dialect.name;
        let migrations = &dialect.migrations;
        for (i, step) in migrations.iter().enumerate() {
            let OpMigration { from, to, since, .. } = step;
            let mut wrong = |what: String| {
                let (diagnostic, subject) =
                    (Diagnostic::new(codes::O008, what), Subject::Migration(name.clone(), i));
                problems.push(Problem { diagnostic, duplicate: None, subject });
            };
            if [from, to].iter().any(|id| id.split_once('.').is_none_or(|(before, _)| before != name)) {
                wrong(format!("the migration from `{from}` to `{to}` is not within the dialect `{name}`"));
            } else if migrations[..i].iter().any(|other| (&other.from, &other.since) == (from, since)) {
                wrong(format!("there are two migrations from `{from}` in version {since}"));
            } else if *since > dialect.version {
                wrong(format!(
                    "the migration from `{from}` is since version {since}, but `{name}` has version {}",
                    dialect.version
                ));
            } else if !ops.contains_key(&**to)
                && !migrations.iter().any(|m| m.from == *to && m.since > *since)
            {
                wrong(format!("the migration from `{from}` leads to `{to}`, which does not exist"));
            }
            if let Some(cycle) = cycle_from(migrations, step) {
                wrong(format!("the migrations go round in a circle: {}", cycle.join(" to ")));
            }
        }
    }
}

/// The ids on a way from a migration back to where it starts, if there is one and it starts at the smallest id.
fn cycle_from(migrations: &[OpMigration], start: &OpMigration) -> Option<Vec<String>> {
    let mut came: FxHashMap<&str, &str> = FxHashMap::default();
    let mut open = vec![&*start.from];
    while let Some(id) = open.pop() {
        for step in migrations.iter().filter(|step| step.from == id && step.to != step.from) {
            if step.to == start.from {
                let mut path = vec![start.from.as_str(), id];
                while let Some(&before) = came.get(path[path.len() - 1]) {
                    path.push(before);
                }
                path.dedup();
                path.reverse();
                path.push(&start.from);
                path.dedup();
                let first = path.iter().min().is_some_and(|smallest| *smallest == start.from);
                return first.then(|| path.iter().map(|id| format!("`{id}`")).collect());
            }
            if step.to != start.from && !came.contains_key(&*step.to) {
                came.insert(&step.to, id);
                open.push(&step.to);
            }
        }
    }
    None
}
