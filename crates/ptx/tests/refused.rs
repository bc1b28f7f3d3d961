//! What cannot be written is said, with its code.

use vyre_ir::{BufferDecl, Builder, Memory, Op, Program, Scalar};
use vyre_ptx::{Arch, Options, emit};

fn check(program: &Program, sm: usize, code: &str, says: &str) {
    match emit(program, &Options::new(Arch::ALL[sm])) {
        Ok(kernel) => panic!("no {code}:\n{}", kernel.ptx),
        Err(e) => {
            assert_eq!(e.code, code, "{e}");
            assert!(e.to_string().contains(says) && e.fix.is_some(), "{e}");
        }
    }
}

fn with_memory(memory: Memory, bytes: u64) -> Program {
    let mut b = Builder::new("p", [1, 1, 1]);
    b.buffer(BufferDecl {
        name: "m".into(),
        memory,
        access: vyre_ir::Access::ReadWrite,
        count: bytes / 4,
        ..BufferDecl::default()
    });
    b.end(&[]);
    b.p
}

#[test]
fn limits() {
    let mut wide = Builder::new("p", [1025, 1, 1]);
    wide.end(&[]);
    check(&wide.p, 3, "P001", "1025x1x1");
    let mut high = Builder::new("p", [1, 1, 65]);
    high.end(&[]);
    check(&high.p, 3, "P001", "1x1x65");
    check(&with_memory(Memory::Workgroup, 228 << 10), 3, "P002", "at most 232448");
    check(&with_memory(Memory::Workgroup, 100 << 10), 0, "P002", "sm_70");
    assert!(emit(&with_memory(Memory::Workgroup, 227 << 10), &Options::new(Arch::ALL[3])).is_ok());
    check(&with_memory(Memory::Private, 513 << 10), 3, "P004", "at most 524288");
}

#[test]
fn too_many_buffers() {
    let program = |count: u32| {
        let mut b = Builder::new("p", [1, 1, 1]);
        let zero = b.bits(Scalar::U32, 0);
        let one = b.bits(Scalar::F32, 1);
        for i in 0..count {
            let buffer = b.buffer(BufferDecl {
                name: format!("b{i}"),
                binding: i,
                access: vyre_ir::Access::ReadWrite,
                count: 1,
                ..BufferDecl::default()
            });
            b.store(Op::Store, buffer, zero, one);
        }
        b.end(&[]);
        b.p
    };
    assert!(emit(&program(544), &Options::new(Arch::ALL[0])).is_ok());
    check(&program(545), 0, "P003", "4360 bytes");
}

#[test]
fn what_has_no_code() {
    let text = "program p workgroup(1, 1, 1) {
      buffer out: f32[1] storage read_write @group(0) @binding(0)
      %i: u32 = const 0
      %x: f32 = const 1
      %y: f32 = sin %x
      store out[%i], %y
    }";
    let program = vyre_ir::text::parse("p.vyre", text).unwrap_or_else(|e| panic!("{}", e[0]));
    check(&program, 3, "P005", "`sin`");
    let queue = "program p workgroup(1, 1, 1) {
      buffer out: u32[1] storage read_write @group(0) @binding(0)
      %i: u32 = queue_item
      store out[%i], %i
    }";
    let program = vyre_ir::text::parse("p.vyre", queue).unwrap_or_else(|e| panic!("{}", e[0]));
    assert!(program.find(Op::uses_queue).is_some());
    check(&program, 3, "P005", "`queue_item`");
}
