// How often each of the 256 byte values occurs: into shared memory first, from there into the result.

extern "C" __global__ void __launch_bounds__(256)
kernel(const unsigned* __restrict__ data, unsigned* __restrict__ counts, unsigned words) {
    __shared__ unsigned own[256];
    own[threadIdx.x] = 0;
    __syncthreads();
    for (unsigned i = blockIdx.x * 256 + threadIdx.x; i < words; i += gridDim.x * 256) {
        const unsigned word = data[i];
        for (unsigned k = 0; k < 4; k++) atomicAdd(&own[(word >> (8 * k)) & 0xffu], 1u);
    }
    __syncthreads();
    atomicAdd(&counts[threadIdx.x], own[threadIdx.x]);
}
