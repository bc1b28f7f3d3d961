//! unpack4x8snorm, unpack4x8unorm, unpack2x16snorm, unpack2x16unorm: division by 127, 255, 32767, 65535, not below -1.
//! in words = [0x00000000, 0x7f80ff01, 0xffffffff, 0x3c00c500, 0x12345678]
//! out fours = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.007874016, -0.007874016, -1.0, 1.0, 0.003921569, 1.0, 0.5019608, 0.49803922, -0.00778222, 0.99612415, 0.9961242, 0.49805447, -0.007874016, -0.007874016, -0.007874016, -0.007874016, 1.0, 1.0, 1.0, 1.0, -3.051851e-05, -3.051851e-05, 1.0, 1.0, 0.0, -0.46456692, 0.0, 0.47244096, 0.0, 0.77254903, 0.0, 0.23529412, -0.46095157, 0.4687643, 0.769543, 0.23437858, 0.9448819, 0.6771653, 0.40944883, 0.14173229, 0.47058824, 0.3372549, 0.20392157, 0.07058824, 0.67555773, 0.14221625, 0.3377737, 0.071107045]
//! ulp fours = 1
//! inexact fours = 3

@group(0) @binding(0) var<storage, read> words: array<u32, 5>;
@group(0) @binding(1) var<storage, read_write> fours: array<array<vec4<f32>, 3>, 5>;

@compute @workgroup_size(5)
fn main(@builtin(local_invocation_index) i: u32) {
    fours[i][0] = unpack4x8snorm(words[i]);
    fours[i][1] = unpack4x8unorm(words[i]);
    fours[i][2] = vec4<f32>(unpack2x16snorm(words[i]), unpack2x16unorm(words[i]));
}
