// How many steps of z = z * z + c stay within the circle of radius 2, for c in a square around the Mandelbrot set.
#pragma OPENCL FP_CONTRACT OFF

#define LIMIT 256

kernel __attribute__((reqd_work_group_size(16, 16, 1)))
void run(global uint *restrict counts, uint counts_length) {
    uint column = get_global_id(0);
    uint row = get_global_id(1);
    if (column >= WIDTH || row >= WIDTH) {
        return;
    }
    float step = 2.5f / (float)WIDTH;
    float cx = (float)column * step - 2.0f;
    float cy = (float)row * step - 1.25f;
    float x = 0.0f;
    float y = 0.0f;
    uint n = 0;
    while (n < LIMIT) {
        float xx = x * x;
        float yy = y * y;
        if (xx + yy > 4.0f) {
            break;
        }
        y = 2.0f * x * y + cy;
        x = xx - yy + cx;
        n++;
    }
    counts[row * WIDTH + column] = n;
}
