//! Reloads a file when it changes.
//!
//! What is watched are the folders of the path and of what it links to, not the file: editors write a new file and
//! rename it to the path, and a watch of the old file would never hear of it. An event only says that something
//! happened there; whether the file changed, its contents say.

use super::{LoadedDialect, load_dialect_text, read};
use crate::codes;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use vyre_ir::Diagnostic;

/// What became of a change of the file.
pub type DialectReload = Result<LoadedDialect, Vec<Diagnostic>>;

/// A dialect that follows its file: a change is installed as [`load_dialect`](super::load_dialect) does, and what is
/// wrong with the new file leaves the old dialect installed. When this is dropped, the dialect stays as it is.
pub struct DialectWatch {
    path: PathBuf,
    first: LoadedDialect,
    /// Dropped first, which ends the thread.
    watcher: Option<RecommendedWatcher>,
    thread: Option<JoinHandle<()>>,
}

/// How long nothing has to happen before the file is read: an editor's steps follow each other faster.
const QUIET: Duration = Duration::from_millis(20);

impl DialectWatch {
    /// Installs the dialect of a file, and calls `changed` for every change of the file's contents from then on, from a
    /// thread of its own, after the change has been installed or refused.
    ///
    /// # Errors
    /// Everything that is wrong with the file as it is now, or that it cannot be watched.
    pub fn start(
        path: &Path,
        changed: impl FnMut(DialectReload) + Send + 'static,
    ) -> Result<DialectWatch, Vec<Diagnostic>> {
        let failed = |why: &dyn std::fmt::Display| {
            let message = format!("cannot watch `{}`: {why}", path.display());
            vec![Diagnostic::new(codes::O025, message)]
        };
        let (sender, events) = channel();
        let handler = move |event: notify::Result<notify::Event>| {
            // Reading the file is an event too.
            if !event.is_ok_and(|event| event.kind.is_access()) {
                let _ = sender.send(());
            }
        };
        let mut watcher = notify::recommended_watcher(handler).map_err(|error| failed(&error))?;
        // From before the first look, so that no change is missed.
        for folder in folders(path) {
            watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(|error| failed(&error))?;
        }
        let name = path.display().to_string();
        let text = read(path).map_err(|error| vec![error])?;
        let first = load_dialect_text(&name, &text)?;
        let watched = Watched { path: path.into(), name, last: Ok(text), changed };
        let thread = std::thread::Builder::new().name("vyre-dialect".into());
        let thread = thread.spawn(move || watched.follow(&events)).map_err(|error| failed(&error))?;
        Ok(DialectWatch { path: path.into(), first, watcher: Some(watcher), thread: Some(thread) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was installed at the start.
    pub fn first(&self) -> &LoadedDialect {
        &self.first
    }
}

impl Drop for DialectWatch {
    fn drop(&mut self) {
        self.watcher = None;
        // What was dropped in `changed` cannot wait for itself.
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

/// The folders in which a change of the file shows.
fn folders(path: &Path) -> Vec<PathBuf> {
    let folder = |path: &Path| match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut folders = vec![folder(path)];
    if let Ok(real) = path.canonicalize() {
        folders.push(folder(&real));
    }
    if folders.len() == 2 && folders[0].canonicalize().is_ok_and(|first| first == folders[1]) {
        folders.pop();
    }
    folders
}

/// What the thread has.
struct Watched<F> {
    path: PathBuf,
    name: String,
    /// What the file held when it was read last, or why it could not be read.
    last: Result<String, Diagnostic>,
    changed: F,
}

impl<F: FnMut(DialectReload)> Watched<F> {
    /// Until the watcher is gone.
    fn follow(mut self, events: &Receiver<()>) {
        while events.recv().is_ok() {
            while events.recv_timeout(QUIET).is_ok() {}
            let now = read(&self.path);
            if now == self.last {
                continue;
            }
            let result = match &now {
                Ok(text) => load_dialect_text(&self.name, text),
                Err(error) => Err(vec![error.clone()]),
            };
            self.last = now;
            (self.changed)(result);
        }
    }
}
