//! The code of kernels against that of the same kernels in CUDA C++: what ptxas makes of vyre's PTX and of nvcc's, counted.
//! Nothing runs, and no GPU is needed.
//!
//! Instructions are those of the hottest loop, for each unit of work: the compilers unroll loops differently, so a loop's
//! instructions are divided by how many instructions of a kind it has that each unit of work has once. A kernel without a
//! loop counts as a whole, without what is only called for rare operands. Both come from the same ptxas, nvcc's.

use std::path::{Path, PathBuf};
use std::process::Command;
use vyre::opt::optimize;
use vyre_conformance::tools::{Cubin, NVDISASM, Tool, assemble, disassemble};
use vyre_ptx::{Arch, Kernel, Options, emit, target};
use vyre_wgsl::{ImportOptions, import_wgsl};

/// The architecture that is compared.
const ARCH: &str = "sm_90";

/// CUDA's compiler, with the ptxas beside it.
const NVCC: Tool = Tool { name: "nvcc", variable: "VYRE_NVCC", package: "nvidia-cuda-nvcc" };

/// A kernel of `crates/bench/kernels`, and the instruction that each turn of its loop has once; none if it has no loop.
struct Compared {
    name: &'static str,
    unit: Option<&'static str>,
}

const KERNELS: [Compared; 7] = [
    Compared { name: "saxpy", unit: None },
    Compared { name: "sum", unit: Some("LDG") },
    Compared { name: "matmul", unit: Some("FMUL") },
    Compared { name: "mandelbrot", unit: Some("FSETP") },
    Compared { name: "histogram", unit: Some("ATOMS") },
    Compared { name: "spmv", unit: Some("FMUL") },
    Compared { name: "black-scholes", unit: None },
];

/// What is counted of a kernel.
struct Counted {
    instructions: f64,
    registers: u32,
}

/// Prints the table.
pub fn sass() -> Result<(), String> {
    let find = |tool: Tool| {
        let Tool { name, variable, package } = tool;
        tool.find().ok_or(format!("no {name}: set {variable}; `pip download {package}` has it"))
    };
    let (nvcc, nvdisasm) = (find(NVCC)?, find(NVDISASM)?);
    let ptxas = nvcc.with_file_name(format!("ptxas{}", std::env::consts::EXE_SUFFIX));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/bench/kernels");
    println!(
        "| kernel | nvcc | vyre | ratio | without checks | ratio | registers of nvcc | of vyre | without checks |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for kernel in KERNELS {
        let wgsl = folder.join(format!("{}.wgsl", kernel.name));
        let count = |assembled: Cubin, entry: &str| {
            let usage = assembled.kernels.iter().find(|usage| usage.kernel == entry).ok_or("no kernel")?;
            let sass = disassemble(&nvdisasm, &assembled.bytes)?;
            let (_, code) = sass.split_once(&format!("\n.text.{entry}:")).ok_or("no code")?;
            let code = code.split("\t.section").next().unwrap_or(code);
            let instructions = instructions(code, kernel.unit).ok_or("it has no such loop")?;
            Ok::<_, String>(Counted { instructions, registers: usage.registers })
        };
        let all = || {
            let theirs = nvcc_cubin(&nvcc, &folder.join(format!("{}.cu", kernel.name)))?;
            let theirs = count(theirs, "kernel")?;
            let ours = |unchecked| {
                let Kernel { ptx, entry, fitted, .. } = written(&wgsl, unchecked)?;
                // Buffers commonly fit each other.
                let entry = fitted.map_or(entry, |fitted| fitted.entry);
                count(assemble(&ptxas, &ptx, ARCH, &[])?, &entry)
            };
            Ok::<_, String>((theirs, ours(false)?, ours(true)?))
        };
        let (theirs, ours, unchecked) = all().map_err(|why| format!("{}: {why}", kernel.name))?;
        let ratio = |ours: &Counted| ours.instructions / theirs.instructions;
        println!(
            "| {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {} | {} | {} |",
            kernel.name,
            theirs.instructions,
            ours.instructions,
            ratio(&ours),
            unchecked.instructions,
            ratio(&unchecked),
            theirs.registers,
            ours.registers,
            unchecked.registers
        );
    }
    Ok(())
}

fn written(path: &Path, unchecked: bool) -> Result<Kernel, String> {
    let source = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let name = path.display().to_string();
    let program = import_wgsl(&name, &source, &ImportOptions::default()).map_err(|e| format!("{e:?}"))?;
    let options =
        Options { unchecked, lines: false, ..Options::new(Arch::parse(ARCH).ok_or("no such arch")?) };
    emit(&optimize(&program, &target()), &options).map_err(|e| e.to_string())
}

/// What nvcc makes of a file.
fn nvcc_cubin(nvcc: &Path, source: &Path) -> Result<Cubin, String> {
    let ptx: PathBuf = std::env::temp_dir().join(format!("vyre-sass-{}.ptx", std::process::id()));
    let mut command = Command::new(nvcc);
    command.args(["-O3", "--fmad=false", "-arch", ARCH, "-ptx", "-o"]).arg(&ptx).arg(source);
    let output = command.output().map_err(|e| format!("nvcc does not start: {e}"))?;
    if !output.status.success() {
        return Err(format!("nvcc: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = std::fs::read_to_string(&ptx).map_err(|e| format!("nvcc wrote nothing: {e}"));
    // Only space is lost when it stays.
    let _ = std::fs::remove_file(&ptx);
    let ptxas = nvcc.with_file_name(format!("ptxas{}", std::env::consts::EXE_SUFFIX));
    assemble(&ptxas, &text?, ARCH, &[])
}

/// An instruction of a kernel, and the label that it jumps to.
struct Line<'s> {
    name: &'s str,
    target: Option<&'s str>,
}

/// Instructions for each unit of work in the hottest loop, or all of a kernel without the functions that it calls.
fn instructions(sass: &str, unit: Option<&str>) -> Option<f64> {
    let (mut lines, mut labels) = (Vec::new(), Vec::new());
    for text in sass.lines() {
        let text = text.trim();
        if let Some(label) = text.strip_suffix(':') {
            // Where the first function begins that the kernel calls.
            if label.starts_with("$__internal") {
                break;
            }
            labels.push((label, lines.len()));
        } else if let Some(name) = vyre_conformance::tools::instructions(text).next() {
            let target = text.split_once("`(").and_then(|(_, rest)| rest.split(')').next());
            lines.push(Line { name, target: target.filter(|_| name.starts_with("BRA")) });
        }
    }
    let of = |label: &str| labels.iter().find(|(name, _)| *name == label).map(|(_, at)| *at);
    let is = |line: &Line<'_>, kind: &str| line.name.split('.').next() == Some(kind);
    let Some(unit) = unit else {
        let end =
            lines.iter().rposition(|line| is(line, "EXIT") || is(line, "BRA") && line.target.is_none())?;
        return Some(lines[..=end].iter().filter(|line| !is(line, "NOP")).count() as f64);
    };
    let units = |start: usize, end: usize| lines[start..=end].iter().filter(|line| is(line, unit)).count();
    let back = lines.iter().enumerate().filter_map(|(end, line)| Some((of(line.target?)?, end)));
    let loops: Vec<(usize, usize)> =
        back.filter(|&(start, end)| start < end && units(start, end) > 0).collect();
    let is_inner = |&&(start, end): &&(usize, usize)| {
        !loops.iter().any(|&(s, e)| (s, e) != (start, end) && start <= s && e <= end)
    };
    // Of the copies that unrolling makes, the main one has the most units.
    let hottest = loops.iter().filter(is_inner).max_by_key(|(start, end)| units(*start, *end));
    let (start, end) = match hottest {
        Some(hottest) => *hottest,
        // A loop that is unrolled as a whole is no loop any more.
        None => {
            (lines.iter().position(|line| is(line, unit))?, lines.iter().rposition(|line| is(line, unit))?)
        }
    };
    Some((end - start + 1) as f64 / units(start, end) as f64)
}
