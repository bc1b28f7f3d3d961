//! Files of dialects that change while they are watched. Every wait is for an event, not for time.

use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use vyre_driver::{DialectRegistry, DialectReload, DialectWatch};
use vyre_ir::dialect::evaluate;

/// Long enough for the slowest machine; a test that works never waits so long.
const LONG: Duration = Duration::from_secs(120);

fn text(dialect: &str, number: u64) -> String {
    format!(
        "[dialect]\nname = \"{dialect}\"\nversion = \"1.0.0\"\n[[op]]\nname = \"number\"\noperands = [\"x: u32\"]\n\
         results = [\"u32\"]\nbody = '''\n%0: u32 = const {number}\nyield %0\n'''\n"
    )
}

fn number(dialect: &str) -> u64 {
    let registry = DialectRegistry::global();
    evaluate(registry.find(&format!("{dialect}.number")).unwrap(), &[], &[[0; 4]]).unwrap()[0][0]
}

fn watch(path: &Path) -> (DialectWatch, Receiver<DialectReload>) {
    let (sender, receiver) = channel();
    let watch = DialectWatch::start(path, move |reload| drop(sender.send(reload))).unwrap();
    (watch, receiver)
}

/// Waits until the dialect gives that number. A write that is not atomic may show half a file on the way.
fn wait_for(dialect: &str, wanted: u64, changes: &Receiver<DialectReload>) {
    while number(dialect) != wanted {
        let _ = changes.recv_timeout(LONG).expect("a reload");
    }
}

#[test]
fn changes_are_installed_however_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("watched.toml");
    std::fs::write(&path, text("watched", 1)).unwrap();
    let (watch, changes) = watch(&path);
    assert_eq!((watch.path(), watch.first().name.as_str()), (&*path, "watched"));
    assert_eq!(number("watched"), 1);
    // In place.
    std::fs::write(&path, text("watched", 2)).unwrap();
    wait_for("watched", 2, &changes);
    // By a new file that is renamed to the path, as editors do; twice, since the first rename ends watches of files.
    for n in [3, 4] {
        let other = folder.path().join("watched.toml.swp");
        std::fs::write(&other, text("watched", n)).unwrap();
        std::fs::rename(&other, &path).unwrap();
        wait_for("watched", n, &changes);
    }
    // By moving the old file away first.
    std::fs::rename(&path, folder.path().join("watched.toml~")).unwrap();
    std::fs::write(&path, text("watched", 5)).unwrap();
    wait_for("watched", 5, &changes);
    drop(watch);
    assert!(
        changes.iter().all(|reload| reload.is_err()),
        "nothing that waits was left out, and the thread has ended"
    );
    std::fs::write(&path, text("watched", 6)).unwrap();
    assert_eq!(number("watched"), 5);
}

#[test]
fn a_bad_version_keeps_the_old_one_and_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.toml");
    std::fs::write(&path, text("bad", 1)).unwrap();
    let (_watch, changes) = watch(&path);
    let other = folder.path().join("new");
    let replace = |text: &str| {
        std::fs::write(&other, text).unwrap();
        std::fs::rename(&other, &path).unwrap();
        changes.recv_timeout(LONG).expect("a reload")
    };
    let errors = replace(&text("bad", 2).replace("yield %0", "yield %1")).unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        format!("{}:10:7: error[T004]: `%1` is not defined here", path.display())
    );
    assert_eq!(number("bad"), 1);
    let loaded = replace(&text("bad", 3)).unwrap();
    assert_eq!(loaded.ops, ["bad.number"]);
    assert_eq!(number("bad"), 3);
    std::fs::remove_file(&path).unwrap();
    let gone = changes.recv_timeout(LONG).expect("a reload").unwrap_err();
    assert!(gone[0].to_string().contains("error[O020]: cannot read"), "{}", gone[0]);
    assert_eq!(number("bad"), 3);
}

#[cfg(unix)]
#[test]
fn a_link_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real");
    std::fs::create_dir(&real).unwrap();
    let path = folder.path().join("linked.toml");
    std::fs::write(real.join("file.toml"), text("linked", 1)).unwrap();
    std::os::unix::fs::symlink(real.join("file.toml"), &path).unwrap();
    let (_watch, changes) = watch(&path);
    std::fs::write(real.join("file.toml"), text("linked", 2)).unwrap();
    wait_for("linked", 2, &changes);
}

#[test]
fn what_cannot_be_loaded_is_not_watched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.toml");
    let error = DialectWatch::start(&path, |_| ()).err().expect("there is no file");
    assert!(error[0].to_string().contains("error[O020]"), "{}", error[0]);
    std::fs::write(&path, "x").unwrap();
    assert!(DialectWatch::start(&path, |_| ()).is_err());
}
