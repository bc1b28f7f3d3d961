// y = a * x + y.
#pragma OPENCL FP_CONTRACT OFF

kernel void run(global const float *restrict x, global float *restrict y, uint x_length, uint y_length) {
    size_t i = get_global_id(0);
    if (i >= x_length) {
        return;
    }
    y[i] = (float)A * x[i] + y[i];
}
