//! Forms by hand: what each statement does, on gangs of four and eight.

use super::Strips;
use crate::context;
use crate::form::{
    Block, Exit, Form, Kept, Loop, On, Place, Private, Side, Slot, Space, Step, Stmt, Type, Var, Vars,
};
use crate::meeting::Meeting;
use crate::report::Report;
use smallvec::smallvec;
use vyre_driver::AlignedBytes;
use vyre_ir::{
    Access, Buffer, BufferDecl, Builder, Entity, Inst, Memory, Op, Program, Scalar, Sig, Type as ValueType,
};

/// Bytes of scratch memory before the variables.
const SCRATCH: u64 = 1024;

/// What lies behind the buffer.
const GUARD: u32 = 7777;

/// Makes a form.
struct Forms {
    width: u32,
    types: Vec<Type>,
    body: Block,
}

impl Forms {
    fn new(width: u32) -> Forms {
        Forms { width, types: Vec::new(), body: Block::new() }
    }

    fn var(&mut self, scalar: Scalar, varying: bool) -> Var {
        self.types.push(Type { scalar, varying });
        Var(self.types.len() as u32 - 1)
    }

    fn push(&mut self, stmt: Stmt) {
        self.body.push(stmt);
    }

    /// What `make` adds, as a block of its own.
    fn block(&mut self, make: impl FnOnce(&mut Forms)) -> Block {
        let before = std::mem::take(&mut self.body);
        make(self);
        std::mem::replace(&mut self.body, before)
    }

    fn number(&mut self, bits: u32) -> Var {
        let out = self.var(Scalar::U32, false);
        self.push(Stmt::Const { out, bits: bits as u64 });
        out
    }

    /// The lanes' numbers.
    fn lanes(&mut self) -> Var {
        let base = self.number(0);
        let out = self.var(Scalar::U32, true);
        self.push(Stmt::Ramp { out, base, stride: 1 });
        out
    }

    fn op(&mut self, op: Op, result: Scalar, args: &[Var]) -> Var {
        let varying = args.iter().any(|arg| self.types[arg.0 as usize].varying);
        let out = self.var(result, varying);
        let operand = self.types[args[args.len() - 1].0 as usize].scalar;
        self.push(Stmt::Compute { out, op, sig: Sig { operand, result }, args: args.into() });
        out
    }

    /// Stores a variable's lanes to the buffer from an index on.
    fn show(&mut self, value: Var, from: u32) {
        let index = self.number(from);
        let step = if self.types[value.0 as usize].varying { Step::By(1) } else { Step::Same };
        self.push(Stmt::Store { values: smallvec![value], place: place(bound(), index, step, None) });
    }

    /// What the buffer of words holds after a run, and the status.
    fn run(self, mut words: Vec<u32>) -> (Vec<u32>, u32) {
        let form = Form { width: self.width, types: self.types, body: self.body, checked: false };
        let strips = Strips::new(&program(), form, SCRATCH);
        let mut scratch = AlignedBytes::zeroed(strips.bytes(), "a test").unwrap();
        let report = Report::default();
        let bytes = 4 * words.len();
        words.extend([GUARD; 4]);
        let flag = words.as_mut_ptr().cast_const();
        let buffers = [(words.as_mut_ptr().cast_const().cast::<u8>(), bytes)].into_iter();
        // The first word of the buffer asks to stop, so that a program can do that.
        let meeting = Meeting::new(1);
        let launch = context::words(flag, [3, 1, 1], &report, &meeting, buffers);
        // SAFETY: the words are those of a program of one buffer, and the memory is as large as it says.
        let status = unsafe { strips.run(launch.as_ptr(), scratch.as_mut_ptr(), 0, 0, 0, 1) };
        assert_eq!(words.split_off(bytes / 4), [GUARD; 4]);
        (words, status)
    }
}

/// A program with one buffer of words.
fn program() -> Program {
    let mut b = Builder::new("p", [8, 1, 1]);
    b.buffer(BufferDecl {
        name: "data".into(),
        memory: Memory::Storage,
        access: Access::ReadWrite,
        element: ValueType::from(Scalar::U32),
        ..BufferDecl::default()
    });
    b.p
}

fn bound() -> Space {
    Space::Bound { buffer: Buffer::new(0), shared: true }
}

fn place(memory: Space, index: Var, step: Step, mask: Option<Var>) -> Place {
    let (scalar, inst) = (Scalar::U32, Inst::new(0));
    Place { memory, scalar, index, plus: 0, step, mask, atomic: false, proven: false, inst }
}

#[test]
fn accesses_out_of_bounds_and_masked_ones() {
    let mut f = Forms::new(4);
    let lanes = f.lanes();
    let two = f.number(2);
    let first = f.op(Op::Lt, Scalar::Bool, &[lanes, two]);
    // 10, 11 at 1, 2 by a mask; then 10 at 11, the last place.
    let ten = f.number(10);
    let values = f.op(Op::Add, Scalar::U32, &[lanes, ten]);
    let one = f.number(1);
    f.push(Stmt::Store { values: smallvec![values], place: place(bound(), one, Step::By(1), Some(first)) });
    let eleven = f.number(11);
    f.push(Stmt::Store { values: smallvec![values], place: place(bound(), eleven, Step::By(1), None) });
    let outs: Vars = smallvec![f.var(Scalar::U32, true)];
    f.push(Stmt::Load { outs: outs.clone(), place: place(bound(), eleven, Step::By(1), None) });
    f.show(outs[0], 3);
    // Indices that wrap: 2^32 - 1 is out of bounds, 0 is not.
    let last = f.number(u32::MAX);
    let out = f.var(Scalar::U32, true);
    f.push(Stmt::Load { outs: smallvec![out], place: place(bound(), last, Step::By(1), None) });
    f.show(out, 8);
    let (words, status) = f.run(vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8]);
    assert_eq!((words, status), (vec![0, 10, 11, 10, 0, 0, 0, 7, 0, 0, 10, 11], 0));
}

#[test]
fn lanes_leave_a_loop_one_after_another() {
    let mut f = Forms::new(4);
    let (lanes, one) = (f.lanes(), f.number(1));
    let (n, active) = (f.var(Scalar::U32, true), f.var(Scalar::Bool, true));
    let three = f.number(3);
    let first = f.op(Op::Lt, Scalar::Bool, &[lanes, three]);
    let mut inside = None;
    let body = f.block(|f| {
        let next = f.op(Op::Add, Scalar::U32, &[n, one]);
        let again = f.op(Op::Lt, Scalar::Bool, &[next, lanes]);
        inside = Some((next, again));
    });
    let (next, again) = inside.unwrap();
    // The parameter is uniform at first and varies then.
    let zero = f.number(0);
    let out = f.var(Scalar::U32, true);
    let ninety = f.number(90);
    let nineties = f.op(Op::Add, Scalar::U32, &[lanes, ninety]);
    f.show(nineties, 4);
    let exit = Exit::Masked {
        active,
        first: Some(first),
        again,
        together: None,
        kept: vec![Kept { last: next, out }],
    };
    let (params, init, next) = (vec![n], vec![zero], vec![next]);
    f.push(Stmt::Loop(Box::new(Loop { params, init, next, body, exit, watched: true })));
    let index = f.number(4);
    f.push(Stmt::Store { values: smallvec![out], place: place(bound(), index, Step::By(1), Some(first)) });
    assert_eq!(f.run(vec![0; 8]), (vec![0, 0, 0, 0, 1, 1, 2, 93], 0));
}

#[test]
fn parameters_change_all_at_once() {
    let mut f = Forms::new(4);
    let (one, five) = (f.number(1), f.number(5));
    let [a, b, n] = [(); 3].map(|()| f.var(Scalar::U32, false));
    let mut inside = None;
    let body = f.block(|f| {
        let next = f.op(Op::Add, Scalar::U32, &[n, one]);
        inside = Some((next, f.op(Op::Lt, Scalar::Bool, &[next, five])));
    });
    let (next, again) = inside.unwrap();
    let (init, zero) = (vec![one, five], f.number(0));
    let (params, exit) = (vec![a, b, n], Exit::While(again));
    let init = init.into_iter().chain([zero]).collect();
    f.push(Stmt::Loop(Box::new(Loop { params, init, next: vec![b, a, next], body, exit, watched: false })));
    // Five turns, so they changed places four times.
    [a, b, n].into_iter().zip(1..).for_each(|(var, at)| f.show(var, at));
    assert_eq!(f.run(vec![0; 4]), (vec![0, 1, 5, 4], 0));
}

#[test]
fn a_watched_loop_stops() {
    let mut f = Forms::new(8);
    let one = f.number(1);
    let always = f.op(Op::Eq, Scalar::Bool, &[one, one]);
    let body = f.block(|f| f.show(one, 0));
    let (params, init, next, exit) = (vec![], vec![], vec![], Exit::While(always));
    f.push(Stmt::Loop(Box::new(Loop { params, init, next, body, exit, watched: true })));
    assert_eq!(f.run(vec![0]), (vec![1], context::STOPPED as u32));
}

#[test]
fn branches_yield() {
    let mut f = Forms::new(4);
    let (seven, lanes) = (f.number(7), f.lanes());
    let [of_switch, of_if] = [(); 2].map(|()| f.var(Scalar::U32, true));
    let sides = |vars: &[Var]| vars.iter().map(|&v| Side { body: Block::new(), yields: vec![v] }).collect();
    let on = On::Switch(seven, vec![(3, 0), (7, 1)]);
    f.push(Stmt::Branch { on, sides: sides(&[seven, lanes, seven]), outs: vec![of_switch] });
    let no = f.op(Op::Ne, Scalar::Bool, &[seven, seven]);
    f.push(Stmt::Branch { on: On::If(no), sides: sides(&[lanes, seven]), outs: vec![of_if] });
    f.show(of_switch, 1);
    f.show(of_if, 5);
    assert_eq!(f.run(vec![0; 9]), (vec![0, 0, 1, 2, 3, 7, 7, 7, 7], 0));
}

#[test]
fn atomics_in_order_of_lanes() {
    let mut f = Forms::new(4);
    let (lanes, one) = (f.lanes(), f.number(1));
    let outs: Vars = smallvec![f.var(Scalar::U32, true)];
    let at = place(bound(), one, Step::Same, None);
    f.push(Stmt::Atomic { op: Op::AtomicAdd, outs: outs.clone(), operands: smallvec![lanes], place: at });
    f.show(outs[0], 4);
    let (two, nine) = (f.number(2), f.number(9));
    let exchanged: Vars = smallvec![f.var(Scalar::U32, true), f.var(Scalar::Bool, true)];
    let (op, operands) = (Op::AtomicCompareExchange, smallvec![two, nine]);
    let at = place(bound(), two, Step::By(1), None);
    f.push(Stmt::Atomic { op, outs: exchanged.clone(), operands, place: at });
    let number = f.op(Op::Convert, Scalar::U32, &[exchanged[1]]);
    f.show(number, 8);
    assert_eq!(
        f.run(vec![0, 5, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0]),
        (vec![0, 11, 9, 3, 5, 5, 6, 8, 1, 0, 0, 0], 0)
    );
}

#[test]
fn private_memory_and_slots() {
    for (interleaved, first) in [(4, 1), (0, 1)] {
        let mut f = Forms::new(4);
        let lanes = f.lanes();
        let four = f.number(4);
        let private = Private { offset: 64, bytes: 8, at: Some(four), interleaved };
        let own = |index, step| place(Space::Private(private), index, step, None);
        // Each lane its own first word; the third is out of bounds.
        let zero = f.number(0);
        f.push(Stmt::Store { values: smallvec![lanes], place: own(zero, Step::Same) });
        let two = f.number(2);
        f.push(Stmt::Store { values: smallvec![four], place: own(two, Step::Same) });
        let outs: Vars = smallvec![f.var(Scalar::U32, true)];
        f.push(Stmt::Load { outs: outs.clone(), place: own(zero, Step::Same) });
        f.show(outs[0], first);
        let slot = Slot { offset: 512 };
        f.push(Stmt::Keep { value: outs[0], slot, at: four });
        let (back, single) = (f.var(Scalar::U32, true), f.var(Scalar::U32, false));
        let five = f.number(5);
        f.push(Stmt::Kept { out: back, slot, at: four });
        f.push(Stmt::Kept { out: single, slot, at: five });
        f.show(back, 5);
        f.show(single, 9);
        assert_eq!(f.run(vec![0; 10]), (vec![0, 0, 1, 2, 3, 0, 1, 2, 3, 1], 0), "{interleaved}");
    }
}

#[test]
fn subgroup_operations_under_a_mask() {
    let mut f = Forms::new(8);
    let (lanes, one) = (f.lanes(), f.number(1));
    let bit = f.op(Op::And, Scalar::U32, &[lanes, one]);
    let odd = f.op(Op::Eq, Scalar::Bool, &[bit, one]);
    let sig = Sig { operand: Scalar::U32, result: Scalar::U32 };
    let mut from = 8;
    for (op, args) in [
        (Op::SubgroupAdd, vec![lanes]),
        (Op::SubgroupExclusiveAdd, vec![lanes]),
        (Op::SubgroupShuffleUp, vec![lanes, bit]),
        (Op::SubgroupBroadcastFirst, vec![lanes]),
    ] {
        let out = f.var(Scalar::U32, true);
        let (outs, args) = (smallvec![out], args.as_slice().into());
        f.push(Stmt::Subgroup { op, sig, outs, args, mask: Some(odd) });
        let index = f.number(from);
        f.push(Stmt::Store { values: smallvec![out], place: place(bound(), index, Step::By(1), Some(odd)) });
        from += 8;
    }
    let words = f.run(vec![0; 40]).0;
    assert_eq!(words[8..16], [0, 16, 0, 16, 0, 16, 0, 16]);
    assert_eq!(words[16..24], [0, 0, 0, 1, 0, 4, 0, 9]);
    // The lane before is not active.
    assert_eq!(words[24..32], [0; 8]);
    assert_eq!(words[32..40], [0, 1, 0, 1, 0, 1, 0, 1]);
}

#[test]
fn every_width_and_type_computes_what_rows_say() {
    use vyre_ir::eval::evaluate;
    let numbers: [u64; 6] = [0, 1, 0x80, 0x7fc0_1234_8000_0001, 0x3c00_4048_f5c3_3f80, u64::MAX];
    for info in vyre_ir::OPS.iter().filter(|info| info.eval.is_some()) {
        let (classes, results): (vyre_ir::types::Class, _) = match info.rule {
            vyre_ir::Rule::Same(class, _) | vyre_ir::Rule::Shift(class) => (class, None),
            vyre_ir::Rule::Compare(class) => (class, Some(Scalar::Bool)),
            _ => continue,
        };
        let count = crate::shim::operands(info.op);
        for operand in classes.scalars() {
            let sig = Sig { operand, result: results.unwrap_or(operand) };
            let args: Vec<u64> = numbers.iter().map(|n| n & operand.mask()).collect();
            for (width, varying) in [(1, false), (4, true), (16, true), (16, false)] {
                let mut types = vec![Type { scalar: sig.result, varying }];
                types.resize(1 + count, Type { scalar: operand, varying });
                if matches!(info.rule, vyre_ir::Rule::Shift(_)) {
                    types[2].scalar = Scalar::U32;
                }
                let form = Form { width, types, body: Block::new(), checked: false };
                let layout = super::Layout::new(&form, 0);
                let mut memory = AlignedBytes::zeroed(layout.bytes(), "a test").unwrap();
                // SAFETY: the memory is as large as the layout says.
                let mut lanes = unsafe { layout.at(memory.as_mut_ptr()) };
                let vars: Vec<Var> = (1..=count as u32).map(Var).collect();
                for round in 0..numbers.len() {
                    let value = |lane: usize, arg: usize| {
                        let bits = args[(lane * (arg + 1) + arg + round) % args.len()];
                        bits & form.types[1 + arg].scalar.mask()
                    };
                    let all = if varying { width as usize } else { 1 };
                    for lane in 0..all {
                        (0..count).for_each(|arg| lanes.set(vars[arg], lane, value(lane, arg)));
                    }
                    super::compute::compute(&mut lanes, Var(0), info.op, sig, &vars);
                    for lane in 0..all {
                        let words: Vec<u64> = (0..count).map(|arg| value(lane, arg)).collect();
                        let want = evaluate(info.op, sig, &words).unwrap();
                        let got = lanes.get(Var(0), lane);
                        let nan = |bits| {
                            sig.result.is_float()
                                && evaluate(
                                    Op::Ne,
                                    Sig { operand: sig.result, result: Scalar::Bool },
                                    &[bits, bits],
                                ) == Some(1)
                        };
                        assert!(
                            got == want || nan(got) && nan(want),
                            "{} {operand} {words:x?}: {got:x}, not {want:x}",
                            info.name
                        );
                    }
                }
            }
        }
    }
}
