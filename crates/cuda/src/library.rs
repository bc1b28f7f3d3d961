//! The driver library: found when it is first asked for, loaded once, and never given up.

use crate::symbols::{NO_DEVICE, SUCCESS, Status, Symbols};
use libloading::Library;
use std::ffi::{CStr, OsString};
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};
use vyre_driver::BackendError;

/// The variable that names another library.
pub const VARIABLE: &str = "VYRE_LIBCUDA";

/// What the library is called.
const NAMES: &[&str] = if cfg!(windows) { &["nvcuda.dll"] } else { &["libcuda.so.1", "libcuda.so"] };

/// The oldest driver that takes the PTX that is written here: that of CUDA 11.0.
const OLDEST: i32 = 11_000;

/// A loaded library whose driver has begun to work.
pub struct Driver {
    symbols: Symbols,
    /// The version of CUDA: major times 1000 plus minor times 10.
    pub version: i32,
    /// The functions are in it.
    _library: Library,
}

/// What a call of the driver gave instead of success.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The function.
    pub call: &'static str,
    /// The number of the error.
    pub status: Status,
    /// Its name, as the driver has it.
    pub name: String,
}

/// Calls a function of the driver; gives `Result<(), Failure>`.
macro_rules! call {
    ($driver:expr, $function:ident($($argument:expr),* $(,)?)) => {
        $driver.check(stringify!($function), ($driver.$function)($($argument),*))
    };
}
pub(crate) use call;

impl Deref for Driver {
    type Target = Symbols;
    fn deref(&self) -> &Symbols {
        &self.symbols
    }
}

impl Driver {
    /// The driver of this process: of the library that [`VARIABLE`] names, else of the system's.
    ///
    /// # Errors
    /// [`BackendError::Unavailable`] when there is none, or none that works. What went wrong is kept for a library of that
    /// name: it is not tried again.
    pub fn get() -> Result<&'static Driver, BackendError> {
        type Loaded = (Option<OsString>, Result<&'static Driver, BackendError>);
        static ALL: Mutex<Vec<Loaded>> = Mutex::new(Vec::new());
        let named = std::env::var_os(VARIABLE).filter(|name| !name.is_empty());
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = all.iter().find(|(name, _)| *name == named) {
            return known.clone();
        }
        let loaded = Driver::load(named.as_ref()).map(|driver| &*Box::leak(Box::new(driver)));
        all.push((named, loaded.clone()));
        loaded
    }

    /// The driver of a library.
    pub fn load(named: Option<&OsString>) -> Result<Driver, BackendError> {
        let library = open(named)?;
        // SAFETY: the library is NVIDIA's, or one that the user says can stand for it. It lives as long as the table.
        let symbols = unsafe { Symbols::of(&library) }.map_err(|symbol| BackendError::Unavailable {
            reason: format!("NVIDIA's driver library ({}) has no function {symbol}", shown(named)),
            fix: "Install a driver of CUDA 11.0 or newer.".into(),
        })?;
        let mut driver = Driver { symbols, version: 0, _library: library };
        // SAFETY: nothing is to be true before this call.
        let begun = unsafe { call!(driver, cuInit(0)) };
        begun.map_err(|failure| not_begun(&failure))?;
        let mut version = 0;
        // SAFETY: the number is written to where it is to go.
        let asked = unsafe { call!(driver, cuDriverGetVersion(&mut version)) };
        asked.map_err(|failure| not_begun(&failure))?;
        if version < OLDEST {
            return Err(BackendError::Unavailable {
                reason: format!("NVIDIA's driver is that of CUDA {}, too old", written(version)),
                fix: format!("Install a driver of CUDA {} or newer.", written(OLDEST)),
            });
        }
        driver.version = version;
        Ok(driver)
    }

    /// What a call gave, as a result.
    pub fn check(&self, call: &'static str, status: Status) -> Result<(), Failure> {
        if status == SUCCESS { Ok(()) } else { Err(self.failure(call, status)) }
    }

    /// What a call gave that is no success.
    #[cold]
    pub fn failure(&self, call: &'static str, status: Status) -> Failure {
        let mut name = std::ptr::null();
        // SAFETY: the place for the pointer is there.
        let known = unsafe { (self.cuGetErrorName)(status, &mut name) } == SUCCESS && !name.is_null();
        let name = match known {
            // SAFETY: the driver gives a text of its own, which is never freed.
            true => unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned(),
            false => "an error without a name".into(),
        };
        Failure { call, status, name }
    }

    /// The version of CUDA in words.
    pub fn written_version(&self) -> String {
        written(self.version)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Failure { call, status, name } = self;
        write!(f, "{call} gave {name} ({})", status.0)
    }
}

fn open(named: Option<&OsString>) -> Result<Library, BackendError> {
    let mut tried = Vec::new();
    let names: Vec<OsString> = match named {
        Some(name) => vec![name.clone()],
        None => NAMES.iter().map(OsString::from).collect(),
    };
    for name in names {
        // SAFETY: what the library does when it is loaded is as its maker meant it; the user may name another one.
        match unsafe { Library::new(&name) } {
            Ok(library) => return Ok(library),
            Err(error) => tried.push(format!("{}: {error}", name.display())),
        }
    }
    let tried = tried.join("; ");
    Err(match named {
        Some(_) => BackendError::Unavailable {
            reason: format!("the library that {VARIABLE} names cannot be loaded ({tried})"),
            fix: format!("Correct {VARIABLE}, or unset it."),
        },
        None => BackendError::Unavailable {
            reason: format!("NVIDIA's driver library cannot be loaded ({tried})"),
            fix: format!("Install NVIDIA's driver, or name its library in {VARIABLE}."),
        },
    })
}

fn shown(named: Option<&OsString>) -> String {
    named.map_or_else(|| NAMES[0].into(), |name| name.display().to_string())
}

fn not_begun(failure: &Failure) -> BackendError {
    if failure.status == NO_DEVICE {
        return no_device();
    }
    BackendError::Unavailable {
        reason: format!("NVIDIA's driver does not begin to work: {failure}"),
        fix:
            "Look whether the kernel module of the driver is loaded (`nvidia-smi`), and of the same version."
                .into(),
    }
}

/// That there is a driver and nothing that it drives.
pub fn no_device() -> BackendError {
    BackendError::Unavailable {
        reason: "NVIDIA's driver is there, and has no device".into(),
        fix: "Look whether `nvidia-smi` lists the device, and whether CUDA_VISIBLE_DEVICES hides it.".into(),
    }
}

fn written(version: i32) -> String {
    format!("{}.{}", version / 1000, version % 1000 / 10)
}
