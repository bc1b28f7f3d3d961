//! Makes a program that shows a problem small: tries one change after the other and keeps those after which the problem
//! is still there.
//!
//! What comes out verifies, and its result depends as little on order and on the bits of a NaN as that of the program
//! that went in (see [`fixed`]), so that a difference stays the difference that was found. The same program and the
//! same answers give the same result, and there is a limit to how often the question is asked.

mod edit;
mod fixed;

use crate::trial::Trial;
use edit::Edit;
use fixed::Fixed;
use vyre_ir::verify::verify;
use vyre_ir::{Attr, Inst, InstData, Op, Program, Type};

/// Makes a trial small that `fails`, by asking at most `limit` times whether a smaller one still does.
pub fn reduce(trial: &Trial, limit: usize, fails: &mut dyn FnMut(&Trial) -> bool) -> Trial {
    let mut search = Search { best: trial.clone(), left: limit, tidies: false, fails };
    // A problem may hang on what is never used; then that must stay.
    let tidy = edit::without_unused(&trial.program);
    search.tidies = search.attempt(trial.with(tidy));
    loop {
        let before = search.left;
        let mut changed = search.sizes();
        for list in LISTS {
            changed |= search.edits(*list);
        }
        let hoisted = edit::with_constants_first(&search.best.program);
        changed |= hoisted.size() < search.best.program.size() && search.attempt(search.best.with(hoisted));
        changed |= search.buffers();
        changed |= search.contents();
        if !changed || search.left == 0 || search.left == before {
            return search.best;
        }
    }
}

/// The changes of one kind that a program offers.
type List = fn(&Trial, &Fixed) -> Vec<(Inst, Edit)>;

/// In order: what takes away most comes first.
const LISTS: &[List] =
    &[unused, zeros, inlined, operands, ones, exact, dropped, constants_zero, constants_one, constants_half];

struct Search<'f> {
    best: Trial,
    left: usize,
    tidies: bool,
    fails: &'f mut dyn FnMut(&Trial) -> bool,
}

impl Search<'_> {
    fn attempt(&mut self, mut next: Trial) -> bool {
        if self.left == 0 {
            return false;
        }
        if self.tidies {
            next.program = edit::without_unused(&next.program);
        }
        self.left -= 1;
        let kept = verify(&next.program).is_ok() && (self.fails)(&next);
        if kept {
            self.best = next;
        }
        kept
    }

    /// Tries changes of one kind: many at once, then fewer.
    fn edits(&mut self, list: List) -> bool {
        let mut changed = false;
        let fixed = |trial: &Trial| Fixed::of(&trial.program, trial.invocations() > 1);
        let mut edits = list(&self.best, &fixed(&self.best));
        let mut size = edits.len();
        while size > 0 {
            let mut at = 0;
            while at < edits.len() && self.left > 0 {
                let chosen = edits[at..edits.len().min(at + size)].iter().cloned().collect();
                let next = self.best.with(edit::apply(&self.best.program, &chosen));
                if self.attempt(next) {
                    changed = true;
                    edits = list(&self.best, &fixed(&self.best));
                } else {
                    at += size;
                }
            }
            size /= 2;
        }
        changed
    }

    /// A smaller grid and smaller workgroups.
    fn sizes(&mut self) -> bool {
        let mut changed = false;
        for axis in 0..3 {
            for shrink in [|_| 1, |n: u32| n / 2, |n: u32| n - 1] {
                while self.best.grid[axis] > 1 {
                    let mut next = self.best.clone();
                    next.grid[axis] = shrink(next.grid[axis]);
                    if !self.attempt(next) {
                        break;
                    }
                    changed = true;
                }
                while self.best.program.workgroup_size[axis] > 1 {
                    let mut next = self.best.clone();
                    let size = &mut next.program.workgroup_size[axis];
                    *size = shrink(*size);
                    if !self.attempt(next) {
                        break;
                    }
                    changed = true;
                }
            }
        }
        changed
    }

    fn buffers(&mut self) -> bool {
        let (program, kept) = edit::without_unused_buffers(&self.best.program);
        if kept.len() == self.best.contents.len() {
            return false;
        }
        let contents = kept.iter().map(|&i| self.best.contents[i].clone()).collect();
        self.attempt(Trial { program, contents, ..self.best })
    }

    /// The same byte all over a buffer, or zeros in parts of it.
    fn contents(&mut self) -> bool {
        let mut changed = false;
        for buffer in 0..self.best.contents.len() {
            // Not back and forth: what is the same all over stays so.
            let plain = |bytes: &[u8]| bytes.iter().all(|&b| b == bytes[0] && b <= 1);
            for byte in [0, 1] {
                if !plain(&self.best.contents[buffer]) {
                    let mut next = self.best.clone();
                    next.contents[buffer].fill(byte);
                    changed |= self.attempt(next);
                }
            }
            if plain(&self.best.contents[buffer]) {
                continue;
            }
            for parts in [2, 4, 8] {
                let size = self.best.contents[buffer].len().div_ceil(parts).max(1);
                for part in 0..parts {
                    let mut next = self.best.clone();
                    match next.contents[buffer].chunks_mut(size).nth(part) {
                        Some(bytes) if bytes.iter().any(|&b| b != 0) => bytes.fill(0),
                        _ => continue,
                    }
                    changed |= self.attempt(next);
                }
            }
        }
        changed
    }
}

fn all(
    t: &Trial,
    mut visit: impl FnMut(&Program, Inst, &InstData, &mut Vec<(Inst, Edit)>),
) -> Vec<(Inst, Edit)> {
    let (p, mut edits) = (&t.program, Vec::new());
    p.walk(p.body, &mut |inst| visit(p, inst, &p.insts[inst], &mut edits));
    edits
}

/// What nobody uses goes.
fn unused(t: &Trial, _: &Fixed) -> Vec<(Inst, Edit)> {
    let used = fixed::uses(&t.program);
    all(t, |_, inst, data, edits| {
        if !data.results.is_empty() && !data.results.iter().any(|v| used.contains(v)) {
            edits.push((inst, Edit::Remove));
        }
    })
}

/// Whatever an instruction does is left out, and what it gives is 0.
fn zeros(t: &Trial, fixed: &Fixed) -> Vec<(Inst, Edit)> {
    all(t, |_, inst, data, edits| {
        if !matches!(data.op, Op::Const | Op::Yield) && !fixed.stays(inst) {
            edits.push((inst, Edit::Number(0)));
        }
    })
}

/// What it gives is 1.
fn ones(t: &Trial, fixed: &Fixed) -> Vec<(Inst, Edit)> {
    all(t, |_, inst, data, edits| {
        if data.op != Op::Const && !data.results.is_empty() && !fixed.stays(inst) {
            edits.push((inst, Edit::Number(1)));
        }
    })
}

/// One of its regions takes an instruction's place.
fn inlined(t: &Trial, _: &Fixed) -> Vec<(Inst, Edit)> {
    all(t, |_, inst, data, edits| edits.extend((0..data.regions.len()).map(|i| (inst, Edit::Inline(i)))))
}

/// An operand takes the result's place.
fn operands(t: &Trial, fixed: &Fixed) -> Vec<(Inst, Edit)> {
    all(t, |p, inst, data, edits| {
        let [result] = data.results[..] else { return };
        if data.regions.is_empty() && !fixed.stays(inst) {
            let fits = |i: &usize| p.ty(data.args[*i]) == p.ty(result) && !fixed.guards(inst, *i);
            edits.extend((0..data.args.len()).filter(fits).map(|i| (inst, Edit::Operand(i))));
        }
    })
}

/// What is the same for certain, also for what stays otherwise: positions in a grid of one, sums with 0, products
/// with 0 and 1.
fn exact(t: &Trial, _: &Fixed) -> Vec<(Inst, Edit)> {
    all(t, |p, inst, data, edits| {
        let single = |axis: u8, sizes: [u32; 3]| sizes[axis as usize] == 1;
        let edit = match (data.op, &data.attr) {
            (Op::WorkgroupId, &Attr::Axis(axis)) if single(axis, t.grid) => Some(Edit::Number(0)),
            (Op::NumWorkgroups, &Attr::Axis(axis)) if single(axis, t.grid) => Some(Edit::Number(1)),
            (Op::LocalId, &Attr::Axis(axis)) if single(axis, p.workgroup_size) => Some(Edit::Number(0)),
            (Op::LocalIndex, _) if p.workgroup_invocations() == 1 => Some(Edit::Number(0)),
            (Op::Add | Op::Mul, _) if !p.ty(data.results[0]).scalar.is_float() => {
                let constant = |i: usize| p.splat_constant(data.args[i]);
                match (data.op, constant(0), constant(1)) {
                    (Op::Mul, Some(0), _) | (Op::Mul, _, Some(0)) => Some(Edit::Number(0)),
                    (Op::Mul, Some(1), _) | (Op::Add, Some(0), _) => Some(Edit::Operand(1)),
                    (Op::Mul, _, Some(1)) | (Op::Add, _, Some(0)) => Some(Edit::Operand(0)),
                    _ => None,
                }
            }
            _ => None,
        };
        edits.extend(edit.map(|edit| (inst, edit)));
    })
}

/// A branch or loop gives a value less.
fn dropped(t: &Trial, _: &Fixed) -> Vec<(Inst, Edit)> {
    all(t, |_, inst, data, edits| {
        if !data.regions.is_empty() {
            edits.extend((0..data.results.len()).map(|i| (inst, Edit::Drop(i))));
        }
    })
}

/// Other constants, where `change` gives one.
fn constants(t: &Trial, fixed: &Fixed, change: fn(Type, u64) -> Option<u64>) -> Vec<(Inst, Edit)> {
    all(t, |p, inst, data, edits| {
        let Attr::Bits(bits) = data.attr else { return };
        let ty = p.ty(data.results[0]);
        let mut next = bits;
        for lane in &mut next[..ty.lanes as usize] {
            *lane = change(ty, *lane).unwrap_or(*lane);
        }
        if next != bits && !fixed.stays(inst) {
            edits.push((inst, Edit::Bits(next)));
        }
    })
}

fn one(ty: Type) -> u64 {
    vyre_ir::program::number_bits(ty.scalar, 1.0)
}

fn constants_zero(t: &Trial, fixed: &Fixed) -> Vec<(Inst, Edit)> {
    constants(t, fixed, |_, _| Some(0))
}

fn constants_one(t: &Trial, fixed: &Fixed) -> Vec<(Inst, Edit)> {
    constants(t, fixed, |ty, bits| (bits != 0).then(|| one(ty)))
}

fn constants_half(t: &Trial, fixed: &Fixed) -> Vec<(Inst, Edit)> {
    constants(t, fixed, |ty, bits| (!ty.scalar.is_float() && bits > 1).then_some(bits / 2))
}
