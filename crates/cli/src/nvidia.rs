//! Code for NVIDIA's devices, none of which is needed: `vyre emit --target ptx` and `--target sass`.

use crate::codes;
use crate::failure::{Failure, failed};
use std::path::PathBuf;
use vyre::opt::optimize;
use vyre::opt::queue::{has_queue, persistent};
use vyre_conformance::tools::{NVDISASM, PTXAS, Tool, assemble, disassemble};
use vyre_ir::{Diagnostic, Program};
use vyre_ptx::{Arch, Kernel};

/// The architecture when none is named.
const DEFAULT: &str = "sm_90";

/// The architecture of a name.
pub fn arch(name: Option<&str>) -> Result<Arch, Diagnostic> {
    let name = name.unwrap_or(DEFAULT);
    Arch::parse(name).ok_or_else(|| {
        let known: Vec<String> = Arch::ALL.iter().map(Arch::to_string).collect();
        let fix = format!("Name one of: {}.", known.join(", "));
        Diagnostic::new(codes::C028, format!("there is no architecture `{name}`")).fix(fix)
    })
}

/// The program as a kernel. One that handles items of a queue is the kernel that takes them from there until none are left.
pub fn kernel(program: &Program, arch: Arch) -> Result<Kernel, Diagnostic> {
    let persistent = match has_queue(program) {
        true => Some(persistent(program)?.0),
        false => None,
    };
    let program = optimize(persistent.as_ref().unwrap_or(program), &vyre_ptx::target());
    vyre_ptx::emit(&program, &vyre_ptx::Options::new(arch))
}

/// The program as NVIDIA's tools disassemble it.
pub fn sass(program: &Program, arch: Arch) -> Result<String, Failure> {
    let (ptxas, nvdisasm) = (find(PTXAS)?, find(NVDISASM)?);
    let ptx = kernel(program, arch)?.ptx;
    let cubin =
        assemble(&ptxas, &ptx, &arch.to_string(), &["--generate-line-info"]).map_err(|said| bug(&said))?;
    disassemble(&nvdisasm, &cubin.bytes).map_err(|said| {
        let message = format!("nvdisasm does not take code for {arch}: {said}");
        failed(Diagnostic::new(codes::C029, message).fix(format!("Try `--arch {DEFAULT}`.")))
    })
}

/// The failure of code that those it is for do not take.
pub fn bug(said: &str) -> Failure {
    let message = format!("internal error, a bug in vyre: {said}");
    failed(Diagnostic::new(codes::C099, message).fix("Report it with the program and the command line."))
}

fn find(tool: Tool) -> Result<PathBuf, Diagnostic> {
    let Tool { name, variable, package } = tool;
    tool.find().ok_or_else(|| {
        let message = format!("`--target sass` needs {name}, which is neither on the search path nor in {variable}");
        let fix = format!("`pip download --no-deps {package}` has it: unpack the archive and set {variable} to its bin/{name}.");
        Diagnostic::new(codes::C029, message).fix(fix)
    })
}
