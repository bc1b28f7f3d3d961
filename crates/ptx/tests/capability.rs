//! Each row of the table of capabilities is what ptxas says: the form assembles for the row's target and version, and is
//! refused for the next lower target and for the next lower version.

use std::path::Path;
use vyre_conformance::tools::{PTXAS, assemble, in_parallel};
use vyre_ptx::Arch;
use vyre_ptx::capability::{Row, TABLE, has};

/// Targets that ptxas 12.9 has, each with the first version of PTX for it. Source: the PTX manual's release notes.
const TARGETS: [(u32, (u32, u32)); 7] =
    [(70, (6, 0)), (75, (6, 3)), (80, (7, 0)), (89, (7, 8)), (90, (7, 8)), (100, (8, 6)), (120, (8, 7))];

/// Versions of PTX that ptxas 12.9 takes, of those that matter here.
const NEWEST: (u32, u32) = (8, 8);

fn assembles(ptxas: &Path, sample: &str, sm: u32, (major, minor): (u32, u32)) -> Result<(), String> {
    let ptx = format!(
        ".version {major}.{minor}\n.target sm_{sm}\n.address_size 64\n\
         .visible .entry k(.param .u64 p) {{\n\
         .reg .pred %p<8>; .reg .b16 %h<8>; .reg .b32 %r<8>; .reg .b64 %rd<8>; .reg .f32 %f<8>; .reg .f64 %d<8>;\n\
         ld.param.u64 %rd0, [p];\n{sample}\nret;\n}}\n"
    );
    assemble(ptxas, &ptx, &format!("sm_{sm}"), &[]).map(drop)
}

/// What is wrong with a row.
fn probe(ptxas: &Path, row: &Row) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |sm: u32, version: (u32, u32), accepted: bool| {
        let result = assembles(ptxas, row.sample, sm, version);
        if result.is_ok() != accepted {
            let said = result.err().unwrap_or_else(|| "it is accepted".into());
            wrong.push(format!("{:?}: `{}` for sm_{sm}, {version:?}: {said}", row.form, row.sample));
        }
    };
    expect(row.sm, row.version, true);
    for &(sm, first) in TARGETS.iter().filter(|(sm, _)| *sm > row.sm) {
        expect(sm, row.version.max(first), true);
    }
    if let Some(&(below, _)) = TARGETS.iter().rev().find(|(sm, _)| *sm < row.sm) {
        expect(below, NEWEST, false);
    }
    let (major, minor) = row.version;
    let previous = if minor > 0 { (major, minor - 1) } else { (major - 1, 8) };
    expect(row.sm, previous, false);
    wrong
}

#[test]
fn every_row_is_what_ptxas_says() {
    let Some(ptxas) = PTXAS.for_test() else { return };
    let wrong = in_parallel(&TABLE, |row| probe(&ptxas, row)).concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_architecture_has_what_its_target_and_its_version_allow() {
    for row in &TABLE {
        for arch in Arch::ALL {
            let allowed = arch.sm >= row.sm && arch.version >= row.version;
            assert_eq!(has(arch, row.form), allowed, "{arch} {:?}", row.form);
        }
        assert!(!has(Arch { sm: row.sm - 1, version: NEWEST }, row.form), "{:?}", row.form);
    }
    let first = |row: &Row| TABLE.iter().filter(|other| other.form == row.form).count();
    assert!(TABLE.iter().all(|row| first(row) == 1), "each form has one row");
}

/// What every program may need every architecture has: this is the lowest.
#[test]
fn the_lowest_architecture_assembles() {
    let Some(ptxas) = PTXAS.for_test() else { return };
    let common = "fma.rn.f16 %h1, %h2, %h3, %h4;\nmatch.any.sync.b32 %r1, %r2, 0xffffffff;\n\
        atom.global.cas.b16 %h1, [%rd0], %h2, %h3;\nld.acquire.gpu.global.u32 %r1, [%rd0];\n\
        red.release.gpu.global.add.u32 [%rd0], 1;\nnanosleep.u32 20;\nshf.l.wrap.b32 %r1, %r2, %r3, %r4;";
    for arch in Arch::ALL {
        assembles(&ptxas, common, arch.sm, arch.version).unwrap_or_else(|e| panic!("{arch}: {e}"));
    }
}
