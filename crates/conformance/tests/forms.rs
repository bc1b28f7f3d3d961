//! Random programs survive text and wire form, and what the analysis calls uniform is the same in a whole workgroup.

use vyre_conformance::fuzz::{check, forms};
use vyre_conformance::random::{self, Options};
use vyre_ir::verify::verify;
use vyre_ir::{Access, BufferDecl, Builder, Memory, Op, Program, Scalar, Value, uniform};
use vyre_reference::{Bytes, run};

#[test]
fn text_and_wire_round_trip() {
    for seed in 0..2000 {
        if let Err(failure) = check(seed, &Options::default(), &forms) {
            panic!("{failure}");
        }
    }
}

/// Room for a value of any type.
const SLOT: u32 = 32;

/// The program, with its `values` at its end stored into a further buffer, one row for each invocation.
fn probe(p: &Program, values: &[Value]) -> Program {
    let mut b = Builder::new("", [1, 1, 1]);
    b.p = p.clone();
    assert_eq!(b.at(), b.p.body, "the body is a program's first region");
    b.p.regions[p.body].insts.pop();
    let probe = b.buffer(BufferDecl {
        name: "probe".into(),
        group: 9,
        binding: 9,
        memory: Memory::Storage,
        access: Access::ReadWrite,
        element: Scalar::U32.into(),
        count: 0,
        ..BufferDecl::default()
    });
    let (workgroup, local) = (b.axis(Op::WorkgroupId, 0), b.index(Op::LocalIndex));
    let threads = b.u32(p.workgroup_invocations() as u32);
    let first = b.op(Op::Mul, &[workgroup, threads]);
    let invocation = b.op(Op::Add, &[first, local]);
    let columns = b.u32(values.len() as u32);
    let row = b.op(Op::Mul, &[invocation, columns]);
    for (i, &value) in values.iter().enumerate() {
        let value = match b.ty(value).scalar {
            Scalar::Bool => b.convert(value, Scalar::U32),
            _ => value,
        };
        let (column, scalars) = (b.u32(i as u32), b.u32(SLOT / b.ty(value).scalar.bytes()));
        let slot = b.op(Op::Add, &[row, column]);
        let index = b.op(Op::Mul, &[slot, scalars]);
        b.store(Op::Store, probe, index, value);
    }
    b.finish()
}

/// The interpreter against the analysis, on the values that are visible at the end of the body.
#[test]
fn uniform_values_do_not_differ() {
    let (mut uniform_ones, mut differing) = (0, 0);
    for seed in 0..400 {
        let p = random::program(seed, &Options { statements: 30, math: false, ..Options::default() });
        let threads = p.workgroup_invocations() as usize;
        let uniform = uniform::analyze(&p, uniform::Scope::Workgroup);
        let values: Vec<Value> =
            p.regions[p.body].insts.iter().flat_map(|&inst| p.insts[inst].results.clone()).collect();
        let probed = probe(&p, &values);
        assert_eq!(verify(&probed), Ok(()), "seed {seed}\n{probed}");
        let mut contents = random::inputs(seed, &probed);
        let row = values.len() * SLOT as usize;
        *contents.last_mut().unwrap() = vec![0; 2 * threads * row];
        let mut buffers: Vec<Bytes<'_>> = probed
            .buffers
            .values()
            .zip(&mut contents)
            .map(|(decl, bytes)| match (decl.memory, decl.access.writes()) {
                (Memory::Workgroup | Memory::Private, _) => Bytes::Unbound,
                (_, true) => Bytes::Write(bytes),
                (_, false) => Bytes::Read(bytes),
            })
            .collect();
        run(&probed, [2, 1, 1], &mut buffers, &Default::default())
            .unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        for workgroup in contents.last().unwrap().chunks_exact(threads * row) {
            for (i, &value) in values.iter().enumerate() {
                let at =
                    |invocation: usize| &workgroup[invocation * row + i * SLOT as usize..][..SLOT as usize];
                let same = (1..threads).all(|invocation| at(invocation) == at(0));
                assert!(same || !uniform.value(value), "seed {seed}: result {i} of the body differs\n{p}");
                uniform_ones += uniform.value(value) as usize;
                differing += !same as usize;
            }
        }
    }
    assert!(uniform_ones > 10_000 && differing > 10_000, "{uniform_ones} uniform, {differing} differ");
}
