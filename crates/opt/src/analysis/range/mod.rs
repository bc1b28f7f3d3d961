//! How large numbers can be, and which accesses are in bounds because of it.
//!
//! Of the bits of u32 and i32 values the analysis knows an interval ([`interval`]) and upper bounds in terms of other
//! values. Both come from where an invocation is, how long buffers are, arithmetic, and the conditions of branches and
//! loops around ([`facts`], [`conditions`]). An access is proven if its index is below the length of the buffer, as a number or by way
//! of such bounds ([`upper`]).
//!
//! Loops: each parameter starts with what its initial value can be. As long as the body gives it more than was
//! assumed, more is assumed, in passes over the whole program; bounds that do not hold again are dropped. When all
//! assumptions hold, two more passes make them tighter with what the condition of going on says. Until then nothing
//! that was found is true.
//!
//! It relies on what the driver checks: bound memory has the size that the program declares, else at least one
//! element, and a grid has at least one and fewer than 2^32 invocations along an axis.

mod conditions;
mod facts;
mod interval;
mod upper;

use super::counted::counted;
use facts::{Bound, Bounds, Facts, is_word};
use interval::{Interval, POSITIVE};
use rustc_hash::FxHashMap;
use upper::Question;
use vyre_ir::{Attr, Buffer, Def, Inst, InstData, Op, Program, Region, SideTable, Type, Value};

/// Passes after which nothing is assumed of the parameters of loops any more.
const MAX_PASSES: u32 = 12;
/// Passes that make assumptions tighter.
const TIGHTER: u32 = 2;
/// Bytes that a buffer must have beside those for another one's elements, at most: more than this nobody meant.
const BEYOND: i32 = 1 << 20;
/// How many buffers' lengths are kept as bounds of what branches and loops give.
const LENGTHS: usize = 4;

/// What is known of the numbers of a program.
pub struct Ranges {
    inside: SideTable<Inst, bool>,
    fits: SideTable<Inst, Option<Fit>>,
    largest: SideTable<Value, u32>,
}

impl Ranges {
    /// Whether a load, store or atomic is in bounds, with all its lanes, whenever an invocation runs it.
    pub fn in_bounds(&self, inst: Inst) -> bool {
        self.inside[inst]
    }

    /// Where that is not sure: what bound memory must have for it, if there is something that whoever binds it can see.
    pub fn fit(&self, inst: Inst) -> Option<Fit> {
        self.fits[inst]
    }

    /// The largest number that the bits of a u32 or i32 value can be, as u32, where it is defined; `u32::MAX` if
    /// nothing is known.
    pub fn largest(&self, value: Value) -> u32 {
        self.largest[value]
    }
}

/// That a buffer is large enough: it has at least `times` bytes for each of something that whoever launches knows the
/// number of, and `plus`.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fit {
    /// The buffer.
    pub buffer: Buffer,
    /// What is counted; nothing if `plus` says all.
    pub of: Option<Count>,
    /// Bytes for each of it.
    pub times: u32,
    /// Bytes more, or less.
    pub plus: i32,
}

/// What whoever launches a program knows the number of.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Count {
    /// Elements of a buffer, of so many bytes.
    Elements(Buffer, u32),
    /// Invocations of the grid along an axis.
    Invocations(u8),
}

impl Fit {
    /// Whether that is so, where a function says how many bytes of a buffer are bound, for a grid of so many invocations
    /// along each axis.
    pub fn holds(&self, bound: impl Fn(Buffer) -> u64, invocations: [u32; 3]) -> bool {
        let count = match self.of {
            None => 0,
            Some(Count::Elements(other, element)) => {
                (bound(other) / u64::from(element.max(1))).min(u32::MAX.into())
            }
            Some(Count::Invocations(axis)) => u64::from(invocations[axis as usize]),
        };
        let needed = i128::from(count) * i128::from(self.times) + i128::from(self.plus);
        i128::from(bound(self.buffer)) >= needed
    }
}

/// Finds what is known of the numbers of a program.
pub fn ranges(p: &Program) -> Ranges {
    let mut pass = Pass {
        p,
        facts: Facts::new(p),
        born: SideTable::new(0),
        clock: 0,
        assumed: FxHashMap::default(),
        changed: false,
        stage: Stage::Grow,
        found: Ranges {
            inside: SideTable::new(false),
            fits: SideTable::new(None),
            largest: SideTable::new(u32::MAX),
        },
        lengths: Vec::new(),
        positions: [None; 3],
        decisive: SideTable::new(false),
    };
    for data in p.insts.values().filter(|data| data.op == Op::GlobalId) {
        if let Attr::Axis(axis) = data.attr {
            pass.positions[axis as usize] = Some(data.results[0]);
        }
    }
    pass.lengths = p.buffers.keys().filter_map(|b| pass.facts.lengths[b]).take(LENGTHS).collect();
    let has_loops = p.insts.values().any(|data| data.op == Op::Loop);
    if has_loops {
        pass.decisive = decisive(p);
        for round in 0.. {
            pass.run(if round < MAX_PASSES { Stage::Grow } else { Stage::GiveUp });
            if !pass.changed || round >= MAX_PASSES {
                break;
            }
        }
        (0..TIGHTER).for_each(|_| pass.run(Stage::Tighten));
    }
    pass.run(Stage::Last);
    pass.found
}

/// What a pass does with the parameters of loops.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Stage {
    /// Assumes more of those that turn out to be more.
    Grow,
    /// Assumes nothing.
    GiveUp,
    /// Assumes only what is needed, as all assumptions hold.
    Tighten,
    /// Keeps what is found.
    Last,
}

/// What is assumed of a parameter of a loop.
#[derive(Clone)]
struct Assumed {
    interval: Interval,
    bounds: Bounds,
    /// How often it grew.
    grown: u32,
}

struct Pass<'p> {
    p: &'p Program,
    facts: Facts<'p>,
    /// When a value was defined, as counted by `clock`.
    born: SideTable<Value, u32>,
    clock: u32,
    assumed: FxHashMap<Value, Assumed>,
    changed: bool,
    stage: Stage,
    found: Ranges,
    /// The lengths that are kept as bounds.
    lengths: Vec<Value>,
    /// Where an invocation is in the grid, by axes.
    positions: [Option<Value>; 3],
    /// What assumptions depend on. Of other values nothing has to be known before these hold.
    decisive: SideTable<Value, bool>,
}

/// The values that decide what loops carry, and where branches go.
fn decisive(p: &Program) -> SideTable<Value, bool> {
    let mut found = SideTable::new(false);
    let mut open: Vec<Value> = Vec::new();
    p.walk(p.body, &mut |inst| {
        let data = &p.insts[inst];
        match data.op {
            Op::If | Op::Switch => open.push(data.args[0]),
            Op::Loop => open.extend(data.args.iter().chain(p.yielded(data.regions[0]))),
            _ => {}
        }
    });
    while let Some(value) = open.pop() {
        let Def::Result(inst) = p.values[value].def else { continue };
        if std::mem::replace(&mut found[value], true) {
            continue;
        }
        let data = &p.insts[inst];
        open.extend(&data.args);
        data.regions.iter().for_each(|&region| open.extend(p.yielded(region)));
    }
    found
}

impl Pass<'_> {
    fn run(&mut self, stage: Stage) {
        (self.stage, self.changed, self.clock) = (stage, false, 0);
        self.region(self.p.body);
    }

    fn define(&mut self, value: Value, known: Interval, bounds: Bounds) {
        self.clock += 1;
        self.born[value] = self.clock;
        self.facts.define(value, known, bounds);
        if self.stage == Stage::Last && is_word(self.p, value) {
            self.found.largest[value] = self.facts.interval(value).high;
        }
    }

    fn region(&mut self, region: Region) {
        for &inst in &self.p.regions[region].insts {
            let data = &self.p.insts[inst];
            match data.op {
                Op::If | Op::Switch => self.branch(data),
                Op::Loop => self.repeat(data),
                Op::Yield => {}
                _ if self.is_idle(data) => {}
                Op::Select => self.select(data),
                _ => self.inst(inst, data),
            }
        }
    }

    /// Whether an instruction gives nothing that matters yet.
    fn is_idle(&mut self, data: &InstData) -> bool {
        let idle = self.stage != Stage::Last && data.results.iter().all(|&value| !self.decisive[value]);
        if idle {
            for &value in &data.results {
                self.clock += 1;
                self.born[value] = self.clock;
            }
        }
        idle
    }

    fn inst(&mut self, inst: Inst, data: &InstData) {
        if self.stage == Stage::Last
            && let Some(ty) = self.p.accessed(data)
        {
            self.found.inside[inst] = self.is_inside(data, ty);
            if !self.found.inside[inst] {
                self.found.fits[inst] = self.fit(data, ty);
            }
        }
        if let [result] = data.results[..]
            && facts::is_tracked(self.p, result)
        {
            let known = self.facts.result(data);
            self.define(result, known, Bounds::new());
        } else {
            for &result in &data.results {
                self.define(result, facts::all(self.p, result), Bounds::new());
            }
        }
    }

    /// Whether an access is below the length of its buffer.
    fn is_inside(&mut self, data: &InstData, ty: Type) -> bool {
        let Attr::Buffer(buffer) = data.attr else { return false };
        let (p, index) = (self.p, data.args[0]);
        let decl = &p.buffers[buffer];
        let (scalar, lanes) = (ty.scalar.bytes(), ty.lanes as u64);
        let last = self.facts.interval(index).high as u64;
        let bytes = match decl.static_bytes() {
            Some(bytes) => bytes,
            None => self.facts.length(buffer).low as u64 * decl.element.bytes() as u64,
        };
        if last + lanes <= bytes / scalar as u64 {
            return true;
        }
        let Some(length) = self.facts.lengths[buffer] else { return false };
        let (mut scale, mut times) = (scalar, decl.element.bytes());
        while scale.is_multiple_of(2) && times.is_multiple_of(2) {
            (scale, times) = (scale / 2, times / 2);
        }
        let scale = scale as i128;
        self.facts.upper(index, scale, &mut Question::new(length, times)) + scale * lanes as i128 <= 0
    }

    /// What makes an access to memory that the host binds one in bounds, if it is a matter of the sizes of buffers.
    fn fit(&mut self, data: &InstData, ty: Type) -> Option<Fit> {
        let Attr::Buffer(buffer) = data.attr else { return None };
        let decl = &self.p.buffers[buffer];
        if !decl.memory.is_bound() || decl.static_bytes().is_some() {
            return None;
        }
        let (index, scale, times) = (data.args[0], i128::from(ty.scalar.bytes()), decl.element.bytes());
        let whole = scale * i128::from(ty.lanes);
        let plus = |least: i128| i32::try_from(least + whole).ok().filter(|plus| *plus <= BEYOND);
        let last = scale * i128::from(self.facts.interval(index).high);
        if let Some(plus) = plus(last) {
            return Some(Fit { buffer, of: None, times: 0, plus });
        }
        let others = self.p.buffers.iter().filter(|(other, _)| *other != buffer);
        let others =
            others.filter(|(_, other)| other.static_bytes().is_none()).filter_map(|(other, decl)| {
                Some((Count::Elements(other, decl.element.bytes()), self.facts.lengths[other]?, 0))
            });
        // The largest position is one less than there are invocations.
        let axes = (0..3).filter_map(|axis| {
            Some((Count::Invocations(axis), self.positions[axis as usize]?, i128::from(times)))
        });
        let counts: Vec<(Count, Value, i128)> = others.chain(axes).collect();
        counts.into_iter().find_map(|(of, value, less)| {
            let plus = plus(self.facts.upper(index, scale, &mut Question::new(value, times)) - less)?;
            Some(Fit { buffer, of: Some(of), times, plus })
        })
    }

    /// What is known of values that one value is one of: of each its interval and bounds.
    fn join(&mut self, sides: &[(Interval, Bounds)]) -> (Interval, Bounds) {
        let hull = sides.iter().map(|side| side.0).reduce(Interval::hull).unwrap_or(Interval::FULL);
        let mut bounds = Bounds::new();
        for candidate in sides.iter().flat_map(|side| &side.1) {
            if bounds.iter().any(|b| (b.of, b.scale) == (candidate.of, candidate.scale)) {
                continue;
            }
            let least = self.facts.interval(candidate.of).low as i64;
            let of_side = |(interval, bounds): &(Interval, Bounds)| {
                let same = bounds.iter().filter(|b| (b.of, b.scale) == (candidate.of, candidate.scale));
                let number = (candidate.scale as i64).checked_mul(interval.high as i64);
                same.map(|b| b.plus).chain(number.and_then(|n| n.checked_sub(least))).min()
            };
            let all: Option<Vec<i64>> = sides.iter().map(of_side).collect();
            if let Some(plus) = all.and_then(|all| all.into_iter().max()) {
                bounds.push(Bound { plus, ..*candidate });
            }
        }
        (hull, bounds)
    }

    /// What is known of a value here that is true outside too, where what was defined after `start` is not seen.
    fn seen(&mut self, value: Value, start: u32) -> (Interval, Bounds) {
        let interval = self.facts.interval(value);
        if !is_word(self.p, value) {
            return (interval, Bounds::new());
        }
        let mut bounds = self.facts.bounds(value);
        bounds.retain(|bound| self.is_outside(bound.of, start));
        for i in 0..self.lengths.len() {
            let of = self.lengths[i];
            let found = self.facts.upper(value, 1, &mut Question::new(of, 1));
            let known = interval.high as i128 - self.facts.interval(of).low as i128;
            if found < known
                && let Ok(plus) = i64::try_from(found)
            {
                bounds.retain(|bound| (bound.of, bound.scale) != (of, 1));
                bounds.push(Bound { scale: 1, of, plus });
            }
        }
        (interval, bounds)
    }

    fn is_outside(&self, value: Value, start: u32) -> bool {
        let data = self.p.producer(value);
        self.born[value] <= start || data.is_some_and(|d| matches!(d.op, Op::Length | Op::NumWorkgroups))
    }

    fn select(&mut self, data: &InstData) {
        let result = data.results[0];
        if !is_word(self.p, result) {
            let all = facts::all(self.p, result);
            let known = if facts::is_tracked(self.p, result) { self.facts.result(data) } else { all };
            return self.define(result, known, Bounds::new());
        }
        let constants = [1, 2].map(|i| self.p.splat_constant(data.args[i]));
        if let [Some(_), Some(_)] = constants {
            // No condition says more of them.
            let known = self.facts.result(data);
            return self.define(result, known, Bounds::new());
        }
        let condition = self.facts.interval(data.args[0]).single();
        let (mut sides, start) = (Vec::new(), self.clock);
        for (side, is) in [(data.args[1], true), (data.args[2], false)] {
            if condition.is_none_or(|known| known == is as u32) {
                let scope = self.facts.open();
                self.facts.assume(data.args[0], is);
                sides.push(self.seen(side, start));
                self.facts.close(scope);
            }
        }
        let (known, bounds) = self.join(&sides);
        self.define(result, known, bounds);
    }

    fn branch(&mut self, data: &InstData) {
        let (p, start) = (self.p, self.clock);
        let condition = self.facts.interval(data.args[0]).single();
        let mut sides = vec![Vec::new(); data.results.len()];
        for (i, &region) in data.regions.iter().enumerate() {
            let scope = self.facts.open();
            if data.op == Op::If {
                self.facts.assume(data.args[0], i == 0);
            } else if let Some(n) = only_case(data, i) {
                self.facts.assume_is(data.args[0], n);
            }
            self.region(region);
            if data.op == Op::Switch || condition.is_none_or(|known| known == (i == 0) as u32) {
                for (sides, &value) in sides.iter_mut().zip(p.yielded(region)) {
                    sides.push(self.seen(value, start));
                }
            }
            self.facts.close(scope);
        }
        for (&result, sides) in data.results.iter().zip(&sides) {
            let (known, bounds) = self.join(sides);
            self.define(result, known, bounds);
        }
    }

    fn repeat(&mut self, data: &InstData) {
        let (p, start) = (self.p, self.clock);
        let body = data.regions[0];
        let params = &p.regions[body].params;
        let counter = counted(p, data);
        let init: Vec<(Interval, Bounds)> = data.args.iter().map(|&value| self.init(value, start)).collect();
        for ((&param, init), &value) in params.iter().zip(&init).zip(&data.args) {
            let mut assumed = self.assumption(param, init);
            if let Some(counter) = counter.filter(|c| c.counter == param) {
                let first = self.facts.interval(value).low;
                let counts = Interval::new(first, counter.largest);
                assumed.interval = assumed.interval.meet(counts).unwrap_or(counts);
            }
            self.define(param, assumed.interval, assumed.bounds);
        }
        self.region(body);
        let [go_on, next @ ..] = p.yielded(body) else { unreachable!("a loop yields whether to go on") };
        let scope = self.facts.open();
        self.facts.assume(*go_on, true);
        let again: Vec<_> = next.iter().map(|&next| self.after(next, start)).collect();
        self.facts.close(scope);
        // What going on says of values outside is not true of the first turn.
        for ((&param, init), next) in params.iter().zip(init).zip(again) {
            self.update(param, init, next);
        }
        let scope = self.facts.open();
        self.facts.assume(*go_on, false);
        let ends: Vec<_> = next.iter().map(|&next| self.after(next, start)).collect();
        self.facts.close(scope);
        for (&result, (known, bounds)) in data.results.iter().zip(ends) {
            self.define(result, known, bounds);
        }
    }

    /// What is known of an initial value. That it is not more than itself is a bound like others.
    fn init(&mut self, value: Value, start: u32) -> (Interval, Bounds) {
        let (interval, mut bounds) = self.seen(value, start);
        if is_word(self.p, value) && interval.single().is_none() {
            bounds.push(Bound { scale: 1, of: self.facts.of_all(value), plus: 0 });
        }
        (interval, bounds)
    }

    /// What is known of a value at the end of a loop's body, where it is known which sides of branches were taken.
    fn after(&mut self, value: Value, start: u32) -> (Interval, Bounds) {
        let known = self.seen(value, start);
        let followed = self.facts.follow(value);
        if followed == value {
            return known;
        }
        let (interval, mut bounds) = self.seen(followed, start);
        bounds.extend(known.1.into_iter().filter(|b| !bounds.contains(b)).collect::<Bounds>());
        (interval.meet(known.0).unwrap_or(interval), bounds)
    }

    fn assumption(&mut self, param: Value, init: &(Interval, Bounds)) -> Assumed {
        let mut assumed = match self.assumed.get(&param) {
            Some(assumed) => assumed.clone(),
            None => Assumed { interval: init.0, bounds: init.1.clone(), grown: 0 },
        };
        if self.stage == Stage::Grow {
            assumed.interval = assumed.interval.hull(init.0);
        }
        if self.stage == Stage::GiveUp {
            assumed = Assumed { interval: facts::all(self.p, param), bounds: Bounds::new(), grown: 0 };
        }
        self.assumed.insert(param, assumed.clone());
        assumed
    }

    /// Compares what was assumed of a parameter with what it begins with and gets.
    fn update(&mut self, param: Value, init: (Interval, Bounds), next: (Interval, Bounds)) {
        let (needed, bounds) = self.join(&[init, next]);
        let mut assumed = self.assumed[&param].clone();
        if self.stage == Stage::Tighten {
            assumed.interval = assumed.interval.meet(needed).unwrap_or(needed);
            for bound in bounds {
                if !assumed.bounds.contains(&bound) {
                    assumed.bounds.push(bound);
                }
            }
        } else if self.stage == Stage::Grow {
            if !assumed.interval.contains(needed) {
                assumed.interval = grow(assumed.interval, needed, assumed.grown);
                assumed.grown += 1;
                self.changed = true;
            }
            let before = assumed.bounds.len();
            assumed.bounds.retain(|bound| {
                bounds.iter().any(|b| (b.of, b.scale) == (bound.of, bound.scale) && b.plus <= bound.plus)
            });
            self.changed |= assumed.bounds.len() != before;
        }
        self.assumed.insert(param, assumed);
    }
}

/// More than was assumed, so that assumptions soon hold: first what is needed, then as far as the sign or to the end.
fn grow(assumed: Interval, needed: Interval, grown: u32) -> Interval {
    let mut hull = assumed.hull(needed);
    if grown > 0 {
        if hull.low < assumed.low {
            hull.low = 0;
        }
        if hull.high > assumed.high {
            hull.high = if hull.high <= POSITIVE { POSITIVE } else { u32::MAX };
        }
    }
    hull
}

/// The only value for which a switch takes a region.
fn only_case(data: &InstData, region: usize) -> Option<u32> {
    let Attr::Cases(cases) = &data.attr else { return None };
    let mut of_region = cases.iter().filter(|case| case.region as usize == region);
    let case = of_region.next()?;
    let is_default = region + 1 == data.regions.len();
    (of_region.next().is_none() && !is_default).then_some(case.value as u32)
}
