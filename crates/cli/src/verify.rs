//! Compares what a backend computed with what the reference interpreter computes from the same inputs.
//!
//! The interpreter runs the program as it was imported. When it would take too long for all workgroups and no
//! workgroup can see what another one writes or waits for it, a fixed sample of whole workgroups is run, and exactly the bytes that
//! these write are compared.

use crate::elements::show_element;
use crate::inputs::element;
use std::cell::Cell;
use std::time::{Duration, Instant};
use vyre::{AlignedBytes, BackendError, Binding, BindingPlan, Outputs};
use vyre_ir::{Attr, Effect, Entity, Op, Program, Rule, Scalar, Type};
use vyre_reference::{Bytes, Error, Options, Watch, run};

/// Time that a sample may take.
const BUDGET: Duration = Duration::from_secs(2);

/// The differences that are shown.
const SHOWN: usize = 8;

/// What to compare.
pub struct Subject<'a> {
    /// The program as imported.
    pub program: &'a Program,
    /// Its buffers.
    pub plan: &'a BindingPlan,
    /// What each input held, in the order of the plan's inputs.
    pub inputs: &'a [AlignedBytes],
    /// The outputs and persistent memory: what the interpreter is to leave there too.
    pub memories: Vec<Memory<'a>>,
    /// The grid.
    pub workgroups: [u32; 3],
    /// Invocations of a subgroup on the backend.
    pub subgroup_size: u32,
    /// Leave no workgroup out.
    pub all: bool,
    /// When to give up.
    pub deadline: Option<Instant>,
}

/// What a buffer held before the run, and what the backend left there.
pub struct Memory<'a> {
    /// Which buffer.
    pub binding: &'a Binding,
    /// Its bytes before; none for zeros.
    pub before: Option<&'a [u8]>,
    /// Its bytes after.
    pub after: &'a [u8],
}

/// How a comparison ended.
#[derive(Debug)]
pub struct Verified {
    /// Workgroups that the interpreter ran.
    pub workgroups: u64,
    /// Workgroups of the grid.
    pub of: u64,
    /// Elements that differ.
    pub differing: u64,
    /// The first of them.
    pub shown: Vec<Difference>,
    /// Why a difference need not be an error of the backend.
    pub caveat: Option<&'static str>,
    /// How long the interpreter took.
    pub time: Duration,
}

/// An element that differs.
#[derive(Debug, PartialEq)]
pub struct Difference {
    /// The buffer's name.
    pub buffer: String,
    /// The element.
    pub index: usize,
    /// What the backend left there.
    pub got: String,
    /// What the interpreter left there.
    pub want: String,
    /// Workgroup and local index of the invocation that wrote it last in the interpreter.
    pub writer: Option<([u32; 3], u32)>,
}

/// The interpreter's memory of one run.
struct Oracle {
    /// For each memory, contents and which bytes were written.
    memories: Vec<(AlignedBytes, Vec<u8>)>,
}

/// Runs the interpreter and compares.
///
/// # Errors
/// What the interpreter cannot run, or [`BackendError::Timeout`] at the deadline.
pub fn verify(subject: &Subject<'_>) -> Result<Verified, BackendError> {
    let start = Instant::now();
    let of = subject.workgroups.iter().map(|&n| n as u128).product::<u128>();
    let of = u64::try_from(of).unwrap_or(u64::MAX);
    let mut oracle = Oracle::new(subject)?;
    let complete = subject.all || workgroups_communicate(subject.program);
    let workgroups = if complete {
        oracle.run(subject, None, None)?;
        of
    } else {
        oracle.run_sample(subject, of, start)?
    };
    let mut verified = Verified {
        workgroups,
        of,
        differing: 0,
        shown: Vec::new(),
        caveat: order_matters(subject.program),
        time: start.elapsed(),
    };
    // After a whole run also a byte that the interpreter did not write must be as it was.
    let some = workgroups < of;
    let wanted = oracle.memories.iter().map(|(want, written)| (&want[..], some.then_some(&written[..])));
    let first = compare(subject, wanted, &mut verified);
    // A second run finds the writer; it is not worth more than the first one's budget.
    if let Some((buffer, byte)) = first.filter(|_| verified.time < 2 * BUDGET) {
        let watch = Watch { buffer, byte, writer: Cell::new(None) };
        let chosen = (workgroups < of).then(|| sample(of).take(workgroups as usize).collect::<Vec<u64>>());
        if Oracle::new(subject)?.run(subject, chosen.as_deref(), Some(&watch)).is_ok() {
            verified.shown[0].writer = watch.writer.get();
        }
    }
    Ok(verified)
}

/// Compares with what the interpreter made of the items of a work queue.
pub fn verify_items(subject: &Subject<'_>, want: &Outputs, time: Duration) -> Verified {
    let caveat = order_matters(subject.program);
    let mut verified = Verified { workgroups: 0, of: 0, differing: 0, shown: Vec::new(), caveat, time };
    compare(subject, want.buffers.iter().map(|want| (&want[..], None)), &mut verified);
    verified
}

/// Compares the memories with what the interpreter left there, and what it wrote of it if that is not all; gives the first
/// buffer and byte that differ.
fn compare<'w>(
    subject: &Subject<'_>,
    wanted: impl Iterator<Item = (&'w [u8], Option<&'w [u8]>)>,
    verified: &mut Verified,
) -> Option<(usize, usize)> {
    let mut first = None;
    for (Memory { binding, after: got, .. }, (want, written)) in subject.memories.iter().zip(wanted) {
        let ty = element(subject.program, binding);
        let floats = floats_in(subject.program, binding.buffer_index);
        for byte in differing_bytes(got, want, written, ty, &floats) {
            let (buffer, index) = (binding.name.clone(), byte / ty.bytes() as usize);
            if verified.shown.len() < SHOWN {
                let (got, want) = (show_element(got, ty, index), show_element(want, ty, index));
                verified.shown.push(Difference { buffer, index, got, want, writer: None });
            }
            verified.differing += 1;
            first.get_or_insert((binding.buffer_index, byte));
        }
    }
    first
}

impl Oracle {
    fn new(subject: &Subject<'_>) -> Result<Oracle, BackendError> {
        let memories = subject.memories.iter().map(|memory| {
            let what = format!("checking buffer `{}`", memory.binding.name);
            let bytes = match memory.before {
                Some(before) => AlignedBytes::copy_of(before, &what)?,
                None => AlignedBytes::zeroed(memory.after.len() as u64, &what)?,
            };
            let written = vec![0; bytes.len().div_ceil(8)];
            Ok((bytes, written))
        });
        Ok(Oracle { memories: memories.collect::<Result<_, BackendError>>()? })
    }

    fn run(
        &mut self,
        subject: &Subject<'_>,
        chosen: Option<&[u64]>,
        watch: Option<&Watch>,
    ) -> Result<(), BackendError> {
        let mut buffers: Vec<Bytes> = subject.program.buffers.keys().map(|_| Bytes::Unbound).collect();
        for binding in subject.plan.inputs() {
            let input = binding.input_index.expect("it is an input");
            buffers[binding.buffer_index] = Bytes::Read(&subject.inputs[input]);
        }
        for (Memory { binding, .. }, (bytes, written)) in subject.memories.iter().zip(&mut self.memories) {
            buffers[binding.buffer_index] = Bytes::Tracked { bytes, written };
        }
        let late = || subject.deadline.is_some_and(|deadline| Instant::now() > deadline);
        let options = Options {
            subgroup_size: subject.subgroup_size,
            workgroups: chosen,
            cancelled: &late,
            watch,
            ..Options::default()
        };
        match run(subject.program, subject.workgroups, &mut buffers, &options) {
            Ok(_) => Ok(()),
            Err(Error::Invalid(what)) => {
                Err(BackendError::Unsupported { backend: vyre_reference::ID, what: Box::new(what) })
            }
            Err(Error::OutOfBounds(access)) => Err(BackendError::OutOfBounds { access }),
            // The caller knows how much time it gave.
            Err(Error::Cancelled | Error::StepLimit(_)) => Err(BackendError::stopped()),
        }
    }

    /// Runs workgroups of the sample until the budget is used; gives how many.
    fn run_sample(&mut self, subject: &Subject<'_>, of: u64, start: Instant) -> Result<u64, BackendError> {
        let mut order = sample(of);
        let (mut done, mut chunk) = (0, 1);
        loop {
            let chosen: Vec<u64> = order.by_ref().take(chunk).collect();
            if chosen.is_empty() {
                return Ok(done);
            }
            self.run(subject, Some(&chosen), None)?;
            done += chosen.len() as u64;
            let spent = start.elapsed();
            if spent >= BUDGET {
                return Ok(done);
            }
            // As many as fit the rest of the budget by what was seen so far, in a few steps.
            let rate = done as f64 / spent.as_secs_f64().max(1e-9);
            chunk = ((BUDGET - spent).as_secs_f64() * rate * 0.5).clamp(1.0, 1e6) as usize;
        }
    }
}

/// Every workgroup once, in a fixed order in which every beginning is spread over the grid. The last and the first
/// come first: edges are where mistakes are.
fn sample(of: u64) -> impl Iterator<Item = u64> {
    // Steps of the golden ratio spread evenly; a step without a common factor meets every index.
    let mut step = ((of as f64 * 0.618_033_988_75) as u64).clamp(1, of.max(1));
    while gcd(step, of) != 1 {
        step += 1;
    }
    let edges = [of.checked_sub(1), (of > 1).then_some(0)].into_iter().flatten();
    let spread = (1..of).map(move |k| ((k as u128 * step as u128) % of as u128) as u64);
    edges.chain(spread.filter(move |&index| index != of - 1))
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Whether a workgroup waits for others or can see what they write: a bound buffer is both read and written, or has
/// atomics.
pub fn workgroups_communicate(program: &Program) -> bool {
    if program.find(Op::syncs_grid).is_some() {
        return true;
    }
    let (mut read, mut written) = (vec![false; program.buffers.len()], vec![false; program.buffers.len()]);
    program.walk(program.body, &mut |inst| {
        let data = &program.insts[inst];
        let Attr::Buffer(buffer) = data.attr else { return };
        match data.op.info().rule {
            Rule::Load => read[buffer.index()] = true,
            Rule::Store => written[buffer.index()] = true,
            Rule::Atomic(_) | Rule::CompareExchange(_) => {
                read[buffer.index()] = true;
                written[buffer.index()] = true;
            }
            _ => {}
        }
    });
    program.buffers.iter().any(|(id, decl)| decl.memory.is_bound() && read[id.index()] && written[id.index()])
}

/// Why another order of atomics could give another right answer.
fn order_matters(program: &Program) -> Option<&'static str> {
    let mut used = vec![false; program.values.len()];
    let mut caveat = None;
    program.walk(program.body, &mut |inst| {
        for arg in &program.insts[inst].args {
            used[arg.index()] = true;
        }
    });
    program.walk(program.body, &mut |inst| {
        let data = &program.insts[inst];
        if !matches!(data.op.info().rule, Rule::Atomic(_) | Rule::CompareExchange(_)) {
            return;
        }
        if data.results.iter().any(|r| used[r.index()]) {
            caveat = Some(
                "Make the results independent of the order of atomics; the program uses what they return.",
            );
        } else if data.op == Op::AtomicAdd && program.ty(data.args[1]).scalar == Scalar::F32 {
            caveat =
                Some("Make the results independent of the order of atomics; the program adds floats, whose sum depends on it.");
        }
    });
    caveat
}

/// The float types that the program stores in a buffer: any NaN of one equals any other.
fn floats_in(program: &Program, buffer: usize) -> Vec<Scalar> {
    let mut floats = Vec::new();
    program.walk(program.body, &mut |inst| {
        let data = &program.insts[inst];
        if matches!(data.attr, Attr::Buffer(b) if b.index() == buffer)
            && data.op.info().effect == Effect::Writes
            && let Some(&value) = data.args.get(1)
        {
            let scalar = program.ty(value).scalar;
            if scalar.is_float() && !floats.contains(&scalar) {
                floats.push(scalar);
            }
        }
    });
    floats
}

/// The first differing byte of each element that differs. With `written`, only bytes whose bit is set count.
fn differing_bytes<'a>(
    got: &'a [u8],
    want: &'a [u8],
    written: Option<&'a [u8]>,
    ty: Type,
    floats: &'a [Scalar],
) -> impl Iterator<Item = usize> + 'a {
    // Whole pages are compared first: nearly all are equal.
    const PAGE: usize = 1 << 12;
    let element = ty.bytes() as usize;
    let differs = move |byte: usize| {
        got[byte] != want[byte]
            && written.is_none_or(|written| written[byte / 8] >> (byte % 8) & 1 == 1)
            && !floats.iter().any(|&scalar| is_nan(got, byte, scalar) && is_nan(want, byte, scalar))
    };
    let pages = (0..got.len()).step_by(PAGE * element);
    pages
        .map(move |start| start..(start + PAGE * element).min(got.len()))
        .filter(move |page| got[page.clone()] != want[page.clone()])
        .flat_map(move |page| {
            page.step_by(element)
                .filter_map(move |start| (start..start + element).find(|&byte| differs(byte)))
        })
}

/// Whether the float around a byte is a NaN.
fn is_nan(bytes: &[u8], byte: usize, scalar: Scalar) -> bool {
    let index = byte / scalar.bytes() as usize;
    let Some(bits) = crate::elements::scalar_at(bytes, scalar, index) else { return false };
    f64::from_bits(vyre_ir::lane::convert(scalar, Scalar::F64, bits)).is_nan()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_meets_every_workgroup_once() {
        for of in [1, 2, 3, 10, 64, 97, 1000] {
            let order: Vec<u64> = sample(of).collect();
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..of).collect::<Vec<_>>());
            assert_eq!(order[0], of - 1);
        }
        assert_eq!(sample(0).count(), 0);
        assert_eq!(sample(u64::MAX).take(3).count(), 3);
    }

    #[test]
    fn workgroups_that_wait_for_each_other_are_not_sampled() {
        let text = "program p workgroup(4, 1, 1) {\n  grid_sync\n}";
        assert!(workgroups_communicate(&vyre_ir::text::parse("p", text).unwrap()));
    }

    #[test]
    fn bytes_differ_where_they_were_written() {
        let differing = |got: &[u8], want: &[u8], written: Option<&[u8]>, floats: &[Scalar]| {
            differing_bytes(got, want, written, Scalar::U32.into(), floats).collect::<Vec<_>>()
        };
        let (a, b) = ([0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 9, 9, 4, 5, 6, 9]);
        assert_eq!(differing(&a, &b, None, &[]), [2, 7]);
        assert_eq!(differing(&a, &b, Some(&[0b0000_1000]), &[]), [3]);
        assert_eq!(differing(&a, &b, Some(&[0]), &[]), [0; 0]);
        let (x, y) = (f32::NAN.to_le_bytes(), (-f32::NAN).to_le_bytes());
        assert_eq!(differing(&x, &y, None, &[]), [3]);
        assert_eq!(differing(&x, &y, None, &[Scalar::F32]), [0; 0]);
    }

    /// `data[i] = data[i] + 1` or, if `apart`, `out[i] = data[i] + 1`, by 10 workgroups of 4; then element 38 of what
    /// a backend gives is broken.
    fn broken(apart: bool, all: bool) -> Verified {
        let out = if apart { "  buffer out: u32[] storage read_write @group(0) @binding(1)\n" } else { "" };
        let to = if apart { "out" } else { "data" };
        let text = format!(
            "program p workgroup(4, 1, 1) {{
               buffer data: u32[] storage {} @group(0) @binding(0)
             {out}
               %0: u32 = global_id x
               %1: u32 = load data[%0]
               %2: u32 = const 1
               %3: u32 = add %1, %2
               store {to}[%0], %3
             }}",
            if apart { "read" } else { "read_write" }
        );
        let program = vyre_ir::text::parse("p", &text).unwrap();
        let inputs: Vec<AlignedBytes> =
            (0..=apart as usize).map(|_| AlignedBytes::zeroed(160, "test").unwrap()).collect();
        let slices: Vec<&[u8]> = inputs.iter().map(|b| &b[..]).collect();
        let plan = BindingPlan::from_borrowed_inputs(&program, &slices).unwrap();
        let mut output = AlignedBytes::zeroed(160, "test").unwrap();
        output.chunks_exact_mut(4).for_each(|word| word[0] = 1);
        output[38 * 4 + 1] = 2;
        let subject = Subject {
            program: &program,
            plan: &plan,
            inputs: &inputs,
            memories: vec![Memory {
                binding: plan.outputs().next().unwrap(),
                before: if apart { None } else { Some(&inputs[0]) },
                after: &output,
            }],
            workgroups: [10, 1, 1],
            subgroup_size: 8,
            all,
            deadline: None,
        };
        assert_eq!(workgroups_communicate(&program), !apart);
        verify(&subject).unwrap()
    }

    #[test]
    fn a_wrong_element_is_found_with_its_writer() {
        for (apart, all) in [(false, false), (true, false), (true, true)] {
            let verified = broken(apart, all);
            assert_eq!((verified.workgroups, verified.of, verified.differing), (10, 10, 1));
            let buffer = if apart { "out" } else { "data" };
            let expect = Difference {
                buffer: buffer.into(),
                index: 38,
                got: "513".into(),
                want: "1".into(),
                writer: Some(([9, 0, 0], 2)),
            };
            assert_eq!(verified.shown, [expect]);
        }
    }
}
