//! Dialects from files on the command line, and runs that follow them.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::TempDir;

/// `data[i] = tune.up(data[i])`
const PROGRAM: &str = "\
program p workgroup(4, 1, 1) {
  buffer data: u32[4] storage read_write @group(0) @binding(0)
  %0: u32 = global_id x
  %1: u32 = load data[%0]
  %2: u32 = call tune.up %1
  store data[%0], %2
}
";

/// Long enough for the slowest machine; a test that works never waits so long.
const LONG: Duration = Duration::from_secs(120);

fn dialect(by: u32) -> String {
    format!(
        "[dialect]\nname = \"tune\"\nversion = \"1.0.0\"\nrepository = \"https://example.org\"\n\n[[op]]\nname = \"up\"\n\
         doc = \"A little more.\"\noperands = [\"x: u32\"]\nresults = [\"u32\"]\nlanguage = \"wgsl\"\nbody = '''\n\
         fn up(x: u32) -> u32 {{\n  return x + {by}u;\n}}\n'''\n"
    )
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.vyre"), PROGRAM).unwrap();
    std::fs::write(folder.path().join("tune.toml"), dialect(10)).unwrap();
    folder
}

fn command(folder: &Path, args: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyre"));
    // Without the GPUs of the machine.
    command.env("VK_DRIVER_FILES", "none.json").env("VYRE_LIBCUDA", "none");
    command.current_dir(folder).args(args.split_whitespace());
    for name in ["VYRE_DEBUG", "VYRE_DUMP"] {
        command.env_remove(name);
    }
    command.env("VYRE_CACHE_DIR", "off");
    command
}

fn vyre(folder: &Path, args: &str) -> Output {
    command(folder, args).output().unwrap()
}

/// Standard output of a command that works.
fn prints(folder: &Path, args: &str) -> String {
    let output = vyre(folder, args);
    assert!(output.status.success(), "{args}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a command that refuses its input.
fn refuses(folder: &Path, args: &str) -> String {
    let output = vyre(folder, args);
    assert_eq!(output.status.code(), Some(2), "{args}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn every_command_that_reads_programs_loads_dialects() {
    let folder = folder();
    let with = |args: &str| prints(folder.path(), &format!("{args} --load-dialect tune.toml"));
    for backend in ["cpu", "cpu-ref"] {
        let out = with(&format!("run p.vyre --set data=[1,2,3,4] --out data=- --backend {backend}"));
        assert_eq!(out.split_whitespace().collect::<Vec<_>>(), ["11", "12", "13", "14"]);
    }
    assert!(with("check p.vyre").starts_with("p: ok, "));
    assert!(with("emit p.vyre --target vyre").contains("call tune.up@1.0.0 "));
    assert!(with("emit p.vyre --target wgsl").contains("10u"));
    let optimized = with("opt p.vyre");
    assert!(optimized.contains("const 10") && !optimized.contains("call"), "{optimized}");
    let unknown = refuses(folder.path(), "check p.vyre");
    assert!(unknown.contains("error[V012]: there is no operation `tune.up`"), "{unknown}");
}

#[test]
fn operations_of_a_file_are_listed() {
    let folder = folder();
    let list = prints(folder.path(), "ops --dialect tune --load tune.toml");
    assert_eq!(
        list.lines().collect::<Vec<_>>(),
        [
            "",
            "dialect tune 1.0.0, from tune.toml",
            "op tune.up(%x: u32) -> u32",
            "                            A little more.",
            "                            composite; a body of 3 instructions",
        ]
    );
    let json = prints(folder.path(), "ops --dialect tune --load tune.toml --json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["ops"][0]["name"], "tune.up");
}

#[test]
fn problems_show_the_line_of_the_file() {
    let folder = folder();
    std::fs::write(folder.path().join("tune.toml"), dialect(10).replace("10u", "y")).unwrap();
    for args in ["check p.vyre --load-dialect tune.toml", "ops --load tune.toml"] {
        let error = refuses(folder.path(), args);
        assert!(error.contains("error[I001]: no definition in scope for identifier: `y`"), "{error}");
        assert!(error.contains("tune.toml:14:14") && error.contains("return x + y;"), "{error}");
    }
}

#[test]
fn watching_needs_a_file_to_watch() {
    let folder = folder();
    assert!(refuses(folder.path(), "run p.vyre --watch").contains("--load-dialect"));
    for args in
        ["run p.vyre --watch --load-dialect tune.toml --json", "run - --watch --load-dialect tune.toml"]
    {
        assert!(refuses(folder.path(), args).contains("error[C001]: `--watch`"), "{args}");
    }
    assert!(refuses(folder.path(), "run p.vyre --watch --load-dialect none.toml").contains("error[O020]"));
}

/// The lines that a process writes, as it writes them.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_watched_dialect_runs_again_when_it_changes() {
    let folder = folder();
    let args = "run p.vyre --set data=[1,2,3,4] --out data=- --backend cpu --load-dialect tune.toml --watch --repeat 3";
    let mut command = command(folder.path(), args);
    let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let results = lines(running.0.stdout.take().unwrap());
    let messages = lines(running.0.stderr.take().unwrap());
    let result = || -> Vec<u32> {
        (0..4).map(|_| results.recv_timeout(LONG).expect("a result").trim().parse().unwrap()).collect()
    };
    let replace = |text: &str| {
        std::fs::write(folder.path().join("new"), text).unwrap();
        std::fs::rename(folder.path().join("new"), folder.path().join("tune.toml")).unwrap();
    };
    assert_eq!(result(), [11, 12, 13, 14]);
    replace(&dialect(20));
    assert_eq!(result(), [21, 22, 23, 24]);
    // A mistake is shown, and does not end the run.
    replace(&dialect(20).replace("20u", "z"));
    loop {
        let line = messages.recv_timeout(LONG).expect("an error");
        if line.contains("error[I001]: no definition in scope for identifier: `z`") {
            break;
        }
    }
    replace(&dialect(30));
    assert_eq!(result(), [31, 32, 33, 34]);
    assert!(running.0.wait().unwrap().success(), "it ends after three runs");
    assert_eq!(results.recv_timeout(LONG).ok(), None);
}
