//! What can be seen of the work while it is done: spans of the crate `tracing`, all of the target `vyre`.
//!
//! Names and fields are stable. A span is as long as what it names; where nobody listens it costs a comparison and
//! allocates nothing. `vyre run --trace` writes them to a file.
//!
//! | span | level | fields | what it spans |
//! |---|---|---|---|
//! | `import` | info | `kind`, `bytes` | reading WGSL, SPIR-V, text or wire form |
//! | `acquire` | info | `backend` | choosing a device and opening it |
//! | `compile` | info | `program`, `backend`, `source` | all of compiling; `source` says whether it was `compiled` or found in a cache |
//! | `link` | debug | | linking calls with the registry of dialects |
//! | `verify` | debug | `instructions` | verifying a program |
//! | `optimize` | debug | `before`, `after` | all passes, with the instructions before and after |
//! | `pass` | debug | `name`, `before`, `after`, `changed` | one run of one pass |
//! | `codegen` | debug | `backend` | the backend's compiler |
//! | `load` | debug | `bytes` | placing code from the disk cache |
//! | `dispatch` | debug | `program`, `label`, `workgroups`, `iterations` | a dispatch from call to return, without checking its inputs |
//! | `batch` | debug | `steps`, `regions` | a batch from call to return; an upload or a download of resident buffers is one |
//! | `upload` | debug | `bytes` | copying inputs, or one copy to the device |
//! | `launch` | debug | `label`, `workgroups`, `iterations` | from handing a dispatch to the backend until it is done |
//! | `kernel` | debug | `workgroups` | one run of the code, by a backend that works in the host's memory |
//! | `readback` | debug | `bytes` | one copy from the device; there is none where outputs are in the host's memory anyway |
//! | `queue` | debug | `program` | an asynchronous dispatch from being asked for to its begin; never entered, since no thread is in it |
//! | `wait` | debug | | waiting for an asynchronous dispatch, or for all of them |
//! | `recover` | info | `backend`, `compiled`, `restored`, `lost` | recovering a lost device |
//!
//! A backend that does not use [`submit_on_host`](crate::submit_on_host) opens `upload`, `wait` and `readback` itself,
//! where its host waits for the device. The command opens further spans: `run` around everything, `inputs` (reading
//! them), `reference` (running the interpreter to compare), and `write` (writing outputs).

use crate::compiled::Compiled;
use crate::config::DispatchConfig;
use crate::resource::Resource;
use tracing::field::Empty;
use tracing::{Span, debug_span, info_span};

/// The target of all spans.
pub const TARGET: &str = "vyre";

/// Each span of this crate and those below it, with its fields.
pub const SPANS: &[(&str, &[&str])] = &[
    ("import", &["kind", "bytes"]),
    ("acquire", &["backend"]),
    ("compile", &["program", "backend", "source"]),
    ("link", &[]),
    ("verify", &["instructions"]),
    ("optimize", &["before", "after"]),
    ("pass", &["name", "before", "after", "changed"]),
    ("codegen", &["backend"]),
    ("load", &["bytes"]),
    ("dispatch", &["program", "label", "workgroups", "iterations"]),
    ("batch", &["steps", "regions"]),
    ("upload", &["bytes"]),
    ("launch", &["label", "workgroups", "iterations"]),
    ("kernel", &["workgroups"]),
    ("readback", &["bytes"]),
    ("queue", &["program"]),
    ("wait", &[]),
    ("recover", &["backend", "compiled", "restored", "lost"]),
];

pub(crate) fn compile(program: &str, backend: &str) -> Span {
    info_span!(target: TARGET, "compile", program, backend, source = Empty)
}

pub(crate) fn dispatch(compiled: &Compiled, workgroups: [u32; 3], config: &DispatchConfig) -> Span {
    let (label, iterations) = (config.label.as_deref(), config.iterations);
    let program = &*compiled.kernel.program.name;
    debug_span!(target: TARGET, "dispatch", program, label, workgroups = debug(workgroups), iterations)
}

pub(crate) fn launch(workgroups: [u32; 3], config: &DispatchConfig) -> Span {
    let (label, iterations) = (config.label.as_deref(), config.iterations);
    debug_span!(target: TARGET, "launch", label, workgroups = debug(workgroups), iterations)
}

/// Copying what a dispatch reads.
pub(crate) fn inputs(resources: &[Option<Resource<'_>>]) -> Span {
    let bytes = |resource: &Option<Resource<'_>>| match resource {
        Some(Resource::Bytes(bytes)) => bytes.len() as u64,
        _ => 0,
    };
    upload_lazily(|| resources.iter().map(bytes).sum())
}

/// Copying so many bytes to the device.
pub(crate) fn upload(bytes: usize) -> Span {
    upload_lazily(|| bytes as u64)
}

fn upload_lazily(bytes: impl FnOnce() -> u64) -> Span {
    debug_span!(target: TARGET, "upload", bytes = bytes())
}

pub(crate) fn recover(backend: &str) -> Span {
    info_span!(target: TARGET, "recover", backend, compiled = Empty, restored = Empty, lost = Empty)
}
