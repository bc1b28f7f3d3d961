//! What runs programs: machine code, or [strips](crate::strips) where no code can be made or nothing executed.

use crate::ID;
use crate::form::choice::{Choice, choose, widest};
use crate::jit::{Code, guarded};
use crate::kernel::{Kernel, Work};
use crate::strips::Strips;
use std::sync::Once;
use vyre_driver::BackendError;
use vyre_driver::spans::TARGET;
use vyre_ir::Program;

/// The environment variable that says which engine to take.
const SETTING: &str = "VYRE_CPU";

/// What runs programs.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Engine {
    /// Machine code; the interpreter for programs of which none can be made.
    Code,
    /// The interpreter, as where memory cannot be made executable.
    Strips,
    /// As [`Engine::Code`] where something goes wrong. For tests.
    #[doc(hidden)]
    Failing(Fault),
}

/// What goes wrong.
#[doc(hidden)]
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The code generator gives an error.
    Compile,
    /// The code generator panics.
    Panic,
    /// There is no executable memory.
    Memory,
}

impl Engine {
    /// The engine that the environment variable `VYRE_CPU` names.
    ///
    /// # Errors
    /// [`BackendError::Unavailable`] if it names none.
    pub fn asked() -> Result<Engine, BackendError> {
        Engine::parse(std::env::var(SETTING).ok().as_deref())
    }

    fn parse(setting: Option<&str>) -> Result<Engine, BackendError> {
        match setting.map(str::trim) {
            None | Some("code") => Ok(Engine::Code),
            Some("strips") => Ok(Engine::Strips),
            Some(text) => Err(BackendError::Unavailable {
                reason: format!("{SETTING} is `{text}`, which is no way to run programs"),
                fix: format!("Set {SETTING} to `code` or `strips`, or unset it."),
            }),
        }
    }

    /// Its name in the key of the cache.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Engine::Code => "code",
            Engine::Strips => "strips",
            Engine::Failing(_) => "failing",
        }
    }

    /// A kernel for a program, in gangs of that many if it is said.
    pub(crate) fn kernel(
        self,
        p: &Program,
        gang: Option<u32>,
        checked: bool,
    ) -> Result<Kernel, BackendError> {
        let gang = gang.or(crate::asked_gang()?);
        let fault = match self {
            Engine::Strips => {
                let notice =
                    format!("programs are interpreted, which is slow, because {SETTING} is `strips`");
                return strips(p, gang, checked, notice);
            }
            Engine::Failing(fault) => Some(fault),
            Engine::Code => None,
        };
        match code(p, gang, checked, fault) {
            // Tests are not to take a failure of the compiler for a success.
            Err(BackendError::CompileFailed { log, .. }) if fault.is_some() || !cfg!(debug_assertions) => {
                // Gangs need more registers.
                code(p, Some(1), checked, fault).or_else(|_| {
                    let notice = format!("the program is interpreted, which is slow: {log}");
                    strips(p, gang, checked, notice)
                })
            }
            result => result,
        }
    }
}

fn failed(log: String) -> BackendError {
    BackendError::CompileFailed { backend: ID, log }
}

/// A kernel of machine code, in gangs of so many if it is said.
fn code(p: &Program, gang: Option<u32>, checked: bool, fault: Option<Fault>) -> Result<Kernel, BackendError> {
    let Choice { form, scratch_bytes } = choose(p, gang, checked)?;
    let machine = match fault {
        Some(Fault::Compile) => Err("the code generator failed, as a test wants it".into()),
        Some(Fault::Panic) => guarded(|| panic!("as a test wants it")),
        _ => Code::compile(p, &form, None).map(|(machine, _)| machine),
    };
    let placed = machine.and_then(|machine| match fault {
        Some(Fault::Memory) => Err("there is no executable memory, as a test wants it".into()),
        _ => Code::place(machine),
    });
    Kernel::new(p, scratch_bytes, Work::Code(Box::new(placed.map_err(failed)?)), checked)
}

/// A kernel that is interpreted, for a reason that people are told.
fn strips(p: &Program, gang: Option<u32>, checked: bool, notice: String) -> Result<Kernel, BackendError> {
    static ONCE: Once = Once::new();
    // The more lanes, the less a statement costs for each.
    let gang = gang.unwrap_or_else(|| widest(p));
    let Choice { form, scratch_bytes } = choose(p, Some(gang), checked)?;
    let strips = Strips::new(p, form, scratch_bytes);
    ONCE.call_once(|| tracing::warn!(target: TARGET, "{notice}"));
    let mut kernel = Kernel::new(p, strips.bytes(), Work::Strips(Box::new(strips)), checked)?;
    kernel.notice = Some(notice);
    Ok(kernel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings() {
        assert_eq!(Engine::parse(None).unwrap(), Engine::Code);
        assert_eq!(Engine::parse(Some("code")).unwrap(), Engine::Code);
        assert_eq!(Engine::parse(Some(" strips ")).unwrap(), Engine::Strips);
        for bad in ["", "Strips", "interpreter", "1"] {
            assert!(Engine::parse(Some(bad)).is_err(), "{bad}");
        }
    }
}
