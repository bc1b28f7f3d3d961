//! Pointers to function variables: parameters that are read, written, and passed on; aliases through let.
//! in result = zeros 7
//! out result = [245, 10, -20, 31, 23, 122, 64]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

fn swap(a: ptr<function, i32>, b: ptr<function, i32>) {
    let t = *a;
    *a = *b;
    *b = t;
}

fn order(a: ptr<function, i32>, b: ptr<function, i32>) {
    if *a > *b {
        swap(a, b);
    }
}

fn scale(v: ptr<function, vec3<i32>>, by: i32) {
    *v *= by;
    (*v).y = -(*v).y;
    (*v)[2] += 1;
}

fn fill(list: ptr<function, array<i32, 4>>, from_value: i32) -> i32 {
    for (var i = 0; i < 4; i++) {
        (*list)[i] = from_value + i;
    }
    return (*list)[3];
}

@compute @workgroup_size(1)
fn main() {
    var x = 5;
    var y = 2;
    var z = 4;
    order(&x, &y);
    order(&y, &z);
    order(&x, &y);
    result[0] = x * 100 + y * 10 + z;

    var v = vec3<i32>(1, 2, 3);
    scale(&v, 10);
    result[1] = v.x;
    result[2] = v.y;
    result[3] = v.z;

    var list: array<i32, 4>;
    result[4] = fill(&list, 20);
    let element = &list[2];
    *element += 100;
    result[5] = list[2];
    result[6] = list[0] + list[1] + list[3];
}
