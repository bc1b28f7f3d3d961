//! All compute built-in values that do not concern subgroups, in a three-dimensional grid of three-dimensional workgroups.
//! grid: 2,3,2
//! in result = zeros 72
//! out result = [0, 1001001, 2002002, 10003, 1011004, 2012005, 20010, 1021011, 2022012, 30013, 1031014, 2032015, 40020, 1041021, 2042022, 50023, 1051024, 2052025, 3003100, 4004101, 5005102, 3013103, 4014104, 5015105, 3023110, 4024111, 5025112, 3033113, 4034114, 5035115, 3043120, 4044121, 5045122, 3053123, 4054124, 5055125, 50200, 1051201, 2052202, 60203, 1061204, 2062205, 70210, 1071211, 2072212, 80213, 1081214, 2082215, 90220, 1091221, 2092222, 100223, 1101224, 2102225, 3053300, 4054301, 5055302, 3063303, 4064304, 5065305, 3073310, 4074311, 5075312, 3083313, 4084314, 5085315, 3093320, 4094321, 5095322, 3103323, 4104324, 5105325]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

struct Position {
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
}

@compute @workgroup_size(3, 1, 2)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    position: Position,
    @builtin(local_invocation_index) index: u32,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let size = groups * vec3<u32>(3u, 1u, 2u);
    let at = (id.z * size.y + id.y) * size.x + id.x;
    result[at] = id.x + 10u * id.y + 100u * id.z
        + 1000u * index
        + 10000u * (position.group.x + 2u * position.group.y + 5u * position.group.z)
        + 1000000u * (position.local.x + 3u * position.local.z);
}
