//! Elements next to each other, loaded and stored in an order that matters, from aligned and other places on.
//! in data = [1, 2, 3, 4, 5, 6, 7, 8]
//! in digits = [0, 1, 2, 3, 4, 5, 6, 7, 8]
//! out data = [18, 11, 8, 3, 22, 15, 8, 7]
//! out sums = [22, 34]
//! out numbers = [4321, 8765]
//! out turned = [4, 3, 2, 1, 8, 7, 6, 5]

@group(0) @binding(0) var<storage, read_write> data: array<u32, 8>;
@group(0) @binding(1) var<storage, read> digits: array<u32, 9>;
@group(0) @binding(2) var<storage, read_write> sums: array<u32, 2>;
@group(0) @binding(3) var<storage, read_write> numbers: array<u32, 2>;
@group(0) @binding(4) var<storage, read_write> turned: array<u32, 8>;

@compute @workgroup_size(2)
fn main(@builtin(local_invocation_index) local: u32) {
    let i = 4u * local;
    let a = data[i];
    data[i + 1u] = a + 10u;
    let b = data[i + 1u];
    let c = data[i + 2u];
    data[i + 2u] = 7u;
    data[i + 3u] = c;
    let d = data[i + 2u];
    data[i + 2u] = 8u;
    data[i] = b + d;
    sums[local] = a + b + c + d;

    let j = i + 1u;
    numbers[local] = digits[j] + 10u * digits[j + 1u] + 100u * digits[j + 2u] + 1000u * digits[j + 3u];

    turned[i] = digits[j + 3u];
    turned[i + 3u] = digits[j];
    turned[i + 1u] = digits[j + 2u];
    turned[i + 2u] = digits[j + 1u];
}
