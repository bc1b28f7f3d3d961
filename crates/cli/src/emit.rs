//! `vyre emit`: a program in another form.

use crate::args::{EmitArgs, Target};
use crate::codes;
use crate::failure::{Failure, failed, file_error};
use crate::load::load;
use std::io::{IsTerminal, Write};
use std::path::Path;
use vyre::opt::optimize;
use vyre_ir::{Diagnostic, Program, wire};
use vyre_wgsl::export;

/// Emits a program.
pub fn emit(args: &EmitArgs, as_json: bool) -> Result<String, Failure> {
    let program = load(&args.program)?;
    let code: Vec<u8> = match args.target {
        Target::Vyre => program.to_string().into_bytes(),
        Target::Wire => wire::encode(&program),
        Target::Clif => vyre_cpu::clif(&optimize(&program, &vyre_cpu::target()))?.into_bytes(),
        Target::Gangs => vyre_cpu::gangs(&optimize(&program, &vyre_cpu::target()))?.into_bytes(),
        Target::Asm => vyre_cpu::assembly(&optimize(&program, &vyre_cpu::target()), false)?.into_bytes(),
        Target::Wgsl => export::wgsl(&exportable(&program))?.into_bytes(),
        Target::Spirv => export::spirv(&exportable(&program))?,
        Target::Msl => export::msl(&exportable(&program))?.into_bytes(),
        Target::Hlsl => export::hlsl(&exportable(&program))?.into_bytes(),
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

/// The program optimized for what the shading languages have.
fn exportable(program: &Program) -> Program {
    optimize(
        program,
        &vyre::opt::Target {
            name: "naga",
            scalar_lanes: false,
            native: export::native,
            lowering: None,
            unroll: 0,
        },
    )
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
