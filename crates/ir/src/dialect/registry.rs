//! All operations that are known, as a snapshot that is replaced and never changed.
//!
//! Readers take the present snapshot by one atomic load and keep it as long as they like; [`DialectRegistry::install`]
//! puts another one in its place, and the old one is freed when its last reader leaves. Whoever changes something starts
//! from the present snapshot under a lock that readers never meet ([`DialectRegistry::update`]).

use super::builder::{Dialect, RegistryBuilder};
use super::{Lowering, OpDef, RegistryError, Target};
use crate::diagnostic::Diagnostic;
use arc_swap::{ArcSwapOption, Guard};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// The number of an operation's name: the same for one name as long as the process runs, in every snapshot.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct OpId(u32);

/// Operations and their dialects; see the module.
#[derive(Debug, Default)]
pub struct DialectRegistry {
    pub(super) dialects: BTreeMap<String, Arc<Dialect>>,
    /// By number of the name.
    ops: Vec<Option<Arc<OpDef>>>,
    ids: FxHashMap<Arc<str>, OpId>,
    /// In order of the names.
    sorted: Vec<Arc<OpDef>>,
    problems: RegistryError,
}

/// The snapshot that was present when it was taken.
pub struct Snapshot(Guard<Option<Arc<DialectRegistry>>>);

impl Snapshot {
    /// The snapshot, to be kept for long.
    pub fn to_arc(&self) -> Arc<DialectRegistry> {
        self.0.clone().expect("a snapshot is only taken when there is one")
    }
}

impl Deref for Snapshot {
    type Target = DialectRegistry;
    fn deref(&self) -> &DialectRegistry {
        self.0.as_ref().expect("a snapshot is only taken when there is one")
    }
}

/// The present snapshot; none before somebody asks.
static GLOBAL: ArcSwapOption<DialectRegistry> = ArcSwapOption::const_empty();

/// Held by those that make a snapshot from the present one.
static WRITERS: Mutex<()> = Mutex::new(());

/// Numbers of all names that were ever asked for.
static NAMES: Mutex<Option<FxHashMap<Arc<str>, OpId>>> = Mutex::new(None);

fn intern(name: &str) -> OpId {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_default();
    if let Some(&id) = names.get(name) {
        return id;
    }
    let id = OpId(u32::try_from(names.len()).expect("fewer than 2^32 names"));
    names.insert(name.into(), id);
    id
}

impl DialectRegistry {
    /// The present snapshot: one atomic load. The first call builds it from what is linked into the process; an
    /// operation that is not right is left out then and reported by [`DialectRegistry::problems`].
    pub fn global() -> Snapshot {
        let present = GLOBAL.load();
        if present.is_some() {
            return Snapshot(present);
        }
        Self::build_first();
        Snapshot(GLOBAL.load())
    }

    /// The present snapshot, if all that is linked into the process is right.
    ///
    /// # Errors
    /// Everything that is not.
    pub fn try_global() -> Result<Snapshot, RegistryError> {
        let present = Self::global();
        if present.problems.problems.is_empty() { Ok(present) } else { Err(present.problems.clone()) }
    }

    #[cold]
    fn build_first() {
        let _writer = WRITERS.lock().unwrap_or_else(PoisonError::into_inner);
        if GLOBAL.load().is_none() {
            GLOBAL.store(Some(Arc::new(RegistryBuilder::linked().build_what_is_right())));
        }
    }

    /// Puts another snapshot in the place of the present one and gives the old one. Programs that are compiled from now
    /// on see the new one.
    pub fn install(new: DialectRegistry) -> Arc<DialectRegistry> {
        Self::global();
        let _writer = WRITERS.lock().unwrap_or_else(PoisonError::into_inner);
        GLOBAL.swap(Some(Arc::new(new))).expect("there is one since `global` was called")
    }

    /// Installs what a closure makes of the present snapshot; writers wait for each other, readers for nobody.
    ///
    /// # Errors
    /// What [`RegistryBuilder::build`] says; then nothing is changed.
    pub fn update(
        change: impl FnOnce(RegistryBuilder) -> RegistryBuilder,
    ) -> Result<Arc<DialectRegistry>, RegistryError> {
        // So that nothing is built under the lock.
        drop(Self::global());
        let _writer = WRITERS.lock().unwrap_or_else(PoisonError::into_inner);
        let present = Self::global().to_arc();
        let new = Arc::new(change(RegistryBuilder::from(&present)).build()?);
        GLOBAL.store(Some(new.clone()));
        Ok(new)
    }

    /// The number of a name, whether an operation has it or not. Takes no lock for names of this snapshot.
    pub fn intern_op(&self, name: &str) -> OpId {
        match self.ids.get(name) {
            Some(&id) => id,
            None => intern(name),
        }
    }

    /// The operation of that number.
    pub fn lookup(&self, id: OpId) -> Option<&Arc<OpDef>> {
        self.ops.get(id.0 as usize)?.as_ref()
    }

    /// The operation of that name.
    pub fn find(&self, name: &str) -> Option<&Arc<OpDef>> {
        self.lookup(*self.ids.get(name)?)
    }

    /// The code of an operation for a target.
    pub fn get_lowering(&self, id: OpId, target: Target) -> Option<&Lowering> {
        self.lookup(id)?.lowering(target)
    }

    /// Every operation, in order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<OpDef>> {
        self.sorted.iter()
    }

    /// The dialect of that name.
    pub fn dialect(&self, name: &str) -> Option<&Dialect> {
        self.dialects.get(name).map(|dialect| &**dialect)
    }

    /// Every dialect, in order of the names.
    pub fn dialects(&self) -> impl ExactSizeIterator<Item = &Dialect> {
        self.dialects.values().map(|dialect| &**dialect)
    }

    /// What is wrong with operations that are linked into the process and were left out. [`link`](super::link) refuses
    /// every program with calls while there is something.
    pub fn problems(&self) -> &[Diagnostic] {
        &self.problems.problems
    }

    /// What an operation that is no more is called now.
    pub(super) fn renamed(&self, name: &str) -> Option<&str> {
        let dialect = self.dialect(name.split('.').next()?)?;
        let mut now = dialect.migrations.iter().find(|m| m.from == name)?;
        // Migrations have no cycle.
        while let Some(next) = dialect.migrations.iter().find(|m| m.from == now.to && m.to != now.to) {
            now = next;
        }
        Some(&now.to)
    }

    pub(super) fn of(
        dialects: BTreeMap<String, Arc<Dialect>>,
        ops: Vec<Arc<OpDef>>,
        problems: RegistryError,
    ) -> DialectRegistry {
        let mut new = DialectRegistry { dialects, sorted: ops, problems, ..DialectRegistry::default() };
        new.sorted.sort_by(|a, b| a.id.cmp(&b.id));
        for def in &new.sorted {
            let id = intern(&def.id);
            if new.ops.len() <= id.0 as usize {
                new.ops.resize(id.0 as usize + 1, None);
            }
            new.ops[id.0 as usize] = Some(def.clone());
            new.ids.insert(def.id.as_str().into(), id);
        }
        new
    }

    pub(super) fn set_problems(&mut self, problems: RegistryError) {
        self.problems = problems;
    }

    pub(super) fn problems_of_linked(&self) -> &RegistryError {
        &self.problems
    }
}
