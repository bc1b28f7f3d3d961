// Edges of a picture: the Sobel operator on its luminance.
//
//   vyre run examples/sobel.wgsl --threads 1048576 --set src=mandelbrot.png --out dst=edges.png:1024
//
// `src` and `dst` hold one pixel a word, RGBA with red in the lowest byte, row by row. The width has to be told
// (--override width=640, default 1024); the height follows from the length of `src`. Pixels beyond the border repeat
// the border. `dst` is gray and opaque: 0 where the picture is flat, 255 at the steepest edges.

override width: u32 = 1024u;

@group(0) @binding(0) var<storage, read> src: array<u32>;
@group(0) @binding(1) var<storage, read_write> dst: array<u32>;

// Relative luminance, 0 to 255, with the weights of ITU-R BT.709 applied to the encoded values.
fn luminance(x: i32, y: i32) -> f32 {
    let height = arrayLength(&src) / width;
    let column = u32(clamp(x, 0, i32(width) - 1));
    let row = u32(clamp(y, 0, i32(height) - 1));
    let pixel = src[row * width + column];
    let red = f32(pixel & 0xffu);
    let green = f32((pixel >> 8u) & 0xffu);
    let blue = f32((pixel >> 16u) & 0xffu);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= arrayLength(&src) / width * width {
        return;
    }
    let x = i32(id.x % width);
    let y = i32(id.x / width);

    var window: array<array<f32, 3>, 3>;
    for (var j = 0; j < 3; j++) {
        for (var i = 0; i < 3; i++) {
            window[j][i] = luminance(x + i - 1, y + j - 1);
        }
    }
    let horizontal = (window[0][2] + 2.0 * window[1][2] + window[2][2])
        - (window[0][0] + 2.0 * window[1][0] + window[2][0]);
    let vertical = (window[2][0] + 2.0 * window[2][1] + window[2][2])
        - (window[0][0] + 2.0 * window[0][1] + window[0][2]);

    let magnitude = sqrt(horizontal * horizontal + vertical * vertical);
    let gray = u32(min(magnitude + 0.5, 255.0));
    dst[id.x] = (gray * 0x010101u) | 0xff000000u;
}
