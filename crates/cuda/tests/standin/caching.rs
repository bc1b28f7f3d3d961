//! Compiled programs on disk: found by the next process and the next device, of no harm when they are damaged, and made
//! anew for another kind of device or another driver.

use crate::{VARIABLE, affine, bytes, compile, device, in_a_process, metric, on, sums, words};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vyre_driver::{CacheConfig, CacheSource, DiskCacheConfig, DispatchConfig};
use vyre_libcuda::Configuration;

const FOLDER: &str = "VYRE_TEST_FOLDER";
const SOURCE: &str = "VYRE_TEST_SOURCE";

/// Compiles and runs programs with entries in that folder; gives where they were found.
fn compiled(name: &str, folder: &Path) -> CacheSource {
    let device = device(name);
    let disk = DiskCacheConfig { directory: folder.into(), bytes: 1 << 24 };
    device.set_cache(CacheConfig { disk: Some(disk), ..CacheConfig::default() });
    let before = ["cuda compilations", "cuda loads"].map(|name| metric(&device, name));
    let (add, sums) = (compile(&device, &affine(11, 13)), compile(&device, &sums()));
    let out = add.dispatch(&[&bytes(&[1, 2, 3])], &DispatchConfig::default()).unwrap();
    assert_eq!(words(&out.buffers[0]), [24, 35, 46]);
    let out = sums.dispatch(&[&bytes(&[4; 100]), &[0; 4]], &DispatchConfig::default()).unwrap();
    assert_eq!((words(&out.buffers[0]), words(&out.buffers[1])), (vec![400; 100], vec![400]));
    let after = ["cuda compilations", "cuda loads"].map(|name| metric(&device, name));
    let made = [after[0] - before[0], after[1] - before[1]];
    match [add.source(), sums.source()].contains(&CacheSource::Compiled) {
        true => assert!(made[0] > 0, "{made:?}"),
        false => assert!(made[0] == 0 && made[1] >= 2, "the driver compiles nothing: {made:?}"),
    }
    add.source()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.to_str().unwrap().ends_with(".vyre-pipeline")).collect()
}

#[test]
fn another_process_and_another_device_find_them() {
    let Some(library) = vyre_libcuda::path() else { return };
    let folder = tempfile::tempdir().unwrap();
    on(Configuration { devices: 2, ..Default::default() }, |_| {
        assert_eq!(compiled("cuda", folder.path()), CacheSource::Compiled);
        assert_eq!(compiled("cuda:1", folder.path()), CacheSource::Disk);
    });
    for (options, source) in [
        ("devices=2", "Disk"),
        ("driver=12090", "Compiled"),
        ("driver=12090", "Disk"),
        ("capability=9.1", "Compiled"),
        ("capability=8.0", "Compiled"),
        ("", "Disk"),
    ] {
        let (folder, library) = (folder.path().to_str().unwrap(), library.to_str().unwrap());
        let environment =
            [(FOLDER, folder), (VARIABLE, library), ("VYRE_LIBCUDA_OPTIONS", options), (SOURCE, source)];
        in_a_process("caching::found", &environment);
    }
}

#[test]
#[ignore = "runs in a process of its own, with what another one left"]
fn found() {
    let folder = std::env::var_os(FOLDER).unwrap();
    let source = format!("{:?}", compiled("cuda", Path::new(&folder)));
    assert_eq!(source, std::env::var(SOURCE).unwrap());
}

#[test]
fn damaged_ones_are_made_anew() {
    on(Configuration::default(), |_| {
        let folder = tempfile::tempdir().unwrap();
        compiled("cuda", folder.path());
        for path in entries(folder.path()) {
            let good = std::fs::read(&path).unwrap();
            for step in 0..8 {
                let at = step * good.len() / 8;
                let mut bad = good.clone();
                bad[at] ^= 0x41;
                for bad in [&bad[..], &good[..at]] {
                    std::fs::write(&path, bad).unwrap();
                    compiled("cuda", folder.path());
                    assert_eq!(compiled("cuda", folder.path()), CacheSource::Disk);
                }
            }
        }
    });
}

/// The backend is told bytes that are whole, but of another program or of nothing: it does not take them.
#[test]
fn code_of_something_else_is_not_taken() {
    on(Configuration::default(), |_| {
        let backend = vyre_driver::acquire("cuda").unwrap();
        let legal = |program| {
            let target = backend.target().unwrap();
            Arc::new(vyre_opt::run(&program, &target, Default::default()))
        };
        let one = legal(affine(1, 1));
        let two = legal(crate::wgsl("@compute @workgroup_size(3) fn two() {}"));
        let code = backend.compile(&one, &Default::default()).unwrap().code().unwrap();
        // SAFETY: nothing of it is executed.
        let loaded = |program, code| unsafe { backend.load(program, code, &Default::default()) };
        assert!(loaded(&one, &code).unwrap().is_some());
        assert!(loaded(&two, &code).unwrap().is_none());
        for end in [0, 3, 40, code.len() - 1, code.len() / 2] {
            assert!(loaded(&one, &code[..end]).unwrap().is_none(), "{end} of {} bytes", code.len());
        }
    });
}
