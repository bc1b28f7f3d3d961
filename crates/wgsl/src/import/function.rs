//! A function as the body of a dialect's operation.
//!
//! The text holds the function of the operation's name, and others that it calls. Its parameters are the operation's
//! attributes and then its operands, by name and type; what it gives is the operation's result, or a structure of its
//! results. It has values only: no buffers, no variables outside of functions, no arrays that would need memory.

use super::code::Code;
use super::lower::{Argument, Lower, Outcome};
use super::types::{Kind, Ty, Types, leaf};
use super::{front, guard, on_large_stack};
use crate::codes;
use naga::{Handle, Module};
use vyre_ir::dialect::{BodyLanguage, BodyText, Function};
use vyre_ir::{Attr, Diagnostic, Type};

vyre_ir::inventory::submit! { BodyLanguage { name: "wgsl", import } }

fn import(body: &BodyText<'_>) -> Result<Function, Vec<Diagnostic>> {
    guard::size(body.id, body.text.len())?;
    guard::nesting(body.text).map_err(|error| vec![error])?;
    on_large_stack(|| {
        let module = front::parse(body.text)?;
        let info = front::validated(&module, true)?;
        if let Some((handle, _)) = module.overrides.iter().next() {
            let at = front::loc(module.overrides.get_span(handle));
            let diagnostic = Diagnostic::new(codes::I020, "an operation's body has no `override`").at(at, "");
            return Err(vec![diagnostic.fix("Use an attribute of the operation.")]);
        }
        let handle = named(&module, body).map_err(|error| vec![*error])?;
        lower(&module, &info, handle, body).map_err(|error| vec![*error])
    })
}

/// The operation's function.
fn named(module: &Module, body: &BodyText<'_>) -> Outcome<Handle<naga::Function>> {
    let (_, wanted) = body.id.rsplit_once('.').unwrap_or(("", body.id));
    let found = module.functions.iter().find(|(_, f)| f.name.as_deref() == Some(wanted));
    let Some((handle, f)) = found else {
        let message = format!("there is no function `{wanted}`");
        let fix = format!("Begin it with `{}`.", header(wanted, body));
        return Err(Box::new(Diagnostic::new(codes::I022, message).fix(fix)));
    };
    let types = |ty: Handle<naga::Type>| leaf(&module.types[ty].inner);
    let parameters = f.arguments.iter().map(|a| Some((a.name.clone()?, types(a.ty)?)));
    let attributes = body.attributes.iter().map(|a| (a.name.clone(), Type::from(a.ty)));
    let operands = body.names.iter().cloned().zip(body.signature.operands.iter().copied());
    let is: Option<Vec<_>> = parameters.collect();
    if is.is_some_and(|is| is.into_iter().eq(attributes.chain(operands))) {
        return Ok(handle);
    }
    let message = format!("the parameters of `{wanted}` are not those of the operation");
    let fix = format!("Begin it with `{}`.", header(wanted, body));
    Err(Box::new(
        Diagnostic::new(codes::I022, message).at(front::loc(module.functions.get_span(handle)), "").fix(fix),
    ))
}

/// How the function of an operation begins.
fn header(name: &str, body: &BodyText<'_>) -> String {
    let spelled = |ty: Type| match ty.lanes {
        1 => ty.scalar.to_string(),
        lanes => format!("vec{lanes}<{}>", ty.scalar),
    };
    let attributes = body.attributes.iter().map(|a| format!("{}: {}", a.name, a.ty));
    let operands = body.names.iter().zip(&body.signature.operands);
    let operands = operands.map(|(name, &ty)| format!("{name}: {}", spelled(ty)));
    let parameters = attributes.chain(operands).collect::<Vec<_>>().join(", ");
    let result = match body.signature.results[..] {
        [one] => spelled(one),
        _ => "Results".into(),
    };
    format!("fn {name}({parameters}) -> {result} {{")
}

fn lower(
    module: &Module,
    info: &naga::valid::ModuleInfo,
    handle: Handle<naga::Function>,
    body: &BodyText<'_>,
) -> Outcome<Function> {
    let facts = front::functions(module, info);
    let own = &facts[handle.index()];
    front::bounded(own)?;
    let f = &module.functions[handle];
    let mut code = Code::new(body.id, [1, 1, 1]);
    let attributes = body.attributes.iter().map(|a| Type::from(a.ty));
    let types: Vec<Type> = attributes.chain(body.signature.operands.iter().copied()).collect();
    let parameters = code.b.parameters(&types);
    let mut this = Lower::new(module, info, code, (f, &info[handle], own), &facts, true);
    for (global, variable) in module.global_variables.iter() {
        if !info[handle][global].is_empty() {
            this.at(module.global_variables.get_span(global));
            let name = variable.name.as_deref().unwrap_or_default();
            return Err(this.unsupported(&format!("the variable `{name}` outside of functions")));
        }
    }
    for parameter in parameters {
        let value = this.of_value(parameter);
        this.frame.arguments.push(Argument::Value(value));
    }
    let place = match &f.result {
        Some(result) => {
            let ty = this.types.own(result.ty);
            fits(&this.types, ty, body, module, handle)?;
            Some(this.slots(ty))
        }
        None => return Err(unfit(body, module, handle)),
    };
    this.frame.result = place.clone();
    this.body()?;
    let mut results = Vec::new();
    if let Some(place) = place {
        let value = this.load_by(&place, vyre_ir::Op::Load)?;
        results.extend(this.leaves(&value)?);
    }
    let program = this.code.finish_with(&results);
    if let Some(data) = program.insts.values().find(|data| matches!(data.attr, Attr::Buffer(_))) {
        let message = format!("`{}` needs memory, which the body of an operation has none of", body.id);
        let fix = "Index arrays by constants, and keep them below 64 elements.";
        return Err(Box::new(Diagnostic::new(codes::I020, message).at(data.loc, "here").fix(fix)));
    }
    Ok(Function { attributes: body.attributes.to_vec(), names: body.names.to_vec(), program })
}

/// Whether the leaves of what the function gives are the operation's results.
fn fits(
    types: &Types,
    ty: Ty,
    body: &BodyText<'_>,
    module: &Module,
    handle: Handle<naga::Function>,
) -> Outcome<()> {
    let leaf = |ty: Ty| match types[ty].kind {
        Kind::Leaf(leaf) => Some(leaf),
        _ => None,
    };
    let gives: Option<Vec<Type>> = match &types[ty].kind {
        Kind::Struct(members) => members.iter().map(|member| leaf(member.ty)).collect(),
        _ => leaf(ty).map(|leaf| vec![leaf]),
    };
    if gives.is_some_and(|gives| gives == body.signature.results) {
        return Ok(());
    }
    Err(unfit(body, module, handle))
}

fn unfit(body: &BodyText<'_>, module: &Module, handle: Handle<naga::Function>) -> Box<Diagnostic> {
    let (_, name) = body.id.rsplit_once('.').unwrap_or(("", body.id));
    let results = body.signature.results.iter().map(Type::to_string).collect::<Vec<_>>().join(", ");
    let message = format!("`{name}` does not give {results}");
    let fix = match body.signature.results.len() {
        1 => format!("Begin it with `{}`.", header(name, body)),
        _ => "Let it give a structure of the results, in their order.".into(),
    };
    let diagnostic = Diagnostic::new(codes::I022, message);
    Box::new(diagnostic.at(front::loc(module.functions.get_span(handle)), "").fix(fix))
}
