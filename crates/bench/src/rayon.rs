//! The peer rayon: what a Rust program does without vyre. Each kernel in its natural best form: slices in parallel
//! chunks, loops that the compiler turns into vectors where it can, results into memory that is there already.

use crate::check::SUMMED;
use crate::error::BenchError;
use crate::kernels::{Case, Work};
use crate::runner::{Loaded, Runner, only_resident};
use crate::vectors::{Vectors, for_vectors};
use bytemuck::{cast_slice, cast_slice_mut};
use rayon::prelude::*;
use vyre::AlignedBytes;

/// Elements that a task takes at once: enough that taking it costs nothing, little enough that all threads end together.
const CHUNK: usize = 1 << 15;

/// Rows of a product that are computed together, so that each element of the right matrix is loaded once for all.
const ROWS: usize = 4;

/// The pool that rayon has anyway.
pub struct Rayon;

struct RayonLoaded {
    function: Function,
    /// The width of the picture or of the matrices, where there are any.
    width: u32,
    buffers: Vec<AlignedBytes>,
}

/// What runs a kernel: given the width and the buffers in the order of bindings.
type Function = fn(u32, &mut [AlignedBytes]);

const FUNCTIONS: &[(&str, Function)] = &[
    ("saxpy", saxpy),
    ("sum", sum),
    ("mandelbrot", mandelbrot),
    ("matmul", matmul),
    ("hash", hash),
    ("gather", gather),
    ("search", search),
    ("black-scholes", black_scholes),
];

impl Runner for Rayon {
    fn about(&self) -> String {
        format!("rayon, {} threads, {}", rayon::current_num_threads(), Vectors::here().about())
    }

    fn load(&self, case: &Case, work: &Work) -> Result<Box<dyn Loaded>, BenchError> {
        let kernel = only_resident(case)?;
        let Some((_, function)) = FUNCTIONS.iter().find(|(name, _)| *name == kernel.name) else {
            return Err(BenchError::Peer(format!("nobody wrote `{}` with rayon", kernel.name)));
        };
        let width = work.overrides.iter().find(|(name, _)| ["width", "n"].contains(name));
        Ok(Box::new(RayonLoaded {
            function: *function,
            width: width.map_or(0, |(_, width)| *width as u32),
            buffers: (0..work.buffers.len()).map(|i| work.memory(i)).collect::<Result<_, _>>()?,
        }))
    }
}

impl Loaded for RayonLoaded {
    fn run(&mut self) -> Result<(), BenchError> {
        (self.function)(self.width, &mut self.buffers);
        Ok(())
    }

    fn read(&mut self) -> Result<Vec<Vec<u32>>, BenchError> {
        Ok(self.buffers.iter().map(|bytes| cast_slice(bytes).to_vec()).collect())
    }
}

/// The buffers of a kernel that has so many.
fn take<const N: usize>(buffers: &mut [AlignedBytes]) -> &mut [AlignedBytes; N] {
    buffers.try_into().expect("the table of kernels says how many there are")
}

fn saxpy(_: u32, buffers: &mut [AlignedBytes]) {
    let [x, y] = take(buffers);
    let (x, y): (&[f32], &mut [f32]) = (cast_slice(x), cast_slice_mut(y));
    y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(y, x)| saxpy_chunk(2.5, x, y));
}

fn sum(_: u32, buffers: &mut [AlignedBytes]) {
    let [x, partials] = take(buffers);
    let (x, partials): (&[f32], &mut [f32]) = (cast_slice(x), cast_slice_mut(partials));
    let groups = CHUNK / SUMMED;
    partials.par_chunks_mut(groups).zip(x.par_chunks(groups * SUMMED)).for_each(|(p, x)| sum_chunk(x, p));
}

fn mandelbrot(width: u32, buffers: &mut [AlignedBytes]) {
    let [counts] = take(buffers);
    let counts: &mut [u32] = cast_slice_mut(counts);
    let rows = counts.par_chunks_mut(width as usize).enumerate();
    rows.for_each(|(row, counts)| mandelbrot_row(row as u32, counts));
}

fn matmul(n: u32, buffers: &mut [AlignedBytes]) {
    let ([a, b, c], n) = (take(buffers), n as usize);
    let (a, b, c): (&[f32], &[f32], &mut [f32]) = (cast_slice(a), cast_slice(b), cast_slice_mut(c));
    c.par_chunks_mut(ROWS * n).zip(a.par_chunks(ROWS * n)).for_each(|(c, a)| matmul_rows(n, a, b, c));
}

fn hash(_: u32, buffers: &mut [AlignedBytes]) {
    let [x, hashes] = take(buffers);
    let (x, hashes): (&[u32], &mut [u32]) = (cast_slice(x), cast_slice_mut(hashes));
    hashes.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(hashes, x)| hash_chunk(x, hashes));
}

fn gather(_: u32, buffers: &mut [AlignedBytes]) {
    let [table, index, gathered] = take(buffers);
    let (table, index, gathered): (&[u32], &[u32], &mut [u32]) =
        (cast_slice(table), cast_slice(index), cast_slice_mut(gathered));
    gathered
        .par_chunks_mut(CHUNK)
        .zip(index.par_chunks(CHUNK))
        .for_each(|(gathered, index)| gather_chunk(table, index, gathered));
}

fn search(_: u32, buffers: &mut [AlignedBytes]) {
    let [table, keys, places] = take(buffers);
    let (table, keys, places): (&[u32], &[u32], &mut [u32]) =
        (cast_slice(table), cast_slice(keys), cast_slice_mut(places));
    places
        .par_chunks_mut(CHUNK)
        .zip(keys.par_chunks(CHUNK))
        .for_each(|(places, keys)| search_chunk(table, keys, places));
}

fn black_scholes(_: u32, buffers: &mut [AlignedBytes]) {
    let [prices, strikes, years, calls, puts] = take(buffers);
    let inputs = cast_slice(prices)
        .par_chunks(CHUNK)
        .zip(cast_slice(strikes).par_chunks(CHUNK))
        .zip(cast_slice(years).par_chunks(CHUNK));
    let outputs = cast_slice_mut(calls).par_chunks_mut(CHUNK).zip(cast_slice_mut(puts).par_chunks_mut(CHUNK));
    inputs.zip(outputs).for_each(|(((prices, strikes), years), (calls, puts))| {
        black_scholes_chunk(prices, strikes, years, calls, puts);
    });
}

for_vectors! {
    fn saxpy_chunk(a: f32, x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y += a * x;
        }
    }

    /// 64 sums at once, so that no addition waits for the one before.
    fn sum_chunk(x: &[f32], partials: &mut [f32]) {
        for (x, partial) in x.chunks(SUMMED).zip(partials) {
            let (lines, rest) = x.as_chunks::<64>();
            let mut sums = [0f32; 64];
            for line in lines {
                for (sum, x) in sums.iter_mut().zip(line) {
                    *sum += x;
                }
            }
            *partial = sums.iter().sum::<f32>() + rest.iter().sum::<f32>();
        }
    }

    fn mandelbrot_row(row: u32, counts: &mut [u32]) {
        let step = 2.5 / counts.len() as f32;
        let cy = row as f32 * step - 1.25;
        for (column, count) in counts.iter_mut().enumerate() {
            let cx = column as f32 * step - 2.0;
            let (mut x, mut y) = (0.0, 0.0);
            let mut n = 0;
            while n < 256 {
                let (xx, yy) = (x * x, y * y);
                if xx + yy > 4.0 {
                    break;
                }
                y = 2.0 * x * y + cy;
                x = xx - yy + cx;
                n += 1;
            }
            *count = n;
        }
    }

    /// Goes along the rows of b, so that the innermost loop is over neighbors.
    fn matmul_rows(n: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
        c.fill(0.0);
        match c.len() == ROWS * n {
            true => {
                let (c0, rest) = c.split_at_mut(n);
                let (c1, rest) = rest.split_at_mut(n);
                let (c2, c3) = rest.split_at_mut(n);
                for (k, b) in b.chunks_exact(n).enumerate() {
                    let (a0, a1, a2, a3) = (a[k], a[n + k], a[2 * n + k], a[3 * n + k]);
                    for ((((c0, c1), c2), c3), b) in
                        c0.iter_mut().zip(&mut *c1).zip(&mut *c2).zip(&mut *c3).zip(b)
                    {
                        *c0 += a0 * b;
                        *c1 += a1 * b;
                        *c2 += a2 * b;
                        *c3 += a3 * b;
                    }
                }
            }
            false => {
                for (a, c) in a.chunks_exact(n).zip(c.chunks_exact_mut(n)) {
                    for (a, b) in a.iter().zip(b.chunks_exact(n)) {
                        for (c, b) in c.iter_mut().zip(b) {
                            *c += a * b;
                        }
                    }
                }
            }
        }
    }

    fn hash_chunk(x: &[u32], hashes: &mut [u32]) {
        for (x, hash) in x.iter().zip(hashes) {
            let mut h = *x;
            for _ in 0..64 {
                h ^= h << 13;
                h ^= h >> 17;
                h ^= h << 5;
            }
            *hash = h;
        }
    }

    fn gather_chunk(table: &[u32], index: &[u32], gathered: &mut [u32]) {
        for (gathered, index) in gathered.iter_mut().zip(index) {
            *gathered = table[*index as usize];
        }
    }

    fn search_chunk(table: &[u32], keys: &[u32], places: &mut [u32]) {
        for (place, key) in places.iter_mut().zip(keys) {
            *place = table.partition_point(|x| x < key) as u32;
        }
    }

    fn black_scholes_chunk(
        prices: &[f32],
        strikes: &[f32],
        years: &[f32],
        calls: &mut [f32],
        puts: &mut [f32],
    ) {
        let options = prices.iter().zip(strikes).zip(years);
        for (((price, strike), time), (call, put)) in options.zip(calls.iter_mut().zip(puts)) {
            let (rate, volatility) = (0.02f32, 0.3f32);
            let deviation = volatility * time.sqrt();
            let d1 = ((price / strike).ln() + (rate + 0.5 * volatility * volatility) * time) / deviation;
            let (n1, n2) = (normal(d1), normal(d1 - deviation));
            let discounted = strike * (-rate * time).exp();
            *call = price * n1 - discounted * n2;
            *put = discounted * (1.0 - n2) - price * (1.0 - n1);
        }
    }
}

/// The normal distribution: Abramowitz and Stegun, 26.2.17.
#[inline(always)]
#[allow(clippy::excessive_precision, reason = "as it is printed")]
fn normal(x: f32) -> f32 {
    let k = 1.0 / (1.0 + 0.2316419 * x.abs());
    let sum =
        k * (0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))));
    let tail = 0.398942280 * (-0.5 * x * x).exp() * sum;
    if x > 0.0 { 1.0 - tail } else { tail }
}
