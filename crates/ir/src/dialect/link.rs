//! Giving calls their definitions, and what is asked of a program's calls.

use super::{AttributeDef, Call, CallAttribute, DialectRegistry, OpDef};
use crate::build::type_list;
use crate::code::Code;
use crate::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::entity::SideTable;
use crate::op::Op;
use crate::program::{Attr, InstData, Program, Region, Value};
use crate::text::near::nearest;
use crate::types::Type;
use crate::verify::{MAX_DEPTH, MAX_INSTS};
use std::borrow::Cow;
use std::sync::Arc;

/// Whether a program calls operations of dialects.
pub fn has_calls(p: &Program) -> bool {
    p.insts.values().any(|data| data.op == Op::Call)
}

/// Every call, in no particular order.
pub(super) fn calls(p: &Program) -> impl Iterator<Item = (&InstData, &Arc<Call>)> {
    p.insts.values().filter_map(|data| match &data.attr {
        Attr::Call(call) if data.op == Op::Call => Some((data, call)),
        _ => None,
    })
}

/// The program itself if all its calls are linked, else linked to the present registry.
///
/// # Errors
/// What [`link`] says.
pub fn linked(p: &Program) -> Result<Cow<'_, Program>, Vec<Diagnostic>> {
    if calls(p).all(|(_, call)| call.def.is_some()) {
        return Ok(Cow::Borrowed(p));
    }
    link(p, &DialectRegistry::global()).map(Cow::Owned)
}

/// The program with every call's definition and all its attributes, taken from one snapshot, whatever it was linked to
/// before. Calls that were written for an older version of their dialect are rewritten as its migrations say.
///
/// # Errors
/// Every call that does not fit its operation, in the order of the instructions; what is wrong with the registry, if
/// something is; that the program would be larger than one may be.
pub fn link(program: &Program, registry: &DialectRegistry) -> Result<Program, Vec<Diagnostic>> {
    if !has_calls(program) {
        return Ok(program.clone());
    }
    if !registry.problems().is_empty() {
        return Err(registry.problems().to_vec());
    }
    let mut p = super::migrate(program, registry);
    let mut errors = link_calls(&mut p, &|name| registry.find(name), &|call: &Call| unknown(call, registry));
    if !errors.is_empty() {
        return Err(errors);
    }
    let (size, depth) = (expanded_size(&p), expanded_depth(&p));
    if size > MAX_INSTS as u64 || depth > MAX_DEPTH as u64 {
        let message = format!(
            "with the operations it calls, the program has {size} instructions nested {depth} deep; at most \
             {MAX_INSTS} and {MAX_DEPTH} are allowed"
        );
        errors.push(Diagnostic::new(codes::V010, message).in_source(p.source.as_ref()));
    }
    if errors.is_empty() { Ok(p) } else { Err(errors) }
}

/// Gives every call the definition that `find` has for it; what is wrong with those that do not fit.
pub(super) fn link_calls<'d>(
    p: &mut Program,
    find: &dyn Fn(&str) -> Option<&'d Arc<OpDef>>,
    unknown: &dyn Fn(&Call) -> Diagnostic,
) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for inst in p.insts.keys() {
        let data = &p.insts[inst];
        let (Op::Call, Attr::Call(call)) = (data.op, &data.attr) else { continue };
        let types = |values: &[Value]| -> Vec<Type> {
            values.iter().filter_map(|&v| p.values.get(v)).map(|data| data.ty).collect()
        };
        let linked = find(&call.op).ok_or_else(|| unknown(call)).and_then(|def| {
            check_call(call, def, &types(&data.args), &types(&data.results))
                .map_err(|(code, message)| Diagnostic::new(code, message))?;
            Ok(with_definition(call, def))
        });
        match linked {
            Ok(call) => p.insts[inst].attr = Attr::Call(Arc::new(call)),
            Err(error) => errors.push(error.at(data.loc, "").in_source(p.source.as_ref())),
        }
    }
    errors
}

/// The call with its definition and all its attributes.
fn with_definition(call: &Call, def: &Arc<OpDef>) -> Call {
    let attribute = |of: &AttributeDef| CallAttribute {
        name: of.name.as_str().into(),
        ty: of.ty,
        bits: call.attribute(&of.name).map(|given| given.bits).or(of.default).unwrap_or(0),
    };
    Call {
        op: call.op.clone(),
        version: def.version().cloned(),
        attributes: def.attributes.iter().map(attribute).collect(),
        def: Some(def.clone()),
    }
}

/// That nobody registered the operation.
pub(crate) fn unknown(call: &Call, registry: &DialectRegistry) -> Diagnostic {
    let message = format!("there is no operation `{}`", call.op);
    let diagnostic = Diagnostic::new(codes::V012, message);
    if let Some(now) = registry.renamed(&call.op) {
        return diagnostic.fix(format!("It is called `{now}` now."));
    }
    if let Some(fix) = nearest(&call.op, registry.iter().map(|def| def.id.as_str())) {
        return diagnostic.fix(fix);
    }
    let dialect = call.op.split('.').next().unwrap_or_default();
    match registry.dialect(dialect) {
        Some(_) => diagnostic.fix(format!("List what there is by `vyre ops --dialect {dialect}`.")),
        None => diagnostic.fix(format!("Link or load the dialect `{dialect}`.")),
    }
}

/// Whether a call fits its operation.
pub(crate) fn check_call(
    call: &Call,
    def: &OpDef,
    args: &[Type],
    results: &[Type],
) -> Result<(), (Code, String)> {
    let wrong = |what: String| Err((codes::V013, format!("`call {}` {what}", call.op)));
    let (operands, gives) = (&def.signature.operands, &def.signature.results);
    if args != &operands[..] {
        return wrong(format!("takes {}; here its operands are {}", type_list(operands), type_list(args)));
    }
    if results != &gives[..] {
        return wrong(format!("gives {}; here its results are {}", type_list(gives), type_list(results)));
    }
    for (i, given) in call.attributes.iter().enumerate() {
        let name = &given.name;
        if call.attributes[..i].iter().any(|other| other.name == *name) {
            return wrong(format!("gives the attribute `{name}` twice"));
        }
        match def.attribute(name) {
            None => return wrong(format!("has no attribute `{name}`")),
            Some(attribute) if attribute.ty != given.ty => {
                return wrong(format!(
                    "has the attribute `{name}` of type {}, not {}",
                    attribute.ty, given.ty
                ));
            }
            Some(_) if given.bits & !given.ty.mask() != 0 => {
                return wrong(format!("has bits in the attribute `{name}` that {} does not have", given.ty));
            }
            Some(_) => (),
        }
    }
    match def.attributes.iter().find(|a| a.default.is_none() && call.attribute(&a.name).is_none()) {
        Some(missing) => wrong(format!("needs the attribute `{}`", missing.name)),
        None => Ok(()),
    }
}

/// Instructions of a program whose calls are linked, those of the bodies that take their place included.
pub(super) fn expanded_size(p: &Program) -> u64 {
    let grown = calls(p).filter_map(|(_, call)| call.def.as_ref()).map(|def| def.size().saturating_sub(1));
    grown.fold(p.insts.len() as u64, u64::saturating_add)
}

/// How deep regions are nested in a program whose calls are linked, in the bodies that take their place too. Takes any
/// program, valid or not.
pub(super) fn expanded_depth(p: &Program) -> u64 {
    let mut seen: SideTable<Region, bool> = SideTable::new(false);
    let (mut deepest, mut open) = (0, vec![(p.body, 1)]);
    while let Some((region, depth)) = open.pop() {
        let Some(data) = p.regions.get(region) else { continue };
        if std::mem::replace(&mut seen[region], true) {
            continue;
        }
        deepest = deepest.max(depth);
        for data in data.insts.iter().filter_map(|&inst| p.insts.get(inst)) {
            open.extend(data.regions.iter().map(|&inner| (inner, depth + 1)));
            if let Some(def) = p.call(data).and_then(|call| call.def.as_ref()) {
                deepest = deepest.max(depth + def.depth());
            }
        }
    }
    deepest
}

/// The first call of a linked program that `taker` does not take.
pub fn unsupported(p: &Program, taker: &str, takes: &dyn Fn(&OpDef) -> bool) -> Option<Diagnostic> {
    let (data, call) = calls(p).find(|(_, call)| !call.def.as_ref().is_some_and(|def| takes(def)))?;
    let has: Vec<String> =
        (call.def.iter().flat_map(|def| &def.lowerings)).map(|lowering| lowering.target.name()).collect();
    let message = match &has[..] {
        [] => format!("`{}` has no lowering for {taker}", call.op),
        _ => format!("`{}` has no lowering for {taker}; it has for {}", call.op, has.join(", ")),
    };
    Some(Diagnostic::new(codes::O010, message).at(data.loc, "").in_source(p.source.as_ref()))
}

/// What a user should know about a linked program's calls although it runs: operations that should not be used any
/// more, each once.
pub fn notices(p: &Program) -> Vec<Diagnostic> {
    let mut seen: Vec<&str> = Vec::new();
    let mut notices = Vec::new();
    for (data, call) in calls(p) {
        let Some(deprecated) = call.def.as_ref().and_then(|def| def.deprecated.as_ref()) else { continue };
        if seen.contains(&&*call.op) {
            continue;
        }
        seen.push(&call.op);
        let message = format!("`{}` is deprecated since version {}", call.op, deprecated.since);
        let notice = Diagnostic::new(codes::O009, message)
            .severity(Severity::Warning)
            .at(data.loc, "")
            .in_source(p.source.as_ref());
        notices.push(match deprecated.instead.is_empty() {
            true => notice,
            false => notice.fix(deprecated.instead.clone()),
        });
    }
    notices
}
