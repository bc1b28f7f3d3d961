//! The operations of work queues on a device: items of several types that push others, all of them counted.

use crate::rows::Verdict;
use vyre_driver::{BackendError, Device, DispatchConfig, Resource, WorkQueue, WorkQueueOptions};
use vyre_ir::{BufferDecl, Builder, Op, Program, Scalar, Type};

/// What the device makes of the operations of work queues.
pub fn check(device: &Device) -> Verdict {
    let types = [
        Type::from(Scalar::U32),
        Type::from(Scalar::I32),
        Type::from(Scalar::F32),
        Type::new(Scalar::U32, 2),
        Type::new(Scalar::F32, 3),
        Type::new(Scalar::I32, 4),
    ];
    for ty in types {
        match run(device, ty) {
            Ok(found) if found == expected(50) => {}
            Ok(found) => {
                return Verdict::Wrong(format!("items of {ty}: {found:?}, should be {:?}", expected(50)));
            }
            Err(e @ BackendError::Unsupported { .. }) => return Verdict::Unsupported(e.to_string()),
            Err(e) => return Verdict::Wrong(format!("items of {ty}: {e}")),
        }
    }
    Verdict::Passed(types.len())
}

/// How many items there are, and the sum of their numbers: an item of more than 1 pushes its halves.
fn expected(n: u32) -> [u32; 2] {
    let mut all = [1, n];
    if n > 1 {
        for half in [n / 2, n - n / 2] {
            let of = expected(half);
            all = [all[0] + of[0], all[1] + of[1]];
        }
    }
    all
}

/// Handles an item whose last lane is its number.
fn program(ty: Type) -> Program {
    let mut b = Builder::new("halves", [32, 1, 1]);
    let decl = BufferDecl {
        name: "totals".into(),
        access: vyre_ir::Access::ReadWrite,
        count: 2,
        ..BufferDecl::default()
    };
    let totals = b.buffer(decl);
    let [zero, one, two] = [0, 1, 2].map(|n| b.u32(n));
    let item = b.queue_item(ty);
    let lanes = b.scalars(item);
    let n = b.convert(*lanes.last().expect("an item has a lane"), Scalar::U32);
    b.atomic(Op::AtomicAdd, totals, zero, one);
    b.atomic(Op::AtomicAdd, totals, one, n);
    let more = b.op(Op::Lt, &[one, n]);
    let push = |b: &mut Builder| {
        let half = b.op(Op::Div, &[n, two]);
        let rest = b.op(Op::Sub, &[n, half]);
        for part in [half, rest] {
            let part = b.convert(part, ty.scalar);
            let mut lanes = lanes.clone();
            *lanes.last_mut().expect("an item has a lane") = part;
            let item = b.compose(&lanes);
            b.queue_push(item);
        }
        Vec::new()
    };
    b.if_(more, push, |_| Vec::new());
    b.finish()
}

fn run(device: &Device, ty: Type) -> Result<[u32; 2], BackendError> {
    let (program, config) = (program(ty), DispatchConfig::default());
    let profile = WorkQueue::profile(&program, 256, 1 << 20)?;
    let queue = WorkQueue::new(device, &program, profile, WorkQueueOptions::default(), &config)?;
    let number = if ty.scalar == Scalar::F32 { 50f32.to_bits() } else { 50 };
    let item: Vec<u8> = (0..ty.lanes).flat_map(|_| number.to_le_bytes()).collect();
    let run = queue.run(&item, &[Resource::Bytes(&[0; 8])], &config)?;
    let words: Vec<u32> = run.outputs.get(0)?;
    Ok([words[0], words[1]])
}
