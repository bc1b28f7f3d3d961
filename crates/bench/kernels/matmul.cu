// c = a * b for square matrices in row-major order, by tiles that are copied to shared memory.

#define N 512u
#define TILE 16u

extern "C" __global__ void __launch_bounds__(TILE * TILE)
kernel(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c) {
    __shared__ float tile_a[TILE][TILE];
    __shared__ float tile_b[TILE][TILE];
    const unsigned x = threadIdx.x, y = threadIdx.y;
    const unsigned row = blockIdx.y * TILE + y;
    const unsigned column = blockIdx.x * TILE + x;
    float sum = 0.0f;
    for (unsigned k = 0; k < N; k += TILE) {
        tile_a[y][x] = a[row * N + k + x];
        tile_b[y][x] = b[(k + y) * N + column];
        __syncthreads();

        for (unsigned i = 0; i < TILE; i++) sum += tile_a[y][i] * tile_b[i][x];
        __syncthreads();
    }
    c[row * N + column] = sum;
}
