//! Gives the next turn of a loop what it gets if there is one.
//!
//! A turn that ends a loop often carries on other values than one that goes on: `select(found, i, i + 1)`, where `found`
//! ends it. Nobody sees what a parameter would be after the last turn, so the next value may be the one of going on.
//! The result of the loop is another matter. Where it is needed, it gets a place of its own in the loop, whose
//! parameter nobody uses, if that makes a counter of the parameter or leaves nothing of it.

use crate::Target;
use crate::analysis::counted::Implied;
use crate::edit::{Edit, Editor, Step, edit};
use vyre_ir::{Attr, Def, Inst, InstData, Op, Program, Region, Scalar, SideTable, Value, ValueData};

/// Simplifies what loops carry from turn to turn.
pub fn carry(p: &mut Program, _: &Target) -> bool {
    let mut pass =
        Carry { used: SideTable::new(false), home: SideTable::new(None), around: SideTable::new(None) };
    pass.note(p, p.body);
    edit(p, &mut pass)
}

struct Carry {
    /// Values that are operands.
    used: SideTable<Value, bool>,
    /// The region that an instruction is in.
    home: SideTable<Inst, Option<Region>>,
    /// The region that a region's instruction is in.
    around: SideTable<Region, Option<Region>>,
}

impl Edit for Carry {
    fn before(&mut self, _: &mut Editor<'_>, _: Inst) -> Step {
        Step::Keep
    }

    fn after(&mut self, e: &mut Editor<'_>, inst: Inst) -> Step {
        if e.p.insts[inst].op == Op::Loop {
            self.repeat(e, inst);
        }
        Step::Keep
    }
}

impl Carry {
    fn note(&mut self, p: &Program, region: Region) {
        for &inst in &p.regions[region].insts {
            self.home[inst] = Some(region);
            p.insts[inst].args.iter().for_each(|&arg| self.used[arg] = true);
            for &inner in &p.insts[inst].regions {
                self.around[inner] = Some(region);
                self.note(p, inner);
            }
        }
    }

    fn repeat(&self, e: &mut Editor<'_>, inst: Inst) {
        let body = e.p.insts[inst].regions[0];
        let implied = Implied::by(e.p, e.p.yielded(body)[0]);
        for i in 0..e.p.insts[inst].args.len() {
            let (param, result) = (e.p.regions[body].params[i], e.p.insts[inst].results[i]);
            let next = e.p.yielded(body)[i + 1];
            if !self.used[param] || e.p.constant(next).is_some() {
                continue;
            }
            let known = implied.is(next);
            let chain = std::iter::successors(Some(next), |&value| implied.side(e.p, value));
            let simple = chain.filter(|&value| self.is_visible(e.p, value, body)).last().unwrap_or(next);
            if known.is_none() && simple == next {
                continue;
            }
            if self.used[result] {
                let init = e.p.splat_constant(e.p.insts[inst].args[i]);
                let stays = known.map_or(simple == param, |is| init == Some(is as u64));
                if !stays && !self.is_counter(e.p, body, param, simple) {
                    continue;
                }
                self.split(e, inst, i);
            }
            let simple = match known {
                Some(is) => constant(e.p, body, is, inst),
                None => simple,
            };
            let end = end(e.p, body);
            e.p.insts[end].args[i + 1] = simple;
            e.changed = true;
        }
    }

    /// Gives the result of that place a place of its own.
    fn split(&self, e: &mut Editor<'_>, inst: Inst, i: usize) {
        let body = e.p.insts[inst].regions[0];
        let data = &e.p.insts[inst];
        let (init, result) = (data.args[i], data.results[i]);
        let ty = e.p.ty(result);
        let param = e.p.values.push(ValueData { ty, def: Def::Param(body) });
        let new = e.p.values.push(ValueData { ty, def: Def::Result(inst) });
        e.p.regions[body].params.push(param);
        e.p.insts[inst].args.push(init);
        e.p.insts[inst].results.push(new);
        let end = end(e.p, body);
        let next = e.p.insts[end].args[i + 1];
        e.p.insts[end].args.push(next);
        e.alias(result, new);
    }

    /// Whether `next` is the parameter and something that does not change in the loop.
    fn is_counter(&self, p: &Program, body: Region, param: Value, next: Value) -> bool {
        let Some(data) = p.producer(next) else { return false };
        let fixed = |value: Value| p.constant(value).is_some() || self.region(p, value) != Some(body);
        let other = match (data.op, &data.args[..]) {
            (Op::Add | Op::Sub, &[a, b]) if a == param => b,
            (Op::Add, &[a, b]) if b == param => a,
            _ => return false,
        };
        p.ty(param).scalar.is_int() && self.is_visible(p, other, body) && fixed(other)
    }

    /// The region in which a value is defined.
    fn region(&self, p: &Program, value: Value) -> Option<Region> {
        match p.values[value].def {
            Def::Param(region) => Some(region),
            Def::Result(inst) => self.home[inst],
        }
    }

    /// Whether a value can be used at the end of a region.
    fn is_visible(&self, p: &Program, value: Value, region: Region) -> bool {
        let home = self.region(p, value);
        home.is_some() && std::iter::successors(Some(region), |&r| self.around[r]).any(|r| Some(r) == home)
    }
}

/// The yield of a region.
fn end(p: &Program, region: Region) -> Inst {
    *p.regions[region].insts.last().expect("a region ends in a yield")
}

/// A constant at the end of a loop's body.
fn constant(p: &mut Program, body: Region, is: bool, repeat: Inst) -> Value {
    let def = Def::Result(vyre_ir::Entity::new(p.insts.len()));
    let result = p.values.push(ValueData { ty: Scalar::Bool.into(), def });
    let inst = p.insts.push(InstData {
        op: Op::Const,
        attr: Attr::Bits([is as u64, 0, 0, 0]),
        args: Default::default(),
        results: [result].into_iter().collect(),
        regions: Default::default(),
        loc: p.insts[repeat].loc.derived("carry"),
    });
    let list = &mut p.regions[body].insts;
    list.insert(list.len() - 1, inst);
    result
}
