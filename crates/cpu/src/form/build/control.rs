//! Control flow in gangs: branches that all take, and masks where invocations part.

use super::{Build, Lanes};
use crate::form::{Exit, Kept, Loop, On, Side, Stmt, Var};
use vyre_ir::{Attr, Case, Inst, InstData, Op, Region, Scalar, Sig, Value};
use vyre_opt::analysis::Shape;

/// Instructions in a branch up to which it is made twice, for gangs that take it whole and for those that part: of a
/// large one masks are a small part, and compiling takes as long as running a million invocations.
const TWICE: usize = 64;

impl Build<'_> {
    // ---- uniform control flow

    /// What the values are as others' shapes want them.
    fn yields(&mut self, from: &[Value], to: &[Value]) -> Vec<Var> {
        let mut vars = Vec::new();
        for (&from, &to) in from.iter().zip(to) {
            let shape = self.shape(to);
            vars.extend(self.shaped(from, shape));
        }
        vars
    }

    /// New variables for values.
    fn outs(&mut self, values: &[Value]) -> Vec<Var> {
        let mut vars = Vec::new();
        for &value in values {
            let lanes = self.fresh(value);
            vars.extend(&lanes);
            self.set(value, lanes);
        }
        vars
    }

    /// A region as a side of a branch with these results.
    fn side(&mut self, region: Region, results: &[Value]) -> Side {
        let p = self.p;
        let (body, yields) = self.block(|b| {
            b.region(region);
            b.yields(p.yielded(region), results)
        });
        Side { body, yields }
    }

    pub(super) fn branch(&mut self, data: &InstData) {
        let condition = self.each(data.args[0])[0];
        if self.is_varying(condition) {
            return self.apart(data, condition);
        }
        let sides = data.regions.iter().map(|&region| self.side(region, &data.results)).collect();
        let outs = self.outs(&data.results);
        self.push(Stmt::Branch { on: On::If(condition), sides, outs });
    }

    pub(super) fn switch(&mut self, data: &InstData) {
        let Attr::Cases(cases) = &data.attr else { unreachable!("the verifier checks attributes") };
        let selector = self.each(data.args[0])[0];
        if self.is_varying(selector) {
            return self.switch_apart(data, cases, selector);
        }
        let sides = data.regions.iter().map(|&region| self.side(region, &data.results)).collect();
        let outs = self.outs(&data.results);
        let cases = cases.iter().map(|case| (case.value as u32, case.region)).collect();
        self.push(Stmt::Branch { on: On::Switch(selector, cases), sides, outs });
    }

    pub(super) fn repeat(&mut self, inst: Inst) {
        let p = self.p;
        let data = &p.insts[inst];
        let body = data.regions[0];
        let params = &p.regions[body].params;
        let yielded = p.yielded(body);
        let watched = !self.brief[inst];
        let init = self.yields(&data.args, params);
        let vars = self.outs(params);
        if self.shape(yielded[0]) != Shape::Uniform {
            return self.repeat_apart(data, vars, init, watched);
        }
        let (block, (again, next)) = self.block(|b| {
            b.region(body);
            (b.get(yielded[0])[0], b.yields(&yielded[1..], params))
        });
        // All leave together, with what the last turn made.
        for (&result, &last) in data.results.iter().zip(&yielded[1..]) {
            let lanes = self.get(last);
            self.set(result, lanes);
        }
        let exit = Exit::While(again);
        self.push(Stmt::Loop(Box::new(Loop { params: vars, init, next, body: block, exit, watched })));
    }

    // ---- where invocations part

    /// Whether a region only gives values that are there already.
    fn is_trivial(&self, region: Region) -> bool {
        let insts = &self.p.regions[region].insts;
        insts.iter().all(|&inst| matches!(self.p.insts[inst].op, Op::Const | Op::Yield))
    }

    fn is_small(&self, region: Region) -> bool {
        let mut size = 0;
        self.p.walk(region, &mut |_| size += 1);
        size <= TWICE
    }

    /// The lanes of a mask that are here.
    fn here(&mut self, mask: Var) -> Var {
        match self.mask {
            None => mask,
            Some(active) => self.logic(Op::And, &[active, mask]),
        }
    }

    /// The lanes that are here and not in a mask.
    fn here_without(&mut self, mask: Var) -> Var {
        let others = self.logic(Op::Not, &[mask]);
        self.here(others)
    }

    fn any(&mut self, mask: Var) -> Var {
        let out = self.var(Scalar::Bool, false);
        self.push(Stmt::Any { out, mask });
        out
    }

    /// The results of a branch or loop that are used.
    fn wanted(&self, results: &[Value]) -> Vec<usize> {
        (0..results.len()).filter(|&i| self.used[results[i]]).collect()
    }

    /// What some of the values are, for each lane.
    fn each_of(&mut self, values: &[Value], which: &[usize]) -> Vec<Var> {
        which.iter().flat_map(|&i| self.each(values[i])).collect()
    }

    fn set_some(&mut self, values: &[Value], which: &[usize], vars: &[Var]) {
        let mut rest = vars.iter().copied();
        for &i in which {
            let lanes: Lanes = rest.by_ref().take(self.p.ty(values[i]).lanes as usize).collect();
            self.set(values[i], lanes);
        }
    }

    /// Varying variables of the types of values.
    fn varying(&mut self, values: &[Value], which: &[usize]) -> Vec<Var> {
        let types = which.iter().flat_map(|&i| {
            let ty = self.p.ty(values[i]);
            std::iter::repeat_n(ty.scalar, ty.lanes as usize)
        });
        types.collect::<Vec<_>>().into_iter().map(|scalar| self.var(scalar, true)).collect()
    }

    /// What a region gives, made under a mask and only if any lane is in it; else `otherwise`.
    fn under(
        &mut self,
        mask: Var,
        outs: Vec<Var>,
        otherwise: Vec<Var>,
        make: impl FnOnce(&mut Self) -> Vec<Var>,
    ) {
        let on = On::If(self.any(mask));
        let before = self.mask.replace(mask);
        let (body, yields) = self.block(make);
        self.mask = before;
        let sides = vec![Side { body, yields }, Side { body: Vec::new(), yields: otherwise }];
        self.push(Stmt::Branch { on, sides, outs });
    }

    fn select_all(&mut self, mask: Var, x: &[Var], y: &[Var]) -> Vec<Var> {
        x.iter().zip(y).map(|(&x, &y)| self.select(mask, x, y)).collect()
    }

    /// A branch on a condition that varies. If it is a guard, gangs that pass whole have code of their own, without
    /// masks.
    fn apart(&mut self, data: &InstData, condition: Var) {
        let p = self.p;
        let wanted = self.wanted(&data.results);
        let guard = self.guarded(data).and_then(|taken| Some((taken, self.agree(data.args[0], taken == 0)?)));
        let Some((taken, decided)) = guard else {
            let results = self.masked(data, condition, &wanted);
            return self.set_some(&data.results, &wanted, &results);
        };
        let side = |b: &mut Self, region: Region| {
            let (body, yields) = b.block(|b| {
                b.region(region);
                b.each_of(p.yielded(region), &wanted)
            });
            Side { body, yields }
        };
        let whole = side(self, data.regions[taken]);
        let (body, yields) = self.block(|b| {
            let parted =
                |b: &mut Self| b.with_condition(data.args[0], |b, mask| b.masked(data, mask, &wanted));
            // Nobody may pass either.
            let Some(nobody) = b.agree(data.args[0], taken == 1) else { return parted(b) };
            let none = side(b, data.regions[1 - taken]);
            let (body, yields) = b.block(parted);
            let outs = b.varying(&data.results, &wanted);
            let sides = vec![none, Side { body, yields }];
            b.push(Stmt::Branch { on: On::If(nobody), sides, outs: outs.clone() });
            outs
        });
        let outs = self.varying(&data.results, &wanted);
        let sides = vec![whole, Side { body, yields }];
        self.push(Stmt::Branch { on: On::If(decided), sides, outs: outs.clone() });
        self.set_some(&data.results, &wanted, &outs);
    }

    /// The side of a branch that gangs may take whole, if there is little in it and nothing on the other side.
    fn guarded(&self, data: &InstData) -> Option<usize> {
        if self.mask.is_some() {
            return None;
        }
        let side = match [0, 1].map(|side| self.is_trivial(data.regions[side])) {
            [false, true] => 0,
            [true, false] => 1,
            _ => return None,
        };
        self.is_small(data.regions[side]).then_some(side)
    }

    /// Both sides under masks; gives the results that are wanted.
    fn masked(&mut self, data: &InstData, condition: Var, wanted: &[usize]) -> Vec<Var> {
        let p = self.p;
        let [then, otherwise] = [data.regions[0], data.regions[1]];
        let first = if self.is_trivial(then) {
            self.region(then);
            self.each_of(p.yielded(then), wanted)
        } else {
            let mask = self.here(condition);
            let outs = self.varying(&data.results, wanted);
            let zeros = self.zeros(&outs);
            self.under(mask, outs.clone(), zeros, |b| {
                b.region(then);
                b.each_of(p.yielded(then), wanted)
            });
            outs
        };
        if self.is_trivial(otherwise) {
            self.region(otherwise);
            let second = self.each_of(p.yielded(otherwise), wanted);
            return self.select_all(condition, &first, &second);
        }
        let mask = self.here_without(condition);
        let outs = self.varying(&data.results, wanted);
        let nothing = first.clone();
        self.under(mask, outs.clone(), nothing, |b| {
            b.region(otherwise);
            let second = b.each_of(p.yielded(otherwise), wanted);
            b.select_all(condition, &first, &second)
        });
        outs
    }

    /// Uniform zeros of the types of variables.
    fn zeros(&mut self, like: &[Var]) -> Vec<Var> {
        like.iter().map(|&var| self.constant(self.types[var.0 as usize].scalar, 0)).collect()
    }

    fn switch_apart(&mut self, data: &InstData, cases: &[Case], selector: Var) {
        let p = self.p;
        let wanted = self.wanted(&data.results);
        let scalar = p.ty(data.args[0]).scalar;
        let sig = Sig { operand: scalar, result: Scalar::Bool };
        let mut taken: Option<Var> = None;
        let model = self.varying(&data.results, &wanted);
        let mut results = self.zeros(&model);
        for (i, &region) in data.regions.iter().enumerate() {
            let mut mask: Option<Var> = None;
            if i + 1 < data.regions.len() {
                for case in cases.iter().filter(|case| case.region as usize == i) {
                    let value = self.constant(scalar, case.value & scalar.mask());
                    let equal = self.compute(Op::Eq, sig, &[selector, value]);
                    mask = Some(match mask {
                        Some(mask) => self.logic(Op::Or, &[mask, equal]),
                        None => equal,
                    });
                }
                // A side without a case is never taken.
                let Some(mask) = mask else { continue };
                taken = Some(match taken {
                    Some(taken) => self.logic(Op::Or, &[taken, mask]),
                    None => mask,
                });
            }
            // Of the last side, all that take no other; cases that lead to it too are among them.
            let mask = match (mask, taken) {
                (Some(mask), _) => self.here(mask),
                (None, Some(taken)) => self.here_without(taken),
                (None, None) => {
                    self.region(region);
                    let yields = self.each_of(p.yielded(region), &wanted);
                    return self.set_some(&data.results, &wanted, &yields);
                }
            };
            let before = results;
            let outs = self.varying(&data.results, &wanted);
            let nothing = before.clone();
            self.under(mask, outs.clone(), nothing, |b| {
                b.region(region);
                let values = b.each_of(p.yielded(region), &wanted);
                b.select_all(mask, &values, &before)
            });
            results = outs;
        }
        self.set_some(&data.results, &wanted, &results);
    }

    /// A condition as what each lane and what all of them say about it.
    fn parts(&self, condition: Value) -> (Var, Option<Var>) {
        let both = self.get(condition)[0];
        let Some(InstData { op: Op::And, args, .. }) = self.p.producer(condition) else {
            return (both, None);
        };
        match (self.find(args[0]), self.find(args[1])) {
            (Some(x), Some(y)) => match [x[0], y[0]].map(|var| self.is_varying(var)) {
                [true, false] => (x[0], Some(y[0])),
                [false, true] => (y[0], Some(x[0])),
                _ => (both, None),
            },
            _ => (both, None),
        }
    }

    /// A loop that invocations leave in different turns. The parameters of those that have left go on changing; what
    /// they had when they left is kept aside.
    fn repeat_apart(&mut self, data: &InstData, params: Vec<Var>, init: Vec<Var>, watched: bool) {
        let p = self.p;
        let body = data.regions[0];
        let yielded = p.yielded(body);
        let wanted = self.wanted(&data.results);
        let active = self.var(Scalar::Bool, true);
        let first = self.mask.replace(active);
        let (block, (again, together, next, last)) = self.block(|b| {
            b.region(body);
            let (again, together) = b.parts(yielded[0]);
            // It may be the same for all where the analysis could not know.
            let again = if b.is_varying(again) { again } else { b.logic(Op::And, &[active, again]) };
            let next = b.yields(&yielded[1..], &p.regions[body].params);
            (again, together, next, b.each_of(&yielded[1..], &wanted))
        });
        self.mask = first;
        let outs = self.varying(&data.results, &wanted);
        let kept = last.into_iter().zip(&outs).map(|(last, &out)| Kept { last, out }).collect();
        let exit = Exit::Masked { active, first, again, together, kept };
        self.push(Stmt::Loop(Box::new(Loop { params, init, next, body: block, exit, watched })));
        self.set_some(&data.results, &wanted, &outs);
    }
}
