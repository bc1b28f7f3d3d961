//! Pointers to a member, an element and a nested element of a function or private variable as parameters.
//! in result = zeros 4
//! out result = [11, 112, 7, 8]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

struct Box { low: i32, high: i32, list: array<i32, 3> }

var<private> kept: array<Box, 2>;

fn raise(p: ptr<function, i32>, by: i32) {
    *p += by;
}

fn store(p: ptr<private, i32>, x: i32) -> i32 {
    let old = *p;
    *p = x;
    return old;
}

fn sum(list: ptr<function, array<i32, 3>>) -> i32 {
    return (*list)[0] + (*list)[1] + (*list)[2];
}

@compute @workgroup_size(1)
fn main(@builtin(num_workgroups) groups: vec3<u32>) {
    let one = groups.x;
    var box = Box(1, 2, array<i32, 3>(3, 4, 5));
    raise(&box.low, 10);
    raise(&box.list[one], 100);
    result[0] = box.low;
    result[1] = sum(&box.list);
    result[2] = store(&kept[one].high, 7) + store(&kept[one].high, 8);
    result[3] = kept[0].high * 10 + kept[1].high;
}
