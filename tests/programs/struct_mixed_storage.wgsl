//! A storage struct that mixes f32, i32 and u32 members, read and written member by member and as a whole.
//! words source
//! words result
//! in source = [0x3f800000, 0x40000000, 0x40400000, 0x00000007, 0x40800000, 0xc0000000, 0x41000000, 0x00000005, 0xbf800000, 0x3f000000, 0x41200000, 0x00000009, 0x3f800000, 0x3f800000, 0xc0800000, 0xfffffffa]
//! in result = zeros 16
//! out result = [0xbf000000, 0x3f800000, 0x41000000, 0x00000385, 0x3f800000, 0x3f800000, 0xc0800000, 0x00000006, 0x40400000, 0x3f800000, 0x40e00000, 0x000002bc, 0x40800000, 0xc0000000, 0x41000000, 0xfffffffb]

struct Particle {
    position: vec3<f32>, // offset 0
    id: u32,             // offset 12
    velocity: vec3<f32>, // offset 16
    charge: i32,         // offset 28
}

@group(0) @binding(0) var<storage, read> source: array<Particle>;
@group(0) @binding(1) var<storage, read_write> result: array<Particle>;

@compute @workgroup_size(2)
fn main(@builtin(local_invocation_index) i: u32) {
    var p = source[i];
    p.position += p.velocity * 0.5;
    p.charge = -p.charge;
    result[1u - i] = p;
    result[1u - i].id = source[i].id * 100u + i;
}
