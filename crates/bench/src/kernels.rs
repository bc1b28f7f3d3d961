//! The kernels: what each is written as, its data, and what is true of its results.
//!
//! All data are words of 32 bits, so that every runner takes them as they are. What a result must be is told from the
//! definition of the problem in plain Rust, not by a second form of the kernel, wherever that says something else: a
//! place in a sorted table is checked by its neighbors, prices of options against `f64` and the error function.

use crate::check;
use vyre::{AlignedBytes, BackendError, Placement};
use vyre_ir::CacheLocality;

/// Where all data lie: at the start of a cache line, on the pages that the system gives to whoever does not ask.
pub const PLACEMENT: Placement = Placement { alignment: 64, locality: CacheLocality::Temporal };

/// Invocations of a workgroup of the kernels that go through long arrays: of 256, 16 Mi elements would be one workgroup
/// more than WebGPU's limit of 65535 along an axis.
const LONG: u32 = 512;

/// Words of a mebibyte.
const MEBIBYTE: usize = 256 << 10;

/// A kernel in the languages of those that run it.
pub struct Kernel {
    /// What it is called, in the order of the table.
    pub name: &'static str,
    /// What is done, and to how much.
    pub about: &'static str,
    /// For vyre and for wgpu.
    pub wgsl: &'static str,
    /// For OpenCL: `run` takes the buffers in the order of their bindings, then how many elements each has.
    pub opencl: &'static str,
    prepare: fn(Size) -> Work,
}

/// What is measured of a kernel.
#[derive(Copy, Clone)]
pub struct Case {
    /// Which.
    pub kernel: &'static Kernel,
    /// What a run is.
    pub mode: Mode,
    /// On how much data.
    pub size: Size,
}

/// What a run of a kernel is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Mode {
    /// The kernel, on data that are where it works on them.
    Resident,
    /// Data of the host go to the device, the kernel runs, and what it wrote comes back.
    Copies,
    /// As `Copies`, from the source text on; the text is another one each time, so that no cache has it.
    First,
}

/// How much data.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Size {
    /// What is measured.
    Full,
    /// About 1 MiB in buffers.
    Mebibyte,
    /// What a test takes: little, and where the kernel allows it no multiple of the workgroup.
    Small,
}

/// A kernel's data, and how to run it on them.
#[derive(Clone)]
pub struct Work {
    /// In the order of the bindings.
    pub buffers: Vec<Data>,
    /// Values of the `override` declarations; for OpenCL macros of these names in capitals.
    pub overrides: Vec<(&'static str, f64)>,
    /// Invocations of a workgroup along each axis, as the kernel declares them.
    pub workgroup: [u32; 3],
    /// Workgroups along each axis.
    pub workgroups: [u32; 3],
    /// What is wrong with the buffers after the first run, given all of them in the order of bindings.
    pub check: fn(&Work, &[Vec<u32>]) -> Result<(), String>,
}

/// A buffer before the first run.
#[derive(Clone)]
pub struct Data {
    /// Its elements, floats as their bits.
    pub words: Vec<u32>,
    /// Whether the kernel reads it; else it is zero at first.
    pub given: bool,
    /// Whether the kernel writes it.
    pub written: bool,
}

/// A row of [`KERNELS`]: the sources are the files of that name.
macro_rules! kernel {
    ($name:literal, $about:literal, $prepare:ident) => {
        Kernel {
            name: $name,
            about: $about,
            wgsl: include_str!(concat!("../kernels/", $name, ".wgsl")),
            opencl: include_str!(concat!("../kernels/", $name, ".cl")),
            prepare: $prepare,
        }
    };
}
/// All kernels.
pub const KERNELS: &[Kernel] = &[
    kernel!("saxpy", "y = a * x + y for 16 Mi f32", saxpy),
    kernel!("sum", "the sum of each 4096 of 16 Mi f32, 16 loads an invocation and a tree", sum),
    kernel!("mandelbrot", "1024 x 1024 points, up to 256 steps", mandelbrot),
    kernel!("matmul", "512 x 512 f32 by tiles of 16 x 16 in workgroup memory", matmul),
    kernel!("hash", "64 rounds of xorshift32 for 16 Mi u32", hash),
    kernel!("gather", "16 Mi u32 in the order of a random permutation", gather),
    kernel!("search", "16 Mi random keys in a sorted table of 1 Mi u32", search),
    kernel!("black-scholes", "call and put prices of 4 Mi options in f32", black_scholes),
];

/// A program that does nothing.
pub const EMPTY: Kernel = Kernel {
    name: "empty",
    about: "one invocation that does nothing",
    wgsl: "@compute @workgroup_size(1) fn main() {}",
    opencl: "",
    prepare: |_| Work { workgroups: [1, 1, 1], ..line(0, 1, |_, _| Ok(())) },
};

/// Little work for the bytes that it needs: what is measured is how they come and go.
pub const INVERT: Kernel = Kernel {
    name: "invert",
    about: "all bits of 64 MiB, in place",
    wgsl: include_str!("../kernels/invert.wgsl"),
    opencl: "",
    prepare: invert,
};

impl Kernel {
    /// The data, the same each time.
    pub fn prepare(&self, size: Size) -> Work {
        (self.prepare)(size)
    }

    /// WGSL that does the same, and is another program for each number: it compares the size of the grid with it.
    pub fn variant(&self, number: u32) -> String {
        let first = "@builtin(num_workgroups) grid: vec3<u32>, ";
        let text = self.wgsl.replacen("fn main(", &format!("fn main({first}"), 1);
        let body = text.find("fn main(").and_then(|main| Some(main + text[main..].find('{')? + 1));
        let (head, body) = text.split_at(body.unwrap_or(text.len()));
        format!("{head}\n    if (grid.z == {}u) {{ return; }}\n{body}", 0x7000_0000 + number)
    }
}

impl Case {
    /// What sets it apart from other cases of its kernel, in words.
    pub fn about(&self) -> &'static str {
        match (self.mode, self.size) {
            (Mode::Resident, Size::Mebibyte) => "resident, 1 MiB",
            (Mode::Resident, _) => "resident",
            (Mode::Copies, _) => "with copies",
            (Mode::First, _) => "first dispatch",
        }
    }
}

impl Work {
    /// Memory with a copy of a buffer's data, at the start of a cache line. All runners on this machine's processor get
    /// such memory, so that none has better pages than another.
    ///
    /// # Errors
    /// When there is not enough.
    pub fn memory(&self, buffer: usize) -> Result<AlignedBytes, BackendError> {
        let bytes = self.buffers[buffer].bytes();
        let mut memory = AlignedBytes::placed(bytes.len() as u64, PLACEMENT, "a benchmark")?;
        memory.copy_from_slice(bytes);
        Ok(memory)
    }

    /// The value of an override.
    pub fn constant(&self, name: &str) -> f64 {
        self.overrides.iter().find(|(other, _)| *other == name).map_or(f64::NAN, |(_, value)| *value)
    }
}

impl Data {
    fn read(words: Vec<u32>) -> Data {
        Data { words, given: true, written: false }
    }

    fn zeros(count: usize) -> Data {
        Data { words: vec![0; count], given: false, written: true }
    }

    fn changed(words: Vec<u32>) -> Data {
        Data { words, given: true, written: true }
    }

    /// The words as bytes.
    pub fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }

    /// The words as floats.
    pub fn floats(&self) -> &[f32] {
        bytemuck::cast_slice(&self.words)
    }
}

impl Size {
    fn of(self, full: usize, mebibyte: usize, small: usize) -> usize {
        match self {
            Size::Full => full,
            Size::Mebibyte => mebibyte,
            Size::Small => small,
        }
    }
}

/// Marsaglia's xorshift32, from a fixed seed.
pub(crate) struct Random(u32);

impl Random {
    pub(crate) fn new() -> Random {
        Random(0x9e37_79b9)
    }

    pub(crate) fn word(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        ((self.word() as u64 * end as u64) >> 32) as u32
    }

    /// `count` floats from `low` to below `high`.
    fn floats(&mut self, count: usize, low: f32, high: f32) -> Vec<u32> {
        let mut unit = || (self.word() >> 8) as f32 / (1 << 24) as f32;
        (0..count).map(|_| (low + (high - low) * unit()).to_bits()).collect()
    }

    fn words(&mut self, count: usize) -> Vec<u32> {
        (0..count).map(|_| self.word()).collect()
    }
}

/// One invocation for each of `count` elements.
fn line(count: usize, workgroup: u32, check: fn(&Work, &[Vec<u32>]) -> Result<(), String>) -> Work {
    let workgroups = [count.div_ceil(workgroup as usize) as u32, 1, 1];
    Work { buffers: vec![], overrides: vec![], workgroup: [workgroup, 1, 1], workgroups, check }
}

fn saxpy(size: Size) -> Work {
    let (count, mut random) = (size.of(16 << 20, MEBIBYTE, 1000), Random::new());
    let x = Data::read(random.floats(count, -1.0, 1.0));
    let y = Data::changed(random.floats(count, -1.0, 1.0));
    Work { buffers: vec![x, y], overrides: vec![("a", 2.5)], ..line(count, LONG, check::saxpy) }
}

/// Numbers from 0 to 15: their sums are exact in any order.
fn sum(size: Size) -> Work {
    let (count, mut random) = (size.of(16 << 20, MEBIBYTE, 10_000), Random::new());
    let x = (0..count).map(|_| ((random.word() >> 28) as f32).to_bits()).collect();
    let groups = count.div_ceil(check::SUMMED);
    let buffers = vec![Data::read(x), Data::zeros(groups)];
    Work { buffers, workgroups: [groups as u32, 1, 1], ..line(0, 256, check::sum) }
}

/// The width is a power of two, so that the step from point to point is the same however a division is rounded.
fn mandelbrot(size: Size) -> Work {
    let width = size.of(1024, 512, 64);
    let groups = width.div_ceil(16) as u32;
    Work {
        buffers: vec![Data::zeros(width * width)],
        overrides: vec![("width", width as f64)],
        workgroup: [16, 16, 1],
        workgroups: [groups, groups, 1],
        check: check::mandelbrot,
    }
}

/// The tiles fit the matrix.
fn matmul(size: Size) -> Work {
    let (n, mut random) = (size.of(512, 256, 48), Random::new());
    let mut matrix = || Data::read(random.floats(n * n, -1.0, 1.0));
    Work {
        buffers: vec![matrix(), matrix(), Data::zeros(n * n)],
        overrides: vec![("n", n as f64)],
        workgroup: [16, 16, 1],
        workgroups: [n as u32 / 16, n as u32 / 16, 1],
        check: check::matmul,
    }
}

fn hash(size: Size) -> Work {
    let count = size.of(16 << 20, MEBIBYTE, 1000);
    Work {
        buffers: vec![Data::read(Random::new().words(count)), Data::zeros(count)],
        ..line(count, LONG, check::hash)
    }
}

/// The permutation is that of Fisher and Yates.
fn gather(size: Size) -> Work {
    let (count, mut random) = (size.of(16 << 20, MEBIBYTE, 1000), Random::new());
    let table = random.words(count);
    let mut index: Vec<u32> = (0..count as u32).collect();
    for i in (1..count).rev() {
        index.swap(i, ((random.word() as u64 * (i as u64 + 1)) >> 32) as usize);
    }
    Work {
        buffers: vec![Data::read(table), Data::read(index), Data::zeros(count)],
        ..line(count, LONG, check::gather)
    }
}

/// A table of 4 MiB: more than what a core has for itself, less than what they share.
fn search(size: Size) -> Work {
    let (count, mut random) = (size.of(16 << 20, MEBIBYTE, 1000), Random::new());
    let mut table = random.words(size.of(1 << 20, 1 << 20, 300));
    table.sort_unstable();
    Work {
        buffers: vec![Data::read(table), Data::read(random.words(count)), Data::zeros(count)],
        ..line(count, LONG, check::search)
    }
}

/// The ranges of the sample that NVIDIA's toolkit for CUDA has of it.
fn black_scholes(size: Size) -> Work {
    let (count, mut random) = (size.of(4 << 20, MEBIBYTE, 1000), Random::new());
    let mut read = |low, high| Data::read(random.floats(count, low, high));
    Work {
        buffers: vec![
            read(5.0, 30.0),
            read(1.0, 100.0),
            read(0.25, 10.0),
            Data::zeros(count),
            Data::zeros(count),
        ],
        ..line(count, 256, check::black_scholes)
    }
}

/// Each invocation has four words.
fn invert(size: Size) -> Work {
    let count = size.of(16 << 20, MEBIBYTE, 1000);
    Work { buffers: vec![Data::changed(Random::new().words(count))], ..line(count / 4, 256, check::invert) }
}
