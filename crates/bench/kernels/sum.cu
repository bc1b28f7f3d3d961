// The sum of each 4096 numbers: 16 loads by each of 256 threads, then a tree in shared memory.

#define SIZE 256u
#define LOADS 16u

extern "C" __global__ void __launch_bounds__(SIZE) kernel(const float* __restrict__ x, float* __restrict__ partials, unsigned n) {
    __shared__ float tree[SIZE];
    const unsigned local = threadIdx.x;
    const unsigned first = blockIdx.x * SIZE * LOADS + local;
    float sum = 0.0f;
    for (unsigned k = 0; k < LOADS; k++) {
        const unsigned i = first + k * SIZE;
        if (i < n) sum += x[i];
    }
    tree[local] = sum;
    __syncthreads();

    for (unsigned half = SIZE / 2; half > 0; half /= 2) {
        if (local < half) tree[local] += tree[local + half];
        __syncthreads();
    }
    if (local == 0) partials[blockIdx.x] = tree[0];
}
