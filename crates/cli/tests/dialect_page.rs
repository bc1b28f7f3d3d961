//! What `docs/add-a-dialect.md` shows is so: its files are written, its commands run, its code is the example crate's.

use std::path::Path;
use std::process::Command;

const PAGE: &str = include_str!("../../../docs/add-a-dialect.md");
const CRATE: &str = include_str!("../../../examples/dialect-crate/src/lib.rs");

/// The page's blocks: the text before, the language, what is in it.
fn blocks() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut parts = PAGE.split("```");
    let mut blocks = Vec::new();
    while let (Some(before), Some(block)) = (parts.next(), parts.next()) {
        let (language, content) = block.split_once('\n').unwrap();
        blocks.push((before, language, content));
    }
    blocks
}

/// The file's name that comes last before its block.
fn name(before: &str) -> &str {
    let names = before.split('`').skip(1).step_by(2);
    names.filter(|word| word.ends_with(".toml") || word.ends_with(".vyre")).last().unwrap()
}

/// What a command prints on both streams, without the report that `vyre run` writes beside values.
fn run(folder: &Path, line: &str) -> String {
    let args = line.strip_prefix("vyre ").unwrap().split_whitespace();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyre"));
    // Without the GPUs of the machine.
    command.env("VK_DRIVER_FILES", "none.json").env("VYRE_LIBCUDA", "none");
    command.current_dir(folder).args(args).env("VYRE_CACHE_DIR", "off");
    for name in ["VYRE_DEBUG", "VYRE_DUMP"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let text = if output.status.success() { output.stdout } else { output.stderr };
    String::from_utf8(text).unwrap()
}

#[test]
fn files_and_commands_are_as_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut commands = 0;
    for (before, language, content) in blocks() {
        match language {
            "toml" | "vyre" => std::fs::write(folder.path().join(name(before)), content).unwrap(),
            "console" => {
                for shown in content.split("$ ").skip(1) {
                    let (line, expected) = shown.split_once('\n').unwrap();
                    assert_eq!(run(folder.path(), line).trim_end(), expected.trim_end(), "{line}");
                    commands += 1;
                }
            }
            _ => (),
        }
    }
    assert_eq!(commands, 4);
}

#[test]
fn code_is_that_of_the_example() {
    let code: Vec<_> = blocks().into_iter().filter(|(_, language, _)| *language == "rust").collect();
    assert_eq!(code.len(), 3);
    for (_, _, content) in code {
        assert!(CRATE.contains(content), "{content}");
    }
}
