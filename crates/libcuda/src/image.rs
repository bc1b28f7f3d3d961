//! What a module is loaded from: PTX text, or the "cubin" that this driver's linker makes of it, which is the text with
//! the target before it.

use crate::codes::{Code, INVALID_IMAGE, INVALID_PTX, NO_BINARY_FOR_GPU, UNSUPPORTED_PTX_VERSION};
use std::ffi::{CStr, c_char};

const MAGIC: &[u8; 8] = b"\x7fELFvyre";
/// Magic, target, length of the text, its checksum, and that of all before.
const HEADER: usize = 8 + 4 + 8 + 8 + 8;

/// A module that can be run.
pub(crate) struct Image {
    pub module: vyre_ptx_vm::Module,
    /// What the caller allows a thread.
    pub max_registers: Option<u32>,
}

/// Why text is no module for a device: the result, and what the log says.
pub(crate) type Refusal = (Code, String);

/// The newest version of PTX that a driver takes.
fn newest_ptx(driver: u32) -> (u32, u32) {
    match (driver / 1000, driver % 1000 / 10) {
        (..=9, minor) => (6, minor.min(2)),
        (10, minor) => (6, 3 + minor.min(2)),
        (11, minor) => (7, minor.min(8)),
        // The versions of 12.0 to 12.9; 12.6 brought none.
        (12, minor) => (8, [0, 1, 2, 3, 4, 5, 5, 6, 7, 8][minor.min(9) as usize]),
        (13, minor) => (9, minor),
        _ => (9, 9),
    }
}

/// The words after a directive, where it first stands at the beginning of a line.
fn directive<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.trim_start().strip_prefix(name)).map(str::trim)
}

/// Compute capability of a target such as `sm_90a`, and whether it is for that device alone.
fn capability(target: &str) -> Option<((u32, u32), bool)> {
    let name = target.split([',', ' ', '/']).next()?.strip_prefix("sm_")?;
    let digits = name.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u32 = digits.parse().ok()?;
    Some(((number / 10, number % 10), digits.len() < name.len()))
}

/// Assembles text for a device.
pub(crate) fn assemble(text: &str, device: (u32, u32), driver: u32) -> Result<vyre_ptx_vm::Module, Refusal> {
    let fatal = |code, message: String| Err((code, format!("ptxas fatal   : {message}")));
    let error = |line: usize, message: &str| {
        Err((INVALID_PTX, format!("ptxas application ptx input, line {line}; error   : {message}")))
    };
    let version = directive(text, ".version").and_then(|words| {
        let (major, minor) = words.split_once('.')?;
        let digits = minor.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(minor.len());
        Some((major.parse().ok()?, minor[..digits].parse().ok()?))
    });
    let Some(version) = version else { return error(1, "Missing .version directive at start of file") };
    let newest = newest_ptx(driver);
    if version > newest {
        let ((major, minor), (known_major, known_minor)) = (version, newest);
        let message =
            format!("Unsupported .version {major}.{minor}; current version is '{known_major}.{known_minor}'");
        return fatal(UNSUPPORTED_PTX_VERSION, message);
    }
    let Some((target, exact)) = directive(text, ".target").and_then(capability) else {
        return error(1, "Missing .target directive");
    };
    if target > device {
        return fatal(
            INVALID_PTX,
            "SM version specified by .target is higher than default SM version assumed".into(),
        );
    }
    if exact && target != device {
        let message = format!(
            "PTX with .target 'sm_{}{}a' cannot be compiled for another architecture",
            target.0, target.1
        );
        return fatal(INVALID_PTX, message);
    }
    vyre_ptx_vm::parse(text).or_else(|e| error(e.line, &e.message))
}

/// Makes a "cubin" of text that was assembled.
pub(crate) fn cubin(text: &str, target: (u32, u32)) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend((target.0 * 10 + target.1).to_le_bytes());
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(checksum(text.as_bytes()).to_le_bytes());
    bytes.extend(checksum(&bytes).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

/// The text in what a caller gives as a module, and whether it was assembled before.
///
/// # Safety
/// There must be text that ends with NUL, or all of a "cubin".
pub(crate) unsafe fn text_at(image: *const c_char, device: (u32, u32)) -> Result<(String, bool), Code> {
    // SAFETY: the first byte is there; others are looked at while all before are the magic's, which has no NUL.
    let is_cubin = (0..MAGIC.len()).all(|index| unsafe { *image.add(index).cast::<u8>() } == MAGIC[index]);
    if !is_cubin {
        // SAFETY: it is text then.
        let text = unsafe { CStr::from_ptr(image) };
        let text = text.to_str().map_err(|_| INVALID_IMAGE)?;
        let readable = text.chars().all(|letter| !letter.is_control() || letter.is_whitespace());
        return if readable { Ok((text.to_owned(), false)) } else { Err(INVALID_IMAGE) };
    }
    // SAFETY: a "cubin" has all of its header.
    let header: [u8; HEADER] = unsafe { image.cast::<[u8; HEADER]>().read() };
    let number = |offset: usize| u64::from_le_bytes(header[offset..offset + 8].try_into().expect("8 bytes"));
    if checksum(&header[..HEADER - 8]) != number(HEADER - 8) {
        return Err(INVALID_IMAGE);
    }
    let (target, length, sum) = (number(8) as u32, number(12) as usize, number(20));
    // SAFETY: the caller vouches for all of it.
    let bytes = unsafe { std::slice::from_raw_parts(image.add(HEADER).cast::<u8>(), length) };
    if checksum(bytes) != sum {
        return Err(INVALID_IMAGE);
    }
    if target / 10 != device.0 || target % 10 > device.1 {
        return Err(NO_BINARY_FOR_GPU);
    }
    Ok((String::from_utf8(bytes.to_vec()).map_err(|_| INVALID_IMAGE)?, true))
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}
