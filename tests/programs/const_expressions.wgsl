//! Constant expressions, const_assert, alias, and constants that depend on each other.
//! in result = zeros 8
//! out result = [84, 31, 25, 2000000000, -3, -1, 2, 22]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

alias Number = i32;
alias Pair = vec2<Number>;
const BASE: Number = 6;
const SIZE = BASE * 2 + 1;
const MASK = (1u << 5u) - 1u;
const ORIGIN = Pair(3, -4);
const BIG = 1000000 * 2000; // an abstract integer, larger than it could be by parts
const_assert SIZE == 13;
const_assert MASK == 31u && BIG > 1;

var<private> table: array<Number, SIZE>;

@compute @workgroup_size(1)
fn main() {
    const LOCAL = SIZE - BASE;
    const_assert LOCAL == 7;
    for (var i = 0; i < SIZE; i++) {
        table[i] = i * LOCAL;
    }
    result[0] = table[SIZE - 1];
    result[1] = i32(MASK);
    result[2] = ORIGIN.x * ORIGIN.x + ORIGIN.y * ORIGIN.y;
    result[3] = BIG;
    result[4] = -7 / 2;
    result[5] = -7 % 3;
    result[6] = select(1, 2, LOCAL > BASE);
    result[7] = max(abs(-9), 4) + min(3, 5) + clamp(17, 0, 10);
}
