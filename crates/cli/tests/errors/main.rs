//! Every error of every table is provoked once, and what the user then reads is its example in `docs/errors.md`.
//!
//! Most are provoked by a command line ([`commands`], [`programs`]), the rest by a call ([`calls`]). With `VYRE_BLESS`
//! set, as `cargo xtask bless` does, the page is written instead of compared.

mod calls;
mod commands;
mod programs;

#[path = "../../src/codes.rs"]
#[allow(dead_code)]
mod cli_codes;

use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use vyre_ir::Code;
use vyre_ir::code::PARTS;

/// A command line that fails, with the files it needs.
struct Case {
    code: &'static str,
    files: Vec<(&'static str, Cow<'static, [u8]>)>,
    /// May begin with `NAME=VALUE` for the environment.
    args: &'static str,
}

/// How an error was made, and what it says.
struct Example {
    code: &'static str,
    made: String,
    text: String,
}

fn tables() -> Vec<Code> {
    let tables = [
        vyre_ir::codes::CODES,
        vyre::opt::codes::CODES,
        vyre_wgsl::codes::CODES,
        vyre::codes::CODES,
        vyre_reference::codes::CODES,
        vyre_wgpu::codes::CODES,
        vyre_cuda::codes::CODES,
        vyre_ptx::codes::CODES,
        vyre_cpu::codes::CODES,
        vyre_bench::codes::CODES,
        cli_codes::CODES,
    ];
    let mut codes = tables.concat();
    let part = |code: &Code| PARTS.iter().position(|(letter, _)| code.name().starts_with(*letter));
    codes.sort_by_key(|code| (part(code), code.name()));
    codes
}

fn case(code: &'static str, args: &'static str, files: &[(&'static str, &'static str)]) -> Case {
    Case { code, args, files: files.iter().map(|(name, text)| (*name, text.as_bytes().into())).collect() }
}

/// A case with one file, whose contents are made.
fn made(code: &'static str, args: &'static str, name: &'static str, bytes: impl Into<Vec<u8>>) -> Case {
    Case { code, args, files: vec![(name, Cow::Owned(bytes.into()))] }
}

fn run(case: &Case) -> Example {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in &case.files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyre"));
    // Without the GPUs of the machine.
    command.env("VK_DRIVER_FILES", "none.json").env("VYRE_LIBCUDA", "none");
    command.current_dir(folder.path());
    for name in ["VYRE_DEBUG", "VYRE_DUMP", "VYRE_THREADS", "VYRE_CPU", "VYRE_LIBCUDA"] {
        command.env_remove(name);
    }
    command.env("VYRE_CACHE_DIR", "off");
    let mut words = case.args.split_whitespace();
    for word in words.by_ref().take_while(|word| *word != "vyre") {
        let (name, value) = word.split_once('=').unwrap();
        command.env(name, value);
    }
    let output = command.args(words).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let text = if matches!(output.status.code(), Some(1 | 2)) { text } else { output.status.to_string() };
    // Later diagnostics belong to other codes or repeat this one.
    let text = text.trim_end();
    let text = text.find("\nerror[").map_or(text, |end| &text[..end]);
    Example { code: case.code, made: format!("$ {}", case.args), text: portable(text) }
}

/// The text without what differs from machine to machine.
fn portable(text: &str) -> String {
    match (text.find(" bytes of memory and "), text.find(" are available")) {
        (Some(from), Some(to)) => format!("{} bytes of memory and ...{}", &text[..from], &text[to..]),
        _ => text.into(),
    }
}

fn examples() -> Vec<Example> {
    let mut cases = programs::cases();
    cases.extend(commands::cases());
    let mut examples: Vec<Example> = cases.iter().map(run).collect();
    examples.extend(calls::calls().into_iter().map(|(code, made, text)| Example {
        code,
        made: format!("// {made}"),
        text,
    }));
    examples
}

#[test]
fn every_error_is_provoked_and_documented() {
    let (codes, examples) = (tables(), examples());
    let mut wrong = String::new();
    for pair in codes.windows(2).filter(|pair| pair[0] == pair[1]) {
        writeln!(wrong, "{} is in two tables", pair[0]).unwrap();
    }
    for code in &codes {
        let count = examples.iter().filter(|example| *code == example.code).count();
        if count != usize::from(code.no_example().is_none()) {
            writeln!(wrong, "{code} has {count} examples").unwrap();
        }
        if !PARTS.iter().any(|(letter, _)| code.name().starts_with(*letter)) {
            writeln!(wrong, "{code} belongs to no part").unwrap();
        }
    }
    for example in &examples {
        if let Some(why) = fault(example) {
            writeln!(wrong, "{}: {}: {why}\n{}\n", example.code, example.made, example.text).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let (path, page) =
        (Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md"), page(&codes, &examples));
    if std::env::var_os("VYRE_BLESS").is_some() {
        return std::fs::write(path, page).unwrap();
    }
    // Elsewhere the system words its errors in another way.
    if !cfg!(target_os = "linux") {
        return;
    }
    let current = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert!(current == page, "docs/errors.md is not current: run `cargo xtask bless`");
}

/// What is wrong with the form of a message: its first line has no period, its fix is a sentence.
fn fault(example: &Example) -> Option<String> {
    let text = &example.text;
    let first = text.lines().next().unwrap_or_default();
    if !["error", "warning"].iter().any(|severity| text.contains(&format!("{severity}[{}]: ", example.code)))
    {
        return Some("another error is reported".into());
    }
    if text.contains("panicked") {
        return Some("it panics".into());
    }
    let (message, fix) = first.split_once(" Fix: ").unwrap_or((first, ""));
    if message.ends_with('.') {
        return Some("the message ends with a period".into());
    }
    let fix = text.split_once("Fix: ").map_or(fix, |(_, fix)| fix).trim_end();
    let sentence = fix.ends_with(['.', '?']) && !fix.starts_with(|c: char| c.is_lowercase());
    (!fix.is_empty() && !sentence).then(|| "the fix is no sentence".into())
}

fn page(codes: &[Code], examples: &[Example]) -> String {
    let mut page = String::from(
        "# Errors\n\nGenerated from the tables of codes in the crates and from the errors that \
         `crates/cli/tests/errors` provokes, by `cargo xtask bless`. A code keeps its meaning from version to version.\n",
    );
    for (letter, title) in PARTS {
        write!(page, "\n## {letter}: {title}\n").unwrap();
        for code in codes.iter().filter(|code| code.name().starts_with(letter)) {
            write!(page, "\n### {code}\n\n{}", code.meaning()).unwrap();
            match (code.no_example(), examples.iter().find(|example| *code == example.code)) {
                (Some(why), _) => writeln!(page, " No example: {why}.").unwrap(),
                (None, Some(Example { made, text, .. })) => {
                    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
                    write!(page, "\n\n```text\n{made}\n{}\n```\n", lines.join("\n")).unwrap();
                }
                (None, None) => unreachable!("the test has failed before"),
            }
        }
    }
    page
}
