//! docs/add-a-backend.md does what it says: its commands are run, its files written, in a folder outside of the
//! repository, and the backend made so passes the conformance suite.

use std::path::Path;
use std::process::Command;

/// Fenced blocks in order: language, the line before it that is not empty, and text.
fn blocks(page: &str) -> Vec<(&str, &str, String)> {
    let (mut blocks, mut before) = (Vec::new(), "");
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        match line.strip_prefix("```") {
            Some(language) => {
                let text = lines.by_ref().take_while(|l| *l != "```").map(|l| format!("{l}\n")).collect();
                blocks.push((language, before, text));
            }
            None if !line.is_empty() => before = line,
            None => {}
        }
    }
    blocks
}

/// The build folder that this test was built in, so that crates from elsewhere are not compiled twice.
fn build_folder() -> std::path::PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).expect("target/debug/deps/test").to_path_buf()
}

#[test]
fn the_page_leads_to_a_backend_that_conforms() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let page = std::fs::read_to_string(root.join("docs/add-a-backend.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // Crates from elsewhere are built as they are in this workspace. Its own are built once more whatever the settings, since
    // cargo tells them apart by their path from the workspace's folder: not optimized, that takes a fifth of the time.
    std::fs::create_dir(folder.path().join(".cargo")).unwrap();
    let mut settings = String::from(
        "[profile.dev]\nopt-level = 0\ndebug = 0\n[profile.dev.package.\"*\"]\nopt-level = 2\ndebug = false\n",
    );
    for member in ["ir", "opt", "wgsl", "driver", "reference", "conformance", "ops"] {
        settings += &format!("[profile.dev.package.vyre-{member}]\nopt-level = 0\n");
    }
    std::fs::write(folder.path().join(".cargo/config.toml"), settings).unwrap();
    let mut printed = String::new();
    let mut ran = 0;
    for (language, before, text) in blocks(&page) {
        let file = match language {
            "sh" => {
                // Each block goes on where the one before ended: in the new crate, once it is there.
                let inside = folder.path().join("simple");
                let place = if inside.is_dir() { inside } else { folder.path().to_path_buf() };
                let output = Command::new("bash")
                    .args(["-euc", &text])
                    .current_dir(place)
                    .env("VYRE", &root)
                    .env("CARGO_TARGET_DIR", build_folder())
                    .env("CARGO_NET_OFFLINE", "true")
                    .env_remove("CARGO_PROFILE_DEV_DEBUG")
                    .output()
                    .expect("bash runs");
                printed = String::from_utf8_lossy(&output.stdout).into_owned();
                let errors = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{text}\n{printed}\n{errors}");
                ran += 1;
                continue;
            }
            "toml" => "simple/Cargo.toml",
            "rust" => "simple/src/bin/conform.rs",
            other => panic!("a block in `{other}`"),
        };
        assert!(page.contains(file.trim_start_matches("simple/")), "the page names {file}: {before}");
        let text = text.replace("$VYRE", root.to_str().unwrap());
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    assert_eq!(ran, 2);
    assert!(printed.contains("by name: simple, by policy: simple"), "{printed}");
    let passed = printed.lines().last().unwrap().strip_suffix(" passed, 0 unsupported, 0 failed");
    let passed: usize = passed.unwrap_or_else(|| panic!("{printed}")).parse().unwrap();
    assert!(passed >= 150, "only {passed} programs were run");
}
