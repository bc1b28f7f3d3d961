//! Switches nested in switches and ifs, with variables assigned on some ways only.
//! in result = zeros 16
//! out result = [105, 1, 1, 1, 111, 7, 3, 4, 121, 9, 5, 7, 105, 9, 7, 10]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(4, 4)
fn main(@builtin(local_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) i: u32) {
    var value = 1u;
    switch id.x {
        case 0u: {
            switch id.y {
                case 1u: { value += 10u; }
                case 2u: { value += 20u; break; }
                default: { value = 5u; }
            }
            value += 100u;
        }
        case 1u: {
            if id.y < 2u {
                switch id.y {
                    case 0u: { break; }
                    default: { value = 7u; }
                }
                break;
            }
            value *= 9u;
        }
        default: {
            value += id.x * id.y;
        }
    }
    result[i] = value;
}
