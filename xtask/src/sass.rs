//! The code of kernels against that of the same kernels in CUDA C++: what ptxas makes of vyre's PTX and of nvcc's, counted.
//! Nothing runs, and no GPU is needed.
//!
//! Instructions are those of the hottest loop, for each unit of work: the compilers unroll loops differently, so a loop's
//! instructions are divided by how many instructions of a kind it has that each unit of work has once. A kernel without a
//! loop counts as a whole, without what is only called for rare operands. Both come from the same ptxas, nvcc's.

use std::path::{Path, PathBuf};
use std::process::Command;
use vyre::opt::optimize;
use vyre_conformance::tools::{NVDISASM, Tool, assemble, disassemble};
use vyre_ptx::{Arch, Options, emit, target};
use vyre_wgsl::{ImportOptions, import_wgsl};

/// The architecture that is compared.
const ARCH: &str = "sm_90";

/// CUDA's compiler, with the ptxas beside it.
const NVCC: Tool = Tool { name: "nvcc", variable: "VYRE_NVCC", package: "nvidia-cuda-nvcc" };

/// A kernel of `crates/bench/kernels`, and the instruction that each turn of its loop has once; none if it has no loop.
struct Kernel {
    name: &'static str,
    unit: Option<&'static str>,
}

const KERNELS: [Kernel; 7] = [
    Kernel { name: "saxpy", unit: None },
    Kernel { name: "sum", unit: Some("LDG") },
    Kernel { name: "matmul", unit: Some("FMUL") },
    Kernel { name: "mandelbrot", unit: Some("FSETP") },
    Kernel { name: "histogram", unit: Some("ATOMS") },
    Kernel { name: "spmv", unit: Some("FMUL") },
    Kernel { name: "black-scholes", unit: None },
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
        let count = |cubin: &[u8], registers| {
            let sass = disassemble(&nvdisasm, cubin)?;
            let instructions = instructions(&sass, kernel.unit).ok_or("it has no such loop")?;
            Ok::<_, String>(Counted { instructions, registers })
        };
        let all = || {
            let (cubin, registers) = nvcc_cubin(&nvcc, &folder.join(format!("{}.cu", kernel.name)))?;
            let theirs = count(&cubin, registers)?;
            let ours = |unchecked| {
                let assembled = assemble(&ptxas, &ptx(&wgsl, unchecked)?, ARCH, &[])?;
                count(&assembled.bytes, assembled.kernels.first().ok_or("no kernel")?.registers)
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

fn ptx(path: &Path, unchecked: bool) -> Result<String, String> {
    let source = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let name = path.display().to_string();
    let program = import_wgsl(&name, &source, &ImportOptions::default()).map_err(|e| format!("{e:?}"))?;
    let options =
        Options { unchecked, lines: false, ..Options::new(Arch::parse(ARCH).ok_or("no such arch")?) };
    Ok(emit(&optimize(&program, &target()), &options).map_err(|e| e.to_string())?.ptx)
}

/// What nvcc makes of a file, and how many registers that takes.
fn nvcc_cubin(nvcc: &Path, source: &Path) -> Result<(Vec<u8>, u32), String> {
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
    let cubin = assemble(&ptxas, &text?, ARCH, &[])?;
    Ok((cubin.bytes, cubin.kernels.first().ok_or("no kernel")?.registers))
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
    let back = lines.iter().enumerate().filter_map(|(end, line)| Some((of(line.target?)?, end)));
    let loops: Vec<(usize, usize)> = back.filter(|(start, end)| start < end).collect();
    let inner = |&(start, end): &(usize, usize)| {
        !loops.iter().any(|&(s, e)| (s, e) != (start, end) && start <= s && e <= end)
    };
    let units =
        |&(start, end): &(usize, usize)| lines[start..=end].iter().filter(|line| is(line, unit)).count();
    // Of the copies that unrolling makes, the main one has the most units.
    let hottest = loops.iter().copied().filter(inner).max_by_key(units).filter(|hot| units(hot) > 0);
    let (start, end) =
        hottest.or_else(|| loops.iter().copied().max_by_key(units)).unwrap_or((0, lines.len() - 1));
    match units(&(start, end)) {
        0 => None,
        // A loop that is unrolled as a whole is no loop: what is between its first and its last unit counts.
        n if loops.is_empty() => {
            let first = lines.iter().position(|line| is(line, unit))?;
            let last = lines.iter().rposition(|line| is(line, unit))?;
            Some((last - first + 1) as f64 / n as f64)
        }
        n => Some((end - start + 1) as f64 / n as f64),
    }
}
