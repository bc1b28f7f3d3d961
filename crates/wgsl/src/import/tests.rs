//! naga modules that WGSL cannot spell.

use super::{ImportOptions, front};
use naga::Statement as S;
use vyre_reference::{Bytes, Options, run};

#[test]
fn switch_cases_that_run_into_the_next() {
    let source = "@group(0) @binding(0) var<storage, read_write> y: array<u32>;
        @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) i: u32) {
            var s = 0u;
            switch i {
                case 0u: { s += 1u; }
                case 1u: { s += 10u; if y[i] == 0u { s += 1000u; break; } s += 5000u; }
                case 2u, 5u: { s += 100u; }
                case 3u: { s += 7u; }
                default: { s += 20000u; }
                case 4u: { s += 40000u; }
            }
            y[i] = s;
        }";
    let mut module = naga::front::wgsl::parse_str(source).expect("it parses");
    let body = &mut module.entry_points[0].function.body;
    let cases = body.iter_mut().find_map(|s| match s {
        S::Switch { cases, .. } => Some(cases),
        _ => None,
    });
    // 0, 1 and 2 run into the next; 5 does already; the default runs into 4.
    for (i, case) in cases.expect("there is a switch").iter_mut().enumerate() {
        case.fall_through = matches!(i, 0 | 1 | 2 | 5);
    }
    let program = front::lower(&module, &ImportOptions::default(), true).expect("it imports");
    vyre_ir::verify::verify(&program).unwrap_or_else(|e| panic!("{e:?}\n{program}"));
    let mut y: Vec<u8> = [0u32, 1, 0, 0, 0, 0, 0, 0].iter().flat_map(|w| w.to_le_bytes()).collect();
    run(&program, [1, 1, 1], &mut [Bytes::Write(&mut y)], &Options::default()).expect("it runs");
    let got: Vec<u32> = y.chunks(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect();
    let want = [1 + 10 + 1000, 10 + 5000 + 100, 100, 7, 40000, 100, 60000, 60000];
    assert_eq!(got, want, "{program}");
}
