//! Grid syncs and queue operations in WGSL: random programs with early returns compute with grid syncs what they compute
//! without, as long as no invocation looks at what another one does.

mod common;

use common::{Random, import};
use std::fmt::Write;
use vyre_ir::{Op, Program};
use vyre_reference::{Bytes, Options, run};
use vyre_wgsl::ImportOptions;

const HEAD: &str = "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> count: array<atomic<u32>>;
@group(0) @binding(2) var<uniform> limits: vec4<u32>;
fn vyreGridSync() {}
@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    var a = i * 3u;
    var b = 1u;
    var u = 2u;
    var table: array<u32, 5>;
    var same: array<u32, 3>;
";

/// What may stand at a place.
#[derive(Copy, Clone)]
struct Place {
    /// Whether all invocations that have not returned get here together.
    uniform: bool,
    /// Whether an invocation may return.
    returns: bool,
    /// Loops around it that have grid syncs.
    depth: u32,
}

struct Gen {
    random: Random,
    text: String,
    names: u32,
}

impl Gen {
    fn expr(&mut self, depth: u32) -> String {
        if depth > 0 && self.random.below(2) == 0 {
            let op = ["+", "^", "*"][self.random.below(3) as usize];
            return format!("({} {op} {})", self.expr(depth - 1), self.expr(depth - 1));
        }
        match self.random.below(9) {
            0 => "i".into(),
            1 => "a".into(),
            2 => "b".into(),
            3 => "u".into(),
            4 => format!("data[4u * i + {} % 4u]", self.expr(depth.saturating_sub(1))),
            5 => format!("table[{} % 5u]", self.expr(depth.saturating_sub(1))),
            6 => "table[2]".into(),
            7 => format!("limits[{}]", self.random.below(4)),
            _ => format!("{}u", self.random.below(40)),
        }
    }

    /// The same for all invocations.
    fn uniform(&mut self) -> String {
        match self.random.below(5) {
            0 => "u".into(),
            3 => "same[u % 3u]".into(),
            1 => format!("limits[{}]", self.random.below(4)),
            2 => "(u ^ limits.y)".into(),
            _ => format!("{}u", self.random.below(9)),
        }
    }

    fn block(&mut self, place: Place, n: u32) {
        for _ in 0..1 + self.random.below(n) {
            self.statement(place);
        }
    }

    fn statement(&mut self, place: Place) {
        let inner = Place { depth: place.depth + 1, ..place };
        let apart = Place { uniform: false, ..inner };
        let choices = if place.depth >= 3 { 5 } else { 12 };
        let (x, y) = (self.expr(2), self.expr(2));
        match self.random.below(choices) {
            0 => _ = writeln!(self.text, "a = {x};"),
            1 => _ = writeln!(self.text, "b += {x};"),
            2 => _ = writeln!(self.text, "data[4u * i + {x} % 4u] = {y};"),
            3 => _ = writeln!(self.text, "atomicAdd(&count[{x} % 3u], {y});"),
            4 if !place.uniform || self.random.below(2) == 0 => {
                _ = writeln!(self.text, "table[{x} % 5u] = {y};");
            }
            4 if place.uniform => {
                let (x, y) = (self.uniform(), self.uniform());
                _ = writeln!(self.text, "same[{x} % 3u] = {y} % 11u;");
            }
            5 if place.uniform => {
                let by = self.uniform();
                _ = writeln!(self.text, "u = (u * 3u + {by}) % 7u;");
                if self.random.below(3) > 0 {
                    self.text += "vyreGridSync();\n";
                }
            }
            6 if place.returns => {
                _ = writeln!(self.text, "if {x} % 5u == 0u {{");
                self.block(apart, 2);
                self.text += "return;\n}\n";
            }
            7 | 8 if place.uniform => {
                let condition = self.uniform();
                _ = writeln!(self.text, "if {condition} % 2u == 0u {{");
                self.block(inner, 3);
                self.text += "} else {\n";
                self.block(inner, 2);
                self.text += "}\n";
            }
            9 if place.uniform => {
                let selector = self.uniform();
                _ = writeln!(self.text, "switch {selector} {{ case 1u, 2u: {{");
                self.block(inner, 2);
                self.text += "} default: {\n";
                self.block(inner, 2);
                self.text += "} }\n";
            }
            10 if place.uniform => {
                let (t, most) = (self.names, self.uniform());
                self.names += 1;
                _ = writeln!(self.text, "for (var t{t} = 0u; t{t} < {most} % 4u; t{t}++) {{\na += t{t};");
                self.block(Place { returns: false, ..inner }, 3);
                self.text += "}\n";
            }
            _ => {
                let t = self.names;
                self.names += 1;
                _ = writeln!(self.text, "for (var t{t} = 0u; t{t} < {x} % 3u; t{t}++) {{");
                self.block(apart, 2);
                self.text += "}\n";
            }
        }
    }
}

/// Three workgroups of eight.
fn outputs(p: &Program) -> [Vec<u8>; 2] {
    let bytes = |words: Vec<u32>| words.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<u8>>();
    let mut data = bytes((0..96).map(|k| k * 7 % 31).collect());
    let (mut count, limits) = (vec![0; 12], bytes(vec![3, 6, 1, 9]));
    let mut bound: Vec<Bytes<'_>> = Vec::new();
    let (mut d, mut c) = (Some(&mut data), Some(&mut count));
    for decl in p.buffers.values() {
        bound.push(match decl.name.as_str() {
            "data" => Bytes::Write(d.take().expect("there is one")),
            "count" => Bytes::Write(c.take().expect("there is one")),
            "limits" => Bytes::Read(&limits),
            _ => Bytes::Unbound,
        });
    }
    let options = Options { step_limit: 100_000_000, ..Options::default() };
    run(p, [3, 1, 1], &mut bound, &options).unwrap_or_else(|e| panic!("{e}\n{p}"));
    [data, count]
}

#[test]
fn random_programs_compute_with_grid_syncs_what_they_compute_without() {
    let mut syncs = 0;
    for seed in 0..400 {
        let mut random = Gen { random: Random(seed), text: HEAD.into(), names: 0 };
        random.block(Place { uniform: true, returns: true, depth: 0 }, 12);
        random.text += "vyreGridSync();\ndata[4u * i] += a + b * 3u + u * 5u + table[1];\n}\n";
        let with = import(&random.text, &ImportOptions::default());
        let without = import(&random.text.replace("vyreGridSync();", ""), &ImportOptions::default());
        assert!(without.find(Op::syncs_grid).is_none());
        assert_eq!(outputs(&with), outputs(&without), "seed {seed}\n{}\n{with}", random.text);
        with.walk(with.body, &mut |inst| syncs += with.insts[inst].op.syncs_grid() as u32);
    }
    assert!(syncs > 400, "only {syncs} grid syncs are left");
}

/// The operations in the body of an entry point, in program order.
fn operations(lines: &str) -> Vec<Op> {
    let source = format!(
        "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
        fn vyreGridSync() {{}}
        fn vyreGridUniform(v: f32) -> f32 {{ return v; }}
        fn vyreItem() -> vec3<i32> {{ return vec3<i32>(); }}
        fn vyrePush(v: u32) {{}}
        @compute @workgroup_size(8)
        fn main(@builtin(global_invocation_id) id: vec3<u32>) {{ {lines} }}"
    );
    let p = import(&source, &ImportOptions::default());
    let mut all = Vec::new();
    p.walk(p.body, &mut |inst| all.push(p.insts[inst].op));
    all.retain(|op| !matches!(op, Op::Const | Op::Yield | Op::GlobalId));
    all
}

#[test]
fn calls_become_operations() {
    assert_eq!(operations("vyreGridSync();"), [Op::GridSync]);
    // A result that nobody uses is waited for all the same.
    assert_eq!(operations("_ = vyreGridUniform(2.5);"), [Op::GridUniform]);
    let got = operations("let v = vyreItem(); vyrePush(u32(v.y)); vyrePush(u32(vyreItem().z));");
    // The item is one value, however often it is asked for.
    assert_eq!(got.iter().filter(|op| **op == Op::QueueItem).count(), 1, "{got:?}");
    assert_eq!(got.iter().filter(|op| **op == Op::QueuePush).count(), 2, "{got:?}");
}

#[test]
fn what_others_could_notice_is_guarded_and_the_rest_is_not() {
    let got = operations(
        "if id.x > 9u { return; } let n = id.x * 2u; data[n] += 1u; vyreGridSync(); data[n + 1u] = data[n];",
    );
    use Op::*;
    // Lt is `9 < x`; one guard before the grid sync and one after, the addresses outside of them.
    assert_eq!(got, [Lt, Not, Mul, If, Load, Add, Store, GridSync, Add, If, Load, Store]);
}

#[test]
fn the_grid_agrees_without_those_that_returned() {
    let got = operations("if id.x > 9u { return; } if vyreGridUniform(f32(data[0])) > 1.0 { data[1] = 2u; }");
    use Op::*;
    assert_eq!(got, [Lt, Not, If, Load, Convert, Select, And, GridUniform, Lt, If, If, Store]);
}
