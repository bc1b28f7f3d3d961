//! Measured memory bandwidth: what it is measured by, and where it is kept.

mod common;
mod null;

use common::{fake, places, plain};
use std::fs;
use std::path::{Path, PathBuf};
use vyre_driver::*;
use vyre_null::{Fault, FaultPlan, Log, NullBackend, NullOptions};

const BYTES: u64 = 4096;

/// A device that says how long submissions took, and takes buffers of 4096 bytes.
fn device(times: Submitted, change: impl FnOnce(&mut NullOptions)) -> (Device, Log) {
    let mut options = NullOptions { times, ..NullOptions::default() };
    options.limits.storage_binding_bytes = BYTES;
    change(&mut options);
    let backend = NullBackend::new(options, FaultPlan::default());
    let log = backend.log();
    (Device::new(Box::new(backend)), log)
}

fn device_ns(ns: u64) -> Submitted {
    Submitted { device_ns: Some(ns), ..Submitted::default() }
}

/// How often a line is in what was done, repetitions counted.
fn launches(log: &Log) -> Vec<u64> {
    let of = |submission: &String| {
        let times = submission.lines().find_map(|line| line.trim().strip_prefix("repeat "));
        let launches = submission.lines().filter(|line| line.trim().starts_with("launch")).count() as u64;
        times.map_or(1, |times| times.parse().unwrap()) * launches
    };
    log.submissions().iter().map(of).filter(|n| *n > 0).collect()
}

#[test]
fn bytes_read_and_written_by_the_time_of_the_device() {
    let (quick, log) = device(device_ns(1000), |_| {});
    // Four times forth and back in a submission, read and written: 4 * 2 * 2 * 4096 bytes in 1000 ns.
    assert_eq!(quick.measure_bandwidth().unwrap(), 65.536);
    assert_eq!(launches(&log), [2, 8, 8, 8]);
    assert_eq!((log.problems(), log.live_allocations()), (vec![], 0));
    let copied = log.submissions().iter().filter(|s| s.contains("download m1 4080..4096")).count();
    assert_eq!(copied, 4, "{:?}", log.submissions());

    // One that takes long, also at the second attempt, copies forth and back once: 2 * 2 * 4096 bytes in 0.1 s.
    let (slow, log) = device(device_ns(100_000_000), |_| {});
    assert_eq!(slow.measure_bandwidth().unwrap(), 16384.0 / 1e8);
    assert_eq!(launches(&log), [2, 2, 2, 2, 2]);
}

#[test]
fn without_a_clock_of_the_device_that_of_the_host_counts() {
    for times in [Submitted::default(), device_ns(0)] {
        let rate = device(times, |_| {}).0.measure_bandwidth().unwrap();
        assert!(rate.is_finite() && rate > 0.0, "{rate}");
    }
}

#[test]
fn buffers_are_as_large_as_the_device_takes() {
    let sizes = |change: fn(&mut NullOptions)| {
        let (device, log) = device(device_ns(1000), |options| {
            options.limits.storage_binding_bytes = 1 << 17;
            change(options);
        });
        device.measure_bandwidth().unwrap();
        let calls = log.calls();
        let sizes =
            calls.iter().filter_map(|call| call.strip_prefix("allocate ")?.split(' ').next()?.parse().ok());
        sizes.collect::<Vec<u64>>()
    };
    assert_eq!(sizes(|_| {}), [65536, 65536, 131072, 131072]);
    assert_eq!(sizes(|o| o.limits.storage_binding_bytes = 1004), [992, 992]);
    assert_eq!(sizes(|o| o.limits.storage_binding_bytes = 16), [16, 16]);
    // Workgroups of 8 vectors, 3 of them.
    assert_eq!(
        sizes(|o| {
            o.limits.workgroup_size = [8, 1, 1];
            o.limits.workgroups_per_dimension = 3;
        }),
        [384, 384]
    );
    // No room to grow: what fits is measured.
    assert_eq!(sizes(|o| o.memory_bytes = 300_000), [65536, 65536, 131072, 131072]);
    // One that takes long does not grow.
    assert_eq!(sizes(|o| o.times = device_ns(50_000_000)), [65536, 65536]);
}

#[test]
fn what_fails_is_an_error() {
    let (device, log) = device(device_ns(1000), |_| {});
    log.plan(0, Fault::CompileFailed);
    assert_eq!(device.measure_bandwidth().unwrap_err().code(), "D007");
    log.plan(log.calls().len() as u64 + 1, Fault::OutOfMemory);
    assert_eq!(device.measure_bandwidth().unwrap_err().code(), "D006");
    log.plan(log.calls().len() as u64 + 4, Fault::DeviceLost);
    assert_eq!(device.measure_bandwidth().unwrap_err().code(), "D012");
    assert_eq!(log.live_allocations(), 0);
}

fn profile(name: &str) -> DeviceProfile {
    DeviceProfile { name: name.into(), ..plain("kept", DeviceKind::Cpu) }
}

/// The files in a folder of a cache.
fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder.join("bandwidths")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn values_outlive_the_process_and_belong_to_one_device() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Bandwidths::in_folder(folder.path());
    assert_eq!(first.get(&profile("a")), None);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "looking makes nothing");
    first.keep(&profile("a"), 12.5).unwrap();
    let second = Bandwidths::in_folder(folder.path());
    assert_eq!((first.get(&profile("a")), second.get(&profile("a"))), (Some(12.5), Some(12.5)));
    let others = [
        profile("b"),
        DeviceProfile { backend: "other", ..profile("a") },
        DeviceProfile { driver: "fake 2".into(), ..profile("a") },
        DeviceProfile { compute_units: 2, ..profile("a") },
    ];
    for other in &others {
        assert_eq!(second.get(other), None);
    }
    // What is no bandwidth is not kept.
    for rate in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        first.keep(&profile("b"), rate).unwrap();
        assert_eq!(first.get(&profile("b")), None);
    }
    first.keep(&profile("a"), 13.0).unwrap();
    assert_eq!((second.get(&profile("a")), files(folder.path()).len()), (Some(13.0), 1));
    assert_eq!(first.clear().unwrap().entries, 1);
    assert_eq!((first.get(&profile("a")), second.get(&profile("a"))), (None, None));
}

#[test]
fn damaged_and_foreign_values_are_not_there_and_are_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut known = Bandwidths::in_folder(folder.path());
    known.keep(&profile("a"), 12.5).unwrap();
    let path = files(folder.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    let mut damaged = vec![Vec::new(), whole[..whole.len() - 1].to_vec(), [&whole[..], b"x"].concat()];
    for at in [0, 8, 40, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        damaged.push(flipped);
    }
    for bytes in damaged {
        fs::write(&path, &bytes).unwrap();
        assert_eq!(Bandwidths::in_folder(folder.path()).get(&profile("a")), None);
        known.keep(&profile("a"), 12.5).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
    // Of another device, under this one's name.
    let mut other = Bandwidths::in_folder(&folder.path().join("other"));
    other.keep(&profile("b"), 99.0).unwrap();
    fs::copy(&files(&folder.path().join("other"))[0], &path).unwrap();
    assert_eq!(Bandwidths::in_folder(folder.path()).get(&profile("a")), None);
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_write_is_not_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    Bandwidths::in_folder(folder.path()).keep(&profile("a"), 12.5).unwrap();
    let path = files(folder.path()).remove(0);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(Bandwidths::in_folder(folder.path()).get(&profile("a")), None);
}

#[test]
fn many_write_at_once_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let folder = folder.path();
            scope.spawn(move || {
                let mut known = Bandwidths::in_folder(folder);
                for i in 0..16 {
                    known.keep(&profile(&format!("{writer} {i}")), 1.0 + (writer * 16 + i) as f32).unwrap();
                    known.keep(&profile("common"), 7.0).unwrap();
                    // Another one's, whole or not there.
                    let fresh = Bandwidths::in_folder(folder);
                    assert_eq!(fresh.get(&profile("common")), Some(7.0));
                }
            });
        }
    });
    let known = Bandwidths::in_folder(folder.path());
    for n in 0..128 {
        assert_eq!(known.get(&profile(&format!("{} {}", n / 16, n % 16))), Some(1.0 + n as f32));
    }
}

#[test]
fn there_are_only_so_many() {
    let folder = tempfile::tempdir().unwrap();
    let mut known = Bandwidths::in_folder(folder.path());
    for i in 0..1000 {
        known.keep(&profile(&i.to_string()), 1.0).unwrap();
    }
    let bytes: u64 = files(folder.path()).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(bytes > 32 << 10 && bytes <= 64 << 10, "{bytes}");
    assert_eq!(Bandwidths::in_folder(folder.path()).get(&profile("999")), Some(1.0));
}

#[test]
fn a_folder_that_cannot_be_written_costs_only_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    // Not a folder: also for a user who may write everywhere.
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let mut known = Bandwidths::in_folder(&file);
    let error = known.keep(&profile("a"), 12.5).unwrap_err();
    assert_eq!(error.code(), "D014");
    assert!(error.to_string().contains("file") && error.to_string().contains("VYRE_CACHE_DIR"), "{error}");
    assert_eq!((known.get(&profile("a")), known.get(&profile("b"))), (Some(12.5), None));
    assert_eq!(Bandwidths::in_folder(&file).get(&profile("a")), None);
    // Without a folder nothing is kept for others.
    let mut own = Bandwidths::default();
    own.keep(&profile("a"), 1.0).unwrap();
    assert_eq!((own.get(&profile("a")), Bandwidths::default().get(&profile("a"))), (Some(1.0), None));
}

fn gpu(backend: &'static str) -> DeviceProfile {
    plain(backend, DeviceKind::DiscreteGpu)
}
fake!(A, "a", probed || Ok(vec![gpu("a"), DeviceProfile { name: "another a".into(), ..gpu("a") }]));
fake!(B, "b", opened || Ok(vec![gpu("b")]));
fake!(C, "c", probed || Ok(vec![DeviceProfile { mem_bw_gbps: Some(3.0), ..gpu("c") }]));

#[test]
fn a_survey_that_knows_orders_by_it() {
    let mut known = Bandwidths::default();
    let explain = |known: &Bandwidths| {
        let mut survey = Survey::new().unwrap();
        survey.know(known);
        survey.explain(&AcquirePolicy::gpu())
    };
    let all = explain(&known);
    assert_eq!(places(&all)[0], "c");
    assert_eq!(all[1].reason, "`c` has more memory bandwidth: 3 GB/s, that of this was not measured");
    known.keep(&DeviceProfile { name: "another a".into(), ..gpu("a") }, 5.0).unwrap();
    known.keep(&gpu("b"), 4.0).unwrap();
    // What a device says itself counts.
    known.keep(&gpu("c"), 100.0).unwrap();
    let all = explain(&known);
    assert_eq!(places(&all), ["a:1", "b", "c", "a"]);
    assert_eq!(all[2].reason, "`a:1` has more memory bandwidth: 5 GB/s, this has 3");
    // Also when it is open.
    assert!(all[0].open_ns.is_some());
    let rates: Vec<_> = all.iter().map(|c| c.profile.as_ref().unwrap().mem_bw_gbps).collect();
    assert_eq!(rates[..4], [Some(5.0), Some(4.0), Some(3.0), None]);
    let require = DeviceRequirements { mem_bw_gbps: Some(4.5), ..Default::default() };
    let mut survey = Survey::new().unwrap();
    survey.know(&known);
    assert_eq!(survey.devices().map(|c| &*c.id).collect::<Vec<_>>(), ["cpu-ref", "a", "a:1", "b", "c"]);
    let fast = AcquirePolicy { require, ..AcquirePolicy::gpu() };
    assert_eq!(Device::acquired(|| survey.acquire(&fast)).unwrap().profile().name, "another a");
}
