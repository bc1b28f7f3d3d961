//! How a program is compiled and run.

use crate::backend::CompileOptions;
use crate::binding::bind_error;
use crate::codes;
use crate::compiled::Compiled;
use crate::error::BackendError;
use crate::form::Purpose;
use crate::grid::Grid;
use std::time::Duration;

/// How a program runs that waits for its grid.
#[derive(Copy, Clone, Default, PartialEq, Eq, Debug)]
pub enum GridSync {
    /// As one launch where the device can have all its workgroups wait for each other, else as stages.
    #[default]
    Fit,
    /// As one launch; a grid of more workgroups than can wait for each other is an error.
    Native,
    /// As stages.
    Stages,
}

/// How to compile and run a program.
#[derive(Clone, PartialEq, Debug)]
pub struct DispatchConfig {
    /// How many workgroups.
    pub grid: Grid,
    /// Stop the run after this long.
    pub timeout: Option<Duration>,
    /// Allow floating-point results that differ in rounding. Takes effect when compiling.
    pub fast_math: bool,
    /// Stop with the first access out of bounds instead of reading 0. Takes effect when compiling.
    pub checked: bool,
    /// Promise that no access is out of bounds, so that a device may do without looking. If the promise is broken, the
    /// device may be lost, or memory hold anything. Never together with `checked`. Takes effect when compiling.
    pub unchecked: bool,
    /// Invocations of a workgroup along x, y, z, instead of the program's own. Where it is not given, a device may run
    /// several workgroups as one if no result depends on that. Takes effect when compiling.
    pub workgroup_size: Option<[u32; 3]>,
    /// How the program runs if it waits for its grid. Takes effect when compiling.
    pub grid_sync: GridSync,
    /// Have the device measure the run where it has time stamps, which costs some microseconds.
    pub timed: bool,
    /// A name for this dispatch in traces.
    pub label: Option<String>,
    /// How often the program runs, each time on what the run before left in its buffers; at least 1.
    pub iterations: u32,
}

impl Default for DispatchConfig {
    fn default() -> DispatchConfig {
        DispatchConfig {
            grid: Grid::Infer,
            timeout: None,
            fast_math: false,
            checked: false,
            unchecked: false,
            workgroup_size: None,
            grid_sync: GridSync::Fit,
            timed: false,
            label: None,
            iterations: 1,
        }
    }
}

impl DispatchConfig {
    /// The part that changes the code that is made.
    pub fn compile_options(&self) -> CompileOptions {
        let DispatchConfig { checked, unchecked, fast_math, .. } = *self;
        let keep_workgroups = self.workgroup_size.is_some();
        CompileOptions { checked, unchecked, fast_math, keep_workgroups, gated: false }
    }
}

/// That what is to be compiled does not contradict itself.
pub(crate) fn check_options(options: &CompileOptions) -> Result<(), BackendError> {
    if options.checked && options.unchecked {
        let message = "accesses out of bounds are to be reported, and there are said to be none";
        return Err(bind_error(codes::D041, message, "Ask for `checked` or `unchecked`, not for both."));
    }
    Ok(())
}

impl Compiled {
    /// That the dispatch asks for nothing that had to be asked for when compiling.
    pub(crate) fn check_config(&self, config: &DispatchConfig) -> Result<(), BackendError> {
        let kernel = &*self.kernel;
        let problem = if config.iterations == 0 {
            "0 iterations"
        } else if config.checked && !kernel.options.checked {
            "checked mode, but the program was compiled without it"
        } else if config.unchecked && !kernel.options.unchecked {
            "code that does not look for accesses out of bounds, but the program was compiled without that"
        } else if !matches!(kernel.purpose, Purpose::Grid(is) if is == config.grid_sync)
            && config.grid_sync != GridSync::Fit
        {
            "another way to wait for the grid than the program was compiled for"
        } else if config.fast_math && !kernel.options.fast_math {
            "fast math, but the program was compiled without it"
        } else if config.workgroup_size.is_some_and(|size| size != kernel.program.workgroup_size) {
            "another workgroup size than the program was compiled for"
        } else {
            return Ok(());
        };
        let message = format!("the dispatch asks for {problem}");
        Err(bind_error(codes::D027, message, "Compile the program with the same configuration."))
    }
}
