//! The workgroup's level: pieces as loops over gangs, control flow of the whole workgroup, cuts, and the slots in which
//! values wait between pieces.

use super::{Build, Lanes};
use crate::form::{Exit, Loop, On, Side, Stmt, Var};
use smallvec::SmallVec;
use vyre_ir::{Attr, Def, Inst, InstData, Op, Scalar, Sig, Value};
use vyre_opt::fission::{Home, Piece, Step};

impl Build<'_> {
    /// Statements for steps, one after another.
    pub(super) fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Scalar(inst) => self.inst(*inst),
                Step::Piece(piece) => self.piece(piece),
                Step::Cut(inst) => self.cut(*inst),
                Step::Control(inst, regions) => self.control(*inst, regions),
            }
        }
    }

    // ---- pieces

    fn piece(&mut self, piece: &Piece) {
        let (width, all) = (self.width, self.p.workgroup_invocations() as u32);
        let whole = all / width * width;
        if whole == width {
            let at = self.constant(Scalar::U32, 0);
            self.gang(piece, at);
        } else if whole > 0 {
            let first = self.constant(Scalar::U32, 0);
            let at = self.var(Scalar::U32, false);
            let (body, (next, more)) = self.block(|b| {
                b.gang(piece, at);
                let next = b.word_by(Op::Add, at, width as u64);
                let end = b.constant(Scalar::U32, whole as u64);
                let sig = Sig { operand: Scalar::U32, result: Scalar::Bool };
                (next, b.compute(Op::Lt, sig, &[next, end]))
            });
            let (params, init, next, exit) = (vec![at], vec![first], vec![next], Exit::While(more));
            self.push(Stmt::Loop(Box::new(Loop { params, init, next, body, exit, watched: false })));
        }
        if whole < all {
            let at = self.constant(Scalar::U32, whole as u64);
            let zero = self.constant(Scalar::U32, 0);
            let lanes = self.ramp(zero, 1);
            let left = self.constant(Scalar::U32, (all - whole) as u64);
            let sig = Sig { operand: Scalar::U32, result: Scalar::Bool };
            self.mask = Some(self.compute(Op::Lt, sig, &[lanes, left]));
            self.gang(piece, at);
            self.mask = None;
        }
    }

    /// The piece for the gang at a position.
    fn gang(&mut self, piece: &Piece, at: Var) {
        self.pieces += 1;
        self.piece = self.pieces;
        for &buffer in &piece.own {
            let bytes = self.p.buffers[buffer].static_bytes().unwrap_or(0) * self.width as u64;
            self.push(Stmt::Zero { offset: self.plan.frame.buffers[buffer], bytes });
        }
        self.arrive(at);
        for &value in &piece.live_in {
            if let Home::Slot(offset) = self.plan.homes[value] {
                let lanes = self.kept(value, offset, at);
                self.set(value, lanes);
            }
        }
        piece.live_in.iter().for_each(|&value| self.again(value));
        for &inst in &piece.insts {
            self.inst(inst);
            for &result in &self.p.insts[inst].results {
                if let Home::Slot(offset) = self.plan.homes[result] {
                    let lanes = self.each(result);
                    self.keep(result, offset, &lanes);
                }
            }
        }
        // All that is moved was computed or loaded above, so no move sees another one.
        let moved: Vec<Lanes> = piece.copies.iter().map(|&(from, _)| self.each(from)).collect();
        for (&(_, to), lanes) in piece.copies.iter().zip(&moved) {
            let Home::Slot(offset) = self.plan.homes[to] else {
                unreachable!("fission copies into slots only")
            };
            self.keep(to, offset, lanes);
        }
        self.piece = 0;
    }

    /// Computes a value of an earlier piece, and what it needs.
    fn again(&mut self, value: Value) {
        if self.find(value).is_some() {
            return;
        }
        let Def::Result(inst) = self.p.values[value].def else {
            unreachable!("fission lets only instructions be computed again")
        };
        self.p.insts[inst].args.iter().for_each(|&arg| self.again(arg));
        self.inst(inst);
    }

    // ---- control flow

    /// A value that all invocations have the same, at the workgroup's level: the first one's.
    fn uniform(&mut self, value: Value) -> Var {
        let Home::Slot(offset) = self.plan.homes[value] else { return self.get(value)[0] };
        let (at, out) = (self.constant(Scalar::U32, 0), self.var(self.p.ty(value).scalar, false));
        self.push(Stmt::Kept { out, slot: crate::form::Slot { offset }, at });
        out
    }

    /// Control flow of the whole workgroup. Results and parameters that are scalars are variables; the others are in
    /// slots, which the pieces fill.
    fn control(&mut self, inst: Inst, regions: &[Vec<Step>]) {
        let p = self.p;
        let data = &p.insts[inst];
        if data.op == Op::Loop {
            return self.workgroup_loop(data, &regions[0]);
        }
        let condition = self.uniform(data.args[0]);
        let on = match &data.attr {
            Attr::Cases(cases) => {
                On::Switch(condition, cases.iter().map(|case| (case.value as u32, case.region)).collect())
            }
            _ => On::If(condition),
        };
        let scalars = self.scalars(&data.results);
        let mut sides = Vec::new();
        for (steps, &region) in regions.iter().zip(&data.regions) {
            let (body, ()) = self.block(|b| b.steps(steps));
            let yielded = p.yielded(region);
            sides.push(Side { body, yields: scalars.iter().flat_map(|&i| self.get(yielded[i])).collect() });
        }
        let outs = self.fresh_all(&data.results, &scalars);
        self.push(Stmt::Branch { on, sides, outs });
    }

    fn workgroup_loop(&mut self, data: &InstData, steps: &[Step]) {
        let p = self.p;
        let body = data.regions[0];
        let params = &p.regions[body].params;
        let scalars = self.scalars(params);
        let all = |b: &Self, values: &[Value]| scalars.iter().flat_map(|&i| b.get(values[i])).collect();
        let init = all(self, &data.args);
        let vars = self.fresh_all(params, &scalars);
        let yielded = p.yielded(body);
        let (body, again) = self.block(|b| {
            b.steps(steps);
            b.uniform(yielded[0])
        });
        let next = all(self, &yielded[1..]);
        for &i in &scalars {
            let lanes = self.get(yielded[1 + i]);
            self.set(data.results[i], lanes);
        }
        let exit = Exit::While(again);
        self.push(Stmt::Loop(Box::new(Loop { params: vars, init, next, body, exit, watched: true })));
    }

    /// Which of the values are scalars of the workgroup.
    fn scalars(&self, values: &[Value]) -> SmallVec<[usize; 4]> {
        (0..values.len()).filter(|&i| self.plan.homes[values[i]] == Home::Scalar).collect()
    }

    /// New variables for those of the values, one value's after another.
    fn fresh_all(&mut self, values: &[Value], which: &[usize]) -> Vec<Var> {
        let mut vars = Vec::new();
        for &i in which {
            let lanes = self.fresh(values[i]);
            vars.extend(&lanes);
            self.set(values[i], lanes);
        }
        vars
    }

    // ---- cuts

    /// Waits for the other workgroups; gives the word that the first one gave.
    fn meet(&mut self, value: Var) -> Var {
        let out = self.var(Scalar::U32, false);
        self.push(Stmt::Meet { out, value });
        out
    }

    /// What the first invocation of the grid passes, which goes there as a word.
    fn of_the_grid(&mut self, data: &InstData) -> Var {
        let scalar = self.p.ty(data.results[0]).scalar;
        let value = self.uniform(data.args[0]);
        let (to, from) =
            (Sig { operand: scalar, result: Scalar::U32 }, Sig { operand: Scalar::U32, result: scalar });
        match scalar {
            Scalar::U32 => self.meet(value),
            Scalar::Bool => {
                let word = self.compute(Op::Convert, to, &[value]);
                let (word, zero) = (self.meet(word), self.constant(Scalar::U32, 0));
                self.compute(Op::Ne, from, &[word, zero])
            }
            _ => {
                let word = self.compute(Op::Bitcast, to, &[value]);
                let word = self.meet(word);
                self.compute(Op::Bitcast, from, &[word])
            }
        }
    }

    /// What separates pieces. Those before a barrier have run for all invocations.
    fn cut(&mut self, inst: Inst) {
        let data = &self.p.insts[inst];
        match data.op {
            Op::GridSync => {
                let value = self.constant(Scalar::U32, 0);
                self.meet(value);
                return;
            }
            Op::GridUniform => {
                let out = self.of_the_grid(data);
                return self.set(data.results[0], SmallVec::from_elem(out, 1));
            }
            Op::UniformLoad => {}
            _ => return,
        }
        if self.plan.checked {
            // What the whole workgroup does the first invocation does too.
            let zero = self.constant(Scalar::U32, 0);
            self.push(Stmt::Invocation { local: [zero; 3] });
        }
        // The index may be kept for each invocation; all have the same.
        let index = self.uniform(data.args[0]);
        let before = self.values[data.args[0]].replace((0, SmallVec::from_elem(index, 1)));
        let lanes = self.load(inst);
        self.values[data.args[0]] = before;
        self.set(data.results[0], lanes);
    }
}
