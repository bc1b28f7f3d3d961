//! Random structured programs against an interpreter of their syntax tree: every jump, in every nesting.

mod common;

use common::{Random, import, words};
use std::fmt::Write;
use vyre_wgsl::ImportOptions;

const VARS: usize = 4;
const ARRAY: u32 = 6;

enum Expr {
    Number(u32),
    Var(usize),
    Global,
    Through,
    Element(Box<Expr>),
    Lane(Box<Expr>),
    Add(Box<Expr>, Box<Expr>),
    Xor(Box<Expr>, Box<Expr>),
    Mul(Box<Expr>, Box<Expr>),
}

enum Cond {
    Less(Expr, Expr),
    Bit(Expr, u32),
    And(Box<Cond>, Box<Cond>),
    Or(Box<Cond>, Box<Cond>),
}

enum Stmt {
    Set(usize, Expr),
    SetGlobal(Expr),
    SetThrough(Expr),
    SetElement(Expr, Expr),
    SetLane(Expr, Expr),
    Let(u32, Expr),
    If(Cond, Vec<Stmt>, Vec<Stmt>),
    /// At most so many iterations; a name for its counter; a value of the body that the continuing block uses.
    Loop {
        id: u32,
        most: u32,
        kept: Expr,
        body: Vec<Stmt>,
        continuing: Vec<Stmt>,
        break_if: Option<Cond>,
    },
    For {
        id: u32,
        most: u32,
        body: Vec<Stmt>,
    },
    Switch(Expr, Vec<(Vec<u32>, bool, Vec<Stmt>)>),
    Call(usize, usize, Expr, Option<usize>),
    Break,
    Continue,
    Return(Expr),
}

struct Gen {
    random: Random,
    names: u32,
    /// Functions that may be called.
    functions: usize,
    budget: i32,
}

#[derive(Copy, Clone, Default)]
struct Scope {
    depth: u32,
    looping: bool,
    breakable: bool,
    returning: bool,
}

impl Gen {
    fn expr(&mut self, depth: u32) -> Expr {
        let inner = |g: &mut Gen| Box::new(g.expr(depth + 1));
        match self.random.below(if depth > 2 { 4 } else { 10 }) {
            0 => Expr::Number(self.random.below(9)),
            1 | 2 => Expr::Var(self.random.below(VARS as u32) as usize),
            3 => {
                if self.random.below(2) == 0 {
                    Expr::Global
                } else {
                    Expr::Through
                }
            }
            4 => Expr::Element(inner(self)),
            5 => Expr::Lane(inner(self)),
            6 | 7 => Expr::Add(inner(self), inner(self)),
            8 => Expr::Xor(inner(self), inner(self)),
            _ => Expr::Mul(inner(self), inner(self)),
        }
    }

    fn cond(&mut self, depth: u32) -> Cond {
        match self.random.below(if depth > 1 { 4 } else { 6 }) {
            0 | 1 => Cond::Less(self.expr(1), self.expr(1)),
            2 | 3 => Cond::Bit(self.expr(1), self.random.below(3)),
            4 => Cond::And(Box::new(self.cond(depth + 1)), Box::new(self.cond(depth + 1))),
            _ => Cond::Or(Box::new(self.cond(depth + 1)), Box::new(self.cond(depth + 1))),
        }
    }

    fn block(&mut self, scope: Scope) -> Vec<Stmt> {
        let n = self.random.below(4) + (scope.depth == 0) as u32 * 3;
        let mut list = Vec::new();
        for _ in 0..n {
            self.budget -= 1;
            if self.budget < 0 {
                break;
            }
            let stmt = self.stmt(Scope { depth: scope.depth + 1, ..scope });
            let ends = matches!(stmt, Stmt::Break | Stmt::Continue | Stmt::Return(_));
            list.push(stmt);
            if ends {
                break;
            }
        }
        list
    }

    fn stmt(&mut self, scope: Scope) -> Stmt {
        let deep = scope.depth > 5;
        let var = self.random.below(VARS as u32) as usize;
        match self.random.below(26) {
            0..=3 => Stmt::Set(var, self.expr(0)),
            4 => Stmt::SetGlobal(self.expr(0)),
            5 => Stmt::SetThrough(self.expr(0)),
            6 => Stmt::SetElement(self.expr(1), self.expr(1)),
            7 => Stmt::SetLane(self.expr(1), self.expr(1)),
            8 => {
                self.names += 1;
                Stmt::Let(self.names, self.expr(0))
            }
            9 | 10 if self.functions > 0 => {
                let function = self.random.below(self.functions as u32) as usize;
                let pointer = self.random.below(VARS as u32 + 1) as usize;
                Stmt::Call(var, function, self.expr(1), (pointer < VARS).then_some(pointer))
            }
            11..=14 if !deep => Stmt::If(self.cond(0), self.block(scope), self.block(scope)),
            15 | 16 if !deep => {
                self.names += 1;
                let (id, most) = (self.names, self.random.below(4) + 1);
                let body = self.block(Scope { looping: true, breakable: true, ..scope });
                let tail = Scope { looping: false, breakable: false, returning: false, ..scope };
                let continuing = self.block(tail);
                let break_if = (self.random.below(2) == 0).then(|| self.cond(1));
                Stmt::Loop { id, most, kept: self.expr(1), body, continuing, break_if }
            }
            17 | 18 if !deep => {
                self.names += 1;
                let (id, most) = (self.names, self.random.below(4) + 1);
                Stmt::For { id, most, body: self.block(Scope { looping: true, breakable: true, ..scope }) }
            }
            19 | 20 if !deep => {
                let groups = self.random.below(3) + 1;
                let default = self.random.below(groups);
                let mut value = 0;
                let inside = Scope { breakable: true, ..scope };
                let cases = (0..groups)
                    .map(|i| {
                        let n = self.random.below(2) + (i != default) as u32;
                        let values = (0..n).map(|k| value + k).collect();
                        value += n;
                        (values, i == default, self.block(inside))
                    })
                    .collect();
                Stmt::Switch(self.expr(1), cases)
            }
            21 if scope.breakable => Stmt::Break,
            22 if scope.looping => Stmt::Continue,
            23 if scope.returning && self.random.below(3) == 0 => Stmt::Return(self.expr(1)),
            _ => Stmt::Set(var, self.expr(0)),
        }
    }
}

// ---- as text

fn expr(e: &Expr) -> String {
    match e {
        Expr::Number(n) => format!("{n}u"),
        Expr::Var(v) => format!("v{v}"),
        Expr::Global => "g".into(),
        Expr::Through => "*p".into(),
        Expr::Element(i) => format!("a[({}) % {ARRAY}u]", expr(i)),
        Expr::Lane(i) => format!("w[({}) % 3u]", expr(i)),
        Expr::Add(a, b) => format!("({} + {})", expr(a), expr(b)),
        Expr::Xor(a, b) => format!("({} ^ {})", expr(a), expr(b)),
        Expr::Mul(a, b) => format!("({} * {})", expr(a), expr(b)),
    }
}

fn cond(c: &Cond) -> String {
    match c {
        Cond::Less(a, b) => format!("({} < {})", expr(a), expr(b)),
        Cond::Bit(a, n) => format!("((({} >> {n}u) & 1u) == 1u)", expr(a)),
        Cond::And(a, b) => format!("({} && {})", cond(a), cond(b)),
        Cond::Or(a, b) => format!("({} || {})", cond(a), cond(b)),
    }
}

fn block(list: &[Stmt], out: &mut String) {
    for s in list {
        stmt(s, out);
    }
}

fn stmt(s: &Stmt, out: &mut String) {
    match s {
        Stmt::Set(v, e) => writeln!(out, "v{v} = {};", expr(e)).unwrap(),
        Stmt::SetGlobal(e) => writeln!(out, "g = {};", expr(e)).unwrap(),
        Stmt::SetThrough(e) => writeln!(out, "*p = {};", expr(e)).unwrap(),
        Stmt::SetElement(i, e) => writeln!(out, "a[({}) % {ARRAY}u] = {};", expr(i), expr(e)).unwrap(),
        Stmt::SetLane(i, e) => writeln!(out, "w[({}) % 3u] = {};", expr(i), expr(e)).unwrap(),
        Stmt::Let(n, e) => writeln!(out, "let n{n} = {}; g += n{n};", expr(e)).unwrap(),
        Stmt::If(c, a, b) => {
            writeln!(out, "if {} {{", cond(c)).unwrap();
            block(a, out);
            if b.is_empty() {
                out.push_str("}\n");
            } else {
                out.push_str("} else {\n");
                block(b, out);
                out.push_str("}\n");
            }
        }
        Stmt::Loop { id, most, kept, body, continuing, break_if } => {
            writeln!(out, "var c{id} = 0u; loop {{ c{id} += 1u; if c{id} > {most}u {{ break; }}").unwrap();
            writeln!(out, "let q{id} = {};", expr(kept)).unwrap();
            block(body, out);
            writeln!(out, "continuing {{ g ^= q{id};").unwrap();
            block(continuing, out);
            if let Some(c) = break_if {
                writeln!(out, "break if {};", cond(c)).unwrap();
            }
            out.push_str("} }\n");
        }
        Stmt::For { id, most, body } => {
            writeln!(out, "for (var c{id} = 0u; c{id} < {most}u; c{id}++) {{ v0 += c{id};").unwrap();
            block(body, out);
            out.push_str("}\n");
        }
        Stmt::Switch(e, cases) => {
            writeln!(out, "switch ({}) % 5u {{", expr(e)).unwrap();
            for (values, default, body) in cases {
                let mut list: Vec<String> = values.iter().map(|v| format!("{v}u")).collect();
                if *default {
                    list.push("default".into());
                }
                writeln!(out, "case {} {{", list.join(", ")).unwrap();
                block(body, out);
                out.push_str("}\n");
            }
            out.push_str("}\n");
        }
        Stmt::Call(v, f, e, pointer) => {
            let pointer = pointer.map_or("&g".into(), |p| format!("&v{p}"));
            // A function through the private variable would alias it; it gets a copy.
            if pointer == "&g" {
                writeln!(out, "{{ var t = g; v{v} = f{f}({}, &t); g ^= t; }}", expr(e)).unwrap();
            } else {
                writeln!(out, "v{v} = f{f}({}, {pointer});", expr(e)).unwrap();
            }
        }
        Stmt::Break => out.push_str("break;\n"),
        Stmt::Continue => out.push_str("continue;\n"),
        Stmt::Return(e) => writeln!(out, "return {};", expr(e)).unwrap(),
    }
}

// ---- as meaning

struct Machine<'a> {
    functions: &'a [Vec<Stmt>],
    global: u32,
    fuel: u32,
}

struct Frame {
    vars: [u32; VARS],
    array: [u32; ARRAY as usize],
    lanes: [u32; 3],
    through: u32,
}

enum Flow {
    Next,
    Break,
    Continue,
    Return(u32),
}

impl Machine<'_> {
    fn expr(&self, f: &Frame, e: &Expr) -> u32 {
        match e {
            Expr::Number(n) => *n,
            Expr::Var(v) => f.vars[*v],
            Expr::Global => self.global,
            Expr::Through => f.through,
            Expr::Element(i) => f.array[(self.expr(f, i) % ARRAY) as usize],
            Expr::Lane(i) => f.lanes[(self.expr(f, i) % 3) as usize],
            Expr::Add(a, b) => self.expr(f, a).wrapping_add(self.expr(f, b)),
            Expr::Xor(a, b) => self.expr(f, a) ^ self.expr(f, b),
            Expr::Mul(a, b) => self.expr(f, a).wrapping_mul(self.expr(f, b)),
        }
    }

    fn cond(&self, f: &Frame, c: &Cond) -> bool {
        match c {
            Cond::Less(a, b) => self.expr(f, a) < self.expr(f, b),
            Cond::Bit(a, n) => self.expr(f, a) >> n & 1 == 1,
            Cond::And(a, b) => self.cond(f, a) && self.cond(f, b),
            Cond::Or(a, b) => self.cond(f, a) || self.cond(f, b),
        }
    }

    fn block(&mut self, f: &mut Frame, list: &[Stmt]) -> Option<Flow> {
        for s in list {
            match self.stmt(f, s)? {
                Flow::Next => {}
                other => return Some(other),
            }
        }
        Some(Flow::Next)
    }

    fn stmt(&mut self, f: &mut Frame, s: &Stmt) -> Option<Flow> {
        self.fuel = self.fuel.checked_sub(1)?;
        match s {
            Stmt::Set(v, e) => f.vars[*v] = self.expr(f, e),
            Stmt::SetGlobal(e) => self.global = self.expr(f, e),
            Stmt::SetThrough(e) => f.through = self.expr(f, e),
            Stmt::SetElement(i, e) => {
                let i = (self.expr(f, i) % ARRAY) as usize;
                f.array[i] = self.expr(f, e);
            }
            Stmt::SetLane(i, e) => {
                let i = (self.expr(f, i) % 3) as usize;
                f.lanes[i] = self.expr(f, e);
            }
            Stmt::Let(_, e) => self.global = self.global.wrapping_add(self.expr(f, e)),
            Stmt::If(c, a, b) => return if self.cond(f, c) { self.block(f, a) } else { self.block(f, b) },
            Stmt::Loop { most, kept, body, continuing, break_if, .. } => {
                for _ in 0..*most {
                    let kept = self.expr(f, kept);
                    match self.block(f, body)? {
                        Flow::Next | Flow::Continue => {}
                        Flow::Break => break,
                        out => return Some(out),
                    }
                    self.global ^= kept;
                    if !matches!(self.block(f, continuing)?, Flow::Next) {
                        unreachable!("nothing leaves a continuing block");
                    }
                    if break_if.as_ref().is_some_and(|c| self.cond(f, c)) {
                        break;
                    }
                }
            }
            Stmt::For { most, body, .. } => {
                for i in 0..*most {
                    f.vars[0] = f.vars[0].wrapping_add(i);
                    match self.block(f, body)? {
                        Flow::Next | Flow::Continue => {}
                        Flow::Break => break,
                        out => return Some(out),
                    }
                }
            }
            Stmt::Switch(e, cases) => {
                let value = self.expr(f, e) % 5;
                let chosen = cases.iter().find(|c| c.0.contains(&value));
                let (.., body) = chosen.or(cases.iter().find(|c| c.1)).expect("there is a default");
                return Some(match self.block(f, body)? {
                    Flow::Break => Flow::Next,
                    other => other,
                });
            }
            Stmt::Call(v, function, e, pointer) => {
                let x = self.expr(f, e);
                let through = pointer.map_or(self.global, |p| f.vars[p]);
                let (result, through) = self.call(*function, x, through)?;
                match pointer {
                    Some(p) => f.vars[*p] = through,
                    None => self.global ^= through,
                }
                f.vars[*v] = result;
            }
            Stmt::Break => return Some(Flow::Break),
            Stmt::Continue => return Some(Flow::Continue),
            Stmt::Return(e) => return Some(Flow::Return(self.expr(f, e))),
        }
        Some(Flow::Next)
    }

    /// What the function returns, and what its pointer points to then; nothing when it takes too long.
    fn call(&mut self, function: usize, x: u32, through: u32) -> Option<(u32, u32)> {
        let mut f = Frame {
            vars: [x, 1, 2, 3],
            array: std::array::from_fn(|i| if i == 0 { x } else { 0 }),
            lanes: [x, 5, 6],
            through,
        };
        let functions = self.functions;
        let result = match self.block(&mut f, &functions[function])? {
            Flow::Return(value) => value,
            _ => {
                let sum = f.vars.iter().chain(&f.array).chain(&f.lanes);
                sum.fold(0u32, |s, v| s.wrapping_mul(31).wrapping_add(*v))
            }
        };
        Some((result, f.through))
    }
}

fn check(seed: u64) -> bool {
    let mut random = Random(seed);
    let count = random.below(3) as usize + 1;
    let mut functions = Vec::new();
    for i in 0..count {
        let mut g = Gen { random, names: 0, functions: i, budget: 40 };
        functions.push(g.block(Scope { returning: true, ..Scope::default() }));
        random = g.random;
    }
    let mut source = String::from(
        "@group(0) @binding(0) var<storage, read> x: array<u32>;
         @group(0) @binding(1) var<storage, read_write> y: array<u32>;
         var<private> g: u32 = 7u;\n",
    );
    for (i, body) in functions.iter().enumerate() {
        writeln!(source, "fn f{i}(x: u32, p: ptr<function, u32>) -> u32 {{").unwrap();
        writeln!(source, "var v0 = x; var v1 = 1u; var v2 = 2u; var v3 = 3u; var w = vec3<u32>(x, 5u, 6u);")
            .unwrap();
        writeln!(source, "var a: array<u32, {ARRAY}>; a[0] = x;").unwrap();
        block(body, &mut source);
        // The sum of everything shows every wrong assignment.
        let terms =
            ["v0", "v1", "v2", "v3", "a[0]", "a[1]", "a[2]", "a[3]", "a[4]", "a[5]", "w.x", "w.y", "w.z"];
        let sum = terms.iter().fold("0u".to_string(), |s, t| format!("({s} * 31u + {t})"));
        if !matches!(body.last(), Some(Stmt::Return(_))) {
            writeln!(source, "return {sum};").unwrap();
        }
        source.push_str("}\n");
    }
    let last = count - 1;
    writeln!(
        source,
        "@compute @workgroup_size(8) fn main(@builtin(local_invocation_index) i: u32) {{
            var t = i * 3u; y[i] = f{last}(x[i], &t); y[i + 8u] = g; y[i + 16u] = t; }}"
    )
    .unwrap();
    let input: Vec<u32> = (0..8).map(|i| i * i).collect();
    let mut wanted = vec![0; 24];
    for i in 0..8 {
        let mut m = Machine { functions: &functions, global: 7, fuel: 20_000 };
        let Some((result, through)) = m.call(last, input[i], i as u32 * 3) else { return false };
        (wanted[i], wanted[i + 8], wanted[i + 16]) = (result, m.global, through);
    }
    let program = import(&source, &ImportOptions::default());
    let got = words(&program, &[("x", input), ("y", vec![0; 24])]);
    assert_eq!(got["y"], wanted, "seed {seed}\n{source}\n{program}");
    true
}

#[test]
fn random_programs_mean_what_they_say() {
    let from = std::env::var("VYRE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    let run = (from..from + 300).filter(|&seed| check(seed)).count();
    assert!(run > 250, "only {run} of 300 programs end soon enough");
}
