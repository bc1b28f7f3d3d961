// Prices of European call and put options by the formula of Black and Scholes.

@group(0) @binding(0) var<storage, read> prices: array<f32>;
@group(0) @binding(1) var<storage, read> strikes: array<f32>;
@group(0) @binding(2) var<storage, read> years: array<f32>;
@group(0) @binding(3) var<storage, read_write> calls: array<f32>;
@group(0) @binding(4) var<storage, read_write> puts: array<f32>;

const RATE = 0.02;
const VOLATILITY = 0.3;

// The normal distribution: Abramowitz and Stegun, 26.2.17.
fn normal(x: f32) -> f32 {
    let k = 1.0 / (1.0 + 0.2316419 * abs(x));
    let sum = k * (0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))));
    let tail = 0.398942280 * exp(-0.5 * x * x) * sum;
    return select(tail, 1.0 - tail, x > 0.0);
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= arrayLength(&prices)) {
        return;
    }
    let price = prices[i];
    let strike = strikes[i];
    let time = years[i];
    let deviation = VOLATILITY * sqrt(time);
    let d1 = (log(price / strike) + (RATE + 0.5 * VOLATILITY * VOLATILITY) * time) / deviation;
    let d2 = d1 - deviation;
    let n1 = normal(d1);
    let n2 = normal(d2);
    let discounted = strike * exp(-RATE * time);
    calls[i] = price * n1 - discounted * n2;
    puts[i] = discounted * (1.0 - n2) - price * (1.0 - n1);
}
