//! Puts the bodies of dialects' operations in the place of their calls.
//!
//! A call stays where the code generator takes the operation's own code for its target, or where there is no body. How
//! large a program gets is bounded when its calls are linked, so the pass cannot fail.

use crate::Target;
use crate::rewrite::{Copier, Values, rewrite};
use vyre_ir::dialect::{self, Call, OpDef};
use vyre_ir::{Builder, Inst, Loc, Op, Program, Region, SideTable, Type, Value};

/// Replaces calls by bodies. Calls that are not linked yet are linked to the present registry; where that cannot be, as
/// the verifier then says, nothing is changed.
pub fn inline(p: &mut Program, target: &Target) -> bool {
    if !dialect::has_calls(p) {
        return false;
    }
    let Ok(linked) = dialect::linked(p) else { return false };
    let mut changed = false;
    let new = rewrite(&linked, &mut |copy: &mut Copier<'_>, inst: Inst, args: &[Value]| {
        let data = &copy.from.insts[inst];
        let call = copy.from.call(data)?;
        body_of(call, target)?;
        changed = true;
        let loc = data.loc.derived("inline");
        Some(expand(&mut copy.b, call, args, loc, target))
    });
    if changed {
        *p = new;
    }
    changed
}

/// The program with the bodies of operations in the place of calls.
pub fn inlined(p: &Program, target: &Target) -> Program {
    let mut p = p.clone();
    inline(&mut p, target);
    p
}

/// The definition whose body takes the place of a call.
fn body_of<'c>(call: &'c Call, target: &Target) -> Option<&'c OpDef> {
    let def = call.def.as_deref()?;
    let kept = target.lowering.is_some_and(|target| def.lowering(target).is_some());
    (def.body.is_some() && !kept).then_some(def)
}

/// Adds the instructions of a called operation; its results.
fn expand(b: &mut Builder, call: &Call, args: &[Value], loc: Loc, target: &Target) -> Values {
    let def = body_of(call, target).expect("the caller asked");
    let body = def.body.as_deref().expect("the caller asked");
    b.loc = loc;
    let mut map = SideTable::new(None);
    let attributes: Values = call.attributes.iter().map(|a| b.bits(a.ty, a.bits)).collect();
    for (&param, &value) in body.parameters().iter().zip(attributes.iter().chain(args)) {
        map[param] = Some(value);
    }
    let mut copy = Body { p: &body.program, map, loc, target };
    copy.region(b, body.program.body)
}

/// A body being copied into a program.
struct Body<'d> {
    p: &'d Program,
    /// What stands for the body's values in the program.
    map: SideTable<Value, Option<Value>>,
    /// That of the call: the body's own source is another text.
    loc: Loc,
    target: &'d Target,
}

impl Body<'_> {
    fn get(&self, value: Value) -> Value {
        self.map[value].expect("the body was verified when it was registered")
    }

    fn set(&mut self, old: &[Value], new: &[Value]) {
        for (&old, &new) in old.iter().zip(new) {
            self.map[old] = Some(new);
        }
    }

    /// Adds a region's instructions, without its end; what it yields.
    fn region(&mut self, b: &mut Builder, region: Region) -> Values {
        let p = self.p;
        for &inst in &p.regions[region].insts {
            let data = &p.insts[inst];
            let args: Values = data.args.iter().map(|&v| self.get(v)).collect();
            if data.op == Op::Yield {
                return args;
            }
            if let Some(call) = p.call(data)
                && body_of(call, self.target).is_some()
            {
                let results = expand(b, call, &args, self.loc, self.target);
                self.set(&data.results, &results);
                continue;
            }
            let regions: Vec<Region> = data.regions.iter().map(|&inner| self.nested(b, inner)).collect();
            let types: Vec<Type> = data.results.iter().map(|&v| p.ty(v)).collect();
            b.loc = self.loc;
            let new = b.insert(data.op, data.attr.clone(), &args, &types, regions);
            let results = b.p.insts[new].results.clone();
            self.set(&data.results, &results);
        }
        unreachable!("a region ends in a yield")
    }

    fn nested(&mut self, b: &mut Builder, region: Region) -> Region {
        let params = &self.p.regions[region].params;
        let types: Vec<Type> = params.iter().map(|&v| self.p.ty(v)).collect();
        let new = b.open(&types);
        let values = b.p.regions[new].params.clone();
        self.set(params, &values);
        b.enter(new);
        let yields = self.region(b, region);
        b.loc = self.loc;
        b.end(&yields);
        new
    }
}
