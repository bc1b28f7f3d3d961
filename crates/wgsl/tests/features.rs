//! Constructs one by one, with results worked out by hand.

mod common;

use common::{import, words};
use vyre_wgsl::{ImportOptions, import_spirv};

const HEAD: &str = "@group(0) @binding(0) var<storage, read> x: array<u32>;
    @group(0) @binding(1) var<storage, read_write> y: array<u32>;\n";

/// What `y` holds after one invocation ran on `x`.
fn run(globals: &str, body: &str, x: &[u32]) -> Vec<u32> {
    let source = format!("{HEAD}{globals}\n@compute @workgroup_size(1) fn main() {{ {body} }}");
    let program = import(&source, &ImportOptions::default());
    words(&program, &[("x", x.to_vec()), ("y", vec![0; 8])])["y"].clone()
}

fn check(globals: &str, body: &str, x: &[u32], want: &[u32]) {
    assert_eq!(&run(globals, body, x)[..want.len()], want, "{globals}\n{body}");
}

#[test]
fn big_arrays_by_value() {
    // Over the number of parts that stay values: copied, passed, returned and compared.
    check(
        "fn doubled(a: array<u32, 100>, i: u32) -> array<u32, 100> { var r = a; r[i] = 2u * a[i]; return r; }",
        "var a: array<u32, 100>;
         for (var i = 0u; i < 100u; i++) { a[i] = i; }
         let before = a;
         let b = doubled(a, x[0]);
         a[x[0]] = 7u;
         let c = doubled(b, x[1]);
         y[0] = b[x[0]]; y[1] = before[x[0]]; y[2] = c[x[1]]; y[3] = c[99]; y[4] = a[x[0]]; y[5] = c[x[0]];
         y[6] = b[x[2]];",
        &[10, 20, 100],
        &[20, 10, 40, 99, 7, 20, 0],
    );
}

#[test]
fn arrays_start_anew_in_each_iteration_and_call() {
    check(
        "fn f(i: u32) -> u32 { var a: array<u32, 9>; a[i] += 5u; a[i + 1u] += 1u; return a[i] * 10u + a[1]; }",
        "for (var i = 0u; i < 3u; i++) { var b: array<u32, 9>; b[i] += 1u; b[x[0]] += i; y[i] = b[0] * 100u + f(i); }",
        &[0],
        &[151, 55 + 100, 50 + 200],
    );
}

#[test]
fn tables() {
    check(
        "const T = array<u32, 9>(1, 2, 3, 5, 8, 13, 21, 34, 55);
         const V = array<vec3<u32>, 5>(vec3(1), vec3(2), vec3(3), vec3(4), vec3(5, 6, 7));
         struct S { a: u32, b: array<vec2<u32>, 5> }
         const Q = array<S, 2>(S(1, array<vec2<u32>, 5>()), S(2, array<vec2<u32>, 5>(vec2(1), vec2(2), vec2(3), vec2(4), vec2(8, 9))));",
        "y[0] = T[x[0]]; y[1] = T[x[1]]; y[2] = V[x[2]][x[3]]; y[3] = Q[x[3]].b[x[2]][1]; y[4] = Q[x[3]].a;
         let local = array<u32, 6>(x[0], x[1], 3, 4, 5, 6); y[5] = local[x[3]]; y[6] = local[x[2]];
         let small = array<vec2<u32>, 3>(vec2(1, 2), vec2(3, 4), vec2(5, x[0])); y[7] = small[x[4]][x[3]];",
        &[8, 9, 4, 1, 2],
        &[55, 0, 6, 9, 2, 9, 5, 8],
    );
}

#[test]
fn lengths() {
    let source = "struct Tail { a: u32, b: vec3<u32>, list: array<vec3<f32>> }
        struct Halves { a: f16, b: f16, list: array<f16> }
        @group(0) @binding(0) var<storage, read> t: Tail;
        @group(0) @binding(1) var<storage, read> m: array<mat2x3<f32>>;
        @group(0) @binding(2) var<storage, read> v: array<vec4<f32>>;
        @group(0) @binding(3) var<storage, read> h: Halves;
        @group(0) @binding(4) var<storage, read> w: array<array<vec2<f32>, 3>>;
        @group(0) @binding(5) var<storage, read_write> y: array<u32>;
        @compute @workgroup_size(1) fn main() {
          y[0] = arrayLength(&t.list); y[1] = arrayLength(&m); y[2] = arrayLength(&v);
          y[3] = arrayLength(&h.list); y[4] = arrayLength(&w); }";
    let program = import(&format!("enable f16;\n{source}"), &ImportOptions::default());
    let bytes = |n: usize| vec![0; n / 4];
    let input = [
        // 32 bytes come before the list; 60 more are three elements of 16 and a part of one.
        ("t", bytes(92)),
        ("m", bytes(96 + 28)),
        ("v", bytes(80)),
        ("h", bytes(12)),
        ("w", bytes(72)),
        ("y", bytes(20)),
    ];
    assert_eq!(words(&program, &input)["y"], [3, 3, 5, 4, 3]);
}

#[test]
fn conversions_saturate_at_what_both_types_hold() {
    check(
        "",
        "let f = vec4<f32>(bitcast<f32>(x[0]), bitcast<f32>(x[1]), bitcast<f32>(x[2]), bitcast<f32>(x[3]));
         y[0] = bitcast<u32>(i32(f.x)); y[1] = u32(f.x); y[2] = bitcast<u32>(i32(f.y)); y[3] = u32(f.y);
         y[4] = bitcast<u32>(i32(f.z)); y[5] = u32(f.w); y[6] = u32(bool(f.z)) + u32(bool(f.w)); y[7] = u32(i32(f.w));",
        &[1e20f32.to_bits(), (-1e20f32).to_bits(), f32::NAN.to_bits(), 2.75f32.to_bits()],
        &[0x7fff_ff80, 0xffff_ff00, 0x8000_0000, 0, 0, 2, 2, 2],
    );
}

#[test]
fn bit_fields_at_the_edges() {
    check(
        "",
        "let a = bitcast<i32>(x[0]);
         y[0] = extractBits(x[0], x[1], x[2]); y[1] = bitcast<u32>(extractBits(a, 28u, 9u));
         y[2] = extractBits(x[0], 32u, x[2]); y[3] = insertBits(x[0], x[3], 28u, 40u);
         y[4] = insertBits(x[0], x[3], x[1], 0u); y[5] = insertBits(0u, x[0], 0u, 32u);
         y[6] = bitcast<u32>(firstLeadingBit(a)); y[7] = firstTrailingBit(0u * x[0]);",
        &[0xf234_5678, 4, 8, 0xabc],
        &[0x67, 0xffff_ffff, 0, 0xc234_5678, 0xf234_5678, 0xf234_5678, 27, 0xffff_ffff],
    );
}

#[test]
fn loops_without_an_exit_but_return() {
    check(
        "fn find(n: u32) -> u32 { var i = 0u; loop { if x[i] == n { return i; } i++; if i > 9u { return 99u; } } }
         fn pick(n: u32) -> u32 {
             switch n { case 1u: { loop { if x[0] == 3u { return 7u; } } } default: { if n == 2u { return 8u; } else { return 9u; } } } }",
        "y[3] = pick(1u); y[4] = pick(2u); y[5] = pick(3u); y[0] = find(5u); y[1] = find(6u); y[2] = find(0u);",
        &[3, 4, 5, 0],
        &[2, 99, 3, 7, 8, 9],
    );
}

#[test]
fn subgroups_may_be_enabled() {
    let source = format!(
        "// first\nenable f16, subgroups ;\nenable subgroups;\n{HEAD}
         @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) i: u32) {{
           y[i] = subgroupAdd(i) + quadSwapX(i) * 100u + quadBroadcast(i, 2u) * 1000u; }}"
    );
    let program = import(&source, &ImportOptions::default());
    let got = words(&program, &[("x", vec![0]), ("y", vec![0; 8])]);
    let want: Vec<u32> = (0..8).map(|i| 28 + (i ^ 1) * 100 + (i / 4 * 4 + 2) * 1000).collect();
    assert_eq!(got["y"], want);
}

#[test]
fn buffers_as_the_host_sees_them() {
    let source = "struct Mixed { a: u32, b: f32 } struct Floats { a: vec3<f32>, b: f32 }
        @group(0) @binding(0) var<storage, read> scalars: array<i32>;
        @group(0) @binding(1) var<storage, read> vectors: array<vec4<f32>, 3>;
        @group(0) @binding(2) var<storage, read> threes: array<vec3<f32>, 3>;
        @group(0) @binding(3) var<uniform> mixed: Mixed;
        @group(0) @binding(4) var<uniform> floats: Floats;
        @group(0) @binding(5) var<storage, read> matrices: array<mat3x3<f32>>;
        @group(1) @binding(6) var<storage, read_write> counter: atomic<u32>;
        @group(1) @binding(7) var<storage, read_write> unused: array<u32>;
        var<workgroup> flags: array<bool, 5>;
        @compute @workgroup_size(1) fn main() {
          let s = f32(scalars[0]) + vectors[0].x + threes[0].x + mixed.b + floats.b + matrices[0][0].x;
          flags[1] = s > 0.0; atomicAdd(&counter, u32(flags[2])); }";
    let program = import(source, &ImportOptions::default());
    let seen: Vec<String> = program
        .buffers
        .values()
        .map(|b| {
            format!(
                "{} {}[{}] {} {:?} {}.{}",
                b.name,
                b.element,
                b.count,
                b.memory.name(),
                b.access,
                b.group,
                b.binding
            )
        })
        .collect();
    let want = [
        "scalars i32[0] storage Read 0.0",
        "vectors f32x4[3] storage Read 0.1",
        "threes f32[12] storage Read 0.2",
        "mixed u32[2] uniform Read 0.3",
        "floats f32[4] uniform Read 0.4",
        "matrices f32[0] storage Read 0.5",
        "counter u32[1] storage ReadWrite 1.6",
        "flags u32[5] workgroup ReadWrite 0.0",
    ];
    assert_eq!(seen, want);
}

#[test]
fn values_are_reused_and_dead_joins_left_out() {
    // One load, one comparison, one addition: nothing is joined or carried that nobody reads.
    let source = format!(
        "{HEAD}@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) g: vec3<u32>) {{
           var dead = 0u; var t = 0u;
           if x[g.x] == 3u {{ dead = 1u; t = x[g.x]; }} else {{ dead = 2u; t = 4u; }}
           y[g.x] = t + 1u; }}"
    );
    let program = import(&source, &ImportOptions::default());
    let count = |op| {
        let mut n = 0;
        program.walk(program.body, &mut |i| n += (program.insts[i].op == op) as usize);
        n
    };
    use vyre_ir::Op;
    let found = [Op::GlobalId, Op::Load, Op::Eq, Op::If, Op::Add, Op::Store].map(count);
    // The buffer `x` is read only, so its second load is the first.
    assert_eq!(found, [1, 1, 1, 1, 1, 1], "{program}");
    program.walk(program.body, &mut |i| {
        let inst = &program.insts[i];
        assert!(inst.op != Op::If || inst.results.len() == 1, "{program}");
    });
}

#[test]
fn overrides() {
    let source = format!(
        "override size = 4u; @id(7) override scale: f32; override deep = size * 2u;
         {HEAD}var<workgroup> w: array<u32, deep>;
         @compute @workgroup_size(size) fn main(@builtin(local_invocation_index) i: u32) {{
           w[i + 1u] = u32(f32(i) * scale); workgroupBarrier(); y[i] = w[deep - 1u - i] + deep; }}"
    );
    let overrides = vec![("size".to_string(), 3.0), ("7".to_string(), 1.5)];
    let program = import(&source, &ImportOptions { overrides, ..ImportOptions::default() });
    assert_eq!(program.workgroup_size, [3, 1, 1]);
    let got = words(&program, &[("x", vec![0]), ("y", vec![0; 3])]);
    assert_eq!(got["y"], [6, 6, 6 + 3]);
}

#[test]
fn spirv_means_the_same() {
    let source = format!(
        "{HEAD}@compute @workgroup_size(1) fn main() {{
           var s = 0u; for (var i = 0u; i < 10u; i++) {{ if x[i] == 2u {{ continue; }} if x[i] == 9u {{ break; }} s += x[i]; }}
           switch x[1] {{ case 1u, 2u: {{ y[1] = 5u; }} default: {{ y[1] = 6u; }} }}
           y[0] = s; }}"
    );
    let program = import(&source, &ImportOptions::default());
    let bytes = vyre_wgsl::export::spirv(&program, &|_| false).expect("it exports");
    let again = import_spirv("test.spv", &bytes, &ImportOptions::default()).expect("it imports");
    vyre_ir::verify::verify(&again).expect("it is valid");
    let x = vec![1, 2, 3, 4, 9, 5];
    let want: &[u32] = &[8, 5];
    for program in [program, again] {
        let got = words(&program, &[("x", x.clone()), ("y", vec![0; 2])]);
        assert_eq!(got["y"], want, "{program}");
    }
}
