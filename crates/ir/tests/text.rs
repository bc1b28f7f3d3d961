//! The text form: what is printed, and that it reads back.

use vyre_ir::*;

fn sample() -> Program {
    let mut b = Builder::new("sample", [8, 8, 1]);
    let out = b.buffer(BufferDecl {
        name: "out".into(),
        group: 0,
        binding: 1,
        memory: Memory::Storage,
        access: Access::ReadWrite,
        element: Scalar::U32.into(),
        count: 0,
        output: true,
    });
    b.buffer(BufferDecl {
        name: "my tile".into(),
        group: 0,
        binding: 0,
        memory: Memory::Workgroup,
        access: Access::ReadWrite,
        element: Type::new(Scalar::F32, 2),
        count: 64,
        output: false,
    });
    let x = b.axis(Op::GlobalId, 0);
    let v = b.load(Op::Load, out, x, Type::new(Scalar::F32, 3));
    let y = b.extract(v, 1);
    let half = b.number(Scalar::F16, 0.5);
    b.convert(half, Scalar::F32);
    let c = b.op(Op::Lt, &[y, y]);
    let four = b.u32(4);
    let r = b.if_(c, |b| vec![b.u32(1)], |_| vec![four]);
    b.if_(
        c,
        |b| {
            b.store(Op::Store, out, x, four);
            vec![]
        },
        |_| vec![],
    );
    let n = b.loop_(&[r[0], x], |b, p| {
        let next = b.op(Op::Add, &[p[0], four]);
        let go = b.op(Op::Lt, &[next, p[1]]);
        vec![go, next, p[1]]
    });
    let cases: Vec<Region> = (0..2).map(|i| b.region(&[], |b, _| vec![b.u32(i)])).collect();
    let case = |value, region| Case { value, region };
    b.switch(n[0], vec![case(1, 0), case(7, 1), case(2, 0)], &cases);
    b.lanes(Type::new(Scalar::F32, 2), [1.5f32.to_bits() as u64, f32::NAN.to_bits() as u64, 0, 0]);
    b.atomic(Op::AtomicAdd, out, x, four);
    b.sync(Op::WorkgroupBarrier);
    b.finish()
}

#[test]
fn prints() {
    let expected = r#"program sample workgroup(8, 8, 1) {
  buffer out: u32[] storage read_write output @group(0) @binding(1)
  buffer "my tile": f32x2[64] workgroup read_write
  %0: u32 = global_id x
  %1: f32x3 = load out[%0]
  %2: f32 = extract %1.y
  %3: f16 = const 0.5
  %4: f32 = convert %3
  %5: bool = lt %2, %2
  %6: u32 = const 4
  %7: u32 = if %5 {
    %8: u32 = const 1
    yield %8
  } else {
    yield %6
  }
  if %5 {
    store out[%0], %6
  }
  %9: u32, %10: u32 = loop (%11: u32 = %7, %12: u32 = %0) {
    %13: u32 = add %11, %6
    %14: bool = lt %13, %12
    yield %14, %13, %12
  }
  %15: u32 = switch %9 {
    case 1, 2 {
      %16: u32 = const 0
      yield %16
    }
    case 7, default {
      %17: u32 = const 1
      yield %17
    }
  }
  %18: f32x2 = const (1.5, 0x7fc00000)
  %19: u32 = atomic_add out[%0], %6
  workgroup_barrier
}
"#;
    assert_eq!(sample().to_string(), expected);
}
