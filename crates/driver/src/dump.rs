//! Files for a report: a program, and code made of it that the target's compiler does not take.
//!
//! Nothing is written unless the variable [`VARIABLE`] names a folder. Each report is a new folder in that one, this
//! user's alone, so that no link is followed and nothing is overwritten.

use crate::cache::disk::make_directory;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use vyre_ir::Program;

/// The variable that names the folder.
const VARIABLE: &str = "VYRE_DUMP";

/// Reports of a folder at most.
const REPORTS: usize = 32;

/// What the folder of a report is called, before what makes it new.
const PREFIX: &str = "vyre-report-";

/// Writes a program and the code made of it, the code to a file of that name. Gives a sentence for the error: where they
/// are, why they could not be written, or how to have them written.
pub fn dump(program: &Program, name: &str, code: &str) -> String {
    let Some(folder) = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty()) else {
        return format!("with {VARIABLE}=FOLDER the program and its code are written to FOLDER");
    };
    let folder = PathBuf::from(folder);
    match report(&folder, &[("program.vyre", &program.to_string()), (name, code)]) {
        Ok(path) => format!("the program and its code are in {}", path.display()),
        Err(error) => {
            format!("the program and its code could not be written to {}: {error}", folder.display())
        }
    }
}

/// Writes files to a new folder in a folder; gives the new one.
fn report(folder: &Path, files: &[(&str, &str)]) -> io::Result<PathBuf> {
    make_directory(folder)?;
    let is_report =
        |entry: &fs::DirEntry| entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes());
    if fs::read_dir(folder)?.flatten().filter(is_report).count() >= REPORTS {
        return Err(io::Error::other(format!("{REPORTS} reports are there already")));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let report = builder.tempdir_in(folder)?;
    for (name, text) in files {
        File::create_new(report.path().join(name))?.write_all(text.as_bytes())?;
    }
    Ok(report.keep())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_report_is_new_and_there_are_few() {
        let folder = tempfile::tempdir().unwrap();
        // The folder itself need not be there.
        let inside = folder.path().join("a").join("b");
        let mut seen = std::collections::HashSet::new();
        for number in 0..REPORTS {
            let path = report(&inside, &[("one", &number.to_string()), ("two", "2")]).unwrap();
            assert_eq!(fs::read_to_string(path.join("one")).unwrap(), number.to_string());
            assert_eq!(fs::read_to_string(path.join("two")).unwrap(), "2");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
            }
            assert!(seen.insert(path));
        }
        let error = report(&inside, &[("one", "1")]).unwrap_err().to_string();
        assert!(error.contains("32 reports"), "{error}");
        assert_eq!(fs::read_dir(&inside).unwrap().count(), REPORTS);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        report(folder.path(), &[("same", "1"), ("same", "2")]).unwrap_err();
        report(folder.path(), &[("not/there", "1")]).unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        report(&file, &[]).unwrap_err();
    }
}
