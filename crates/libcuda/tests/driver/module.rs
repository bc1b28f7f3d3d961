//! Modules, their functions, and the linker.

use crate::call;
use crate::cuda::{Cuda, Handle, INVALID_HANDLE, INVALID_VALUE, KERNELS, LEGACY};
use std::ffi::{c_int, c_void};
use vyre_libcuda::Configuration;

#[test]
fn a_module_has_functions() {
    let cuda = Cuda::new();
    let module = cuda.load(KERNELS).unwrap();
    let function = cuda.function_of(module, "fill").unwrap();
    assert_eq!(cuda.function_of(module, "fill"), Ok(function));
    assert_eq!(cuda.function_of(module, "nothing"), Err(500));
    call!(cuda, "cuModuleUnload"(module => Handle)).unwrap();
    assert_eq!(call!(cuda, "cuModuleUnload"(module => Handle)), Err(INVALID_HANDLE));
    assert_eq!(cuda.launch(function, 1, 1, &[0, 0, 0], LEGACY), Err(INVALID_HANDLE));
}

#[test]
fn text_that_is_no_module_is_logged() {
    let cuda = Cuda::new();
    let broken = KERNELS.replace("mov.u32 %block", "move.u32 %block");
    let (code, log) = cuda.load(&broken).unwrap_err();
    assert_eq!(code, 218);
    let line = 1 + KERNELS.lines().position(|line| line.contains("mov.u32 %block")).unwrap();
    assert!(log.starts_with(&format!("ptxas application ptx input, line {line}; error")), "{log}");
    assert_eq!(cuda.load("nonsense").unwrap_err().0, 218);
    assert_eq!(cuda.load("\u{1}\u{2}").unwrap_err().0, 200);
    assert_eq!(cuda.control.report().live("modules"), 0);
}

#[test]
fn a_device_takes_what_is_for_it_or_older() {
    // Capability, driver, version, target, and what comes of it.
    for (capability, driver, version, target, expected) in [
        ((9, 0), 12000, "8.0", "sm_90", Ok(())),
        ((9, 0), 12000, "7.0", "sm_70", Ok(())),
        ((9, 0), 12000, "8.1", "sm_90", Err(222)),
        ((9, 0), 11080, "8.0", "sm_90", Err(222)),
        ((9, 0), 12080, "8.7", "sm_90", Ok(())),
        ((9, 0), 13000, "9.0", "sm_90", Ok(())),
        ((8, 0), 12000, "8.0", "sm_90", Err(218)),
        ((9, 0), 12000, "8.0", "sm_90a", Ok(())),
        ((10, 0), 12080, "8.0", "sm_90a", Err(218)),
    ] {
        let configuration = Configuration {
            compute_capability: capability,
            driver_version: driver,
            ..Configuration::default()
        };
        let cuda = Cuda::with(configuration);
        let text = KERNELS.replace("7.0", version).replace("sm_70", target);
        let outcome = cuda.load(&text).map(|_| ()).map_err(|(code, _)| code);
        assert_eq!(outcome, expected, "{capability:?} {driver} {version} {target}");
    }
}

#[test]
fn functions_have_attributes() {
    let cuda = Cuda::new();
    let get = |function: Handle, attribute: c_int| {
        let mut value = -1;
        call!(cuda, "cuFuncGetAttribute"(&mut value => *mut c_int, attribute => c_int, function => Handle))
            .map(|()| value)
    };
    let (fill, wide, large) = (cuda.kernel("fill"), cuda.kernel("wide"), cuda.kernel("large"));
    assert_eq!(
        [0, 1, 4, 5, 6, 8].map(|attribute| get(fill, attribute).unwrap()),
        [1024, 0, 32, 70, 90, 49152]
    );
    assert_eq!(get(wide, 0), Ok(64));
    assert_eq!([1, 8].map(|attribute| get(large, attribute).unwrap()), [40960, 8192]);
    assert_eq!(get(fill, 99), Err(INVALID_VALUE));
}

/// The "cubin" of a text on this device.
fn link(cuda: &Cuda, text: &str) -> Result<Vec<u8>, c_int> {
    let (mut link, mut start, mut bytes): (Handle, *const u8, usize) = (0, std::ptr::null(), 0);
    let none: *mut c_void = std::ptr::null_mut();
    call!(cuda, "cuLinkCreate_v2"(0 => u32, none => *mut c_void, none => *mut c_void, &mut link => *mut Handle))?;
    let (data, length) = (text.as_ptr(), text.len());
    let added = call!(cuda, "cuLinkAddData_v2"(
        link => Handle, 1 => c_int, data => *const u8, length => usize, none => *mut c_void, 0 => u32,
        none => *mut c_void, none => *mut c_void
    ));
    if added.is_ok() {
        call!(cuda, "cuLinkComplete"(link => Handle, &mut start => *mut *const u8, &mut bytes => *mut usize))?;
    }
    // SAFETY: the driver says so, until the link is destroyed.
    let image = added.map(|()| unsafe { std::slice::from_raw_parts(start, bytes) }.to_vec());
    call!(cuda, "cuLinkDestroy"(link => Handle))?;
    image
}

fn load_image(cuda: &Cuda, image: &[u8]) -> Result<Handle, c_int> {
    let (mut module, none): (Handle, *mut c_void) = (0, std::ptr::null_mut());
    call!(cuda, "cuModuleLoadDataEx"(
        &mut module => *mut Handle, image.as_ptr() => *const u8, 0 => u32, none => *mut c_void, none => *mut c_void
    ))?;
    Ok(module)
}

#[test]
fn what_the_linker_made_is_a_module() {
    let cuda = Cuda::new();
    let mut image = link(&cuda, KERNELS).unwrap();
    let module = load_image(&cuda, &image).unwrap();
    cuda.function_of(module, "increment").unwrap();
    assert_eq!(link(&cuda, "nonsense"), Err(218));
    *image.last_mut().unwrap() ^= 1;
    assert_eq!(load_image(&cuda, &image), Err(200));
    assert_eq!(cuda.control.report().live("links"), 0);
}

#[test]
fn what_the_linker_made_is_for_one_architecture() {
    let cuda = Cuda::with(Configuration { compute_capability: (8, 6), ..Configuration::default() });
    let image = link(&cuda, KERNELS).unwrap();
    drop(cuda);
    for (capability, expected) in [((8, 6), Ok(())), ((8, 9), Ok(())), ((8, 0), Err(209)), ((9, 0), Err(209))]
    {
        let cuda = Cuda::with(Configuration { compute_capability: capability, ..Configuration::default() });
        assert_eq!(load_image(&cuda, &image).map(|_| ()), expected, "{capability:?}");
    }
}
