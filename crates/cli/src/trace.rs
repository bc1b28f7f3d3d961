//! `--trace FILE`: the spans of a run, and the device's counters at its end, in the Trace Event Format that Perfetto
//! and Chrome show. What the spans are is in `vyre_driver::spans`.
//!
//! A span is a complete event on its thread; one that no thread is ever in, since it only waits, is a pair of
//! asynchronous events. The file appears whole or not at all, also when the run fails.

use crate::args::RunArgs;
use crate::codes;
use crate::failure::{FAILED, Failure, file_error};
use crate::sink::{probe, replace};
use serde_json::{Map, Value, json};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use vyre::spans::TARGET;
use vyre_ir::Diagnostic;

/// Spans kept; a run that is repeated without end must not fill the memory.
const LARGEST: usize = 1 << 18;

/// A trace on its way to its file.
pub struct Trace {
    path: PathBuf,
    recorder: Arc<Recorder>,
}

impl Trace {
    /// Listens from now on. Fails if the file could not be written at the end, or would replace one of the run's.
    pub fn begin(path: &Path, args: &RunArgs) -> Result<Trace, Diagnostic> {
        let refuse = |why: String| {
            Err(Diagnostic::new(codes::C030, why).fix("Name a place that may be written, as `trace.json`."))
        };
        if path.as_os_str() == "-" {
            return refuse("a trace cannot go to standard output".into());
        }
        let of_run = args.work.sets.iter().chain(&args.work.outs).map(|buffer| path_of(&buffer.value));
        if let Some(other) = of_run.chain([&*args.work.program.file]).find(|other| same(path, other)) {
            return refuse(format!("a trace cannot replace `{}`, which the run uses", other.display()));
        }
        if let Err(e) = probe(path) {
            return refuse(format!("a trace cannot be written to `{}`: {e}", path.display()));
        }
        let recorder =
            Arc::new(Recorder { origin: Instant::now(), next: AtomicU64::new(1), state: Mutex::default() });
        let internal = |e| Diagnostic::new(codes::C099, format!("internal error, a bug in vyre: {e}"));
        tracing::subscriber::set_global_default(recorder.clone()).map_err(internal)?;
        Ok(Trace { path: path.into(), recorder })
    }

    /// Writes the file. `result` is what became of the run.
    pub fn end<T>(self, counters: &[(&str, u64)], result: Result<T, Failure>) -> Result<T, Failure> {
        let left_out = self.recorder.state().left_out;
        if left_out > 0 {
            eprintln!("note: the trace holds the first {LARGEST} spans; {left_out} more are not in it");
        }
        let Err(error) = replace(&self.path, &self.recorder.file(counters)) else { return result };
        let mut failure = result.err().unwrap_or(Failure { exit: FAILED, diagnostics: Vec::new() });
        failure.diagnostics.push(file_error("write", &self.path, &error));
        Err(failure)
    }
}

/// The file of a source or sink, if it is one.
fn path_of(value: &str) -> &Path {
    let value = value.strip_prefix("bytes:").unwrap_or(value);
    let without_width = value.rsplit_once(':').map(|(path, _)| path).filter(|path| path.ends_with(".png"));
    Path::new(without_width.unwrap_or(value))
}

fn same(a: &Path, b: &Path) -> bool {
    a == b || a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}

/// Keeps all spans of vyre.
struct Recorder {
    origin: Instant,
    next: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: HashMap<u64, Span>,
    done: Vec<Span>,
    left_out: u64,
    threads: BTreeMap<u64, String>,
}

struct Span {
    id: u64,
    name: &'static str,
    args: Map<String, Value>,
    handles: usize,
    thread: u64,
    began: Duration,
    /// Whether a thread was ever in it.
    entered: bool,
    ended: Duration,
}

impl Recorder {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a span that is open, at this moment.
    fn change(&self, id: &Id, change: impl FnOnce(&mut Span, Duration)) {
        let now = self.origin.elapsed();
        if let Some(span) = self.state().open.get_mut(&id.into_u64()) {
            change(span, now);
        }
    }

    fn file(&self, counters: &[(&str, u64)]) -> Vec<u8> {
        let (process, end) = (std::process::id(), micros(self.origin.elapsed()));
        let mut state = self.state();
        // Of two that begin at once, the outer one comes first.
        state.done.sort_by_key(|span| (span.began, Reverse(span.ended), span.id));
        let about = |what: &str, thread: u64, name: &str| json!({ "ph": "M", "pid": process, "tid": thread, "name": what, "args": { "name": name } });
        let mut events = vec![about("process_name", 0, "vyre")];
        events.extend(state.threads.iter().map(|(thread, name)| about("thread_name", *thread, name)));
        for span in &state.done {
            let (from, to) = (micros(span.began), micros(span.ended));
            let event = |phase: &str, at: f64| json!({ "ph": phase, "pid": process, "tid": span.thread, "cat": span.name, "name": span.title(), "ts": at, "args": span.args });
            if span.entered {
                let mut whole = event("X", from);
                whole["dur"] = json!(micros(span.ended - span.began));
                events.push(whole);
                continue;
            }
            for (phase, at) in [("b", from), ("e", to)] {
                let mut one = event(phase, at);
                one["id"] = json!(span.id);
                events.push(one);
            }
        }
        for (name, value) in counters {
            events.push(json!({ "ph": "C", "pid": process, "tid": 0, "name": name, "ts": end, "args": { "value": value } }));
        }
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        format!("{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{}\n]}}\n", lines.join(",\n")).into_bytes()
    }
}

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

impl Span {
    /// Its name, and what it is about if it says so.
    fn title(&self) -> String {
        let about = ["name", "label"].iter().find_map(|field| self.args.get(*field)?.as_str());
        about.map_or(self.name.into(), |about| format!("{} {about}", self.name))
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target() == TARGET
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut args = Arguments::default();
        attributes.record(&mut args);
        let (name, thread, began) = (attributes.metadata().name(), thread(), self.origin.elapsed());
        let span = Span { id, name, args: args.0, handles: 1, thread, began, entered: false, ended: began };
        self.state().open.insert(id, span);
        Id::from_u64(id)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        let mut args = Arguments::default();
        values.record(&mut args);
        self.change(id, |span, _| span.args.append(&mut args.0));
    }

    fn enter(&self, id: &Id) {
        let thread = thread();
        self.change(id, |span, now| {
            if !span.entered {
                (span.entered, span.thread, span.began) = (true, thread, now);
            }
        });
    }

    fn exit(&self, id: &Id) {
        self.change(id, |span, now| span.ended = now);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.change(id, |span, _| span.handles += 1);
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut last = false;
        self.change(&id, |span, now| {
            span.handles -= 1;
            last = span.handles == 0;
            if !span.entered {
                span.ended = now;
            }
        });
        if !last {
            return false;
        }
        let mut state = self.state();
        let Some(span) = state.open.remove(&id.into_u64()) else { return false };
        if state.done.len() == LARGEST {
            state.left_out += 1;
            return true;
        }
        let name = || std::thread::current().name().unwrap_or("work").to_string();
        state.threads.entry(span.thread).or_insert_with(name);
        state.done.push(span);
        true
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}
}

/// A small number for this thread.
fn thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.with(|number| *number)
}

#[derive(Default)]
struct Arguments(Map<String, Value>);

impl Visit for Arguments {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().into(), format!("{value:?}").into());
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().into(), value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().into(), value.into());
    }
}
