// The sum of each 4096 numbers: 16 loads by each of 256 work items, then a tree in local memory.
#pragma OPENCL FP_CONTRACT OFF

#define SIZE 256
#define LOADS 16

kernel __attribute__((reqd_work_group_size(SIZE, 1, 1)))
void run(global const float *restrict x, global float *restrict partials, uint x_length, uint partials_length) {
    local float tree[SIZE];
    uint item = get_local_id(0);
    uint first = get_group_id(0) * SIZE * LOADS + item;
    float sum = 0.0f;
    for (uint k = 0; k < LOADS; k++) {
        uint i = first + k * SIZE;
        if (i < x_length) {
            sum += x[i];
        }
    }
    tree[item] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);

    for (uint half_size = SIZE / 2; half_size > 0; half_size /= 2) {
        if (item < half_size) {
            tree[item] += tree[item + half_size];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (item == 0) {
        partials[get_group_id(0)] = tree[0];
    }
}
