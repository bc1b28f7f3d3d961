// y = m * x for a sparse matrix in compressed rows: a thread a row.

extern "C" __global__ void __launch_bounds__(256)
kernel(const unsigned* __restrict__ starts, const unsigned* __restrict__ columns, const float* __restrict__ values,
       const float* __restrict__ x, float* __restrict__ y, unsigned rows) {
    const unsigned row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows) return;
    float sum = 0.0f;
    const unsigned end = starts[row + 1];
    for (unsigned i = starts[row]; i < end; i++) sum += values[i] * x[columns[i]];
    y[row] = sum;
}
