//! The `vyre` command: runs, checks, translates and inspects compute programs.
//!
//! A command gives what belongs on standard output, or diagnostics and an exit status; only [`main`] ends the process.
//! Exit status: 0 done, 1 the work failed, 2 bad usage or bad input.

mod args;
mod bench;
mod cache;
mod check;
mod codes;
mod conform;
mod debug;
mod devices;
mod elements;
mod emit;
mod failure;
mod image;
mod inputs;
mod items;
mod load;
mod npy;
mod nvidia;
mod ops;
mod opt;
mod outputs;
mod progress;
mod ptx_vm;
mod report;
mod run;
mod show;
mod sink;
mod source;
mod trace;
mod verify;
mod watch;

use args::{Cli, Command};
use clap::{CommandFactory, Parser};
use failure::{BAD_INPUT, FAILED, Failure, failed, file_error};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use vyre_ir::Diagnostic;

/// Stack of the thread that works: deeply nested sources are read by recursive parsers. Only touched pages count.
const STACK: usize = 256 << 20;

fn main() -> ExitCode {
    quiet_mesa();
    // Known before the arguments are understood, so that errors about them are JSON too.
    let as_json = std::env::args_os().any(|arg| arg == "--json");
    let result = on_large_stack(move || {
        let (text, exit) = execute(as_json)?;
        print(&text)?;
        Ok(exit)
    });
    match result {
        Ok(exit) => ExitCode::from(exit),
        Err(failure) => {
            if as_json {
                let errors: Vec<_> = failure.diagnostics.iter().map(vyre_ir::Diagnostic::json).collect();
                // Nothing is left to do if this fails too.
                let _ = print(&format!("{:#}\n", serde_json::json!({ "errors": errors })));
            }
            report::report(&failure.diagnostics);
            ExitCode::from(failure.exit)
        }
    }
}

/// Mesa's layer that orders Vulkan devices complains on standard error where there is no desktop. Devices are ordered
/// here anyway, so it is left out there.
fn quiet_mesa() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: no other thread exists yet that could read or change variables.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}

/// What to print, and the exit status.
fn execute(as_json: bool) -> Result<(String, u8), Failure> {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => return Err(usage(&error)),
        // Help and version.
        Err(error) => return Ok((error.render().to_string(), 0)),
    };
    let debug = debug::Debug::from_environment()?;
    let text = match &cli.command {
        Command::Run(args) => run::run(args, as_json, &debug),
        Command::Debug(args) => ptx_vm::debug(args, as_json),
        Command::Check(args) => check::check(args, as_json),
        Command::Emit(args) => emit::emit(args, as_json),
        Command::Opt(args) => opt::opt(args, as_json),
        Command::Devices(args) => devices::devices(args, as_json),
        Command::Ops { dialect, load } => ops::ops(dialect.as_deref(), load, as_json),
        Command::Bench(args) => bench::bench(args, as_json),
        Command::Cache { command } => cache::cache(*command, as_json),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "vyre", &mut text);
            Ok(String::from_utf8_lossy(&text).into_owned())
        }
        Command::Man => {
            let mut text = Vec::new();
            manual(&mut text).map_err(|e| failed(file_error("write", Path::new("-"), &e)))?;
            Ok(String::from_utf8_lossy(&text).into_owned())
        }
        // Its output says what is wrong.
        Command::Conform(args) => return conform::conform(args, as_json),
    };
    text.map(|text| (text, 0))
}

/// The man page: that of the command, and the options of each of its commands.
fn manual(out: &mut Vec<u8>) -> std::io::Result<()> {
    let command = Cli::command();
    clap_mangen::Man::new(command.clone()).render(out)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let mut options = Vec::new();
        clap_mangen::Man::new(sub.clone()).render_options_section(&mut options)?;
        let heading = format!(".SH \"OPTIONS OF {}\"", sub.get_name());
        out.extend(String::from_utf8_lossy(&options).replacen(".SH OPTIONS", &heading, 1).into_bytes());
    }
    Ok(())
}

/// What the argument parser says, in the shape of every other error.
fn usage(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let text = text.trim().strip_prefix("error: ").unwrap_or(text.trim());
    let (message, fix) = match text.split_once("\n\nFor more information, try ") {
        Some((message, fix)) => (message, format!("See {}.", fix.replace('\'', "`").trim_end_matches('.'))),
        None => (text, "See `vyre --help`.".into()),
    };
    Failure { exit: BAD_INPUT, diagnostics: vec![Diagnostic::new(codes::C001, message).fix(fix)] }
}

fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        // A reader that has seen enough, such as `head`, is no failure.
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(failed(file_error("write", Path::new("-"), &e)))
        }
        _ => Ok(()),
    }
}

/// Does the work on a thread with room for deep recursion; a panic becomes an error like any other.
fn on_large_stack(work: impl FnOnce() -> Result<u8, Failure> + Send + 'static) -> Result<u8, Failure> {
    let place = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let seen = place.clone();
    std::panic::set_hook(Box::new(move |info| {
        if let Ok(mut seen) = seen.lock() {
            *seen = info.to_string();
        }
    }));
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work);
    let internal = |what: String| {
        let diagnostic = Diagnostic::new(codes::C099, format!("internal error, a bug in vyre: {what}"));
        Failure {
            exit: FAILED,
            diagnostics: vec![diagnostic.fix("Report it with the program and the command line.")],
        }
    };
    match thread {
        Ok(thread) => thread
            .join()
            .unwrap_or_else(|_| Err(internal(place.lock().map(|text| text.clone()).unwrap_or_default()))),
        Err(error) => Err(internal(format!("no thread could be started: {error}"))),
    }
}
