//! Times a few kernels: `cargo run --release -p vyre-cpu --example kernels [FILTER]`.
//!
//! For each: the times to optimize and to make code, then the median, fastest and slowest of the runs, and what that is
//! in the kernel's own unit; with `VYRE_THREADS=1` also the processor time, which other work on the machine changes
//! less. `ASM=1` prints code.

use std::time::Instant;
use vyre_driver::{AlignedBytes, Cancel, HostBytes, HostLaunch};
use vyre_ir::Program;

struct Kernel {
    name: &'static str,
    text: &'static str,
    workgroups: [u32; 3],
    /// Bytes of each bound buffer.
    bytes: &'static [usize],
    /// Work in a run, and its unit.
    work: f64,
    unit: &'static str,
}

const N: usize = 1 << 24;

const KERNELS: &[Kernel] = &[
    Kernel { name: "empty", text: EMPTY, workgroups: [1; 3], bytes: &[], work: 1e-9, unit: "runs/ns" },
    Kernel {
        name: "saxpy",
        text: SAXPY,
        workgroups: [(N / 256) as u32, 1, 1],
        bytes: &[4 * N, 4 * N],
        work: 12e-9 * N as f64,
        unit: "GB/s",
    },
    Kernel {
        name: "mandelbrot",
        text: MANDELBROT,
        workgroups: [64, 64, 1],
        bytes: &[4 << 20],
        work: 1.0,
        unit: "pictures/s",
    },
    Kernel {
        name: "matmul",
        text: MATMUL,
        workgroups: [32, 32, 1],
        bytes: &[1 << 20, 1 << 20, 1 << 20],
        work: 2e-9 * 512.0 * 512.0 * 512.0,
        unit: "GF/s",
    },
    Kernel {
        name: "hash",
        text: HASH,
        workgroups: [(N / 256) as u32, 1, 1],
        bytes: &[4 * N],
        work: 64e-9 * N as f64,
        unit: "Gr/s",
    },
    Kernel {
        name: "reduce",
        text: REDUCE,
        workgroups: [(N / 4096) as u32, 1, 1],
        bytes: &[4 * N, 4 * N / 4096],
        work: 4e-9 * N as f64,
        unit: "GB/s",
    },
];

fn main() {
    let filter = std::env::args().nth(1).unwrap_or_default();
    for kernel in KERNELS.iter().filter(|k| k.name.contains(&filter)) {
        let p: Program =
            vyre_ir::text::parse(kernel.name, kernel.text).unwrap_or_else(|e| panic!("{}", e[0]));
        vyre_ir::verify::verify(&p).unwrap_or_else(|e| panic!("{}", e[0]));
        let start = Instant::now();
        let p = vyre_opt::optimize(&p, &vyre_cpu::target());
        let optimized = start.elapsed();
        if std::env::var_os("ASM").is_some() {
            println!("{}", vyre_cpu::assembly(&p, false).expect("compiles"));
        }
        let start = Instant::now();
        let code = vyre_cpu::compile(&p).expect("compiles");
        let compiled = start.elapsed();
        let mut memory: Vec<AlignedBytes> = kernel
            .bytes
            .iter()
            .map(|&n| AlignedBytes::zeroed(n as u64, "a buffer").expect("memory"))
            .collect();
        for (buffer, bytes) in memory.iter_mut().enumerate() {
            for (i, word) in bytes.chunks_exact_mut(4).enumerate() {
                word.copy_from_slice(&((i * (buffer + 3) % 17) as f32).to_le_bytes());
            }
        }
        let (mut times, mut processor) = (Vec::new(), Vec::new());
        let begin = Instant::now();
        while times.len() < 5 || begin.elapsed().as_secs_f64() < 1.0 && times.len() < 1000 {
            let mut buffers = memory.iter_mut();
            let memory = p.buffers.values().map(|b| match b.memory.is_bound() {
                true => HostBytes::Write(buffers.next().expect("as many as the program has")),
                false => HostBytes::Unbound,
            });
            let mut launch = HostLaunch {
                only: None,
                drain: None,
                workgroups: kernel.workgroups,
                memory: memory.collect(),
                cancel: &Cancel::default(),
            };
            let (processor_start, start) = (processor_seconds(), Instant::now());
            code.launch(&mut launch).expect("runs");
            times.push(start.elapsed().as_secs_f64());
            processor.push(processor_seconds() - processor_start);
        }
        let sum = memory.last().map_or(0, |m| {
            m.chunks_exact(4).fold(0u32, |s, w| s.wrapping_add(u32::from_le_bytes(w.try_into().expect("4"))))
        });
        times.sort_by(f64::total_cmp);
        processor.sort_by(f64::total_cmp);
        let alone = processor[processor.len() / 2];
        let median = times[times.len() / 2];
        println!(
            "{:<11} optimize {:7.3} ms, compile {:7.3} ms, run {:10.5} ms ({:.5} to {:.5}), {:8.2} {}, this thread {:9.4} ms, {:8.2} {} (sum of bits {sum:08x})",
            kernel.name,
            optimized.as_secs_f64() * 1e3,
            compiled.as_secs_f64() * 1e3,
            median * 1e3,
            times[0] * 1e3,
            times[times.len() - 1] * 1e3,
            kernel.work / median,
            kernel.unit,
            alone * 1e3,
            kernel.work / alone,
            kernel.unit
        );
    }
}

/// Seconds that this thread has run.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

const EMPTY: &str = "program empty workgroup(64, 1, 1) {}";

const SAXPY: &str = "program saxpy workgroup(256, 1, 1) {
  buffer x: f32[] storage read_write @group(0) @binding(0)
  buffer y: f32[] storage read_write @group(0) @binding(1)
  %i: u32 = global_id x
  %n: u32 = length y
  %c: bool = lt %i, %n
  if %c {
    %a: f32 = const 2.0
    %x: f32 = load x[%i]
    %y: f32 = load y[%i]
    %ax: f32 = mul %a, %x
    %s: f32 = add %ax, %y
    store y[%i], %s
  }
}";

const MANDELBROT: &str = "program mandelbrot workgroup(16, 16, 1) {
  buffer out: u32[] storage read_write @group(0) @binding(0)
  %x: u32 = global_id x
  %y: u32 = global_id y
  %xf: f32 = convert %x
  %yf: f32 = convert %y
  %step: f32 = const 0.0029296875
  %x0: f32 = const -2.0
  %y0: f32 = const -1.5
  %xs: f32 = mul %xf, %step
  %ys: f32 = mul %yf, %step
  %cx: f32 = add %xs, %x0
  %cy: f32 = add %ys, %y0
  %zero: f32 = const 0.0
  %n0: u32 = const 0
  %one: u32 = const 1
  %limit: u32 = const 256
  %four: f32 = const 4.0
  %n: u32, %rx: f32, %ry: f32 = loop (%i: u32 = %n0, %zx: f32 = %zero, %zy: f32 = %zero) {
    %more: bool = lt %i, %limit
    %go: bool, %j: u32, %nx: f32, %ny: f32 = if %more {
      %a: f32 = mul %zx, %zx
      %b: f32 = mul %zy, %zy
      %r: f32 = add %a, %b
      %in: bool = le %r, %four
      %g: bool, %k: u32, %mx: f32, %my: f32 = if %in {
        %d: f32 = sub %a, %b
        %px: f32 = add %d, %cx
        %e: f32 = add %zx, %zx
        %f: f32 = mul %e, %zy
        %py: f32 = add %f, %cy
        %true: bool = const true
        %next: u32 = add %i, %one
        yield %true, %next, %px, %py
      } else {
        %false: bool = const false
        yield %false, %i, %zx, %zy
      }
      yield %g, %k, %mx, %my
    } else {
      %false: bool = const false
      yield %false, %i, %zx, %zy
    }
    yield %go, %j, %nx, %ny
  }
  %w: u32 = const 1024
  %row: u32 = mul %y, %w
  %at: u32 = add %row, %x
  store out[%at], %n
}";

const MATMUL: &str = "program matmul workgroup(16, 16, 1) {
  buffer a: f32[] storage read_write @group(0) @binding(0)
  buffer b: f32[] storage read_write @group(0) @binding(1)
  buffer c: f32[] storage read_write @group(0) @binding(2)
  buffer ta: f32[256] workgroup read_write
  buffer tb: f32[256] workgroup read_write
  %lx: u32 = local_id x
  %ly: u32 = local_id y
  %x: u32 = global_id x
  %y: u32 = global_id y
  %n: u32 = const 512
  %zero: u32 = const 0
  %one: u32 = const 1
  %s: u32 = const 16
  %tiles: u32 = const 32
  %fzero: f32 = const 0.0
  %ls: u32 = mul %ly, %s
  %l: u32 = add %ls, %lx
  %ay: u32 = mul %y, %n
  %tl: u32, %sum: f32 = loop (%t: u32 = %zero, %acc: f32 = %fzero) {
    %ts: u32 = mul %t, %s
    %a1: u32 = add %ay, %ts
    %a2: u32 = add %a1, %lx
    %av: f32 = load a[%a2]
    store ta[%l], %av
    %b1: u32 = add %ts, %ly
    %b2: u32 = mul %b1, %n
    %b3: u32 = add %b2, %x
    %bv: f32 = load b[%b3]
    store tb[%l], %bv
    workgroup_barrier
    %kl: u32, %in: f32 = loop (%k: u32 = %zero, %q: f32 = %acc) {
      %i: u32 = add %ls, %k
      %u: f32 = load ta[%i]
      %ks: u32 = mul %k, %s
      %j: u32 = add %ks, %lx
      %v: f32 = load tb[%j]
      %uv: f32 = mul %u, %v
      %r: f32 = add %q, %uv
      %kn: u32 = add %k, %one
      %kc: bool = lt %kn, %s
      yield %kc, %kn, %r
    }
    workgroup_barrier
    %tn: u32 = add %t, %one
    %tc: bool = lt %tn, %tiles
    yield %tc, %tn, %in
  }
  %at: u32 = add %ay, %x
  store c[%at], %sum
}";

const HASH: &str = "program hash workgroup(256, 1, 1) {
  buffer out: u32[] storage read_write @group(0) @binding(0)
  %i: u32 = global_id x
  %m: u32 = const 2654435761
  %one: u32 = const 1
  %zero: u32 = const 0
  %rounds: u32 = const 64
  %k13: u32 = const 13
  %k17: u32 = const 17
  %k5: u32 = const 5
  %h: u32 = mul %i, %m
  %x: u32 = or %h, %one
  %n: u32, %r: u32 = loop (%t: u32 = %zero, %a: u32 = %x) {
    %b: u32 = shl %a, %k13
    %c: u32 = xor %a, %b
    %d: u32 = shr %c, %k17
    %e: u32 = xor %c, %d
    %f: u32 = shl %e, %k5
    %g: u32 = xor %e, %f
    %tn: u32 = add %t, %one
    %go: bool = lt %tn, %rounds
    yield %go, %tn, %g
  }
  store out[%i], %r
}";

const REDUCE: &str = "program reduce workgroup(256, 1, 1) {
  buffer x: f32[] storage read_write @group(0) @binding(0)
  buffer out: f32[] storage read_write @group(0) @binding(1)
  buffer tile: f32[256] workgroup read_write
  %l: u32 = local_id x
  %w: u32 = workgroup_id x
  %size: u32 = const 4096
  %zero: u32 = const 0
  %one: u32 = const 1
  %half: u32 = const 128
  %s16: u32 = const 16
  %s256: u32 = const 256
  %fzero: f32 = const 0.0
  %base: u32 = mul %w, %size
  %first: u32 = add %base, %l
  %n: u32, %sum: f32 = loop (%k: u32 = %zero, %s: f32 = %fzero) {
    %o: u32 = mul %k, %s256
    %i: u32 = add %first, %o
    %v: f32 = load x[%i]
    %t: f32 = add %s, %v
    %kn: u32 = add %k, %one
    %go: bool = lt %kn, %s16
    yield %go, %kn, %t
  }
  store tile[%l], %sum
  workgroup_barrier
  %end: u32 = loop (%h: u32 = %half) {
    %in: bool = lt %l, %h
    if %in {
      %o: u32 = add %l, %h
      %a: f32 = load tile[%l]
      %b: f32 = load tile[%o]
      %c: f32 = add %a, %b
      store tile[%l], %c
    }
    workgroup_barrier
    %hn: u32 = shr %h, %one
    %go: bool = lt %zero, %hn
    yield %go, %hn
  }
  %is: bool = eq %l, %zero
  if %is {
    %r: f32 = load tile[%zero]
    store out[%w], %r
  }
}";
