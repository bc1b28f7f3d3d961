//! Whether a definition is what its category asks for.

use super::{Category, LoweringCode, OpDef, Target};
use crate::build::type_list;
use crate::code::Code;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::op::{Effect, Op, Rule};
use crate::program::Attr;
use crate::types::Type;
use crate::verify::{self, Calls};

/// Whether a name is letters, digits and `_`, not a digit first: a name that text form leaves without quotes.
pub fn is_word(name: &str) -> bool {
    name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
        && name.bytes().next().is_some_and(|c| !c.is_ascii_digit())
}

/// What is wrong with an operation's id, under the dialect it is registered under.
pub(super) fn check_id(def: &OpDef, dialect: &str) -> Option<Diagnostic> {
    let wrong = |message: String| Some(Diagnostic::new(codes::O001, message).fix(NAMES));
    match def.id.split_once('.') {
        Some((before, op)) if !(is_word(before) && is_word(op)) => {
            wrong(format!("`{}` is no id of an operation", def.id))
        }
        None => wrong(format!("`{}` is no id of an operation", def.id)),
        Some((before, _)) if before != dialect || def.dialect != dialect => {
            wrong(format!("`{}` is registered under the dialect `{dialect}`", def.id))
        }
        _ => None,
    }
}

pub(super) const NAMES: &str = "Name it `dialect.op`, both of letters, digits and `_`.";

/// What is wrong with a definition, its id and the operations it calls aside.
pub(super) fn check(def: &OpDef) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut wrong = |code: Code, what: &str| {
        found.push(Diagnostic::new(code, format!("`{}` {what}", def.id)));
    };
    let types = || def.signature.operands.iter().chain(&def.signature.results);
    if def.signature.results.is_empty() {
        wrong(codes::O004, "has no result");
    }
    if types().any(|ty| !(1..=4).contains(&ty.lanes)) {
        wrong(codes::O004, "has an operand or result that is no scalar and no vector of 2 to 4 lanes");
    }
    for (i, attribute) in def.attributes.iter().enumerate() {
        if !is_word(&attribute.name) {
            wrong(codes::O004, &format!("has an attribute whose name is `{}`", attribute.name));
        }
        if def.attributes[..i].iter().any(|other| other.name == attribute.name) {
            wrong(codes::O004, &format!("has the attribute `{}` twice", attribute.name));
        }
        if attribute.default.is_some_and(|bits| bits & !attribute.ty.mask() != 0) {
            wrong(
                codes::O004,
                &format!("has a default for `{}` that is no {}", attribute.name, attribute.ty),
            );
        }
    }
    for (i, lowering) in def.lowerings.iter().enumerate() {
        let name = lowering.target.name();
        if def.lowerings[..i].iter().any(|other| other.target == lowering.target) {
            wrong(codes::O004, &format!("has two lowerings for {name}"));
        }
        let is_function = matches!(lowering.code, LoweringCode::Function(_));
        let wants = match lowering.target {
            Target::NativeModule | Target::ReferenceBackend => true,
            Target::Extension(_) => is_function,
            _ => false,
        };
        match (wants, is_function) {
            (true, false) => wrong(codes::O004, &format!("has text for {name}, which takes a function")),
            (false, true) => wrong(codes::O004, &format!("has a function for {name}, which takes text")),
            (true, true) if types().any(|ty| ty.lanes > 1) || def.signature.results.len() != 1 => {
                wrong(codes::O004, "has a function, but not scalars as operands and one scalar as result")
            }
            _ => (),
        }
    }
    let extension = |target| matches!(target, Target::Extension(_));
    match def.category {
        Category::Composite if def.body.is_none() => {
            wrong(codes::O004, "is a composite and has no body");
        }
        Category::Composite if !def.lowerings.is_empty() => {
            wrong(codes::O004, "is a composite and has lowerings, which only intrinsics have");
        }
        Category::Intrinsic if def.lowerings.is_empty() => {
            wrong(codes::O004, "is an intrinsic and has no lowering");
        }
        Category::Intrinsic if def.body.is_none() && def.function(Target::ReferenceBackend).is_none() => {
            wrong(
                codes::O004,
                "is an intrinsic and has no reference semantics, neither a body nor a function",
            );
        }
        Category::Extension if def.body.is_some() || def.lowerings.iter().any(|l| !extension(l.target)) => {
            wrong(codes::O004, "is an extension and has more than lowerings for extensions");
        }
        Category::Extension if def.lowerings.is_empty() => {
            wrong(codes::O004, "is an extension and has no lowering");
        }
        _ => (),
    }
    check_body(def, &mut found);
    found
}

fn check_body(def: &OpDef, found: &mut Vec<Diagnostic>) {
    let Some(body) = &def.body else { return };
    let p = &body.program;
    let types: Vec<Type> =
        def.attributes.iter().map(|a| a.ty.into()).chain(def.signature.operands.iter().copied()).collect();
    let params: Vec<Type> = (p.regions.get(p.body).iter().flat_map(|region| &region.params))
        .filter_map(|&v| p.values.get(v))
        .map(|data| data.ty)
        .collect();
    let mut wrong = |what: String| {
        found.push(Diagnostic::new(codes::O005, format!("the body of `{}` {what}", def.id)));
    };
    if params != types || body.attributes != def.attributes {
        return wrong(format!("has parameters of {}, not {}", type_list(&params), type_list(&types)));
    }
    if !p.buffers.is_empty() {
        wrong("declares buffers".into());
    }
    // An instruction that no region holds does no harm, and is none that a body needs.
    if let Some(data) = p.insts.values().find(|data| !is_pure(data.op)) {
        let at = data.loc;
        wrong(format!("uses `{}`: it may only compute its results from its operands", data.op.name()));
        let last = found.pop().expect("just pushed");
        return found.push(last.at(at, "").in_source(p.source.as_ref()));
    }
    if p.insts.values().any(|data| matches!(data.attr, Attr::Buffer(_))) {
        return wrong("names a buffer".into());
    }
    if let Err(errors) = verify::verify_body(p, &def.signature.results, Calls::Any) {
        found.extend(errors.into_iter().map(|error| in_body(def, codes::O005, error)));
    }
}

/// An error of the body as one of the operation.
pub(super) fn in_body(def: &OpDef, code: Code, error: Diagnostic) -> Diagnostic {
    Diagnostic { code, message: format!("the body of `{}`: {}", def.id, error.message), ..error }
}

/// Whether an operation gives the same for the same operands everywhere.
fn is_pure(op: Op) -> bool {
    let info = op.info();
    let placed = matches!(info.rule, Rule::Axis | Rule::Index | Rule::Length);
    !placed && matches!(info.effect, Effect::Pure | Effect::Control)
}
