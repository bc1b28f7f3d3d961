//! Literals in every form: decimal, hexadecimal, suffixes, hexadecimal floats, exponents, the extremes.
//! out integers = [0xffffffff, 0xdeadbeef, 0x80000000, 0x7fffffff, 31, 0xffffffff, 3, 1]
//! out floats = [1.0, 0.5, 3.0, 1000.0, 0.0025, 9.765625e-04, 12.0, 21.5, 3.4028235e+38, -7.0]

@group(0) @binding(0) var<storage, read_write> integers: array<u32, 8>;
@group(0) @binding(1) var<storage, read_write> floats: array<f32, 10>;

@compute @workgroup_size(1)
fn main() {
    integers[0] = 4294967295u;
    integers[1] = 0xDeadBeefu;
    integers[2] = u32(i32(-2147483648));
    integers[3] = u32(0x7fffffff);
    integers[4] = 0X1fu + 0u;
    integers[5] = u32(-1i);
    integers[6] = u32(3.0);
    integers[7] = 1u - u32(false);
    floats[0] = 1;
    floats[1] = .5;
    floats[2] = 3.;
    floats[3] = 1e3;
    floats[4] = 2.5E-3f;
    floats[5] = 0x1p-10;
    floats[6] = 0x1.8p3f;
    floats[7] = 0xa.cp1;
    floats[8] = 3.40282347e38;
    floats[9] = -7f;
}
