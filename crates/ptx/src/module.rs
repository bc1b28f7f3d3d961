//! A kernel as a module of text: directives, parameters, memory, and the body.

use crate::emit::{body, position};
use crate::kernel::{Kernel, Param};
use crate::layout::{LOCAL, SHARED, lay_out};
use crate::lines::Lines;
use crate::needs::scan;
use crate::{Options, codes, name};
use std::fmt::Write;
use vyre_ir::{Diagnostic, Program};

/// Bytes of parameters that a kernel can have. Source: ptxas, for versions of PTX before 8.1.
const PARAM_BYTES: usize = 4352;

/// For blocks of so many threads ptxas spills a little to have more of them at work (measured with that of CUDA 12.9).
const COMPRESSED: u64 = 64;

/// The program's kernel.
///
/// # Errors
/// What it needs that the device has not, with its place.
pub fn emit(p: &Program, options: &Options) -> Result<Kernel, Diagnostic> {
    let needs = scan(p, options)?;
    let layout = lay_out(p, options.arch.sm)?;
    let lines = p.source.as_deref().filter(|_| options.lines).and_then(Lines::of);
    let (text, params) = body(p, options, &needs, &layout, lines.as_ref());
    let bytes = params.iter().fold(0, |at: usize, param| at.next_multiple_of(param.bytes()) + param.bytes());
    if bytes > PARAM_BYTES {
        let message = format!(
            "the kernel is given {bytes} bytes of addresses and sizes of buffers, at most {PARAM_BYTES} are possible"
        );
        return Err(Diagnostic::new(codes::P003, message)
            .in_source(p.source.as_ref())
            .fix("Put several buffers into one."));
    }
    let dynamic = layout.is_dynamic();
    let entry = name::entry(&p.name);
    let [x, y, z] = p.workgroup_size;
    let (major, minor) = options.arch.version;
    let mut ptx = format!(".version {major}.{minor}\n.target {}\n.address_size 64\n", options.arch);
    if let Some(lines) = &lines {
        ptx += &lines.file();
    }
    let shared = layout.shared;
    let mut add = |text: std::fmt::Arguments<'_>| writeln!(ptx, "{text}").expect("a string takes all");
    if dynamic {
        add(format_args!(".extern .shared .align 16 .b8 {SHARED}[];"));
    }
    let list: Vec<String> = params.iter().map(|&param| declaration(p, param)).collect();
    add(format_args!(".visible .entry {entry}(\n{})", list.join(",\n")));
    match needs.merges {
        1 => add(format_args!(".reqntid {x}, {y}, {z}")),
        merges => add(format_args!(".maxntid {}, {y}, {z}", x * merges)),
    }
    let is_small = needs.merges > 1 && p.workgroup_invocations() < COMPRESSED;
    if needs.waits || is_small {
        // All blocks are at work at once: better few that have registers for all values than many that spill. Small
        // workgroups have them too, if ptxas is not told that they may be large blocks.
        add(format_args!(".minnctapersm 1"));
    }
    add(format_args!("{{"));
    if shared > 0 && !dynamic {
        add(format_args!("\t.shared .align 16 .b8 {SHARED}[{shared}];"));
    }
    if layout.local > 0 {
        add(format_args!("\t.local .align 16 .b8 {LOCAL}[{}];", layout.local));
    }
    ptx += &text;
    ptx += "}\n";
    Ok(Kernel {
        ptx,
        entry,
        params,
        workgroup_size: p.workgroup_size,
        merges: needs.merges,
        static_shared: if dynamic { 0 } else { shared },
        dynamic_shared: if dynamic { shared } else { 0 },
        waits: needs.waits,
    })
}

/// How a parameter is declared.
fn declaration(p: &Program, param: Param) -> String {
    let ty = if param.bytes() == 8 { "u64" } else { "u32" };
    let name = position::name(param);
    match param {
        Param::Address(buffer) | Param::Bytes(buffer) => {
            format!("\t.param .{ty} {name} /* {} */", name::entry(&p.buffers[buffer].name))
        }
        _ => format!("\t.param .{ty} {name}"),
    }
}
