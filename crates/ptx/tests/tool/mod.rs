//! NVIDIA's assembler, if it is there: what the environment variable `VYRE_PTXAS` names, else `ptxas` on the path.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use vyre_ptx::Arch;

/// The assembler, and a folder for its files.
pub struct Ptxas {
    program: PathBuf,
    folder: tempfile::TempDir,
}

/// The assembler; where there is none the reason is written to standard error, past what captures the output of tests.
///
/// # Panics
/// Where there is none and the variable `VYRE_CI` is set.
pub fn ptxas() -> Option<Ptxas> {
    let program = std::env::var_os("VYRE_PTXAS").map_or("ptxas".into(), PathBuf::from);
    match Command::new(&program).arg("--version").output() {
        Ok(output) if output.status.success() => {
            Some(Ptxas { program, folder: tempfile::tempdir().expect("a temporary folder") })
        }
        other => {
            let why = match other {
                Ok(output) => output.status.to_string(),
                Err(e) => e.to_string(),
            };
            assert!(std::env::var_os("VYRE_CI").is_none(), "CI needs ptxas: {}: {why}", program.display());
            // Nothing is left to do where there is no standard error.
            let _ = writeln!(std::io::stderr(), "skipped: {}: {why}", program.display());
            None
        }
    }
}

impl Ptxas {
    /// Assembles a module.
    ///
    /// # Errors
    /// What the assembler says, warnings and, if they matter, spills included.
    pub fn assemble(&self, ptx: &str, arch: Arch, spills: bool) -> Result<(), String> {
        let [text, code] = ["k.ptx", "k.cubin"].map(|name| self.folder.path().join(name));
        std::fs::write(&text, ptx).map_err(|e| e.to_string())?;
        let mut command = Command::new(&self.program);
        command.arg(format!("-arch={arch}")).arg(&text).arg("-o").arg(&code);
        if spills {
            command.arg("-warn-spills");
        }
        let output = command.output().map_err(|e| e.to_string())?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        if output.status.success() && said.trim().is_empty() { Ok(()) } else { Err(said.trim().into()) }
    }
}
