// How many steps of z = z * z + c stay within the circle of radius 2, for c in a square around the Mandelbrot set.

#define WIDTH 1024u
#define LIMIT 256u

extern "C" __global__ void __launch_bounds__(256) kernel(unsigned* __restrict__ counts) {
    const unsigned px = blockIdx.x * 16 + threadIdx.x, py = blockIdx.y * 16 + threadIdx.y;
    if (px >= WIDTH || py >= WIDTH) return;
    const float step = 2.5f / (float)WIDTH;
    const float cx = (float)px * step - 2.0f;
    const float cy = (float)py * step - 1.25f;
    float x = 0.0f, y = 0.0f;
    unsigned n = 0;
    while (n < LIMIT) {
        const float xx = x * x, yy = y * y;
        if (xx + yy > 4.0f) break;
        y = 2.0f * x * y + cy;
        x = xx - yy + cx;
        n++;
    }
    counts[py * WIDTH + px] = n;
}
