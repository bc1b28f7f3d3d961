//! From a form to executable memory: Cranelift's settings, and the ownership of what it makes.
//!
//! Code is first bytes with holes for addresses ([`Machine`]), then placed in memory ([`Code`]). Code that was compiled
//! and code that was [stored](crate::stored) take the same way from there.
//!
//! Cranelift's optimizer is off: it would compute values where they are used instead of where they stand, on both sides of
//! a branch and again after it, and a gang's vectors one after another, each waiting for itself.
//!
//! Cranelift is trusted with memory but not with time or panics: registers of large functions are allocated quickly,
//! because the time of doing it thoroughly grows with the square of the program, and a panic of it becomes an error.

use crate::clif;
use crate::clif::scalar::Features;
use crate::form::Form;
use crate::shim::Shim;
use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::verify_function;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, ModuleReloc, default_libcall_names};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use vyre_ir::Program;

/// Instructions from which on a program is compiled quickly instead of well. The thorough register allocator took 2 s
/// for 20,000 instructions whose values all live to the end, and 126 s for 100,000; the quick one 0.1 s.
const LARGE: usize = 10_000;

/// The most stack that a compiled function may use. The quick register allocator gives every value a place of its own:
/// a program of 1,000,000 instructions takes 16 MB.
pub(crate) const MAX_STACK: u32 = 64 << 20;

/// The code of workgroups in a row: see [`clif`] for the parameters.
pub(crate) type Entry = unsafe extern "C" fn(*const u64, *mut u8, u32, u32, u32, u32) -> u32;

/// The number of the one function of a module: shims come before it.
const ENTRY: u32 = Shim::ALL.len() as u32;

/// Code that can be placed anywhere.
pub(crate) struct Machine {
    pub bytes: Vec<u8>,
    pub align: u64,
    /// Where addresses belong. Functions are named by their number in a module: shims by their place.
    pub relocs: Vec<ModuleReloc>,
    /// Bytes of stack that a call takes, at most [`MAX_STACK`].
    pub stack: u32,
}

/// Code in executable memory.
pub(crate) struct Code {
    entry: Entry,
    /// What the memory was made from.
    pub machine: Machine,
    /// Owns the memory; `None` only while it is dropped.
    module: Option<JITModule>,
}

// SAFETY: the module is used by `Code::place`, before it is shared, and by `drop`, when nothing else has it.
unsafe impl Send for Code {}
// SAFETY: as above; `entry` is a plain address.
unsafe impl Sync for Code {}

/// What to say about code beside making it.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(crate) enum Text {
    Clif,
    Assembly,
}

/// The processor this runs on, with Cranelift's settings for it.
struct Host {
    thorough: OwnedTargetIsa,
    quick: OwnedTargetIsa,
}

fn host() -> Result<&'static Host, String> {
    static HOST: OnceLock<Result<Host, String>> = OnceLock::new();
    let make = |registers: &str| {
        let mut flags = settings::builder();
        let values = [
            ("opt_level", "none"),
            ("regalloc_algorithm", registers),
            // See `Machine::compile`: this would verify several times.
            ("enable_verifier", "false"),
            ("is_pic", "false"),
            ("use_colocated_libcalls", "false"),
        ];
        for (name, value) in values {
            flags.set(name, value).map_err(|e| e.to_string())?;
        }
        let builder = cranelift_native::builder().map_err(str::to_string)?;
        builder.finish(settings::Flags::new(flags)).map_err(|e| e.to_string())
    };
    HOST.get_or_init(|| Ok(Host { thorough: make("backtracking")?, quick: make("single_pass")? }))
        .as_ref()
        .map_err(String::clone)
}

/// Whether the processor has fused multiplication and addition.
pub(crate) fn has_fma() -> bool {
    host().is_ok_and(|host| features(&host.thorough).fma)
}

/// What the processor has that the tables of operations ask for.
fn features(isa: &OwnedTargetIsa) -> Features {
    let has = |name| isa.isa_flags().iter().any(|flag| flag.name == name && flag.as_bool() == Some(true));
    let always = !matches!(isa.triple().architecture.to_string().as_str(), "x86_64");
    Features { fma: always || has("has_fma"), round: always || has("has_sse41") }
}

/// All that decides what code is made for a form, in words: Cranelift's version and settings, and the processor.
pub(crate) fn settings() -> Result<&'static str, String> {
    static SETTINGS: OnceLock<String> = OnceLock::new();
    let host = host()?;
    let words = || {
        let mut words = format!("cranelift {} {}", cranelift_codegen::VERSION, host.thorough.triple());
        for isa in [&host.thorough, &host.quick] {
            let flags = isa.flags().iter().map(|flag| flag.to_string());
            for flag in flags.chain(isa.isa_flags().iter().map(|flag| flag.to_string())) {
                words = words + " " + &flag;
            }
        }
        words
    };
    Ok(SETTINGS.get_or_init(words))
}

/// Runs Cranelift; its panic becomes an error. Nothing of ours is changed while it runs, so nothing can be left half
/// changed.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("the code generator panicked: {}", words.unwrap_or("no message")))
    })
}

impl Machine {
    fn compile(p: &Program, form: &Form, text: Option<Text>) -> Result<(Machine, String), String> {
        let host = host()?;
        let isa = if p.size() < LARGE { &host.thorough } else { &host.quick };
        let mut context = Context::new();
        context.set_disasm(text == Some(Text::Assembly));
        clif::emit(p, form, features(isa), isa.frontend_config(), &mut context.func);
        if cfg!(debug_assertions) {
            verify_function(&context.func, &**isa).map_err(|errors| errors.to_string())?;
        }
        let mut words = String::new();
        if text == Some(Text::Clif) {
            words = context.func.display().to_string();
        }
        context.compile(&**isa, &mut ControlPlane::default()).map_err(|e| format!("{:?}", e.inner))?;
        let compiled = context.compiled_code().ok_or("no code was made")?;
        let stack = compiled.buffer.frame_layout().map_or(0, |f| f.frame_to_fp_offset);
        if stack > MAX_STACK {
            return Err(format!(
                "the program keeps too many values at once: {stack} bytes of stack, the limit is {MAX_STACK}"
            ));
        }
        if text == Some(Text::Assembly) {
            words = compiled.vcode.clone().unwrap_or_default();
        }
        let reloc = |reloc| ModuleReloc::from_mach_reloc(reloc, &context.func, FuncId::from_u32(ENTRY));
        let machine = Machine {
            bytes: compiled.code_buffer().to_vec(),
            align: compiled.buffer.alignment.into(),
            relocs: compiled.buffer.relocs().iter().map(reloc).collect(),
            stack,
        };
        Ok((machine, words))
    }
}

impl Code {
    /// Compiles a plan; gives the text that was asked for too.
    ///
    /// # Errors
    /// What went wrong, in Cranelift's words.
    pub fn compile(p: &Program, form: &Form, text: Option<Text>) -> Result<(Machine, String), String> {
        guarded(|| Machine::compile(p, form, text))
    }

    /// Puts code into executable memory and fills in the addresses.
    ///
    /// # Errors
    /// When there is no memory, in Cranelift's words.
    pub fn place(machine: Machine) -> Result<Code, String> {
        let host = host()?;
        let (module, entry) = guarded(|| {
            let isa = &host.thorough;
            let convention = isa.frontend_config().default_call_conv;
            let mut builder = JITBuilder::with_isa(isa.clone(), default_libcall_names());
            for shim in Shim::ALL {
                builder.symbol(shim.name(), shim.address());
            }
            let mut module = JITModule::new(builder);
            let mut declare = |name, linkage, shim: Shim| {
                module.declare_function(name, linkage, &shim.signature(convention)).map_err(|e| e.to_string())
            };
            for shim in Shim::ALL {
                let id = declare(shim.name(), Linkage::Import, shim)?;
                assert_eq!(id.as_u32(), shim as u32, "code names shims by their place");
            }
            // Nothing calls it through its declaration, so its signature there is not looked at.
            let entry = declare("vyre_workgroup", Linkage::Local, Shim::Zero)?;
            assert_eq!(entry.as_u32(), ENTRY);
            module
                .define_function_bytes(entry, machine.align, &machine.bytes, &machine.relocs)
                .map_err(|e| e.to_string())?;
            module.finalize_definitions().map_err(|e| e.to_string())?;
            let address = module.get_finalized_function(entry);
            Ok((module, address))
        })?;
        // SAFETY: the function was built with the signature that `Entry` says, in C's calling convention.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(entry) };
        Ok(Code { entry, machine, module: Some(module) })
    }

    /// Bytes of stack that a call takes.
    pub fn stack(&self) -> usize {
        self.machine.stack as usize
    }

    /// The code; it must not outlive `self`.
    pub fn entry(&self) -> Entry {
        self.entry
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: `entry` is only called through a borrow of `self`, and there is none left.
            unsafe { module.free_memory() }
        }
    }
}
