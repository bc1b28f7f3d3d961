// c = a * b for square matrices in row-major order, by tiles that are copied to local memory.
#pragma OPENCL FP_CONTRACT OFF

#define TILE 16

kernel __attribute__((reqd_work_group_size(TILE, TILE, 1)))
void run(global const float *restrict a, global const float *restrict b, global float *restrict c,
         uint a_length, uint b_length, uint c_length) {
    local float tile_a[TILE][TILE];
    local float tile_b[TILE][TILE];
    uint column = get_global_id(0);
    uint row = get_global_id(1);
    uint x = get_local_id(0);
    uint y = get_local_id(1);
    float sum = 0.0f;
    for (uint k = 0; k < N; k += TILE) {
        tile_a[y][x] = a[row * N + k + x];
        tile_b[y][x] = b[(k + y) * N + column];
        barrier(CLK_LOCAL_MEM_FENCE);

        for (uint i = 0; i < TILE; i++) {
            sum += tile_a[y][i] * tile_b[i][x];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    c[row * N + column] = sum;
}
