//! Drivers that lack a function: the stand-in's library, in whose table of symbols it is marked as one that is elsewhere, so
//! that the system's loader does not find it.

use crate::backend::CudaBackend;
use crate::device::describe;
use crate::library::Driver;
use crate::opened::Opened;
use crate::symbols::{OPTIONAL, REQUIRED};
use libloading::Library;
use std::ffi::c_char;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vyre_conformance::harness::{affine, bytes, sums, words};
use vyre_driver::{BackendError, Device, DispatchConfig};

/// A library without some functions, in a folder; `None` where the stand-in was not built.
fn without(names: &[&str], folder: &Path) -> Option<PathBuf> {
    let Some(path) = vyre_libcuda::path() else {
        assert!(std::env::var_os("VYRE_CI").is_none(), "CI needs the stand-in for libcuda");
        return None;
    };
    let mut library = std::fs::read(path).unwrap();
    for name in names {
        hide(&mut library, name);
    }
    let path = folder.join(format!("{}{}", names.len(), names.first().unwrap_or(&"")));
    std::fs::write(&path, library).unwrap();
    Some(path)
}

/// Makes an exported function of an ELF library a weak one that it does not have. Source: System V ABI, chapter 4.
fn hide(library: &mut [u8], name: &str) {
    let number = |library: &[u8], at: usize, bytes: usize| {
        library[at..at + bytes].iter().rev().fold(0, |n, byte| n << 8 | usize::from(*byte))
    };
    let section = |library: &[u8], index: usize| number(library, 0x28, 8) + index * number(library, 0x3A, 2);
    let offset = |library: &[u8], section: usize| number(library, section + 0x18, 8);
    const DYNSYM: usize = 11;
    const SYMBOL: usize = 24;
    const WEAK: u8 = 2;
    let count = number(library, 0x3C, 2);
    let all = (0..count).map(|index| section(library, index));
    let table = all.into_iter().find(|at| number(library, at + 4, 4) == DYNSYM).unwrap();
    let texts = offset(library, section(library, number(library, table + 0x28, 4)));
    let (start, size) = (offset(library, table), number(library, table + 0x20, 8));
    let wanted = format!("{name}\0").into_bytes();
    let symbol = (start..start + size)
        .step_by(SYMBOL)
        .find(|&at| library[texts + number(library, at, 4)..].starts_with(&wanted))
        .unwrap_or_else(|| panic!("the stand-in has no {name}"));
    library[symbol + 4] = WEAK << 4 | library[symbol + 4] & 15;
    // Its section and its address.
    library[symbol + 6..symbol + 16].fill(0);
}

/// Whether programs run as they should on a device of a library, which is then left with nothing.
fn works(path: &Path) -> Result<(), BackendError> {
    let library = stand_in(path);
    let driver: &Driver = Box::leak(Box::new(Driver::load(Some(&path.into()))?));
    let description = describe(driver, 0)?;
    let opened = Arc::new(Opened::new(driver, 0, description)?);
    let device = Device::new(Box::new(CudaBackend { opened }));
    let affine = device.compile(&affine(32, 3, 1), &DispatchConfig::default())?;
    for _ in 0..3 {
        let config = DispatchConfig { iterations: 10, timed: true, ..Default::default() };
        let out = affine.dispatch(&[&bytes(&[1, 2])], &config)?;
        let ten = |n: u32| (0..10).fold(n, |n, _| n * 3 + 1);
        assert_eq!(words(&out.buffers[0]), [ten(1), ten(2)]);
    }
    let sums = device.compile(&sums(), &DispatchConfig::default())?;
    let out = sums.dispatch(&[&bytes(&[5; 99]), &[0; 4]], &DispatchConfig::default())?;
    assert_eq!(words(&out.buffers[0]), [495; 99]);
    assert!(!report(&library).contains(" links\n"), "a linker is left");
    drop((affine, sums, device));
    let report = report(&library);
    let is_left = |line: &&str| ["live", "fault", "problem"].iter().any(|word| line.starts_with(word));
    assert_eq!(report.lines().find(is_left), None);
    Ok(())
}

/// The library as its tests see it, with two devices.
fn stand_in(path: &Path) -> Library {
    // SAFETY: loading the stand-in runs none of its code.
    let library = unsafe { Library::new(path) }.unwrap();
    // SAFETY: the function of that name is of that type, and the text ends with NUL.
    let taken = unsafe {
        let reset = library.get::<unsafe extern "C" fn(*const c_char) -> i32>(b"vyre_libcuda_reset").unwrap();
        reset(c"devices=2".as_ptr())
    };
    assert_eq!(taken, 0);
    library
}

/// What the stand-in has seen, a line each.
fn report(library: &Library) -> String {
    let mut text = vec![0; 1 << 16];
    // SAFETY: the function of that name is of that type, and writes no more than there is room for.
    let length = unsafe {
        type Report = unsafe extern "C" fn(*mut c_char, usize) -> usize;
        library.get::<Report>(b"vyre_libcuda_report").unwrap()(text.as_mut_ptr().cast(), text.len())
    };
    text.truncate(length);
    String::from_utf8(text).unwrap()
}

#[test]
fn functions_that_a_driver_may_lack() {
    let folder = tempfile::tempdir().unwrap();
    let each = OPTIONAL.iter().map(std::slice::from_ref);
    for names in each.chain([OPTIONAL, &[]]) {
        let Some(path) = without(names, folder.path()) else { return };
        works(&path).unwrap_or_else(|error| panic!("without {names:?}: {error}"));
    }
}

#[test]
fn functions_that_every_driver_has() {
    let folder = tempfile::tempdir().unwrap();
    for name in REQUIRED {
        let Some(path) = without(&[name], folder.path()) else { return };
        let error = works(&path).expect_err(name);
        let text = error.to_string();
        assert_eq!(error.code().name(), "D002", "{text}");
        assert!(text.contains(&format!("has no function {name} ")), "{text}");
        assert!(text.contains("Install a driver"), "{text}");
    }
}
