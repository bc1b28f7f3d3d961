//! Faults say the names of memory that the launch was given, worked out by hand: of a race, the first byte of both.

mod device;

use device::words;
use vyre_ptx_vm::{Begin, Launch, Memory, Named, Options, parse, run};

/// Threads of the launch.
const THREADS: u32 = 64;

/// What a body says that goes wrong. `%rd1` is an array of 100 u32 of which the first 80 are written, `%rd2` the rest of its
/// allocation, of 12 bytes, `%r1` the thread. Of the array `own`, bytes 16 to 48 are named, as elements of 12.
fn told(body: &str, seed: u64) -> String {
    let text = format!(
        ".version 8.0\n.target sm_90\n.address_size 64\n.visible .entry k(.param .u64 a, .param .u64 b) {{
          .reg .b64 %rd<9>;
          .reg .b32 %r<9>;
          .reg .pred %p<3>;
          .shared .align 16 .b8 own[64];
          ld.param.u64 %rd1, [a];
          ld.param.u64 %rd2, [b];
          mov.u32 %r1, %tid.x;
          {body}
          ret;
        }}"
    );
    let module = parse(&text).unwrap_or_else(|e| panic!("{e}"));
    let mut memory = Memory::default();
    let before = memory.allocate(400);
    memory.write(before, &words(&[7; 100])).unwrap();
    let address = memory.allocate(412);
    memory.write(address, &words(&[1; 80])).unwrap();
    let params: Vec<u8> = [address, address + 400].iter().flat_map(|begin| begin.to_le_bytes()).collect();
    let named =
        |name: &str, begin, bytes, element_bytes| Named { name: name.into(), begin, bytes, element_bytes };
    let names = [
        named("before", Begin::Address(before), 400, 4),
        named("data", Begin::Address(address), 400, 4),
        named("rest", Begin::Address(address + 400), 12, 6),
        named("tile", Begin::Variable("own".into(), 16), 32, 12),
        named("elsewhere", Begin::Variable("none".into(), 0), 1000, 1),
    ];
    let launch = Launch {
        grid: [1; 3],
        block: [THREADS, 1, 1],
        dynamic_shared: 0,
        params: &params,
        cooperative: false,
    };
    let options = Options { names: &names, ..device::seeded(seed) };
    run(&module.entries[0], &mut memory, &launch, &options).unwrap_err().message
}

#[track_caller]
fn check(body: &str, expected: &str) {
    // So that each access of a race is the last one.
    for seed in 0..8 {
        let told = told(body, seed);
        assert!(told.contains(expected), "no `{expected}` with seed {seed}: {told}");
    }
}

#[test]
fn races() {
    check("st.global.u32 [%rd1+68], %r1;", "weakly writes `data[17]`, which thread");
    // Two words of which the second is what others write: thread 32 is of another warp.
    check(
        "setp.eq.u32 %p1, %r1, 0;
         setp.eq.u32 %p2, %r1, 32;
         @%p1 st.global.v2.u32 [%rd1+64], {%r1, %r1};
         @%p2 st.global.u32 [%rd1+68], %r1;",
        "weakly writes `data[17]`, which thread",
    );
    check("st.shared.u32 [own+28], %r1;", "weakly writes `tile[1]`, which thread");
    check("st.shared.u16 [own+34], %r1;", "weakly writes byte 6 of `tile[1]`, which thread");
    check("st.shared.u32 [own], %r1;", "weakly writes memory at 0x");
    check(
        "cvta.global.u64 %rd3, %rd2;\nst.u32 [%rd3+8], %r1;",
        "weakly writes byte 2 of `rest[1]`, which thread",
    );
    check(
        "ld.global.nc.u32 %r2, [%rd1+12];\nst.global.u32 [%rd1+12], %r1;",
        "`data[3]` is read by .nc and written",
    );
}

#[test]
fn what_was_never_written() {
    check("ld.global.u32 %r2, [%rd1+320];", "reads `data[80]`, which was never written");
    // Of four, the first is written before.
    check(
        "setp.eq.u32 %p1, %r1, 0;
         @!%p1 exit;
         st.shared.u32 [own+16], 1;
         ld.shared.v4.u32 {%r2, %r3, %r4, %r5}, [own+16];",
        "reads byte 4 of `tile[0]`, which was never written",
    );
    check("ld.shared.u32 %r2, [own+20];", "reads byte 4 of `tile[0]`, which was never written");
    check("ld.shared.u32 %r2, [own+48];", "reads 4 bytes of shared memory at 0x");
}

#[test]
fn bounds_and_alignment() {
    check("ld.global.u32 %r2, [%rd2+12];", "4 bytes at `rest[2]` are out of bounds: `rest` has 2 elements");
    check("ld.global.u32 %r2, [%rd1+4096];", "are out of bounds: `rest` has 2 elements");
    check("ld.shared.u32 %r2, [own+64];", "4 bytes at `tile[4]` are out of bounds: `tile` has 2 elements");
    check("ld.global.u32 %r2, [%rd1-4];", "4 bytes of global memory at 0x");
    check("ld.global.u32 %r2, [%rd1+6];", " (byte 2 of `data[1]`), which is no multiple of 4");
}
