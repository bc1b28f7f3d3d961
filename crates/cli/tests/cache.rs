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
        // Without the GPUs of the machine.
        command.env("VK_DRIVER_FILES", "none.json").env("VYRE_LIBCUDA", "none");
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

const SCALE: &str = "
program scale workgroup(64, 1, 1) {
  buffer data: f32[] storage read_write @group(0) @binding(0)
  %0: u32 = global_id x
  %1: f32 = load data[%0]
  %2: f32 = const 0.5
  %3: f32 = mul %1, %2
  store data[%0], %3
}";

/// Runs the program, which must give what it gives.
const RUN: &str = "run scale.vyre --backend cpu --set data=[2,3,5]";

impl Folder {
    fn with_program() -> Folder {
        let folder = Folder::new();
        std::fs::write(folder.path().join("scale.vyre"), SCALE).unwrap();
        folder
    }
}

/// Whether a run with correct results compiled, and what the report is.
fn compiled(output: Output) -> Value {
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = json(output);
    assert_eq!(report["outputs"][0]["first"], serde_json::json!([1, 1.5, 2.5]));
    report["compiled"].clone()
}

#[test]
fn the_second_run_takes_what_the_first_compiled() {
    let folder = Folder::with_program();
    let run = || compiled(folder.command(RUN).arg("--json").output().unwrap());
    assert_eq!(run(), "compiled");
    assert_eq!(run(), "disk");
    let report = text(folder.command(RUN).output().unwrap());
    assert!(report.contains("(from the cache)") && !report.contains("optimize"), "{report}");
    let other = compiled(folder.command(RUN).env("VYRE_GANG", "4").arg("--json").output().unwrap());
    assert_eq!(other, "compiled", "gangs of another size are other code");
    let stats = folder.json("cache stats");
    assert!(stats["entries"] == 2 && stats["bytes"].as_u64().unwrap() > 200, "{stats}");
    assert_eq!(folder.json("cache clear")["removed_entries"], 2);
    assert_eq!(run(), "compiled");
}

#[test]
fn a_cache_that_is_off_writes_nothing() {
    let folder = Folder::with_program();
    for _ in 0..2 {
        let output = folder.command(RUN).env("VYRE_CACHE_DIR", "off").arg("--json").output().unwrap();
        assert_eq!(compiled(output), "compiled");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "only the program is there");
}

#[test]
fn several_processes_at_once_share_the_directory() {
    let folder = Folder::with_program();
    for _ in 0..3 {
        let start = |_| {
            let mut command = folder.command(RUN);
            command.arg("--json").stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        };
        let running: Vec<_> = (0..6).map(start).collect();
        for process in running {
            compiled(process.wait_with_output().unwrap());
        }
        assert_eq!(compiled(folder.command(RUN).arg("--json").output().unwrap()), "disk");
        let files = std::fs::read_dir(folder.path().join("cache")).unwrap().count();
        assert_eq!(files, 1, "nothing is left unfinished");
        folder.json("cache clear");
    }
}

#[test]
fn a_damaged_entry_is_compiled_again() {
    let folder = Folder::with_program();
    let run = || compiled(folder.command(RUN).arg("--json").output().unwrap());
    run();
    let path = std::fs::read_dir(folder.path().join("cache")).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 20) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        std::fs::write(&path, damaged).unwrap();
        assert_eq!(run(), "compiled", "byte {at}");
        assert_eq!(run(), "disk");
    }
}

#[test]
fn a_directory_that_cannot_be_used_is_no_error_of_a_run() {
    let folder = Folder::with_program();
    std::fs::write(folder.path().join("cache"), "a file").unwrap();
    for place in ["cache", "cache/below", "/proc/none", "/dev/full"] {
        let output = folder.command(RUN).env("VYRE_CACHE_DIR", place).arg("--json").output().unwrap();
        assert_eq!(compiled(output), "compiled", "{place}");
    }
}

/// A process that may write only files of a few bytes, as on a full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_error_of_a_run() {
    let folder = Folder::with_program();
    let mut shell = Command::new("sh");
    shell.current_dir(folder.path()).env("VYRE_CACHE_DIR", folder.path().join("cache"));
    // Without the trap the signal would end the process; the limit counts blocks of at least 512 bytes.
    let script = format!("trap '' XFSZ; ulimit -f 0; exec '{}' {RUN} --json", env!("CARGO_BIN_EXE_vyre"));
    let output = shell.args(["-c", &script]).output().unwrap();
    assert_eq!(compiled(output), "compiled");
    assert_eq!(folder.json("cache stats")["entries"], 0);
    let files = std::fs::read_dir(folder.path().join("cache")).unwrap().count();
    assert_eq!(files, 0, "nothing is left unfinished");
}
