//! NVIDIA's assembler and disassembler, where they are installed: they judge the PTX of this tree and show what becomes
//! of it. Neither needs a GPU. Nothing here is needed to run programs.
//!
//! A tool is what its variable names, else what the search path has. A test that lacks one is skipped visibly, and fails
//! under `VYRE_CI`.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A program that is not vyre's.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Tool {
    /// Its file's name, without what the system adds.
    pub name: &'static str,
    /// The variable that says where it is.
    pub variable: &'static str,
    /// The package that has it, as `pip download` takes it.
    pub package: &'static str,
}

/// From PTX to machine code. This version is the last for `sm_70`.
pub const PTXAS: Tool =
    Tool { name: "ptxas", variable: "VYRE_PTXAS", package: "nvidia-cuda-nvcc-cu12==12.9.86" };

/// From machine code to text. No version takes `sm_70`.
pub const NVDISASM: Tool =
    Tool { name: "nvdisasm", variable: "VYRE_NVDISASM", package: "nvidia-cuda-nvdisasm==13.5.37" };

impl Tool {
    /// Where it is; `None` where its variable names no file, or it is not set and no folder of the search path has it.
    pub fn find(&self) -> Option<PathBuf> {
        if let Some(path) = std::env::var_os(self.variable).filter(|path| !path.is_empty()) {
            return Some(PathBuf::from(path)).filter(|path| path.is_file());
        }
        let file = format!("{}{}", self.name, std::env::consts::EXE_SUFFIX);
        let folders = std::env::var_os("PATH")?;
        std::env::split_paths(&folders).map(|folder| folder.join(&file)).find(|path| path.is_file())
    }

    /// Where it is, for a test. Where it is not, that is written to standard error, past what captures the output of
    /// tests.
    ///
    /// # Panics
    /// Where it is not and the variable `VYRE_CI` is set: what is skipped there is not tested at all.
    pub fn for_test(&self) -> Option<PathBuf> {
        let found = self.find();
        if found.is_none() {
            let Tool { name, variable, .. } = self;
            let reason = format!("no {name}: {variable} names none, nor has the search path one");
            assert!(std::env::var_os("VYRE_CI").is_none(), "CI needs it: {reason}");
            // Nothing is left to do where there is no standard error.
            let _ = writeln!(std::io::stderr(), "skipped: {reason}");
        }
        found
    }
}

/// Machine code.
#[derive(Clone, Debug)]
pub struct Cubin {
    /// The file.
    pub bytes: Vec<u8>,
    /// What each kernel takes, by name, in no order.
    pub kernels: Vec<Usage>,
}

/// What a kernel takes of the device.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Usage {
    /// The kernel's name.
    pub kernel: String,
    /// Registers of a thread.
    pub registers: u32,
    /// Bytes of shared memory that are declared.
    pub shared: u32,
    /// Bytes of local memory of a thread.
    pub local: u32,
    /// Bytes that are written to local memory and read from it for want of registers.
    pub spilled: u32,
}

/// Assembles a module for an architecture such as `sm_90`. Warnings are errors.
///
/// # Errors
/// What ptxas says, or why it did not run.
pub fn assemble(ptxas: &Path, ptx: &str, arch: &str, options: &[&str]) -> Result<Cubin, String> {
    let folder = tempfile::tempdir().map_err(|e| format!("no folder for the cubin: {e}"))?;
    let cubin = folder.path().join("kernel.cubin");
    let mut command = Command::new(ptxas);
    command.args(["--verbose", "--warning-as-error", "--gpu-name", arch]).args(options);
    command.arg("--output-file").arg(&cubin).arg("-");
    let said = finish(command, ptx.as_bytes())?.1;
    let bytes = std::fs::read(&cubin).map_err(|e| format!("ptxas wrote nothing: {e}"))?;
    Ok(Cubin { bytes, kernels: usages(&said) })
}

/// Several modules of PTX for one architecture as one, which is assembled in little more than half the time. Their entries
/// have different names.
pub fn joined(modules: &[String]) -> String {
    let mut text = String::new();
    for (at, module) in modules.iter().enumerate() {
        let file = at + 1;
        for line in module.lines() {
            let of_module = [".version ", ".target ", ".address_size "];
            match line.trim_start() {
                line if at > 0 && of_module.iter().any(|directive| line.starts_with(directive)) => continue,
                line if line.starts_with(".file 1 ") => text += &line.replacen('1', &file.to_string(), 1),
                line if line.starts_with(".loc 1 ") => text += &line.replacen('1', &file.to_string(), 1),
                _ => text += line,
            }
            text.push('\n');
        }
    }
    text
}

/// The instructions of a cubin as text.
///
/// # Errors
/// What nvdisasm says, or why it did not run.
pub fn disassemble(nvdisasm: &Path, cubin: &[u8]) -> Result<String, String> {
    let mut file = tempfile::NamedTempFile::new().map_err(|e| format!("no file for the cubin: {e}"))?;
    file.write_all(cubin).map_err(|e| format!("no file for the cubin: {e}"))?;
    let mut command = Command::new(nvdisasm);
    command.arg("--print-code").arg(file.path());
    Ok(finish(command, &[])?.0)
}

/// The instructions of what [`disassemble`] gives, in order, each without operands and predicate: `LDG.E.128`.
pub fn instructions(sass: &str) -> impl Iterator<Item = &str> {
    sass.lines().filter_map(|line| {
        let (_, rest) = line.trim_start().strip_prefix("/*")?.split_once("*/")?;
        rest.trim_end().strip_suffix(';')?.split_whitespace().find(|word| !word.starts_with('@'))
    })
}

/// What some work makes of each item, in order, on all processors.
pub fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let take = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        numbers.map_while(|i| Some((i, work(items.get(i)?)))).collect::<Vec<_>>()
    };
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(take)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("the work does not panic")).collect()
    });
    results.sort_by_key(|(i, _)| *i);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Runs a command to its end; gives its standard output and its standard error.
fn finish(mut command: Command, input: &[u8]) -> Result<(String, String), String> {
    let name = Path::new(command.get_program()).file_name().unwrap_or(OsStr::new("tool")).to_os_string();
    let name = name.to_string_lossy();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| format!("{name} does not start: {e}"))?;
    let mut stdin = child.stdin.take().expect("it is piped");
    let output = std::thread::scope(|threads| {
        // One that stops reading says why on its standard error.
        threads.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output()
    });
    let output = output.map_err(|e| format!("{name} does not end: {e}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (printed, said) = (text(&output.stdout), text(&output.stderr));
    match output.status.success() {
        true => Ok((printed, said)),
        // ptxas prints some errors on standard output.
        false => Err(format!("{name}: {}: {}", output.status, format!("{said}{printed}").trim())),
    }
}

/// What `ptxas --verbose` says of each kernel, in this form:
///
/// ```text
/// ptxas info    : Compiling entry function 'k' for 'sm_90'
/// ptxas info    : Function properties for k
///     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
/// ptxas info    : Used 14 registers, used 1 barriers, 128 bytes smem
/// ```
fn usages(said: &str) -> Vec<Usage> {
    let mut all = Vec::new();
    let number = |line: &str, unit: &str| -> u32 {
        let before = line.split_once(unit).map_or("", |(before, _)| before.trim_end());
        before.rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    for line in said.lines() {
        if let Some((_, rest)) = line.split_once("Compiling entry function '") {
            let kernel = rest.split('\'').next().unwrap_or_default().to_string();
            all.push(Usage { kernel, ..Usage::default() });
            continue;
        }
        let Some(usage) = all.last_mut() else { continue };
        if line.contains("bytes stack frame") {
            // Those of functions that the kernel calls follow.
            usage.local = usage.local.max(number(line, "bytes stack frame"));
            usage.spilled += number(line, "bytes spill stores") + number(line, "bytes spill loads");
        } else if line.contains(" registers") {
            (usage.registers, usage.shared) = (number(line, "registers"), number(line, "bytes smem"));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_read() {
        let sass = "\t.section\t.text.k\n.L_x_0:\n        /*0000*/                   LDC R1, c[0x0][0x28] ;\n        \
            /*0110*/              @!P0 BRA `(.L_x_0) ;\n        /*0160*/                   EXIT ;\n";
        assert_eq!(instructions(sass).collect::<Vec<_>>(), ["LDC", "BRA", "EXIT"]);
    }

    #[test]
    fn modules_are_joined() {
        let module = |entry: &str| {
            format!(
                ".version 7.8\n.target sm_90\n.address_size 64\n.file 1 \"{entry}.wgsl\"\n.entry {entry}()\n{{\n\t.loc 1 11 1\n\tret;\n}}\n"
            )
        };
        let both = ".version 7.8\n.target sm_90\n.address_size 64\n.file 1 \"a.wgsl\"\n.entry a()\n{\n.loc 1 11 1\n\tret;\n}\n\
            .file 2 \"b.wgsl\"\n.entry b()\n{\n.loc 2 11 1\n\tret;\n}\n";
        assert_eq!(joined(&[module("a"), module("b")]), both);
    }

    #[test]
    fn what_ptxas_says_is_read() {
        let said = "ptxas info    : 0 bytes gmem\n\
            ptxas info    : Compiling entry function 'a' for 'sm_90'\n\
            ptxas info    : Function properties for a\n    \
            16 bytes stack frame, 4 bytes spill stores, 8 bytes spill loads\n\
            ptxas info    : Used 14 registers, used 1 barriers, 128 bytes smem, 16 bytes cumulative stack size\n\
            ptxas info    : Compiling entry function 'b' for 'sm_90'\n\
            ptxas info    : Function properties for b\n    \
            0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n\
            ptxas info    : Used 255 registers, 360 bytes cmem[0]\n";
        let usage = |kernel: &str, registers, shared, local, spilled| Usage {
            kernel: kernel.into(),
            registers,
            shared,
            local,
            spilled,
        };
        assert_eq!(usages(said), [usage("a", 14, 128, 16, 12), usage("b", 255, 0, 0, 0)]);
    }
}
