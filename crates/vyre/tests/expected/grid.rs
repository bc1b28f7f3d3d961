//! What the examples must compute that wait for their grid.
//!
//! Sums and products are made in the order of the programs, so the results are equal bit for bit where division is
//! correctly rounded.

/// Jacobi's method on a rectangle of a width: cells inside become the mean of their neighbors, twice a round, until the
/// second time of a round changes none by more than the tolerance. The first row is 1. Gives the number of rounds. Exact.
pub fn jacobi(cells: &mut Vec<f32>, width: usize, tolerance: f32, max_rounds: u32) -> u32 {
    let height = cells.len() / width;
    cells[..width].fill(1.0);
    let sweep = |from: &[f32]| {
        let (mut to, mut largest) = (from.to_vec(), 0f32);
        for y in 1..height.max(2) - 1 {
            for x in 1..width.max(2) - 1 {
                let at = |x: usize, y: usize| from[y * width + x];
                let mean = 0.25 * ((at(x - 1, y) + at(x + 1, y)) + (at(x, y - 1) + at(x, y + 1)));
                largest = largest.max((mean - at(x, y)).abs());
                to[y * width + x] = mean;
            }
        }
        (to, largest)
    };
    for round in 1..=max_rounds {
        let (half, _) = sweep(cells);
        let (whole, largest) = sweep(&half);
        *cells = whole;
        if largest <= tolerance {
            return round;
        }
    }
    max_rounds
}

/// A directed graph: from where the edges come that lead to each vertex.
pub type Incoming = Vec<Vec<u32>>;

/// How many edges leave each vertex.
pub fn degrees(graph: &Incoming) -> Vec<u32> {
    let mut degrees = vec![0; graph.len()];
    for &source in graph.iter().flatten() {
        degrees[source as usize] += 1;
    }
    degrees
}

/// PageRank with the factor 0.85, until a round changes no rank by more than the tolerance; the number of rounds. What
/// is in vertices that no edge leaves is lost.
pub fn page_rank(graph: &Incoming, tolerance: f32, max_rounds: u32) -> (Vec<f32>, u32) {
    let (n, degrees) = (graph.len() as f32, degrees(graph));
    let mut ranks = vec![1.0 / n; graph.len()];
    for round in 1..=max_rounds {
        let came = |sources: &Vec<u32>| {
            let shares = sources.iter().map(|&s| ranks[s as usize] / degrees[s as usize] as f32);
            (1.0 - 0.85) / n + 0.85 * shares.fold(0.0, |sum, share| sum + share)
        };
        let next: Vec<f32> = graph.iter().map(came).collect();
        let change = ranks.iter().zip(&next).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        ranks = next;
        if change <= tolerance {
            return (ranks, round);
        }
    }
    (ranks, max_rounds)
}

/// The largest difference between ranks and what they should be by what comes in, in f64.
pub fn page_rank_error(graph: &Incoming, ranks: &[f32]) -> f64 {
    let (n, degrees) = (graph.len() as f64, degrees(graph));
    let share = |&s: &u32| f64::from(ranks[s as usize]) / f64::from(degrees[s as usize]);
    let should = graph.iter().map(|sources| 0.15 / n + 0.85 * sources.iter().map(share).sum::<f64>());
    should.zip(ranks).map(|(should, &rank)| (should - f64::from(rank)).abs()).fold(0.0, f64::max)
}
