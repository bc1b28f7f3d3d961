//! Integer instructions against plain Rust, over special values.

mod device;

use device::table::Table;

/// Values at the edges of a width, and some without a pattern.
fn values(bits: u32) -> Vec<u64> {
    let top = 1u64 << (bits - 1);
    let mut out = vec![0, 1, 2, 3, top - 1, top, top + 1, u64::MAX, u64::MAX - 1, 0x5555_5555_5555_5555];
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for _ in 0..4 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        out.push(state >> 7);
    }
    out
}

/// Every combination of the lists.
fn product(lists: &[Vec<u64>]) -> Vec<Vec<u64>> {
    lists.iter().fold(vec![Vec::new()], |rows, list| {
        rows.iter()
            .flat_map(|row| list.iter().map(move |value| [row.as_slice(), &[*value]].concat()))
            .collect()
    })
}

fn pairs(bits: u32) -> Vec<Vec<u64>> {
    product(&[values(bits), values(bits)])
}

fn triples(bits: u32) -> Vec<Vec<u64>> {
    product(&[values(bits), values(bits), vec![0, 1, u64::MAX, 1 << (bits - 1), 0x1234_5678_9abc_def0]])
}

fn ones(bits: u32) -> Vec<Vec<u64>> {
    product(&[values(bits)])
}

#[test]
fn arithmetic() {
    let mut table = Table::default();
    macro_rules! of_width {
        ($bits:literal, $unsigned:ty, $signed:ty, $u:literal, $s:literal) => {
            let both = &pairs($bits);
            let two = &[$bits, $bits];
            let mut row = |op: &str, kind: &str, f: fn($unsigned, $unsigned) -> $unsigned| {
                let text = format!("{op}.{kind} $d, $0, $1");
                table.row(&text, $bits, two, both, |x| f(x[0] as $unsigned, x[1] as $unsigned) as u64);
            };
            row("add", $u, |a, b| a.wrapping_add(b));
            row("add", $s, |a, b| a.wrapping_add(b));
            row("sub", $u, |a, b| a.wrapping_sub(b));
            row("mul.lo", $s, |a, b| a.wrapping_mul(b));
            row("mul.hi", $u, |a, b| ((a as u128 * b as u128) >> $bits) as $unsigned);
            row("mul.hi", $s, |a, b| ((a as $signed as i128 * b as $signed as i128) >> $bits) as $unsigned);
            row("min", $u, |a, b| a.min(b));
            row("min", $s, |a, b| (a as $signed).min(b as $signed) as $unsigned);
            row("max", $u, |a, b| a.max(b));
            row("max", $s, |a, b| (a as $signed).max(b as $signed) as $unsigned);
            let divisors: Vec<Vec<u64>> = both.iter().filter(|x| x[1] as $unsigned != 0).cloned().collect();
            let mut row = |op: &str, kind: &str, f: fn($unsigned, $unsigned) -> $unsigned| {
                let text = format!("{op}.{kind} $d, $0, $1");
                table.row(&text, $bits, two, &divisors, |x| f(x[0] as $unsigned, x[1] as $unsigned) as u64);
            };
            row("div", $u, |a, b| a / b);
            row("rem", $u, |a, b| a % b);
            row("div", $s, |a, b| (a as $signed).wrapping_div(b as $signed) as $unsigned);
            row("rem", $s, |a, b| (a as $signed).wrapping_rem(b as $signed) as $unsigned);
            let mut row = |op: &str, kind: &str, f: fn($unsigned, $unsigned, $unsigned) -> $unsigned| {
                let text = format!("{op}.{kind} $d, $0, $1, $2");
                table.row(&text, $bits, &[$bits; 3], &triples($bits), |x| {
                    f(x[0] as $unsigned, x[1] as $unsigned, x[2] as $unsigned) as u64
                });
            };
            row("mad.lo", $u, |a, b, c| a.wrapping_mul(b).wrapping_add(c));
            row("mad.hi", $s, |a, b, c| {
                (((a as $signed as i128 * b as $signed as i128) >> $bits) as $unsigned).wrapping_add(c)
            });
            row("sad", $u, |a, b, c| a.abs_diff(b).wrapping_add(c));
            row("sad", $s, |a, b, c| (a as $signed).abs_diff(b as $signed).wrapping_add(c));
            let mut row = |op: &str, kind: &str, f: fn($unsigned) -> $unsigned| {
                table.row(&format!("{op}.{kind} $d, $0"), $bits, &[$bits], &ones($bits), |x| {
                    f(x[0] as $unsigned) as u64
                });
            };
            row("abs", $s, |a| (a as $signed).unsigned_abs());
            row("neg", $s, |a| a.wrapping_neg());
        };
    }
    of_width!(16, u16, i16, "u16", "s16");
    of_width!(32, u32, i32, "u32", "s32");
    of_width!(64, u64, i64, "u64", "s64");
    let p16 = pairs(16);
    table.row("mul.wide.u16 $d, $0, $1", 32, &[16, 16], &p16, |x| x[0] * x[1]);
    table.row("mul.wide.s16 $d, $0, $1", 32, &[16, 16], &p16, |x| {
        (x[0] as i16 as i32 * x[1] as i16 as i32) as u32 as u64
    });
    let p32 = pairs(32);
    table.row("mul.wide.u32 $d, $0, $1", 64, &[32, 32], &p32, |x| x[0] * x[1]);
    table.row("mul.wide.s32 $d, $0, $1", 64, &[32, 32], &p32, |x| {
        (x[0] as i32 as i64 * x[1] as i32 as i64) as u64
    });
    table.row("mad.wide.u32 $d, $0, $1, $2", 64, &[32, 32, 64], &triples(32), |x| {
        (x[0] * x[1]).wrapping_add(x[2])
    });
    table.row("add.sat.s32 $d, $0, $1", 32, &[32, 32], &p32, |x| {
        (x[0] as i32).saturating_add(x[1] as i32) as u64
    });
    table.row("sub.sat.s32 $d, $0, $1", 32, &[32, 32], &p32, |x| {
        (x[0] as i32).saturating_sub(x[1] as i32) as u64
    });
    table.row("min.relu.s32 $d, $0, $1", 32, &[32, 32], &p32, |x| {
        (x[0] as i32).min(x[1] as i32).max(0) as u64
    });
    table.row("add.s16x2 $d, $0, $1", 32, &[32, 32], &p32, |x| {
        let half = |shift: u32| ((x[0] >> shift) as u16).wrapping_add((x[1] >> shift) as u16) as u64;
        half(0) | half(16) << 16
    });
    table.row("max.u16x2 $d, $0, $1", 32, &[32, 32], &p32, |x| {
        let half = |shift: u32| ((x[0] >> shift) as u16).max((x[1] >> shift) as u16) as u64;
        half(0) | half(16) << 16
    });
    table.row("mul24.lo.u32 $d, $0, $1", 32, &[32, 32], &p32, |x| (x[0] & 0xff_ffff) * (x[1] & 0xff_ffff));
    table.row("mul24.hi.u32 $d, $0, $1", 32, &[32, 32], &p32, |x| {
        ((x[0] & 0xff_ffff) * (x[1] & 0xff_ffff)) >> 16
    });
    let carry = "{ .reg .b32 %t; add.cc.u32 %t, $0, $1; addc.u32 $d, $1, $2; }";
    table.row(carry, 32, &[32, 32, 32], &triples(32), |x| {
        x[1].wrapping_add(x[2]).wrapping_add(u64::from(x[0] + x[1] > 0xffff_ffff))
    });
    let borrow = "{ .reg .b64 %t; sub.cc.u64 %t, $0, $1; subc.u64 $d, $1, $2; }";
    table.row(borrow, 64, &[64, 64, 64], &triples(64), |x| {
        x[1].wrapping_sub(x[2]).wrapping_sub(u64::from(x[0] < x[1]))
    });
    let long = "{ .reg .b32 %t; mad.lo.cc.u32 %t, $0, $1, $2; madc.hi.u32 $d, $0, $1, 0; }";
    table.row(long, 32, &[32, 32, 32], &triples(32), |x| (x[0] * x[1] + x[2]) >> 32);
    table.check("arithmetic");
}

#[test]
fn bits() {
    let mut table = Table::default();
    let counts = || vec![0, 1, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 256, 0xffff_ffff];
    for (bits, all) in [(16u32, 0xffffu64), (32, 0xffff_ffff), (64, u64::MAX)] {
        let shifts = product(&[values(bits), counts()]);
        let signed = move |x: u64| ((x << (64 - bits)) as i64) >> (64 - bits);
        let wide = |x: u64, count: u64| if count >= 64 { 0 } else { x << count };
        table.row(&format!("shl.b{bits} $d, $0, $1"), bits, &[bits, 32], &shifts, |x| {
            if x[1] >= u64::from(bits) { 0 } else { wide(x[0], x[1]) & all }
        });
        table.row(&format!("shr.u{bits} $d, $0, $1"), bits, &[bits, 32], &shifts, |x| {
            if x[1] >= u64::from(bits) { 0 } else { x[0] >> x[1] }
        });
        table.row(&format!("shr.s{bits} $d, $0, $1"), bits, &[bits, 32], &shifts, |x| {
            (signed(x[0]) >> x[1].min(u64::from(bits) - 1)) as u64
        });
        let p = pairs(bits);
        table.row(&format!("and.b{bits} $d, $0, $1"), bits, &[bits; 2], &p, |x| x[0] & x[1]);
        table.row(&format!("or.b{bits} $d, $0, $1"), bits, &[bits; 2], &p, |x| x[0] | x[1]);
        table.row(&format!("xor.b{bits} $d, $0, $1"), bits, &[bits; 2], &p, |x| x[0] ^ x[1]);
        table.row(&format!("not.b{bits} $d, $0"), bits, &[bits], &ones(bits), |x| !x[0]);
        table.row(&format!("cnot.b{bits} $d, $0"), bits, &[bits], &ones(bits), |x| u64::from(x[0] == 0));
    }
    for bits in [32u32, 64] {
        let o = ones(bits);
        let unused = 64 - bits;
        table.row(&format!("popc.b{bits} $d, $0"), 32, &[bits], &o, |x| u64::from(x[0].count_ones()));
        table.row(&format!("clz.b{bits} $d, $0"), 32, &[bits], &o, |x| {
            u64::from(x[0].leading_zeros() - unused)
        });
        table.row(&format!("brev.b{bits} $d, $0"), bits, &[bits], &o, |x| {
            (0..bits).fold(0, |out, bit| out | (x[0] >> bit & 1) << (bits - 1 - bit))
        });
        // PTX ISA, bfind: the loop as it stands there.
        let find = move |a: u64, signed: bool, shift: bool| {
            let msb = bits as i64 - 1;
            let a = if signed && a >> msb & 1 == 1 { !a & (u64::MAX >> unused) } else { a };
            let found = (0..=msb).rev().find(|bit| a >> bit & 1 == 1);
            found.map_or(0xffff_ffff, |bit| if shift { msb - bit } else { bit } as u64)
        };
        table.row(&format!("bfind.u{bits} $d, $0"), 32, &[bits], &o, |x| find(x[0], false, false));
        table.row(&format!("bfind.s{bits} $d, $0"), 32, &[bits], &o, |x| find(x[0], true, false));
        table.row(&format!("bfind.shiftamt.u{bits} $d, $0"), 32, &[bits], &o, |x| find(x[0], false, true));
        let fields = product(&[values(bits), counts(), counts()]);
        // PTX ISA, bfe: likewise.
        let extract = move |x: &[u64], signed: bool| {
            let msb = u64::from(bits) - 1;
            let (pos, len) = (x[1] & 0xff, x[2] & 0xff);
            let sign = if !signed || len == 0 { 0 } else { x[0] >> (pos + len - 1).min(msb) & 1 };
            (0..=msb).fold(0, |out, i| {
                let bit = if i < len && pos + i <= msb { x[0] >> (pos + i) & 1 } else { sign };
                out | bit << i
            })
        };
        table.row(&format!("bfe.u{bits} $d, $0, $1, $2"), bits, &[bits, 32, 32], &fields, |x| {
            extract(x, false)
        });
        table.row(&format!("bfe.s{bits} $d, $0, $1, $2"), bits, &[bits, 32, 32], &fields, |x| {
            extract(x, true)
        });
        let inserted = product(&[
            vec![0, u64::MAX, 0x1234_5678_9abc_def1],
            vec![0, 0xf0f0_f0f0_f0f0_f0f0],
            counts(),
            counts(),
        ]);
        table.row(&format!("bfi.b{bits} $d, $0, $1, $2, $3"), bits, &[bits, bits, 32, 32], &inserted, |x| {
            let (pos, len) = (x[2] & 0xff, x[3] & 0xff);
            (0..len).filter(|i| pos + i < u64::from(bits)).fold(x[1], |out, i| {
                let at = pos + i;
                out & !(1 << at) | (x[0] >> i & 1) << at
            })
        });
    }
    let funnel = product(&[values(32), values(32), counts()]);
    let joined = |x: &[u64]| x[1] << 32 | x[0];
    table.row("shf.l.wrap.b32 $d, $0, $1, $2", 32, &[32; 3], &funnel, move |x| {
        (joined(x) << (x[2] & 31)) >> 32
    });
    table.row("shf.r.wrap.b32 $d, $0, $1, $2", 32, &[32; 3], &funnel, move |x| joined(x) >> (x[2] & 31));
    table.row("shf.l.clamp.b32 $d, $0, $1, $2", 32, &[32; 3], &funnel, move |x| {
        (joined(x) << x[2].min(32)) >> 32
    });
    table.row("shf.r.clamp.b32 $d, $0, $1, $2", 32, &[32; 3], &funnel, move |x| joined(x) >> x[2].min(32));
    let extended = product(&[values(32), counts()]);
    let sign_extend =
        |a: u64, count: u64| if count == 0 { 0 } else { ((a << (64 - count)) as i64 >> (64 - count)) as u64 };
    table
        .row("szext.clamp.s32 $d, $0, $1", 32, &[32; 2], &extended, move |x| sign_extend(x[0], x[1].min(32)));
    table.row("szext.wrap.u32 $d, $0, $1", 32, &[32; 2], &extended, |x| x[0] & ((1 << (x[1] & 31)) - 1));
    let masks = product(&[counts(), counts()]);
    table.row("bmsk.clamp.b32 $d, $0, $1", 32, &[32; 2], &masks, |x| {
        ((1u64 << x[1].min(32)) - 1) << x[0].min(32)
    });
    table.row("bmsk.wrap.b32 $d, $0, $1", 32, &[32; 2], &masks, |x| {
        ((1u64 << (x[1] & 31)) - 1) << (x[0] & 31)
    });
    let nth = product(&[values(32), vec![0, 5, 31], vec![0, 1, 2, 3, 0xffff_ffff, 0xffff_fffe]]);
    table.row("fns.b32 $d, $0, $1, $2", 32, &[32; 3], &nth, |x| {
        let (base, offset) = (x[1] as i64, x[2] as i32);
        let set: Vec<i64> = (0..32).filter(|bit| x[0] >> bit & 1 == 1).collect();
        let up: Vec<i64> = set.iter().copied().filter(|bit| *bit >= base).collect();
        let down: Vec<i64> = set.iter().copied().filter(|bit| *bit <= base).rev().collect();
        let found = match offset {
            0 => set.iter().copied().find(|bit| *bit == base),
            1.. => up.get(offset as usize - 1).copied(),
            _ => down.get(-offset as usize - 1).copied(),
        };
        found.map_or(0xffff_ffff, |bit| bit as u64)
    });
    table.check("bits");
}

#[test]
fn every_table_of_lop3() {
    let mut table = Table::default();
    // All eight combinations of three bits side by side.
    let inputs = [vec![0xf0, 0xcc, 0xaa], vec![0xffff_0000, 0xff00_ff00, 0x1234_5678]];
    for entry in 0..256u64 {
        table.row(&format!("lop3.b32 $d, $0, $1, $2, {entry}"), 32, &[32; 3], &inputs, |x| {
            (0..32).fold(0, |out, bit| {
                let index = (x[0] >> bit & 1) << 2 | (x[1] >> bit & 1) << 1 | x[2] >> bit & 1;
                out | (entry >> index & 1) << bit
            })
        });
    }
    table.check("lop3");
}

#[test]
fn bytes() {
    let mut table = Table::default();
    let selectors: Vec<u64> =
        (0..16).map(|s| s | s << 5 | s << 9 | (15 - s) << 12).chain([0x3210, 0x7654, 0xfedc]).collect();
    let inputs = product(&[vec![0x8001_7f03, 0x1122_3344], vec![0x80ff_0055, 0x5566_7788], selectors]);
    let byte = |x: &[u64], at: u64| (x[1] << 32 | x[0]) >> (8 * at) & 0xff;
    table.row("prmt.b32 $d, $0, $1, $2", 32, &[32; 3], &inputs, move |x| {
        (0..4).fold(0, |out, at| {
            let selector = x[2] >> (4 * at) & 15;
            let value = byte(x, selector & 7);
            let value = if selector & 8 == 0 { value } else { 0xff * (value >> 7) };
            out | value << (8 * at)
        })
    });
    // PTX ISA, prmt: the bytes of d from the highest to the lowest, by the two low bits of the selector.
    let modes: [(&str, [[u64; 4]; 4]); 6] = [
        ("f4e", [[3, 2, 1, 0], [4, 3, 2, 1], [5, 4, 3, 2], [6, 5, 4, 3]]),
        ("b4e", [[5, 6, 7, 0], [6, 7, 0, 1], [7, 0, 1, 2], [0, 1, 2, 3]]),
        ("rc8", [[0, 0, 0, 0], [1, 1, 1, 1], [2, 2, 2, 2], [3, 3, 3, 3]]),
        ("ecl", [[3, 2, 1, 0], [3, 2, 1, 1], [3, 2, 2, 2], [3, 3, 3, 3]]),
        ("ecr", [[0, 0, 0, 0], [1, 1, 1, 0], [2, 2, 1, 0], [3, 2, 1, 0]]),
        ("rc16", [[1, 0, 1, 0], [3, 2, 3, 2], [1, 0, 1, 0], [3, 2, 3, 2]]),
    ];
    for (mode, bytes) in modes {
        table.row(&format!("prmt.b32.{mode} $d, $0, $1, $2"), 32, &[32; 3], &inputs, move |x| {
            bytes[(x[2] & 3) as usize].iter().fold(0, |out, at| out << 8 | byte(x, *at))
        });
    }
    let t = triples(32);
    let signed = |value: u64, at: u32| ((value >> (8 * at)) as i8) as i64;
    let unsigned = |value: u64, at: u32| ((value >> (8 * at)) as u8) as i64;
    table.row("dp4a.s32.s32 $d, $0, $1, $2", 32, &[32; 3], &t, move |x| {
        (0..4).fold(x[2] as i64, |sum, at| sum + signed(x[0], at) * signed(x[1], at)) as u64
    });
    table.row("dp4a.u32.u32 $d, $0, $1, $2", 32, &[32; 3], &t, move |x| {
        (0..4).fold(x[2] as i64, |sum, at| sum + unsigned(x[0], at) * unsigned(x[1], at)) as u64
    });
    table.row("dp4a.u32.s32 $d, $0, $1, $2", 32, &[32; 3], &t, move |x| {
        (0..4).fold(x[2] as i64, |sum, at| sum + unsigned(x[0], at) * signed(x[1], at)) as u64
    });
    let half = |value: u64, at: u32| ((value >> (16 * at)) as i16) as i64;
    table.row("dp2a.lo.s32.s32 $d, $0, $1, $2", 32, &[32; 3], &t, move |x| {
        (0..2).fold(x[2] as i64, |sum, at| sum + half(x[0], at) * signed(x[1], at)) as u64
    });
    table.row("dp2a.hi.s32.s32 $d, $0, $1, $2", 32, &[32; 3], &t, move |x| {
        (0..2).fold(x[2] as i64, |sum, at| sum + half(x[0], at) * signed(x[1], at + 2)) as u64
    });
    table.check("bytes");
}

#[test]
fn choices() {
    let mut table = Table::default();
    let with_predicate = product(&[values(32), vec![7, 1 << 31], vec![0, 1]]);
    table.row("selp.b32 $d, $0, $1, $2", 32, &[32, 32, 1], &with_predicate, |x| {
        if x[2] == 1 { x[0] } else { x[1] }
    });
    let t = triples(32);
    table.row(
        "slct.b32.s32 $d, $0, $1, $2",
        32,
        &[32; 3],
        &t,
        |x| if x[2] as i32 >= 0 { x[0] } else { x[1] },
    );
    let by_float = product(&[
        vec![5],
        vec![9],
        [0.0f32, -0.0, 1.0, -1.0, f32::NAN].map(|x| u64::from(x.to_bits())).to_vec(),
    ]);
    table.row("slct.b32.f32 $d, $0, $1, $2", 32, &[32; 3], &by_float, |x| {
        if f32::from_bits(x[2] as u32) >= 0.0 { x[0] } else { x[1] }
    });
    type Holds = fn(std::cmp::Ordering) -> bool;
    let compared: [(&str, Holds); 6] = [
        ("eq", std::cmp::Ordering::is_eq),
        ("ne", std::cmp::Ordering::is_ne),
        ("lt", std::cmp::Ordering::is_lt),
        ("le", std::cmp::Ordering::is_le),
        ("gt", std::cmp::Ordering::is_gt),
        ("ge", std::cmp::Ordering::is_ge),
    ];
    for (name, holds) in compared {
        let (p16, p32, p64) = (pairs(16), pairs(32), pairs(64));
        table.row(&format!("setp.{name}.u32 $d, $0, $1"), 1, &[32; 2], &p32, |x| {
            u64::from(holds(x[0].cmp(&x[1])))
        });
        table.row(&format!("setp.{name}.s32 $d, $0, $1"), 1, &[32; 2], &p32, |x| {
            u64::from(holds((x[0] as i32).cmp(&(x[1] as i32))))
        });
        table.row(&format!("setp.{name}.s16 $d, $0, $1"), 1, &[16; 2], &p16, |x| {
            u64::from(holds((x[0] as i16).cmp(&(x[1] as i16))))
        });
        table.row(&format!("setp.{name}.s64 $d, $0, $1"), 1, &[64; 2], &p64, |x| {
            u64::from(holds((x[0] as i64).cmp(&(x[1] as i64))))
        });
        table.row(&format!("set.{name}.u32.s32 $d, $0, $1"), 32, &[32; 2], &p32, |x| {
            if holds((x[0] as i32).cmp(&(x[1] as i32))) { 0xffff_ffff } else { 0 }
        });
    }
    let p32 = product(&[vec![1, 5, 9], vec![5], vec![0, 1]]);
    table.row("setp.lo.and.u32 $d, $0, $1, $2", 1, &[32, 32, 1], &p32, |x| u64::from(x[0] < x[1]) & x[2]);
    table.row("setp.hs.or.u32 $d, $0, $1, !$2", 1, &[32, 32, 1], &p32, |x| {
        u64::from(x[0] >= x[1]) | (1 - x[2])
    });
    table.row("setp.ls.xor.u32 $d, $0, $1, $2", 1, &[32, 32, 1], &p32, |x| u64::from(x[0] <= x[1]) ^ x[2]);
    let second = "{ .reg .pred %t; setp.hi.and.u32 %t|$d, $0, $1, $2; }";
    table.row(second, 1, &[32, 32, 1], &p32, |x| u64::from(x[0] <= x[1]) & x[2]);
    let bools = product(&[vec![0, 1], vec![0, 1]]);
    table.row("and.pred $d, $0, $1", 1, &[1, 1], &bools, |x| x[0] & x[1]);
    table.row("xor.pred $d, $0, $1", 1, &[1, 1], &bools, |x| x[0] ^ x[1]);
    table.row("not.pred $d, $0", 1, &[1], &bools, |x| 1 - x[0]);
    table.row("mov.b64 $d, {$0, $1}", 64, &[32, 32], &pairs(32), |x| x[1] << 32 | x[0]);
    table.row("{ .reg .b32 %t; mov.b64 {%t, $d}, $0; }", 32, &[64], &ones(64), |x| x[0] >> 32);
    table.row("mov.b32 $d, {$0, $1}", 32, &[16, 16], &pairs(16), |x| x[1] << 16 | x[0]);
    table.row("mov.b64 {_, $d}, $0", 32, &[64], &ones(64), |x| x[0] >> 32);
    table.check("choices");
}
