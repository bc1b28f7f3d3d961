//! Every program of `tests/programs` on code that comes from the disk cache: it computes what compiled code computes.

use vyre::{CacheConfig, Device, DiskCacheConfig};
use vyre_conformance::suite;

#[test]
fn code_from_disk_runs_every_program() {
    let cases = suite::programs();
    let folder = tempfile::tempdir().unwrap();
    let config = CacheConfig {
        memory_bytes: 0,
        disk: Some(DiskCacheConfig { directory: folder.path().into(), bytes: u64::MAX }),
    };
    let mut first_misses = 0;
    for from_disk in [false, true] {
        let device = Device::open("cpu").unwrap();
        device.set_cache(config.clone());
        let report = suite::run(&device, &cases);
        assert!(
            report.failed.is_empty() && report.unsupported.is_empty(),
            "from disk: {from_disk}, {report:#?}"
        );
        let s = device.pipeline_cache_snapshot();
        let disk = s.disk.as_ref().unwrap();
        if from_disk {
            assert_eq!((s.misses, disk.stored), (0, 0), "{s:?}");
            assert!(disk.hits >= first_misses, "{s:?}");
        } else {
            assert!(s.misses >= 150 && disk.stored == s.misses && disk.not_stored.is_empty(), "{s:?}");
            first_misses = s.misses;
        }
    }
}
