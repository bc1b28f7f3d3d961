//! Programs at the edges of what a device takes, and many in one unit of work.

use crate::{affine, bytes, compile, on_each, refused, resident, text, wgsl, words, workgroups};
use vyre_driver::{Device, DispatchConfig, Resource, Upload};

#[test]
fn a_workgroup_that_is_too_large_is_refused() {
    on_each(|device| {
        let limit = device.profile().limits.invocations_per_workgroup;
        let size = |n: u32| text(&format!("program wide workgroup({n}, 1, 1) {{\n}}"));
        compile(device, &size(limit));
        let text = refused(device.compile(&size(limit + 1), &DispatchConfig::default()), "D020");
        assert!(text.contains(&limit.to_string()) && text.contains(&(limit + 1).to_string()), "{text}");
        assert!(limit > 1024 || device.compile(&size(1025), &DispatchConfig::default()).is_err());
    });
}

/// A program that adds up the first words of so many buffers and their lengths, the last into itself.
fn many(buffers: u32, count: &str) -> String {
    let mut source = String::from("program many workgroup(1, 1, 1) {\n");
    for i in 0..buffers {
        source += &format!("  buffer b{i}: u32[{count}] storage read_write @group(0) @binding({i})\n");
    }
    source += "  %zero: u32 = const 0\n  %s0: u32 = const 0\n";
    for i in 0..buffers {
        source += &format!(
            "  %l{i}: u32 = load b{i}[%zero]\n  %n{i}: u32 = length b{i}\n  %m{i}: u32 = mul %l{i}, %n{i}\n  %s{}: u32 = add %s{i}, %m{i}\n",
            i + 1
        );
    }
    source + &format!("  store b0[%zero], %s{buffers}\n}}\n")
}

fn run_many(device: &Device, buffers: u32, count: &str) -> Result<(), vyre_driver::BackendError> {
    let compiled = device.compile(&text(&many(buffers, count)), &DispatchConfig::default())?;
    let length = |i: u32| if count.is_empty() { 1 + i % 5 } else { 3 };
    let inputs: Vec<Vec<u8>> = (0..buffers).map(|i| bytes(&vec![i + 1; length(i) as usize])).collect();
    let out = compiled.dispatch_owned(&inputs, &workgroups(1, 1, 1))?;
    let sum: u32 = (0..buffers).map(|i| (i + 1) * length(i)).sum();
    assert_eq!(words(&out.buffers[0])[0], sum, "{buffers} buffers");
    Ok(())
}

#[test]
fn as_many_buffers_as_the_device_takes_and_more() {
    on_each(|device| {
        let limit = device.profile().limits.buffers_per_stage.min(64);
        run_many(device, limit, "3").unwrap();
        if limit < 40 {
            let text = refused(run_many(device, 40, "3"), "D026");
            assert!(text.contains("40") && text.contains(&limit.to_string()), "{text}");
        }
    });
}

/// Their lengths come with a launch, and a device takes only so many words with it.
#[test]
fn as_many_lengths_as_the_device_takes_and_more() {
    on_each(|device| {
        let limit = device.profile().limits.buffers_per_stage.min(64);
        let mut refusals = 0;
        for buffers in (1..=limit).rev().step_by(3) {
            match run_many(device, buffers, "") {
                Ok(()) => break,
                Err(error) => {
                    let text = refused::<()>(Err(error), "D502");
                    assert!(text.contains(&format!("{buffers} ")), "{text}");
                    refusals += 1;
                }
            }
        }
        println!("{refusals} refused");
        run_many(device, limit.min(26), "").unwrap();
    });
}

#[test]
fn groups_and_bindings_are_sparse_and_large() {
    let program = text(
        "program sparse workgroup(1, 1, 1) {
  buffer a: u32[2] storage read @group(4294967295) @binding(4294967295)
  buffer b: u32[2] storage read_write @group(7) @binding(4294967295)
  buffer c: u32[2] uniform read @group(70000) @binding(3)
  %0: u32 = const 0
  %1: u32 = const 1
  %2: u32 = load a[%0]
  %3: u32 = load c[%1]
  %4: u32 = sub %2, %3
  store b[%1], %4
}",
    );
    on_each(|device| {
        // In the order of group and binding: b, c, a.
        let inputs = [bytes(&[1, 2]), bytes(&[30, 40]), bytes(&[500, 600])];
        let out = compile(device, &program).dispatch_owned(&inputs, &workgroups(1, 1, 1)).unwrap();
        assert_eq!(words(&out.buffers[0]), [1, 460]);
    });
}

/// Loops of more turns than llvmpipe lets an invocation make: right, or an error that says so; and what comes after it is
/// right again.
#[test]
fn loops_of_many_turns_are_right_or_refused() {
    let program = wgsl(
        "@group(0) @binding(0) var<storage, read> turns: array<u32>;
        @group(0) @binding(1) var<storage, read_write> counts: array<u32, 8>;
        @compute @workgroup_size(8) fn count(@builtin(local_invocation_index) l: u32) {
            var n = 0u;
            for (var i = 0u; i < turns[l]; i++) { for (var j = 0u; j < 70u; j++) { n += (turns[j % 8u] & 1u) + 1u; } }
            counts[l] = n;
        }",
    );
    on_each(|device| {
        let compiled = compile(device, &program);
        let run = |turns: [u32; 8]| {
            let bytes = turns.iter().flat_map(|n| n.to_le_bytes()).collect();
            compiled.dispatch_owned(&[bytes, vec![0; 32]], &workgroups(1, 1, 1))
        };
        for turns in
            [[10, 900, 2, 30, 4, 50, 6, 70], [1000, 2, 1, 0, 3, 2000, 5, 6], [10, 9, 8, 7, 6, 5, 4, 3]]
        {
            let odd = |j: u32| turns[j as usize % 8] % 2 + 1;
            let inner: u32 = (0..70).map(odd).sum();
            match run(turns) {
                Ok(out) => assert_eq!(words(&out.buffers[0]), turns.map(|n| n * inner)),
                Err(error) => {
                    assert_eq!(error.code().name(), "D503", "{error}");
                    assert!(turns.iter().any(|n| n * 70 > 60_000), "{turns:?}: {error}");
                    assert!(error.to_string().contains("Fix: "), "{error}");
                }
            }
        }
    });
}

/// More workgroups along an axis than devices take in one go: ids and their number are those of the whole grid.
#[test]
fn grids_of_more_than_65535_workgroups() {
    let program = wgsl(
        "@group(0) @binding(0) var<storage, read_write> seen: array<vec4<u32>>;
        @compute @workgroup_size(2) fn ids(
            @builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
            @builtin(global_invocation_id) g: vec3<u32>, @builtin(local_invocation_index) l: u32,
        ) {
            let at = ((w.z * n.y + w.y) * n.x + w.x) * 2u + l;
            seen[at] = vec4<u32>(w.x * 8u + n.x, w.y * 8u + n.y, w.z * 8u + n.z, g.x + 1u);
        }",
    );
    on_each(|device| {
        let compiled = compile(device, &program);
        for [x, y, z] in [[70_000, 1, 1], [1, 70_000, 1], [1, 2, 65_537], [3, 66_000, 1], [65_535, 2, 1]] {
            let seen = resident(device, "seen", (x * y * z) as u64 * 32);
            compiled.dispatch_resources(&[Resource::Resident(&seen)], &workgroups(x, y, z)).unwrap();
            let got = words(&seen.download().unwrap());
            let mut expected = Vec::with_capacity(got.len());
            for (wz, wy, wx) in
                (0..z).flat_map(|wz| (0..y).flat_map(move |wy| (0..x).map(move |wx| (wz, wy, wx))))
            {
                for l in 0..2 {
                    expected.extend([wx * 8 + x, wy * 8 + y, wz * 8 + z, wx * 2 + l + 1]);
                }
            }
            let wrong = got.iter().zip(&expected).position(|(got, expected)| got != expected);
            assert_eq!((wrong, got.len()), (None, expected.len()), "grid of {x} x {y} x {z}");
        }
    });
}

#[test]
fn programs_without_instructions_or_buffers() {
    let nothing = text("program nothing workgroup(1, 1, 1) {\n}");
    let no_buffers = text(
        "program alone workgroup(4, 1, 1) {
  buffer own: u32[4] workgroup read_write
  %0: u32 = global_id x
  %1: u32 = const 3
  %2: u32 = and %0, %1
  store own[%2], %0
}",
    );
    let unused = text(
        "program unused workgroup(1, 1, 1) {\n  buffer data: u32[] storage read_write @group(0) @binding(0)\n}",
    );
    on_each(|device| {
        for program in [&nothing, &no_buffers] {
            let out = compile(device, program).dispatch(&[], &workgroups(3, 2, 1)).unwrap();
            assert!(out.buffers.is_empty());
        }
        let out = compile(device, &unused).dispatch(&[&[1, 2, 3, 4]], &workgroups(1, 1, 1)).unwrap();
        assert_eq!(&out.buffers[0][..], [1, 2, 3, 4]);
    });
}

fn repeated(x: u32, factor: u32, summand: u32, times: u32) -> u32 {
    (0..times).fold(x, |x, _| x.wrapping_mul(factor).wrapping_add(summand))
}

#[test]
fn ten_thousand_iterations_of_one_call() {
    on_each(|device| {
        let compiled = compile(device, &affine(3, 5));
        let config = DispatchConfig { iterations: 10_000, timed: true, ..workgroups(1, 1, 1) };
        let out = compiled.dispatch(&[&bytes(&[1, 2, 3])], &config).unwrap();
        let model: Vec<u32> = (1..4).map(|x| repeated(x, 3, 5, 10_000)).collect();
        assert_eq!(words(&out.buffers[0]), model);
        if let Some(ns) = out.timing.device_ns {
            assert!(ns <= out.timing.wall_ns, "{ns} ns by the device of {} ns", out.timing.wall_ns);
        }
    });
}

/// Several programs on several buffers, with uploads between the launches, and nested repetitions.
#[test]
fn several_programs_and_uploads_in_one_batch() {
    on_each(|device| {
        let (triple, add) = (compile(device, &affine(3, 0)), compile(device, &affine(1, 7)));
        let copy = wgsl(
            "@group(0) @binding(0) var<storage, read> source: array<u32>;
            @group(0) @binding(1) var<storage, read_write> to: array<u32>;
            @compute @workgroup_size(64) fn copy(@builtin(global_invocation_id) id: vec3<u32>) {
                if id.x < arrayLength(&to) { to[id.x] += source[id.x]; }
            }",
        );
        let copy = compile(device, &copy);
        let (a, b) = (resident(device, "a", 12), resident(device, "b", 12));
        let config = DispatchConfig::default();
        let (first, second) = (bytes(&[1, 2, 3]), bytes(&[100]));
        let mut batch = device.batch();
        batch.upload(Upload { to: &a, offset: 0, bytes: &first }).unwrap();
        batch
            .repeat(50, |batch| {
                batch.dispatch(&triple, &[Resource::Resident(&a)], &config)?;
                batch.upload(Upload { to: &a, offset: 4, bytes: &second })?;
                batch.repeat(3, |batch| batch.dispatch(&add, &[Resource::Resident(&a)], &config))?;
                batch.dispatch(&copy, &[Resource::Resident(&a), Resource::Resident(&b)], &config)
            })
            .unwrap();
        let got = batch.run(&[a.whole(), b.whole()]).unwrap().regions;
        let (mut model_a, mut model_b) = ([1u32, 2, 3], [0u32; 3]);
        for _ in 0..50 {
            model_a = model_a.map(|x| x.wrapping_mul(3));
            model_a[1] = 100;
            model_a = model_a.map(|x| x.wrapping_add(21));
            for (b, a) in model_b.iter_mut().zip(model_a) {
                *b = b.wrapping_add(a);
            }
        }
        assert_eq!([words(&got[0]), words(&got[1])], [model_a, model_b]);
    });
}

/// Each of the types that small devices lack is refused by its name, at the line that needs it.
#[test]
fn types_that_the_device_lacks_are_refused_by_name() {
    on_each(|device| {
        let name = &device.profile().name;
        // What is known of these two drivers; of others only that they do one or the other.
        let expected = match name {
            name if name.contains("SwiftShader") => Some(false),
            name if name.contains("llvmpipe") => Some(true),
            _ => None,
        };
        for (scalar, size) in [("f16", 2), ("f64", 8), ("i64", 8), ("u64", 8)] {
            let program = text(&format!(
                "program needs workgroup(1, 1, 1) {{
  buffer x: {scalar}[2] storage read_write @group(0) @binding(0)
  %0: u32 = const 0
  %1: u32 = const 1
  %2: {scalar} = load x[%0]
  %3: {scalar} = add %2, %2
  store x[%1], %3
}}"
            ));
            let result = device.compile(&program, &DispatchConfig::default());
            assert!(expected.is_none_or(|has| has == result.is_ok()), "{name}: {scalar}: {:?}", result.err());
            match result {
                Ok(compiled) => {
                    let zero = vec![0; 2 * size];
                    let out = compiled.dispatch(&[&zero], &workgroups(1, 1, 1)).unwrap();
                    assert_eq!(&out.buffers[0][..], zero);
                }
                Err(error) => {
                    assert_eq!(error.code().name(), "E010", "{error}");
                    let words = error.to_string();
                    assert!(words.contains(scalar) && words.contains("this device does not have"), "{words}");
                    let d = &error.diagnostics()[0];
                    let line = d.source.as_ref().unwrap().line_column(d.labels[0].loc.start).0;
                    println!("line {line}: {error}");
                    assert!((2..=7).contains(&line), "line {line}: {error}");
                }
            }
        }
    });
}
