//! A kernel as a module of text: directives, parameters, memory, and the body.

use crate::emit::{Known, body, position};
use crate::kernel::{Fitted, Kernel, Param};
use crate::layout::{LOCAL, Layout, SHARED, lay_out};
use crate::lines::Lines;
use crate::needs::{Needs, scan};
use crate::{Options, codes, name};
use std::fmt::Write;
use vyre_ir::{Diagnostic, Program};
use vyre_opt::analysis::{Count, Fit};

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
    let known = Known::of(p, &needs, &layout, lines.as_ref());
    let checked = body(p, options, &known, Vec::new(), false);
    let relies = !options.unchecked && known.fits(p);
    let fitted = relies.then(|| body(p, options, &known, checked.params.clone(), true));
    let fitted = fitted.filter(|fitted| !fitted.fits.is_empty());
    // The second goes on where the first has ended.
    let params = fitted.as_ref().map_or(&checked.params, |fitted| &fitted.params).clone();
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
    let (major, minor) = options.arch.version;
    let mut ptx = format!(".version {major}.{minor}\n.target {}\n.address_size 64\n", options.arch);
    if let Some(lines) = &lines {
        ptx += &lines.file();
    }
    if dynamic {
        ptx += &format!(".extern .shared .align 16 .b8 {SHARED}[];\n");
    }
    add_entry(&mut ptx, p, &entry, (&params, &checked.text), &layout, &needs);
    let fitted = fitted.map(|fitted| {
        let entry = format!("{entry}{FITTED}");
        for fit in &fitted.fits {
            ptx += &format!("// {}\n", told(p, fit));
        }
        add_entry(&mut ptx, p, &entry, (&params, &fitted.text), &layout, &needs);
        Fitted { entry, fits: fitted.fits }
    });
    let shared = layout.shared;
    Ok(Kernel {
        ptx,
        entry,
        params,
        workgroup_size: p.workgroup_size,
        merges: needs.merges,
        static_shared: if dynamic { 0 } else { shared },
        dynamic_shared: if dynamic { shared } else { 0 },
        waits: needs.waits,
        fitted,
    })
}

/// What the name of the second entry ends in. Names of programs have no such sign.
const FITTED: &str = "$fitted";

fn add_entry(
    ptx: &mut String,
    p: &Program,
    entry: &str,
    (params, text): (&[Param], &str),
    layout: &Layout,
    needs: &Needs,
) {
    let mut add = |text: std::fmt::Arguments<'_>| writeln!(ptx, "{text}").expect("a string takes all");
    let [x, y, z] = p.workgroup_size;
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
    if layout.shared > 0 && !layout.is_dynamic() {
        add(format_args!("\t.shared .align 16 .b8 {SHARED}[{}];", layout.shared));
    }
    if layout.local > 0 {
        add(format_args!("\t.local .align 16 .b8 {LOCAL}[{}];", layout.local));
    }
    add(format_args!("{text}}}"));
}

/// What must hold of buffers, in words.
fn told(p: &Program, fit: &Fit) -> String {
    let Fit { buffer, of, times, plus } = *fit;
    let name = |buffer| name::entry(&p.buffers[buffer].name);
    let counted = match of {
        None => return format!("{} has at least {plus} bytes", name(buffer)),
        Some(Count::Elements(other, _)) => format!("element of {}", name(other)),
        Some(Count::Invocations(axis)) => format!("invocation along {}", position::AXES[axis as usize]),
    };
    let more = match plus {
        0 => String::new(),
        1.. => format!(", and {plus}"),
        _ => format!(", less {}", plus.unsigned_abs()),
    };
    format!("{} has at least {times} bytes for each {counted}{more}", name(buffer))
}

/// How a parameter is declared.
fn declaration(p: &Program, param: Param) -> String {
    let ty = if param.bytes() == 8 { "u64" } else { "u32" };
    let name = position::name(param);
    match param.buffer() {
        Some(buffer) => {
            format!("\t.param .{ty} {name} /* {} */", name::entry(&p.buffers[buffer].name))
        }
        None => format!("\t.param .{ty} {name}"),
    }
}
