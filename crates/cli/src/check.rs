//! `vyre check`: what is wrong with a program, or what it is.

use crate::args::ProgramArgs;
use crate::failure::Failure;
use crate::load::load;
use crate::show::shape;
use serde_json::json;
use vyre::BindingPlan;

/// Checks a program; gives what to print on standard output.
pub fn check(args: &ProgramArgs, as_json: bool) -> Result<String, Failure> {
    let program = load(args)?;
    BindingPlan::build(&program)?;
    let buffers = || program.buffers.values().filter(|b| b.memory.is_bound());
    if as_json {
        let buffers: Vec<_> = buffers()
            .map(|b| {
                json!({
                    "name": b.name, "group": b.group, "binding": b.binding, "memory": b.memory.name(),
                    "access": b.access.name(), "type": b.element.to_string(), "count": b.count,
                })
            })
            .collect();
        let document = json!({
            "program": program.name,
            "workgroup_size": program.workgroup_size,
            "instructions": program.size(),
            "buffers": buffers,
        });
        return Ok(format!("{document:#}\n"));
    }
    let mut text = format!(
        "{}: ok, {} instructions, workgroups of {}\n",
        program.name,
        program.size(),
        shape(program.workgroup_size)
    );
    for b in buffers() {
        let count = if b.count == 0 { String::new() } else { b.count.to_string() };
        let (memory, access) = (b.memory.name(), b.access.name());
        text +=
            &format!("  @{}/{} {}: {}[{count}] {memory} {access}\n", b.group, b.binding, b.name, b.element);
    }
    Ok(text)
}
