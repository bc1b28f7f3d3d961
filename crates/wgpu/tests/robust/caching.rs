//! Compiled programs on disk: found by the next process, of no harm when they are damaged, and each for its own device.

use crate::{affine, backend, bytes, in_a_process, words};
use std::path::Path;
use vyre_conformance::devices::devices;
use vyre_driver::{CacheConfig, CacheSource, Device, DiskCacheConfig, DispatchConfig, VyreBackend};
use vyre_wgpu::Shaders;

const FOLDER: &str = "VYRE_TEST_FOLDER";

/// Compiles and runs a program with entries in that folder; gives where it was found.
fn compiled(name: &str, shaders: Shaders, folder: &Path) -> CacheSource {
    let device = Device::new(Box::new(backend(name, shaders)));
    let disk = DiskCacheConfig { directory: folder.into(), bytes: 1 << 24 };
    device.set_cache(CacheConfig { disk: Some(disk), ..CacheConfig::default() });
    let program = crate::compile(&device, &affine(11, 13));
    let out = program.dispatch(&[&bytes(&[1, 2, 3])], &DispatchConfig::default()).unwrap();
    assert_eq!(words(&out.buffers[0]), [24, 35, 46]);
    program.source()
}

#[test]
fn another_process_finds_them() {
    let folder = tempfile::tempdir().unwrap();
    for name in devices("wgpu") {
        assert_eq!(compiled(&name, Shaders::Best, folder.path()), CacheSource::Compiled, "{name}");
    }
    in_a_process("caching::found", &[(FOLDER, folder.path().to_str().unwrap())]);
}

#[test]
#[ignore = "runs in a process of its own, with what another one left"]
fn found() {
    let folder = std::env::var_os(FOLDER).unwrap();
    for name in devices("wgpu") {
        assert_eq!(compiled(&name, Shaders::Best, Path::new(&folder)), CacheSource::Disk, "{name}");
    }
}

fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.to_str().unwrap().ends_with(".vyre-pipeline")).collect()
}

#[test]
fn damaged_ones_are_made_anew() {
    for name in devices("wgpu") {
        let folder = tempfile::tempdir().unwrap();
        compiled(&name, Shaders::Best, folder.path());
        let path = entries(folder.path()).pop().unwrap();
        let good = std::fs::read(&path).unwrap();
        let steps = good.len() / 12;
        let damaged = (0..12).flat_map(|step| {
            let at = step * steps + step;
            let mut bad = good.clone();
            bad[at] ^= 0x41;
            [bad, good[..at].to_vec()]
        });
        for bad in damaged {
            std::fs::write(&path, &bad).unwrap();
            assert_eq!(compiled(&name, Shaders::Best, folder.path()), CacheSource::Compiled);
            assert_eq!(compiled(&name, Shaders::Best, folder.path()), CacheSource::Disk);
        }
    }
}

/// The backend is told bytes that are whole, but of another program or of nothing: it does not take them.
#[test]
fn code_of_something_else_is_not_taken() {
    for name in devices("wgpu") {
        let backend = backend(&name, Shaders::Best);
        let legal = |program| {
            let target = backend.target().unwrap();
            std::sync::Arc::new(vyre_opt::run(&program, &target, Default::default()))
        };
        let (one, two) = (legal(affine(1, 1)), legal(crate::text("program two workgroup(1, 1, 1) {\n}")));
        let code = backend.compile(&one, &Default::default()).unwrap().code();
        let Some(code) = code else { continue };
        // SAFETY: nothing of it is executed: it is for another number of buffers, and not whole.
        let loaded = |program, code| unsafe { backend.load(program, code, &Default::default()) };
        assert!(loaded(&two, &code).unwrap().is_none());
        assert!(loaded(&one, &[]).unwrap().is_none());
        assert!(loaded(&one, &code[..40]).unwrap().is_none());
    }
}

#[test]
fn no_two_kinds_of_devices_share_them() {
    let folder = tempfile::tempdir().unwrap();
    let names = devices("wgpu");
    let mut versions = Vec::new();
    for name in &names {
        for shaders in [Shaders::Best, Shaders::Modules] {
            assert_eq!(compiled(name, shaders, folder.path()), CacheSource::Compiled, "{name}, {shaders:?}");
            versions.push(backend(name, shaders).code_version());
        }
    }
    versions.sort();
    versions.dedup();
    assert_eq!(versions.len(), 2 * names.len());
    // Modules are wgpu's to translate: nothing is kept of them.
    assert_eq!(entries(folder.path()).len(), names.len());
}
