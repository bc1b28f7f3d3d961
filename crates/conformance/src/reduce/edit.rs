//! The changes: a copy of the program with some instructions replaced.

use smallvec::{SmallVec, smallvec};
use std::collections::{HashMap, HashSet};
use vyre_ir::{Arena, Attr, Effect, Entity, Inst, InstData, Op, Program, Region, Type, Value};
use vyre_opt::rewrite::{Copier, Replace, Values, rewrite};

/// What becomes of an instruction.
#[derive(Clone, PartialEq, Debug)]
pub enum Edit {
    /// It goes; nobody uses its results.
    Remove,
    /// It goes, and its results are this number.
    Number(u8),
    /// It goes, and its result is this operand.
    Operand(usize),
    /// The instructions of this region of it take its place; a loop takes one turn.
    Inline(usize),
    /// It has this result no more; that is 0, or where a loop carries it the value the loop began with.
    Drop(usize),
    /// It is another constant.
    Bits([u64; 4]),
}

/// The program with these changes.
pub fn apply(p: &Program, edits: &HashMap<Inst, Edit>) -> Program {
    rewrite(p, &mut Editing { edits, shorter: HashMap::new() })
}

struct Editing<'e> {
    edits: &'e HashMap<Inst, Edit>,
    /// Which value each of these `yield`s leaves out.
    shorter: HashMap<Inst, usize>,
}

impl Replace for Editing<'_> {
    fn replace(&mut self, copy: &mut Copier<'_>, inst: Inst, args: &[Value]) -> Option<Values> {
        let from = copy.from;
        let data = &from.insts[inst];
        if let Some(&which) = self.shorter.get(&inst) {
            copy.b.insert(Op::Yield, Attr::None, &without(args, which), &[], []);
            return Some(Values::new());
        }
        match *self.edits.get(&inst)? {
            Edit::Remove => Some(anything(data)),
            Edit::Number(number) => {
                Some(data.results.iter().map(|&v| copy.b.number(from.ty(v), number as f64)).collect())
            }
            Edit::Operand(which) => Some(smallvec![args[which]]),
            Edit::Bits(bits) => Some(smallvec![copy.b.lanes(from.ty(data.results[0]), bits)]),
            Edit::Inline(which) => {
                let region = &from.regions[data.regions[which]];
                for (&param, &arg) in region.params.iter().zip(args) {
                    copy.set(param, arg);
                }
                let (end, rest) = region.insts.split_last()?;
                copy.insts(rest, self);
                let skip = (data.op == Op::Loop) as usize;
                Some(from.insts[*end].args[skip..].iter().map(|&v| copy.get(v)).collect())
            }
            Edit::Drop(which) => Some(self.without_result(copy, inst, args, which)),
        }
    }
}

impl Editing<'_> {
    fn without_result(&mut self, copy: &mut Copier<'_>, inst: Inst, args: &[Value], which: usize) -> Values {
        let from = copy.from;
        let data = &from.insts[inst];
        let carried = data.op == Op::Loop;
        let types: SmallVec<[Type; 4]> = data.results.iter().map(|&v| from.ty(v)).collect();
        let instead = if carried { args[which] } else { copy.b.bits(types[which], 0) };
        let mut regions: SmallVec<[Region; 2]> = smallvec![];
        for &region in &data.regions {
            let region = &from.regions[region];
            let mut params = region.params.clone();
            if carried {
                copy.set(params.remove(which), instead);
            }
            let types: SmallVec<[Type; 4]> = params.iter().map(|&v| from.ty(v)).collect();
            let new = copy.b.open(&types);
            for (i, &param) in params.iter().enumerate() {
                copy.set(param, copy.b.p.regions[new].params[i]);
            }
            self.shorter.extend(region.insts.last().map(|&end| (end, which + carried as usize)));
            copy.b.enter(new);
            copy.insts(&region.insts, self);
            copy.b.leave();
            regions.push(new);
        }
        let args = if carried { without(args, which) } else { SmallVec::from_slice(args) };
        let new = copy.b.insert(data.op, data.attr.clone(), &args, &without(&types, which), regions);
        let mut results: Values = copy.b.p.insts[new].results.iter().copied().collect();
        results.insert(which, instead);
        results
    }
}

/// Values for results that nobody uses: any will do.
fn anything(data: &InstData) -> Values {
    data.results.iter().map(|_| Value::new(0)).collect()
}

fn without<T: Copy>(list: &[T], which: usize) -> SmallVec<[T; 4]>
where
    [T; 4]: smallvec::Array<Item = T>,
{
    let (before, after) = list.split_at(which);
    before.iter().chain(&after[1..]).copied().collect()
}

/// The program without instructions of no effect whose results nobody uses.
pub fn without_unused(p: &Program) -> Program {
    let (mut used, mut unused) = (HashSet::new(), HashSet::new());
    let mut open = vec![(p.body, p.regions[p.body].insts.len())];
    // Backwards, so that every use is seen before its definition.
    while let Some((region, end)) = open.pop() {
        let Some(at) = end.checked_sub(1) else { continue };
        open.push((region, at));
        let inst = p.regions[region].insts[at];
        let data = &p.insts[inst];
        let stays = matches!(p.effect(data), Effect::Writes | Effect::Syncs | Effect::Control);
        if stays || data.results.iter().any(|v| used.contains(v)) {
            used.extend(data.args.iter().copied());
            open.extend(data.regions.iter().map(|&inner| (inner, p.regions[inner].insts.len())));
        } else {
            unused.insert(inst);
        }
    }
    rewrite(p, &mut |_: &mut Copier<'_>, inst: Inst, _: &[Value]| {
        unused.contains(&inst).then(|| anything(&p.insts[inst]))
    })
}

/// The program with its constants at its start, each once.
pub fn with_constants_first(p: &Program) -> Program {
    let mut constants: Vec<(Type, [u64; 4])> = Vec::new();
    p.walk(p.body, &mut |inst| {
        if let Attr::Bits(bits) = p.insts[inst].attr {
            let constant = (p.ty(p.insts[inst].results[0]), bits);
            if !constants.contains(&constant) {
                constants.push(constant);
            }
        }
    });
    let mut made: Vec<Value> = Vec::new();
    rewrite(p, &mut |copy: &mut Copier<'_>, inst: Inst, _: &[Value]| {
        if made.is_empty() {
            made = constants.iter().map(|&(ty, bits)| copy.b.lanes(ty, bits)).collect();
        }
        let Attr::Bits(bits) = p.insts[inst].attr else { return None };
        let constant = (p.ty(p.insts[inst].results[0]), bits);
        let at = constants.iter().position(|c| *c == constant)?;
        Some(smallvec![made[at]])
    })
}

/// The program without buffers that it does not name, and the places of those that it has.
pub fn without_unused_buffers(p: &Program) -> (Program, Vec<usize>) {
    let mut named = HashSet::new();
    p.walk(p.body, &mut |inst| named.extend(p.buffer_of(&p.insts[inst])));
    let kept: Vec<_> = p.buffers.keys().filter(|b| named.contains(b)).collect();
    let mut p = rewrite(p, &mut |_: &mut Copier<'_>, _: Inst, _: &[Value]| None);
    let mut buffers = Arena::default();
    for &buffer in &kept {
        buffers.push(p.buffers[buffer].clone());
    }
    p.buffers = buffers;
    for inst in p.insts.keys().collect::<Vec<_>>() {
        if let Attr::Buffer(buffer) = &mut p.insts[inst].attr {
            let at = kept.iter().position(|k| k == buffer).expect("it is named");
            *buffer = Entity::new(at);
        }
    }
    (p, kept.into_iter().map(Entity::index).collect())
}
