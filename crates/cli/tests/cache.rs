//! The disk cache as a user meets it: `vyre cache`, and what the environment says.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// The command, with `cache` in the folder as its directory for caches.
    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vyre"));
        command.current_dir(self.path()).args(args.split_whitespace());
        command.env("VYRE_CACHE_DIR", self.path().join("cache"));
        for name in ["VYRE_DEBUG", "VYRE_DUMP", "VYRE_THREADS", "VYRE_GANG"] {
            command.env_remove(name);
        }
        command
    }

    fn json(&self, args: &str) -> Value {
        json(self.command(args).arg("--json").output().unwrap())
    }
}

fn text(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(output: Output) -> Value {
    serde_json::from_str(&text(output)).unwrap()
}

#[test]
fn a_directory_that_is_not_there_is_empty() {
    let folder = Folder::new();
    let directory = folder.path().join("cache").display().to_string();
    let stats = folder.json("cache stats");
    assert_eq!((&stats["directory"], &stats["entries"]), (&Value::from(directory.as_str()), &Value::from(0)));
    assert!(stats["limit"].as_u64().unwrap() > 0 && stats["bytes"] == 0);
    let text = text(folder.command("cache stats").output().unwrap());
    assert!(text.contains(&directory) && text.contains("0 compiled programs"), "{text}");
    assert_eq!(folder.json("cache clear")["removed_entries"], 0);
    assert!(!folder.path().join("cache").exists(), "looking makes nothing");
}

#[test]
fn the_environment_says_where_it_is() {
    let folder = Folder::new();
    for off in ["", "off"] {
        for command in ["cache stats", "cache clear"] {
            let output = folder.command(command).env("VYRE_CACHE_DIR", off).output().unwrap();
            assert!(text(output).contains("the disk cache is off"), "{command} with `{off}`");
            let output = folder.command(command).env("VYRE_CACHE_DIR", off).arg("--json").output().unwrap();
            assert_eq!(json(output)["directory"], Value::Null);
        }
    }
    if cfg!(target_os = "linux") {
        let mut command = folder.command("cache stats");
        command.env_remove("VYRE_CACHE_DIR").env("XDG_CACHE_HOME", folder.path().join("platform"));
        let expect = folder.path().join("platform/vyre").display().to_string();
        assert_eq!(json(command.arg("--json").output().unwrap())["directory"], expect.as_str());
    }
}

#[test]
fn a_directory_that_cannot_be_read_is_an_error_of_the_command_that_asks_for_it() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("cache"), "a file").unwrap();
    for command in ["cache stats", "cache clear"] {
        let output = folder.command(command).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8(output.stderr).unwrap().contains("error[C002]"));
    }
}
