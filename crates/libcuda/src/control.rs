//! What tests hold: the way to set the stand-in up, to make it fail, and to ask what was done to it.

use crate::configuration::{Configuration, FaultPlan, Report, Setup};
use libloading::{Library, Symbol};
use std::ffi::{CString, c_char, c_int};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One at a time: the library is the same for the whole process.
static TURN: Mutex<()> = Mutex::new(());

/// The stand-in, for one test alone. Others that ask for it wait until this is dropped.
pub struct Control {
    library: Library,
    configuration: Configuration,
    _turn: MutexGuard<'static, ()>,
}

impl Control {
    /// A driver in which nothing has happened yet. Whatever was made before is gone.
    ///
    /// # Errors
    /// Where there is no library, in words.
    pub fn new(configuration: Configuration) -> Result<Control, String> {
        let path = path()
            .ok_or("no libvyre_libcuda next to this program. Fix: run `cargo build -p vyre-libcuda`.")?;
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: opening the library runs none of its code, and it is never unloaded.
        let library = unsafe { Library::new(&path) }.map_err(|e| e.to_string())?;
        let control = Control { library, configuration, _turn: turn };
        control.reset(FaultPlan::default());
        Ok(control)
    }

    /// A new driver with the same configuration, in which that goes wrong.
    pub fn reset(&self, plan: FaultPlan) {
        self.tell("vyre_libcuda_reset", plan);
    }

    /// Another plan for the driver as it is. Calls, launches and allocations are counted from 0 again.
    pub fn plan(&self, plan: FaultPlan) {
        self.tell("vyre_libcuda_plan", plan);
    }

    /// Lets launches go on that are held.
    pub fn release(&self) {
        // SAFETY: the library's function of that name is of that type.
        let release: Symbol<'_, unsafe extern "C" fn()> = unsafe { self.symbol("vyre_libcuda_release") };
        // SAFETY: it takes nothing.
        unsafe { release() }
    }

    /// Waits until the device has begun to hold a launch, which it only does when it works.
    pub fn wait_held(&self) {
        // SAFETY: the library's function of that name is of that type.
        let wait: Symbol<'_, unsafe extern "C" fn()> = unsafe { self.symbol("vyre_libcuda_wait_held") };
        // SAFETY: it takes nothing.
        unsafe { wait() }
    }

    /// What was done so far.
    pub fn report(&self) -> Report {
        type Fetch = unsafe extern "C" fn(*mut c_char, usize) -> usize;
        // SAFETY: the library's function of that name is of that type.
        let fetch: Symbol<'_, Fetch> = unsafe { self.symbol("vyre_libcuda_report") };
        let mut text: Vec<u8> = Vec::new();
        loop {
            // SAFETY: it writes no more than it is told that there is room for.
            let length = unsafe { fetch(text.as_mut_ptr().cast(), text.len()) };
            if length <= text.len() {
                text.truncate(length);
                return Report::from_text(&String::from_utf8_lossy(&text));
            }
            text.resize(length, 0);
        }
    }

    fn tell(&self, function: &str, plan: FaultPlan) {
        let setup = Setup { configuration: self.configuration.clone(), plan }.to_string();
        let setup = CString::new(setup).expect("a setup has no NUL");
        // SAFETY: the library's functions of these names are of that type.
        let tell: Symbol<'_, unsafe extern "C" fn(*const c_char) -> c_int> = unsafe { self.symbol(function) };
        // SAFETY: the text ends with NUL.
        let taken = unsafe { tell(setup.as_ptr()) };
        assert!(taken == 0, "the stand-in does not take {setup:?}");
    }

    /// # Safety
    /// The function must be of that type.
    unsafe fn symbol<T>(&self, name: &str) -> Symbol<'_, T> {
        // SAFETY: the caller knows the type.
        unsafe { self.library.get(name.as_bytes()) }.expect("library and crate are built together")
    }
}

/// Where the library lies: next to the running program, or in the folder above, where that is a test.
pub fn path() -> Option<PathBuf> {
    let name = libloading::library_filename("vyre_libcuda");
    let program = std::env::current_exe().ok()?;
    let mut candidates = program
        .ancestors()
        .skip(1)
        .take(2)
        .flat_map(|folder| [folder.join(&name), folder.join("deps").join(&name)]);
    candidates.find(|path| path.is_file())
}
