//! `vyre emit`: a program in another form.

use crate::args::{EmitArgs, Target};
use crate::codes;
use crate::failure::{Failure, failed, file_error};
use crate::load::load;
use crate::nvidia;
use std::io::{IsTerminal, Write};
use std::path::Path;
use vyre::opt::{optimize, queue};
use vyre_ir::{Diagnostic, Program, wire};
use vyre_wgsl::export;

/// Emits a program.
pub fn emit(args: &EmitArgs, as_json: bool) -> Result<String, Failure> {
    if args.arch.is_some() && !matches!(args.target, Target::Ptx | Target::Sass) {
        let message = "`--arch` says for which NVIDIA architecture code is, and this form is for none";
        return Err(Diagnostic::new(codes::C006, message).fix("Leave `--arch` out.").into());
    }
    let arch = nvidia::arch(args.arch.as_deref())?;
    let program = load(&args.program)?;
    let code: Vec<u8> = match args.target {
        Target::Vyre => program.to_string().into_bytes(),
        Target::Wire => wire::encode(&program),
        Target::Clif => vyre_cpu::clif(&for_processor(&program)?)?.into_bytes(),
        Target::Gangs => vyre_cpu::gangs(&for_processor(&program)?)?.into_bytes(),
        Target::Asm => vyre_cpu::assembly(&for_processor(&program)?, false)?.into_bytes(),
        Target::Ptx => nvidia::kernel(&program, arch)?.ptx.into_bytes(),
        Target::Sass => nvidia::sass(&program, arch)?.into_bytes(),
        Target::Wgsl => exported(&program, |p, proven| export::wgsl(p, proven).map(String::into_bytes))?,
        Target::Spirv => exported(&program, export::spirv)?,
        Target::Msl => exported(&program, |p, proven| export::msl(p, proven).map(String::into_bytes))?,
        Target::Hlsl => exported(&program, |p, proven| export::hlsl(p, proven).map(String::into_bytes))?,
    };
    if let Some(path) = &args.output {
        crate::sink::replace(path, &code).map_err(|e| failed(file_error("write", path, &e)))?;
        return Ok(String::new());
    }
    if as_json {
        let text = String::from_utf8(code).map_err(|_| binary("`--json` cannot hold it"))?;
        return Ok(format!("{:#}\n", serde_json::json!({ "code": text })));
    }
    match String::from_utf8(code) {
        Ok(text) if args.target != Target::Wire && args.target != Target::Spirv => Ok(text),
        Ok(text) => write_binary(text.as_bytes()),
        Err(error) => write_binary(error.as_bytes()),
    }
}

/// The program optimized for the processor; of one that handles the items of a work queue what a thread does with some.
fn for_processor(program: &Program) -> Result<Program, Diagnostic> {
    let target = vyre_cpu::target();
    Ok(match queue::has_queue(program) {
        true => optimize(&queue::threads(program)?.0, &target),
        false => optimize(program, &target),
    })
}

/// The program optimized for what the shading languages have, and written in one.
fn exported(
    program: &Program,
    write: impl Fn(&Program, &export::Proven<'_>) -> Result<Vec<u8>, Diagnostic>,
) -> Result<Vec<u8>, Diagnostic> {
    let program = optimize(
        program,
        &vyre::opt::Target { name: "naga", native: export::native, ..vyre::opt::Target::VECTOR },
    );
    let ranges = vyre::opt::analysis::ranges(&program);
    write(&program, &|inst| ranges.in_bounds(inst))
}

fn write_binary(code: &[u8]) -> Result<String, Failure> {
    let mut stdout = std::io::stdout().lock();
    if stdout.is_terminal() {
        return Err(binary("a terminal cannot show it").into());
    }
    stdout.write_all(code).map_err(|e| failed(file_error("write", Path::new("-"), &e)))?;
    Ok(String::new())
}

fn binary(why: &str) -> Diagnostic {
    Diagnostic::new(codes::C023, format!("this form is binary: {why}"))
        .fix("Write it to a file with `-o FILE`.")
}
