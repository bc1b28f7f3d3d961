// Prices of European call and put options by the formula of Black and Scholes.

#define RATE 0.02f
#define VOLATILITY 0.3f

// The normal distribution: Abramowitz and Stegun, 26.2.17.
__device__ float normal(float x) {
    const float k = 1.0f / (1.0f + 0.2316419f * fabsf(x));
    const float sum =
        k * (0.319381530f + k * (-0.356563782f + k * (1.781477937f + k * (-1.821255978f + k * 1.330274429f))));
    const float tail = 0.398942280f * expf(-0.5f * x * x) * sum;
    return x > 0.0f ? 1.0f - tail : tail;
}

extern "C" __global__ void __launch_bounds__(256)
kernel(const float* __restrict__ prices, const float* __restrict__ strikes, const float* __restrict__ years,
       float* __restrict__ calls, float* __restrict__ puts, unsigned n) {
    const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const float price = prices[i], strike = strikes[i], time = years[i];
    const float deviation = VOLATILITY * sqrtf(time);
    const float d1 = (logf(price / strike) + (RATE + 0.5f * VOLATILITY * VOLATILITY) * time) / deviation;
    const float d2 = d1 - deviation;
    const float n1 = normal(d1), n2 = normal(d2);
    const float discounted = strike * expf(-RATE * time);
    calls[i] = price * n1 - discounted * n2;
    puts[i] = discounted * (1.0f - n2) - price * (1.0f - n1);
}
