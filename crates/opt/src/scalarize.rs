//! Splits vectors into scalars.
//!
//! Accesses of memory keep their vectors, because a vector access is in bounds as a whole or not at all and
//! one check serves all its lanes. What is left of vectors after this pass is `load`, `uniform_load`,
//! `store`, `subgroup_ballot`, and around them `compose`, `extract` and `const`; no region takes or gives a
//! vector.

use crate::Target;
use crate::rewrite::{Copier, Replace, Values, rewrite};
use smallvec::SmallVec;
use vyre_ir::{Attr, Inst, Op, Program, Region, Rule, Type, Value};

/// Splits every vector operation if the target wants that.
pub fn scalarize(p: &mut Program, target: &Target) -> bool {
    if !target.scalar_lanes || !needs_splitting(p) {
        return false;
    }
    *p = rewrite(p, &mut Split);
    true
}

fn needs_splitting(p: &Program) -> bool {
    let mut found = false;
    p.walk(p.body, &mut |inst| {
        let data = &p.insts[inst];
        let vector = |v: &Value| p.ty(*v).lanes > 1;
        found |= (is_lane_wise(data.op) || !data.regions.is_empty())
            && (data.args.iter().any(vector) || data.results.iter().any(vector));
    });
    found
}

struct Split;

impl Replace for Split {
    fn replace(&mut self, copy: &mut Copier<'_>, inst: Inst, args: &[Value]) -> Option<Values> {
        let data = &copy.from.insts[inst];
        if let (Op::Extract, Attr::Lane(lane)) = (data.op, &data.attr) {
            return Some(Values::from_slice(&[lane_of(copy, args[0], *lane)]));
        }
        if !data.results.iter().any(|&v| copy.from.ty(v).lanes > 1) {
            return None;
        }
        copy.b.loc = data.loc.derived("scalarize");
        if is_lane_wise(data.op) {
            return Some(Values::from_slice(&[lane_wise(copy, inst, args)]));
        }
        if data.regions.is_empty() {
            copy.b.loc = data.loc;
            return None;
        }
        let (args, skip) = match data.op {
            Op::Loop => (all_lanes(copy, args), 1),
            _ => (Values::from_slice(args), 0),
        };
        let regions: SmallVec<[Region; 2]> = data.regions.iter().map(|&r| self.region(copy, r)).collect();
        let types: SmallVec<[Type; 4]> =
            copy.b.p.yielded(regions[0])[skip..].iter().map(|&v| copy.b.ty(v)).collect();
        copy.b.loc = data.loc.derived("scalarize");
        let new = copy.b.insert(data.op, data.attr.clone(), &args, &types, regions);
        let scalars = copy.b.p.insts[new].results.clone();
        let olds: SmallVec<[Type; 4]> = data.results.iter().map(|&v| copy.from.ty(v)).collect();
        Some(join(copy, &scalars, &olds))
    }
}

impl Split {
    /// A copy of a region that takes and gives scalars.
    fn region(&mut self, copy: &mut Copier<'_>, region: Region) -> Region {
        let from = copy.from;
        let params = &from.regions[region].params;
        let types: SmallVec<[Type; 4]> = params.iter().map(|&v| from.ty(v)).collect();
        let split: SmallVec<[Type; 4]> =
            types.iter().flat_map(|ty| (0..ty.lanes).map(|_| ty.scalar.into())).collect();
        let new = copy.b.open(&split);
        copy.b.enter(new);
        let scalars = copy.b.p.regions[new].params.clone();
        let joined = join(copy, &scalars, &types);
        for (&old, value) in params.iter().zip(joined) {
            copy.set(old, value);
        }
        let (&end, insts) = from.regions[region].insts.split_last().expect("a region ends in a yield");
        copy.insts(insts, self);
        copy.b.loc = from.insts[end].loc;
        let yields: Values = from.insts[end].args.iter().map(|&v| copy.get(v)).collect();
        let yields = all_lanes(copy, &yields);
        copy.b.end(&yields);
        new
    }
}

/// Operations that compute each lane of the result from the same lane of the operands.
fn is_lane_wise(op: Op) -> bool {
    matches!(
        op.info().rule,
        Rule::Same(..)
            | Rule::Compare(_)
            | Rule::Shift(_)
            | Rule::Select
            | Rule::Convert
            | Rule::Bitcast
            | Rule::Lane(_)
    )
}

fn lane_wise(copy: &mut Copier<'_>, inst: Inst, args: &[Value]) -> Value {
    let data = &copy.from.insts[inst];
    let ty = copy.from.ty(data.results[0]);
    let scalars: Values = (0..ty.lanes)
        .map(|lane| {
            let args: Values = args.iter().map(|&v| lane_of(copy, v, lane)).collect();
            copy.b.value(data.op, data.attr.clone(), &args, ty.scalar.into())
        })
        .collect();
    copy.b.compose(&scalars)
}

/// A lane of a value; a scalar is the same for every lane.
fn lane_of(copy: &mut Copier<'_>, value: Value, lane: u8) -> Value {
    let ty = copy.b.ty(value);
    if ty.lanes == 1 {
        return value;
    }
    if let Some(bits) = copy.b.p.constant(value) {
        return copy.b.bits(ty.scalar, bits[lane as usize]);
    }
    match copy.b.p.producer(value) {
        Some(producer) if producer.op == Op::Compose => producer.args[lane as usize],
        _ => copy.b.extract(value, lane),
    }
}

fn all_lanes(copy: &mut Copier<'_>, values: &[Value]) -> Values {
    let mut scalars = Values::new();
    for &value in values {
        for lane in 0..copy.b.ty(value).lanes {
            scalars.push(lane_of(copy, value, lane));
        }
    }
    scalars
}

/// Values of `types` made of scalars.
fn join(copy: &mut Copier<'_>, mut scalars: &[Value], types: &[Type]) -> Values {
    types
        .iter()
        .map(|ty| {
            let (lanes, rest) = scalars.split_at(ty.lanes as usize);
            scalars = rest;
            copy.b.compose(lanes)
        })
        .collect()
}
