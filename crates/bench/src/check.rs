//! What results must be, in plain Rust. Integers are exact; what may differ of floats is said where it is allowed.

use crate::kernels::Work;

/// How many numbers a workgroup of `sum` adds.
pub const SUMMED: usize = 256 * 16;

fn floats(words: &[u32]) -> &[f32] {
    bytemuck::cast_slice(words)
}

/// That `got` is `expected` within `tolerance`, all by element. No NaN is.
fn close(got: &[u32], expected: impl Fn(usize) -> (f64, f64)) -> Result<(), String> {
    for (i, &value) in floats(got).iter().enumerate() {
        let (expected, tolerance) = expected(i);
        let within = (f64::from(value) - expected).abs() <= tolerance;
        if !within {
            return Err(format!("element {i} is {value}, not {expected} within {tolerance:.2e}"));
        }
    }
    Ok(())
}

fn equal<T: PartialEq + std::fmt::Display>(got: &[T], expected: impl Fn(usize) -> T) -> Result<(), String> {
    for (i, value) in got.iter().enumerate() {
        let expected = expected(i);
        if *value != expected {
            return Err(format!("element {i} is {value}, not {expected}"));
        }
    }
    Ok(())
}

/// WGSL and OpenCL leave open whether product and sum are rounded once or twice: at most half a unit in the last place
/// of each.
pub fn saxpy(work: &Work, got: &[Vec<u32>]) -> Result<(), String> {
    let (a, x, y) = (work.constant("a"), work.buffers[0].floats(), work.buffers[1].floats());
    close(&got[1], |i| {
        let (product, y) = (a * f64::from(x[i]), f64::from(y[i]));
        (product + y, (product.abs() + y.abs()) * f64::from(f32::EPSILON))
    })
}

/// Exact: the numbers are small integers.
pub fn sum(work: &Work, got: &[Vec<u32>]) -> Result<(), String> {
    let sums: Vec<f32> = work.buffers[0]
        .floats()
        .chunks(SUMMED)
        .map(|chunk| chunk.iter().map(|&x| x as u32).sum::<u32>() as f32)
        .collect();
    equal(floats(&got[1]), |i| sums[i])
}

/// Near the border of the set steps multiply a difference in rounding. WGSL and OpenCL allow to contract a product and a
/// sum to a fused multiply and add, which changes 1596 of the 1024 x 1024 points where the product is of two numbers and
/// 1878 where squares are contracted too, 0.18 %; one point in two hundred may differ.
pub fn mandelbrot(work: &Work, got: &[Vec<u32>]) -> Result<(), String> {
    let width = work.constant("width") as usize;
    let differ = got[0].iter().enumerate().filter(|&(i, &n)| n != steps(i % width, i / width, width)).count();
    match differ * 200 <= width * width {
        true => Ok(()),
        false => Err(format!("{differ} of {} points differ", width * width)),
    }
}

fn steps(column: usize, row: usize, width: usize) -> u32 {
    let step = 2.5 / width as f32;
    let (cx, cy) = (column as f32 * step - 2.0, row as f32 * step - 1.25);
    let (mut x, mut y) = (0.0f32, 0.0f32);
    (0..256)
        .find(|_| {
            let (xx, yy) = (x * x, y * y);
            (x, y) = (xx - yy + cx, 2.0 * x * y + cy);
            xx + yy > 4.0
        })
        .unwrap_or(256)
}

/// The bound for a sum of `n` products in any order, contracted or not (Higham, Accuracy and Stability of Numerical
/// Algorithms, section 3.1).
pub fn matmul(work: &Work, got: &[Vec<u32>]) -> Result<(), String> {
    let n = work.constant("n") as usize;
    let (a, b) = (work.buffers[0].floats(), work.buffers[1].floats());
    let (mut sums, mut sizes) = (vec![0f64; n * n], vec![0f64; n * n]);
    for i in 0..n {
        for k in 0..n {
            let factor = f64::from(a[i * n + k]);
            for j in 0..n {
                let product = factor * f64::from(b[k * n + j]);
                sums[i * n + j] += product;
                sizes[i * n + j] += product.abs();
            }
        }
    }
    close(&got[2], |i| (sums[i], sizes[i] * n as f64 * f64::from(f32::EPSILON)))
}

/// Exact.
pub fn hash(work: &Work, got: &[Vec<u32>]) -> Result<(), String> {
    equal(&got[1], |i| {
        (0..64).fold(work.buffers[0].words[i], |h, _| {
            let h = h ^ h << 13;
            let h = h ^ h >> 17;
            h ^ h << 5
        })
    })
}

/// Exact.
pub fn gather(work: &Work, got: &[Vec<u32>]) -> Result<(), String> {
    let (table, index) = (&work.buffers[0].words, &work.buffers[1].words);
    equal(&got[2], |i| table[index[i] as usize])
}

/// Exact: all before the place is less than the key, all from it on is not.
pub fn search(work: &Work, got: &[Vec<u32>]) -> Result<(), String> {
    let (table, keys) = (&work.buffers[0].words, &work.buffers[1].words);
    for (i, (&place, &key)) in got[2].iter().zip(keys).enumerate() {
        let place = place as usize;
        let right = place <= table.len()
            && (place == 0 || table[place - 1] < key)
            && table.get(place).is_none_or(|&next| next >= key);
        if !right {
            return Err(format!("key {i}, which is {key}, is not at place {place}"));
        }
    }
    Ok(())
}

/// Prices are right to a hundred-thousandth of what is at stake. The polynomial is right to 7.5e-8; WGSL lets a
/// logarithm near 1 err by 2^-21, which moves the arguments of the distribution by up to 2^-21 / (0.3 * sqrt(0.25)),
/// or 3.2e-6, and it by 0.4 of that.
pub fn black_scholes(work: &Work, got: &[Vec<u32>]) -> Result<(), String> {
    let [prices, strikes, years] = std::array::from_fn(|i| work.buffers[i].floats());
    let option = |i: usize| {
        let [price, strike, time] = [prices[i], strikes[i], years[i]].map(f64::from);
        let (rate, volatility) = (0.02, 0.3);
        let deviation = volatility * time.sqrt();
        let d1 = ((price / strike).ln() + (rate + volatility * volatility / 2.0) * time) / deviation;
        let normal = |x: f64| libm::erfc(-x / 2f64.sqrt()) / 2.0;
        let (n1, n2) = (normal(d1), normal(d1 - deviation));
        let discounted = strike * (-rate * time).exp();
        let call = price * n1 - discounted * n2;
        (call, discounted * (1.0 - n2) - price * (1.0 - n1), (price + strike) * 1e-5)
    };
    close(&got[3], |i| (option(i).0, option(i).2))?;
    close(&got[4], |i| (option(i).1, option(i).2))
}

/// Exact. Only for runs on data that are given anew each time.
pub fn invert(work: &Work, got: &[Vec<u32>]) -> Result<(), String> {
    equal(&got[0], |i| !work.buffers[0].words[i])
}
