//! A switch inside a loop, with break, continue, return and another loop inside its cases.
//! in result = zeros 16
//! out result = [4026538414, 4026532258, 4026536956, 4026537685, 4026533554, 4026531853, 4026532339, 4026532906, 4026532015, 4026539872, 4026531874, 4026531907, 4026531840, 4026533554, 4026590902, 4026820537]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

fn walk(seed: u32) -> u32 {
    var x = seed;
    var log = 0u;
    for (var round = 0u; round < 20u; round++) {
        x = (x * 5u + 3u) % 16u;
        switch x {
            case 0u: {
                log = log * 7u + 1u;
            }
            case 1u, 2u, 3u: {
                if round > 10u {
                    return log * 7u + 2u + 0x80000000u;
                }
                break; // leaves the switch only
            }
            case 4u: {
                continue; // goes on with the loop
            }
            default: {
                log = log * 3u + x;
            }
            case 5u, 6u: {
                var inner = 0u;
                loop {
                    inner++;
                    if inner == x {
                        break; // leaves the inner loop only
                    }
                    if inner % 2u == 0u {
                        log += inner;
                        continue;
                    }
                }
            }
            case 15u: {
                return log + 0xf0000000u;
            }
        }
        log += 1u;
    }
    return log;
}

@compute @workgroup_size(16)
fn main(@builtin(local_invocation_index) i: u32) {
    result[i] = walk(i);
}
