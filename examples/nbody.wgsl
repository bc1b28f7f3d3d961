// One time step of gravity between n bodies: every body attracts every other (the gravitational constant is 1).
//
//   vyre run examples/nbody.wgsl --threads 4096 --set bodies=random:1:32768 --set next=zeros:32768
//
// A body is eight floats: position, mass, velocity, and one that is carried along unused. The step is the
// semi-implicit Euler method: first the velocity, then the position with the new velocity.
//
// A workgroup moves 256 bodies. It meets all others in tiles of 256, which its invocations fetch together into
// workgroup memory, so that storage is read once a workgroup instead of once a body. The softening length keeps the
// force finite when two bodies meet, and makes that of a body on itself zero.

override time_step: f32 = 0.001;
override softening: f32 = 0.05;

struct Body {
    position_mass: vec4<f32>,
    velocity: vec4<f32>,
}

@group(0) @binding(0) var<storage, read> bodies: array<Body>;
@group(0) @binding(1) var<storage, read_write> next: array<Body>;

const TILE = 256u;

var<workgroup> tile: array<vec4<f32>, TILE>;

fn attraction(position: vec3<f32>, other: vec4<f32>) -> vec3<f32> {
    let offset = other.xyz - position;
    let squared = offset.x * offset.x + offset.y * offset.y + offset.z * offset.z + softening * softening;
    return offset * (other.w / (squared * sqrt(squared)));
}

@compute @workgroup_size(TILE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let count = arrayLength(&bodies);
    let alive = id.x < count;

    // Invocations beyond the last body help to fetch and take part in the barriers.
    var body = Body();
    if alive {
        body = bodies[id.x];
    }
    var acceleration = vec3<f32>(0.0);
    for (var base = 0u; base < count; base += TILE) {
        if base + lane < count {
            tile[lane] = bodies[base + lane].position_mass;
        }
        workgroupBarrier();
        let filled = min(TILE, count - base);
        for (var i = 0u; i < filled; i++) {
            acceleration += attraction(body.position_mass.xyz, tile[i]);
        }
        workgroupBarrier();
    }

    if alive {
        let velocity = body.velocity.xyz + acceleration * time_step;
        let position = body.position_mass.xyz + velocity * time_step;
        next[id.x] = Body(vec4<f32>(position, body.position_mass.w), vec4<f32>(velocity, body.velocity.w));
    }
}
