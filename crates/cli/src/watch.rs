//! `vyre run --watch`: a program that is run again each time that a dialect it uses changes.
//!
//! The device stays open, so what did not change comes from its cache. A run or a dialect that fails is reported like
//! any failure, and the next change is waited for; only the first run has to succeed.

use crate::args::RunArgs;
use crate::codes;
use crate::debug::Debug;
use crate::failure::Failure;
use crate::run::round;
use crate::{print, report};
use std::path::Path;
use std::sync::mpsc::channel;
use vyre::{Device, DialectWatch};
use vyre_ir::Diagnostic;

/// Runs a program until there were as many runs as were asked for; prints each.
pub fn watch(
    device: &mut Option<Device>,
    args: &RunArgs,
    as_json: bool,
    debug: &Debug,
) -> Result<String, Failure> {
    let refuse = |message: &str, fix: &str| Diagnostic::new(codes::C001, message).fix(fix);
    if as_json {
        let message = "`--watch` prints after every run, and `--json` is one document";
        return Err(refuse(message, "Leave one of them out.").into());
    }
    if args.work.program.file == Path::new("-") {
        let message = "`--watch` reads the program again, which standard input is not there for";
        return Err(refuse(message, "Name a file.").into());
    }
    let (sender, changes) = channel();
    let mut watches = Vec::new();
    for path in &args.work.program.dialects {
        let sender = sender.clone();
        watches.push(DialectWatch::start(path, move |reload| drop(sender.send(reload)))?);
    }
    print(&round(device, args, false, debug)?)?;
    for left in (0..args.repeat.map_or(u64::MAX, |runs| runs as u64 - 1)).rev() {
        // There is a sender, so this only ends with a change.
        while let Ok(Err(errors)) = changes.recv() {
            report::report(&errors);
        }
        match round(device, args, false, debug) {
            Ok(text) => print(&text)?,
            Err(failure) if left == 0 => return Err(failure),
            Err(failure) => report::report(&failure.diagnostics),
        }
    }
    Ok(String::new())
}
