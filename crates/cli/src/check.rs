//! `vyre check`: what is wrong with a program, or what it is.

use crate::args::ProgramArgs;
use crate::failure::Failure;
use crate::load::load;
use crate::show::shape;
use serde_json::json;
use vyre::BindingPlan;
use vyre_ir::BufferDecl;

/// Checks a program; gives what to print on standard output.
pub fn check(args: &ProgramArgs, as_json: bool) -> Result<String, Failure> {
    let program = load(args)?;
    let plan = BindingPlan::build(&program)?;
    let decls: Vec<&BufferDecl> = program.buffers.values().collect();
    let buffers = || plan.bindings.iter().filter(|b| b.is_bound()).map(|b| (b, decls[b.buffer_index]));
    if as_json {
        let buffers: Vec<_> = buffers()
            .map(|(b, decl)| {
                json!({
                    "name": b.name, "group": b.group, "binding": b.binding, "memory": decl.memory.name(),
                    "access": decl.access.name(), "type": decl.element.to_string(), "count": b.element_count,
                    "role": format!("{:?}", b.role), "input": b.input_index, "output": b.output_index,
                    "alignment": b.preferred_alignment,
                })
            })
            .collect();
        let groups: Vec<_> = plan
            .binding_sets()
            .into_iter()
            .map(|(group, layout)| json!({ "group": group, "layout": layout.to_string() }))
            .collect();
        let document = json!({
            "program": program.name,
            "workgroup_size": program.workgroup_size,
            "instructions": program.size(),
            "buffers": buffers,
            "layout": plan.layout_fingerprint().to_string(),
            "groups": groups,
        });
        return Ok(format!("{document:#}\n"));
    }
    let mut text = format!(
        "{}: ok, {} instructions, workgroups of {}\n",
        program.name,
        program.size(),
        shape(program.workgroup_size)
    );
    for (b, decl) in buffers() {
        let count = if decl.count == 0 { String::new() } else { decl.count.to_string() };
        let (memory, access, element) = (decl.memory.name(), decl.access.name(), decl.element);
        text += &format!("  @{}/{} {}: {element}[{count}] {memory} {access}\n", b.group, b.binding, b.name);
    }
    Ok(text)
}
