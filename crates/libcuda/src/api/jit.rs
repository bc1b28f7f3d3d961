//! Options of the assembler and the linker: two arrays, of numbers and of values.

use crate::codes::{Answer, Code, INVALID_VALUE};
use crate::image::Refusal;
use std::ffi::{c_char, c_int, c_uint, c_void};

/// Numbers of options in cuda.h.
mod number {
    pub const MAX_REGISTERS: i32 = 0;
    pub const INFO_LOG: i32 = 3;
    pub const INFO_LOG_BYTES: i32 = 4;
    pub const ERROR_LOG: i32 = 5;
    pub const ERROR_LOG_BYTES: i32 = 6;
    pub const TARGET: i32 = 9;
    /// Beyond the last.
    pub const END: i32 = 40;
}

/// Memory of the caller for the text of a log.
#[derive(Copy, Clone, Default)]
struct Log {
    /// Where it begins; 0 where there is none.
    start: usize,
    capacity: usize,
    /// Where the caller wants to read how long the text is; 0 if nowhere.
    length: usize,
}

/// The options that make a difference here.
#[derive(Copy, Clone, Default)]
pub(crate) struct Jit {
    errors: Log,
    infos: Log,
    pub max_registers: Option<u32>,
    /// The architecture, such as 90.
    pub target: Option<u32>,
}

impl Jit {
    /// # Safety
    /// There must be as many options and values as `count` says, and memory for logs of the size that they say, which
    /// is there while the options are used.
    pub unsafe fn read(count: c_uint, options: *const c_int, values: *mut *mut c_void) -> Result<Jit, Code> {
        let mut jit = Jit::default();
        for index in 0..count as usize {
            if options.is_null() || values.is_null() {
                return Err(INVALID_VALUE);
            }
            // SAFETY: the caller vouches for it.
            let (option, slot) = unsafe { (*options.add(index), values.add(index)) };
            // SAFETY: the caller vouches for it. Numbers are where pointers would be.
            let value = unsafe { *slot } as usize;
            match option {
                number::MAX_REGISTERS => {
                    jit.max_registers = Some(value as u32).filter(|registers| *registers > 0)
                }
                number::INFO_LOG => jit.infos.start = value,
                number::INFO_LOG_BYTES => {
                    (jit.infos.capacity, jit.infos.length) = (value as u32 as usize, slot as usize)
                }
                number::ERROR_LOG => jit.errors.start = value,
                number::ERROR_LOG_BYTES => {
                    (jit.errors.capacity, jit.errors.length) = (value as u32 as usize, slot as usize);
                }
                number::TARGET => jit.target = Some(value as u32),
                other if (0..number::END).contains(&other) => {}
                _ => return Err(INVALID_VALUE),
            }
        }
        Ok(jit)
    }

    /// Tells what an attempt gave.
    ///
    /// # Safety
    /// The memory of [`Jit::read`] must still be there.
    pub unsafe fn tell<T>(&self, outcome: Result<T, Refusal>) -> Result<T, Code> {
        let (error, info) = match &outcome {
            Ok(_) => ("", "ptxas info    : 0 bytes gmem"),
            Err((_, text)) => (text.as_str(), ""),
        };
        // SAFETY: the caller vouches for it.
        unsafe {
            self.errors.write(error);
            self.infos.write(info);
        }
        outcome.map_err(|(code, _)| code)
    }
}

impl Log {
    /// Writes as much as there is room for, with NUL at its end.
    ///
    /// # Safety
    /// The memory must still be there.
    unsafe fn write(&self, text: &str) {
        let mut length = 0;
        if self.start != 0 && self.capacity > 0 {
            length = text.len().min(self.capacity - 1);
            let start = self.start as *mut c_char;
            // SAFETY: the caller vouches for it; text and NUL fit.
            unsafe {
                std::ptr::copy_nonoverlapping(text.as_ptr().cast(), start, length);
                start.add(length).write(0);
            }
        }
        if self.length != 0 {
            // SAFETY: the caller vouches for it.
            unsafe { (self.length as *mut *mut c_void).write(length as *mut c_void) };
        }
    }
}

/// Whether a number of inputs is one that the linker knows: "cubin" or PTX.
pub(super) fn check_input(kind: c_int) -> Answer {
    if matches!(kind, 0 | 1) { Ok(()) } else { Err(INVALID_VALUE) }
}
