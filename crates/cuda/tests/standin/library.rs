//! Machines without the library, with another one, without a device, with an old driver; and what devices are.

use crate::{VARIABLE, affine, bytes, compile, device, in_a_process, on, on_device, refused, wgsl, words};
use vyre_driver::{AcquirePolicy, BackendError, Device, DeviceKind, DispatchConfig, explain_selection};
use vyre_libcuda::Configuration;

const EXPECTED: &str = "VYRE_TEST_EXPECTED";
const OPTIONS: &str = "VYRE_LIBCUDA_OPTIONS";
const DUMP: &str = "VYRE_DUMP";

/// Opening a device fails with these words.
fn fails(library: &str, options: &str, words: &str) {
    in_a_process("library::failing", &[(VARIABLE, library), (OPTIONS, options), (EXPECTED, words)]);
}

fn stand_in() -> Option<String> {
    Some(vyre_libcuda::path()?.to_str().unwrap().to_string())
}

#[test]
fn no_library() {
    fails("/nowhere/libcuda.so", "", "VYRE_LIBCUDA names;/nowhere/libcuda.so;Correct VYRE_LIBCUDA");
    // The system's, which is not there on the machines that test.
    if vyre_driver::acquire("cuda").is_err() {
        fails("", "", "Fix:");
    }
}

#[test]
fn another_library() {
    let name = if cfg!(target_os = "linux") { "libm.so.6" } else { return };
    fails(name, "", "libm.so.6;no function cuInit;CUDA 11.0");
}

#[test]
fn no_device() {
    let Some(library) = stand_in() else { return };
    fails(&library, "devices=0", "has no device;nvidia-smi");
}

#[test]
fn an_old_driver() {
    let Some(library) = stand_in() else { return };
    fails(&library, "driver=10020", "CUDA 10.2, too old;CUDA 11.0");
}

#[test]
fn an_old_device() {
    let Some(library) = stand_in() else { return };
    fails(&library, "capability=6.1", "Stand-in GPU;6.1;7.0");
}

#[test]
fn a_driver_that_does_not_begin() {
    let Some(library) = stand_in() else { return };
    fails(&library, "fail=cuInit:0:999", "does not begin;CUDA_ERROR_UNKNOWN (999)");
}

#[test]
#[ignore = "runs in a process of its own, with another library"]
fn failing() {
    let expected = std::env::var(EXPECTED).unwrap();
    // Asked twice, it says the same.
    for _ in 0..2 {
        let text = refused(Device::open("cuda"), "D002");
        println!("{text}");
        expected.split(';').for_each(|words| assert!(text.contains(words), "`{words}` is not in: {text}"));
    }
    // Others see that there is none, and why.
    let all = explain_selection(&AcquirePolicy::any()).unwrap();
    let only = all.iter().find(|candidate| candidate.backend == "cuda").unwrap();
    assert!(only.failure.is_some() && only.profile.is_none(), "{only:?}");
}

/// A driver of each age gives code for what its PTX can say.
#[test]
fn drivers_and_devices_of_all_ages() {
    let Some(library) = stand_in() else { return };
    for (driver, capability, expected) in [
        ("11000", "7.0", "sm_70"),
        ("11000", "9.0", "sm_70"),
        ("11040", "8.6", "sm_80"),
        ("12000", "9.0", "sm_90"),
        ("12080", "12.0", "sm_120"),
        ("13000", "10.3", "sm_100"),
    ] {
        let options = format!("driver={driver},capability={capability}");
        in_a_process(
            "library::of_an_age",
            &[(VARIABLE, &library), (OPTIONS, &options), (EXPECTED, expected)],
        );
    }
}

#[test]
#[ignore = "runs in a process of its own, with another driver"]
fn of_an_age() {
    let expected = format!("; {}, PTX ", std::env::var(EXPECTED).unwrap());
    let version = vyre_driver::acquire("cuda").unwrap().code_version();
    assert!(version.contains(&expected), "{version}");
    let out = compile(&device("cuda"), &affine(2, 1)).dispatch(&[&bytes(&[20])], &DispatchConfig::default());
    assert_eq!(words(&out.unwrap().buffers[0]), [41]);
}

#[test]
fn functions_that_only_newer_drivers_have() {
    // Without them the rest does: text instead of code, single launches instead of graphs, memory one by one.
    let missing = ["cuLinkCreate_v2", "cuGraphCreate", "cuGraphAddKernelNode_v2", "cuDeviceCanAccessPeer"];
    let missing = missing.map(String::from).to_vec();
    let configuration = Configuration {
        missing,
        memory_pools: false,
        graphs: false,
        cooperative_launch: false,
        devices: 2,
        ..Default::default()
    };
    on(configuration, |_| {
        let device = device("cuda");
        let profile = device.profile();
        assert!(!profile.supports_grid_sync && !profile.supports_persistent_threads);
        let add = compile(&device, &affine(3, 1));
        for _ in 0..3 {
            let config = DispatchConfig { iterations: 10, ..Default::default() };
            let out = add.dispatch(&[&bytes(&[1, 2])], &config).unwrap();
            let ten = |n: u32| (0..10).fold(n, |n, _| n * 3 + 1);
            assert_eq!(words(&out.buffers[0]), [ten(1), ten(2)]);
        }
    });
}

#[test]
fn every_device_is_one() {
    on(Configuration { devices: 3, ..Default::default() }, |_| {
        let all = explain_selection(&AcquirePolicy::any()).unwrap();
        let mut names: Vec<&str> =
            all.iter().filter(|c| c.backend == "cuda" && c.failure.is_none()).map(|c| &*c.id).collect();
        names.sort_unstable();
        assert_eq!(names, ["cuda", "cuda:1", "cuda:2"]);
        let devices: Vec<Device> = names.iter().map(|name| device(name)).collect();
        for (number, device) in (0..).zip(&devices) {
            let profile = device.profile();
            assert_eq!((profile.kind, profile.subgroup_size), (DeviceKind::DiscreteGpu, 32));
            assert!(profile.exact_floats && !profile.host_memory && profile.supports_grid_sync);
            assert!(
                profile.driver.contains("CUDA 12.8") && profile.driver.contains("9.0"),
                "{}",
                profile.driver
            );
            assert_eq!(profile.compute_units, 4);
            // Devices of the stand-in do not reach each other's memory.
            assert_eq!(crate::metric(device, "cuda peer devices"), 0);
            let out =
                compile(device, &affine(7, number)).dispatch(&[&bytes(&[3])], &DispatchConfig::default());
            assert_eq!(words(&out.unwrap().buffers[0]), [21 + number]);
        }
        let text = refused(Device::open("cuda:3"), "D002");
        assert!(text.contains("has 3"), "{text}");
    });
}

#[test]
fn checked_mode_is_refused() {
    on_device(|device, _| {
        let config = DispatchConfig { checked: true, ..Default::default() };
        refused(device.compile(&affine(1, 1), &config), "D023");
    });
}

/// An access that is promised to be in bounds and is not loses the device, and says so.
#[test]
fn a_broken_promise_loses_the_device() {
    on(Configuration::default(), |_| {
        let device = device("cuda");
        let far = wgsl(
            "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
            @compute @workgroup_size(1) fn far() { data[data[0]] = 1u; }",
        );
        let config = DispatchConfig { unchecked: true, ..crate::workgroups(1, 1, 1) };
        let checked = compile(&device, &far);
        let inputs = bytes(&[1 << 29, 2]);
        let out = checked.dispatch(&[&inputs], &crate::workgroups(1, 1, 1)).unwrap();
        assert_eq!(words(&out.buffers[0]), [1 << 29, 2]);
        let unchecked = device.compile(&far, &config).unwrap();
        let text = refused(unchecked.dispatch(&[&inputs], &config), "D012");
        assert!(text.contains("CUDA_ERROR_"), "{text}");
        device.try_recover().unwrap();
        let out = unchecked.dispatch(&[&bytes(&[1, 2])], &config).unwrap();
        assert_eq!(words(&out.buffers[0]), [1, 1]);
    });
}

/// Text that the driver's compiler refuses is a bug in vyre, with the compiler's words.
#[test]
fn what_the_driver_does_not_compile() {
    on(Configuration::default(), |control| {
        let failure = |function: &str, code| vyre_libcuda::FaultPlan {
            failures: vec![vyre_libcuda::Failure { function: function.into(), call: 0, code }],
            ..Default::default()
        };
        let device = device("cuda");
        for (function, code, name) in [
            ("cuLinkAddData_v2", 218, "CUDA_ERROR_INVALID_PTX"),
            ("cuLinkComplete", 222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"),
            ("cuModuleLoadDataEx", 200, "CUDA_ERROR_INVALID_IMAGE"),
        ] {
            control.plan(failure(function, code));
            let text = refused(device.compile(&affine(1, code as u32), &Default::default()), "D007");
            assert!(text.contains(name), "{text}");
        }
        control.plan(failure("cuLinkAddData_v2", 221));
        let text = refused(device.compile(&affine(1, 5), &Default::default()), "D002");
        assert!(text.contains("ptxjitcompiler"), "{text}");
        control.plan(Default::default());
        compile(&device, &affine(1, 5));
    });
}

/// The program and the text come with the error to whoever asks for them, and can be read again.
#[test]
fn what_the_driver_does_not_compile_is_written() {
    let Some(library) = stand_in() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let file = format!("{folder}/file");
    std::fs::write(&file, "").unwrap();
    for dump in [folder, &file, ""] {
        let options = "fail=cuLinkAddData_v2:0:218";
        in_a_process("library::written", &[(VARIABLE, &library), (OPTIONS, options), (DUMP, dump)]);
    }
}

#[test]
#[ignore = "runs in a process of its own, on a driver that does not compile"]
fn written() {
    let folder = std::env::var(DUMP).unwrap();
    let device = device("cuda");
    let text = refused(device.compile(&affine(11, 13), &Default::default()), "D007");
    println!("{text}");
    if !std::path::Path::new(&folder).is_dir() {
        let expected = if folder.is_empty() { "VYRE_DUMP=FOLDER" } else { "could not be written" };
        return assert!(text.contains(expected) && text.contains(&folder), "{text}");
    }
    let reports: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let report = reports.iter().find(|path| path.is_dir()).unwrap();
    assert!(text.contains(report.to_str().unwrap()), "{text}");
    let ptx = std::fs::read_to_string(report.join("kernel.ptx")).unwrap();
    assert!(ptx.starts_with(".version ") && ptx.contains(".entry affine") && ptx.ends_with("}\n"), "{ptx}");
    let program = std::fs::read_to_string(report.join("program.vyre")).unwrap();
    let program = vyre_ir::text::parse("program.vyre", &program).unwrap();
    let out = compile(&device, &program).dispatch(&[&bytes(&[1, 2, 3])], &Default::default()).unwrap();
    assert_eq!(words(&out.buffers[0]), [24, 35, 46]);
}

/// The probe tells nothing else than the open device.
#[test]
fn probed_and_opened_are_the_same() {
    on(Configuration { devices: 2, ..Default::default() }, |_| {
        for name in ["cuda", "cuda:1"] {
            let all = explain_selection(&AcquirePolicy::any()).unwrap();
            let probed = all.into_iter().find(|candidate| candidate.id == name).unwrap().profile;
            let opened: Result<_, BackendError> = vyre_driver::acquire(name).map(|d| d.profile().clone());
            assert_eq!(probed, opened.ok());
        }
    });
}
