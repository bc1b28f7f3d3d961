//! From PTX to what a device executes: by the driver's linker, which gives the result as bytes, so that it can be kept.

use crate::library::{Driver, Failure, call};
use crate::symbols::{Link, Module, NOT_SUPPORTED, jit};
use std::ffi::{c_int, c_void};

/// Bytes of each log.
const LOG_BYTES: usize = 16 << 10;

/// What the driver's compiler said, and what the call gave.
pub struct Refused {
    pub failure: Failure,
    pub log: String,
}

/// Places for the compiler's words; the driver writes to them as long as they are used.
struct Logs {
    error: Box<[u8; LOG_BYTES]>,
    info: Box<[u8; LOG_BYTES]>,
}

/// Options of a compilation, as two arrays.
type Options = ([c_int; 4], [*mut c_void; 4]);

impl Logs {
    fn new() -> Logs {
        Logs { error: Box::new([0; LOG_BYTES]), info: Box::new([0; LOG_BYTES]) }
    }

    fn options(&mut self) -> Options {
        let room = LOG_BYTES as *mut c_void;
        (
            [jit::ERROR_LOG, jit::ERROR_LOG_BYTES, jit::INFO_LOG, jit::INFO_LOG_BYTES],
            [self.error.as_mut_ptr().cast(), room, self.info.as_mut_ptr().cast(), room],
        )
    }

    fn refused(&self, failure: Failure) -> Refused {
        let text = |bytes: &[u8]| {
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            String::from_utf8_lossy(&bytes[..end]).trim().to_string()
        };
        let log: Vec<String> = [text(&self.error[..]), text(&self.info[..])]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect();
        Refused { failure, log: log.join("\n") }
    }
}

/// The linker's functions, if the driver has all of them.
pub fn can_link(driver: &Driver) -> bool {
    driver.cuLinkCreate.is_some()
        && driver.cuLinkAddData.is_some()
        && driver.cuLinkComplete.is_some()
        && driver.cuLinkDestroy.is_some()
}

/// The code of a text of PTX that ends in a zero; the context is the thread's.
pub fn link(driver: &Driver, text: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut logs = Logs::new();
    let (mut names, mut values) = logs.options();
    let linked = Linker::new(driver, &mut names, &mut values).and_then(|linker| linker.code(text));
    linked.map_err(|failure| logs.refused(failure))
}

/// A linker at work.
struct Linker<'d> {
    driver: &'d Driver,
    state: Link,
}

impl<'d> Linker<'d> {
    /// The places that `values` names have to be there as long as the linker is.
    fn new(
        driver: &'d Driver,
        names: &mut [c_int; 4],
        values: &mut [*mut c_void; 4],
    ) -> Result<Linker<'d>, Failure> {
        let create = driver.cuLinkCreate.ok_or_else(|| missing(driver))?;
        let mut state = Link::default();
        // SAFETY: there are four options, each with its value; the caller keeps what they name.
        let status = unsafe { create(4, names.as_mut_ptr(), values.as_mut_ptr(), &mut state) };
        driver.check("cuLinkCreate", status)?;
        Ok(Linker { driver, state })
    }

    fn code(&self, text: &[u8]) -> Result<Vec<u8>, Failure> {
        let add = self.driver.cuLinkAddData.ok_or_else(|| missing(self.driver))?;
        let complete = self.driver.cuLinkComplete.ok_or_else(|| missing(self.driver))?;
        let (none, data) = (std::ptr::null_mut(), text.as_ptr().cast_mut().cast());
        // SAFETY: the text is that long and ends in a zero; the driver only reads it, during the call.
        let status = unsafe {
            add(self.state, jit::PTX, data, text.len(), c"vyre".as_ptr(), 0, std::ptr::null_mut(), none)
        };
        self.driver.check("cuLinkAddData", status)?;
        let (mut code, mut bytes) = (std::ptr::null_mut(), 0);
        // SAFETY: the driver writes both to where they are to go.
        let status = unsafe { complete(self.state, &mut code, &mut bytes) };
        self.driver.check("cuLinkComplete", status)?;
        // SAFETY: the code is that long, and the linker's until it is gone.
        Ok(unsafe { std::slice::from_raw_parts(code.cast::<u8>(), bytes) }.to_vec())
    }
}

impl Drop for Linker<'_> {
    fn drop(&mut self) {
        if let Some(destroy) = self.driver.cuLinkDestroy {
            // SAFETY: the linker is not used again. There is nothing to do about a failure.
            let _ = unsafe { destroy(self.state) };
        }
    }
}

fn missing(driver: &Driver) -> Failure {
    driver.failure("cuLink", NOT_SUPPORTED)
}

/// Loads code, or a text of PTX that ends in a zero; the context is the thread's.
pub fn load(driver: &Driver, image: &[u8]) -> Result<Module, Refused> {
    let mut logs = Logs::new();
    let (mut names, mut values) = logs.options();
    let mut module = Module::default();
    // SAFETY: the image is whole: text that ends in a zero, or what the linker gave, which says how long it is. There are
    // four options, each with its value.
    let loaded = unsafe {
        call!(
            driver,
            cuModuleLoadDataEx(
                &mut module,
                image.as_ptr().cast(),
                4,
                names.as_mut_ptr(),
                values.as_mut_ptr()
            )
        )
    };
    match loaded {
        Ok(()) => Ok(module),
        Err(failure) => Err(logs.refused(failure)),
    }
}
