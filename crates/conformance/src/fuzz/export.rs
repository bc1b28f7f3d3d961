//! What goes out as WGSL and comes back in computes the same, before and after the optimizer; and it goes out to the
//! other languages too.
//!
//! Both ways through naga and the importer are judged by the reference interpreter, so that no device takes part.

use super::{Kind, Outcome, Problem};
use crate::case::show_all;
use crate::trial::{STEPS, Trial};
use vyre_ir::{BufferDecl, Program};
use vyre_opt::analysis::ranges;
use vyre_opt::inline::inlined;
use vyre_opt::{Target, optimize};
use vyre_wgsl::{ImportOptions, export, import_wgsl};

/// The code generator, as the optimizer sees it.
const TARGET: Target = Target { name: "naga", native: export::native, ..Target::VECTOR };

/// Compares the program with what comes back from its export. It is refused where one buffer would need accesses of
/// kinds that the languages do not mix.
pub fn exports(trial: &Trial) -> Result<Outcome, Problem> {
    let fails = |what: String| Problem::new(Kind::Fails, what);
    let p = &inlined(&trial.program, &TARGET);
    let expected =
        padded(trial).oracle(STEPS).map_err(|e| fails(format!("the oracle does not run it: {e}")))?;
    let optimized = optimize(p, &TARGET);
    let expanded = match export::module(p, &|_| false) {
        Err(error) if error.code == "E003" => &optimized,
        _ => p,
    };
    for (which, p) in [("as it is", expanded), ("optimized", &optimized)] {
        let ranges = ranges(p);
        let proven = |inst| ranges.in_bounds(inst);
        let wgsl = match export::wgsl(p, &proven) {
            Err(error) if error.code == "E002" => return Ok(Outcome::Refused),
            result => result.map_err(|e| fails(format!("{which} as WGSL: {e}")))?,
        };
        let back = around(p, &proven, &wgsl).map_err(|e| fails(format!("{which}: {e}\n{wgsl}")))?;
        let shown = || format!("\n--- out\n{wgsl}\n--- in\n{back}");
        let returned = moved(trial, back.clone())
            .ok_or_else(|| fails(format!("{which}: bindings differ{}", shown())))?;
        let found =
            returned.oracle(STEPS).map_err(|e| fails(format!("{which}, when it is back: {e}{}", shown())))?;
        // In the order of the buffers of the program that went out.
        let in_order = trial.program.buffers.values().zip(&expected).map(|(decl, expected)| {
            let same = |other: &BufferDecl| other.memory.is_bound() && place(other) == place(decl);
            let at = back.buffers.values().position(same).filter(|_| decl.memory.is_bound());
            at.map_or_else(|| expected.clone(), |at| found[at][..expected.len()].to_vec())
        });
        if let Some(difference) = trial.difference(&expected, &in_order.collect()) {
            return Err(Problem::new(
                Kind::Differs,
                format!("{which}, when it is back: {difference}{}", shown()),
            ));
        }
    }
    Ok(Outcome::Agrees(2))
}

/// Out to every language, and in again from WGSL.
fn around(p: &Program, proven: &export::Proven<'_>, wgsl: &str) -> Result<Program, String> {
    for (language, error) in [
        ("SPIR-V", export::spirv(p, proven).err()),
        ("MSL", export::msl(p, proven).err()),
        ("HLSL", export::hlsl(p, proven).err()),
    ] {
        if let Some(error) = error.filter(|e| e.code != "E005") {
            return Err(format!("{language}: {error}"));
        }
    }
    import_wgsl("exported.wgsl", wgsl, &ImportOptions::default()).map_err(|errors| show_all(&errors))
}

fn place(decl: &BufferDecl) -> (u32, u32) {
    (decl.group, decl.binding)
}

/// The same memory for the program that came back, whose buffers may be in another order.
fn moved(trial: &Trial, back: Program) -> Option<Trial> {
    let contents = back.buffers.values().map(|decl| {
        let mut originals = trial.program.buffers.values().zip(&trial.contents);
        match decl.memory.is_bound() {
            true => originals
                .find(|(d, _)| d.memory.is_bound() && place(d) == place(decl))
                .map(|(_, b)| b.clone()),
            false => Some(Vec::new()),
        }
    });
    let contents = contents.collect::<Option<_>>()?;
    Some(padded(&Trial { contents, ..trial.with(back) }))
}

/// The exporter pads: rows of uniform memory, words of elements of 8 and 16 bits.
fn padded(trial: &Trial) -> Trial {
    let mut trial = trial.clone();
    for (decl, bytes) in trial.program.buffers.values().zip(&mut trial.contents) {
        if decl.memory.is_bound() {
            let least = decl.static_bytes().unwrap_or(0) as usize;
            bytes.resize(bytes.len().max(least), 0);
        }
    }
    trial
}
