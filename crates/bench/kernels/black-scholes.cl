// Prices of European call and put options by the formula of Black and Scholes.
#pragma OPENCL FP_CONTRACT OFF

#define RATE 0.02f
#define VOLATILITY 0.3f

// The normal distribution: Abramowitz and Stegun, 26.2.17.
float normal(float x) {
    float k = 1.0f / (1.0f + 0.2316419f * fabs(x));
    float sum =
        k * (0.319381530f + k * (-0.356563782f + k * (1.781477937f + k * (-1.821255978f + k * 1.330274429f))));
    float tail = 0.398942280f * exp(-0.5f * x * x) * sum;
    return x > 0.0f ? 1.0f - tail : tail;
}

kernel void run(global const float *restrict prices, global const float *restrict strikes,
                global const float *restrict years, global float *restrict calls, global float *restrict puts,
                uint prices_length, uint strikes_length, uint years_length, uint calls_length, uint puts_length) {
    size_t i = get_global_id(0);
    if (i >= prices_length) {
        return;
    }
    float price = prices[i];
    float strike = strikes[i];
    float time = years[i];
    float deviation = VOLATILITY * sqrt(time);
    float d1 = (log(price / strike) + (RATE + 0.5f * VOLATILITY * VOLATILITY) * time) / deviation;
    float d2 = d1 - deviation;
    float n1 = normal(d1);
    float n2 = normal(d2);
    float discounted = strike * exp(-RATE * time);
    calls[i] = price * n1 - discounted * n2;
    puts[i] = discounted * (1.0f - n2) - price * (1.0f - n1);
}
