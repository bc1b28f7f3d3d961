//! `vyre ops`: the operation table, and the operations of dialects.

use crate::codes;
use crate::failure::{BAD_INPUT, Failure};
use crate::load::load_dialects;
use serde_json::{Value, json};
use std::path::PathBuf;
use vyre_ir::build::wants;
use vyre_ir::dialect::{Dialect, DialectRegistry, OpDef};
use vyre_ir::{Diagnostic, Info, OPS, Rule};

/// Lists the operations, or those of one dialect, after dialects have been loaded from files; gives what to print on
/// standard output.
///
/// # Errors
/// When there is no such dialect, or something is wrong with those that are linked in or loaded.
pub fn ops(dialect: Option<&str>, load: &[PathBuf], as_json: bool) -> Result<String, Failure> {
    load_dialects(load)?;
    let registry = DialectRegistry::try_global()
        .map_err(|error| Failure { exit: BAD_INPUT, diagnostics: error.problems })?;
    if let Some(name) = dialect
        && registry.dialect(name).is_none()
    {
        let names: Vec<&str> = registry.dialects().map(|dialect| dialect.name.as_str()).collect();
        let error = Diagnostic::new(codes::C025, format!("there is no dialect `{name}`"));
        let error = match &names[..] {
            [] => error,
            _ => error.fix(format!("Choose one of: {}.", names.join(", "))),
        };
        return Err(Failure { exit: BAD_INPUT, diagnostics: vec![error] });
    }
    let wanted = |name: &str| dialect.is_none_or(|dialect| dialect == name);
    let core = if dialect.is_none() { OPS } else { &[] };
    if as_json {
        let defined = registry.iter().filter(|def| wanted(&def.dialect)).map(|def| define(def));
        let list: Vec<Value> = core.iter().map(row).chain(defined).collect();
        return Ok(format!("{:#}\n", json!({ "ops": list })));
    }
    let mut text = String::new();
    for row in core {
        text += &format!("{:<26}{}\n", row.name, row.doc.trim());
        text += &format!("{:<26}  takes {}; {}\n", "", operands(row), effect(row));
    }
    for dialect in registry.dialects().filter(|dialect| wanted(&dialect.name)) {
        let Dialect { name, version, origin, .. } = dialect;
        text += &format!("\ndialect {name} {version}, from {origin}\n");
        for def in registry.iter().filter(|def| def.dialect == *name) {
            text += &format!("{}\n", describe(def));
        }
    }
    Ok(text)
}

fn row(row: &Info) -> Value {
    json!({
        "name": row.name, "operands": operands(row), "effect": effect(row),
        "expanded": row.expand.is_some(), "ulp": row.ulp, "doc": row.doc.trim(),
    })
}

fn operands(row: &Info) -> String {
    match row.rule {
        Rule::Structure => "regions".into(),
        _ => wants(row.op),
    }
}

fn effect(row: &Info) -> String {
    let mut words = format!("{:?}", row.effect).to_lowercase();
    if let Some(ulp) = row.ulp {
        words += &format!(", f32 within {ulp} ulp");
    }
    words
}

/// The header as text form has it, and below what there is to say.
fn describe(def: &OpDef) -> String {
    let mut text = format!("{def}");
    if !def.doc.is_empty() {
        text += &format!("\n{:<26}  {}", "", def.doc.trim());
    }
    let mut words = vec![def.category.name().to_string()];
    if def.body.is_some() {
        words.push(format!("a body of {} instructions", def.size()));
    }
    if !def.lowerings.is_empty() {
        words.push(format!("code for {}", targets(def).join(", ")));
    }
    words.extend(def.ulp.map(|ulp| format!("f32 within {ulp} ulp")));
    words.extend(def.deprecated.as_ref().map(|d| format!("deprecated since {}: {}", d.since, d.instead)));
    text + &format!("\n{:<26}  {}", "", words.join("; "))
}

fn targets(def: &OpDef) -> Vec<String> {
    def.lowerings.iter().map(|lowering| lowering.target.name()).collect()
}

fn define(def: &OpDef) -> Value {
    json!({
        "name": def.id, "dialect": def.dialect, "version": def.version().map(|v| v.to_string()),
        "signature": def.to_string(), "category": def.category.name(), "targets": targets(def),
        "has_body": def.body.is_some(), "ulp": def.ulp, "doc": def.doc.trim(), "registrant": def.registrant(),
        "deprecated": def.deprecated.as_ref().map(|d| d.since.to_string()),
    })
}
