//! What a program hints about its buffers is seen in where a dispatch puts them.

use vyre::{DispatchConfig, Grid};
use vyre_ir::text::parse;

/// Addresses of the two outputs, the first given by the caller, the second made by the program.
fn addresses(id: &str, hints: &str) -> [usize; 2] {
    let text = format!(
        "program p workgroup(64, 1, 1) {{
          buffer given: u32[] storage read_write @group(0) @binding(0) {hints}
          buffer made: u32[] storage write @group(0) @binding(1) {hints}
          %i: u32 = global_id x
          %x: u32 = load given[%i]
          store made[%i], %x
        }}"
    );
    let program = parse("p.vyre", &text).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let device = vyre::Device::open(id).unwrap();
    let compiled = device.compile(&program, &DispatchConfig::default()).unwrap();
    let config = DispatchConfig { grid: Grid::Workgroups([4, 1, 1]), ..DispatchConfig::default() };
    let outputs = compiled.dispatch(&[&[1; 1024]], &config).unwrap();
    assert!(outputs.buffers.iter().all(|bytes| **bytes == [1; 1024]));
    [0, 1].map(|i| outputs.buffers[i].as_ptr().addr())
}

#[test]
fn every_memory_of_a_buffer_has_its_alignment() {
    for id in ["cpu", "cpu-ref"] {
        for (hints, want) in
            [("hints(align 65536)", 1 << 16), ("hints(align 2097152)", 1 << 21), ("hints(streaming)", 64)]
        {
            for address in addresses(id, hints) {
                assert_eq!(address % want, 0, "{id}, {hints}");
            }
        }
    }
}
