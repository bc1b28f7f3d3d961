//! What a file says: each operation's definition, and the places of all that can be wrong with it later.

use super::fields::{Field, Fields, string, wrong};
use super::place::{Problems, Text, loc};
use crate::codes;
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};
use vyre_ir::dialect::{
    AttributeChange, AttributeDef, BodyText, DialectDef, Function, Law, OpDef, OpMigration, Signature,
    body_language, body_languages, is_word,
};
use vyre_ir::text::{nearest, parse_number};
use vyre_ir::{Loc, Scalar, Type, Version};

/// Operations that a file may have.
pub(super) const MAX_OPS: usize = 1024;

/// A file that has been read.
pub(super) struct Draft {
    pub def: DialectDef,
    pub repository: Option<String>,
    pub places: Places,
    /// Ids of operations that are not in `def` because something is wrong with them.
    pub failed: Vec<String>,
    /// Whether the dialect has a name and a version, so that it makes sense to look at the whole of it.
    pub whole: bool,
}

/// Where things are.
#[derive(Default)]
pub(super) struct Places {
    /// The dialect's name.
    pub name: Loc,
    pub ops: BTreeMap<String, OpPlaces>,
    /// Of each migration of the definition.
    pub migrations: Vec<Loc>,
}

/// Where the parts of an operation are.
#[derive(Clone, Default)]
pub(super) struct OpPlaces {
    pub name: Loc,
    pub body: Loc,
    pub laws: Vec<Loc>,
}

/// Reads a file's text; `None` when it is not TOML, which is then among the problems.
pub(super) fn read(origin: &str, problems: &mut Problems) -> Option<Draft> {
    let source = problems.source.clone();
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    for error in &errors {
        let place = error.span().unwrap_or(0..1);
        problems.add(codes::O021, loc(place), error.message().lines().collect::<Vec<_>>().join(", "));
    }
    if !errors.is_empty() {
        return None;
    }
    // A file without any text has no place to point at but its start.
    let mut file = Fields::new("the file", document.get_ref(), 0..1);
    let mut dialect = file.table("dialect", "`[dialect]`", problems);
    if dialect.is_none() && !document.get_ref().contains_key("dialect") {
        file.missing("[dialect]", problems);
    }
    let name = dialect.as_mut().and_then(|d| d.needed("name", problems));
    let version = dialect.as_mut().and_then(|d| d.needed("version", problems));
    let repository = dialect.as_mut().and_then(|d| d.text("repository", problems));
    let name = name.filter(|name| is_name(name, "a dialect", problems));
    let version = version.and_then(|text| semantic(&text, problems));
    if let Some(dialect) = dialect {
        dialect.end(problems);
    }
    let mut draft = Draft {
        whole: name.is_some() && version.is_some(),
        def: DialectDef {
            name: name.as_ref().map_or("", |name| name.value).into(),
            version: version.unwrap_or(Version::new(0, 0, 0)),
            origin: origin.into(),
            ops: Vec::new(),
            migrations: Vec::new(),
        },
        repository: repository.map(|text| text.value.into()),
        places: Places { name: name.as_ref().map_or(loc(0..1), |name| name.loc), ..Places::default() },
        failed: Vec::new(),
    };
    let ops = file.tables("op", "an operation", problems);
    if let Some(first) = ops.get(MAX_OPS) {
        let message = format!("the file has {} operations; at most {MAX_OPS} are read", ops.len());
        problems.add(codes::O020, first.loc, message).fix = Some("Make several dialects of it.".into());
        return None;
    }
    for fields in ops {
        op(fields, &mut draft, problems);
    }
    for fields in file.tables("migration", "a migration", problems) {
        let place = fields.loc;
        if let Some(migration) = migration(fields, &draft.def.name, problems) {
            draft.def.migrations.push(migration);
            draft.places.migrations.push(place);
        }
    }
    file.end(problems);
    Some(draft)
}

/// Reads an operation into the draft.
fn op(mut fields: Fields<'_>, draft: &mut Draft, problems: &mut Problems) {
    let before = problems.found.len();
    let name = fields.needed("name", problems).filter(|name| is_name(name, "an operation", problems));
    let operands = fields.texts("operands", problems);
    let operands: Vec<_> = operands.iter().filter_map(|text| parameter(text, problems)).collect();
    let attributes = fields.texts("attributes", problems);
    let attributes: Vec<_> = attributes.iter().filter_map(|text| attribute(text, problems)).collect();
    let results = fields.texts("results", problems);
    if fields.any("results").is_none() {
        fields.missing("results", problems);
    }
    let results: Vec<Type> = results.iter().filter_map(|text| ty(text, text.value, problems)).collect();
    twice(attributes.iter().map(|(a, at)| (&*a.name, *at)), operands.iter().map(|o| (&*o.0, o.2)), problems);
    let doc = fields.text("doc", problems);
    let ulp = fields.any("ulp").and_then(|field| float("ulp", field, problems));
    let deprecated = fields.table("deprecated", "`deprecated`", problems).and_then(|mut fields| {
        let since = fields.needed("since", problems).and_then(|text| semantic(&text, problems));
        let instead = fields.needed("instead", problems);
        fields.end(problems);
        Some((since?, instead?.value))
    });
    let scalar = operands.first().map(|operand| operand.1.scalar);
    let laws: Vec<(Law, Loc)> = fields
        .list("laws", problems)
        .iter()
        .filter_map(|field| Some((law(field, scalar, problems)?, loc(field.1.clone()))))
        .collect();
    let language = fields.text("language", problems);
    let body = fields.needed("body", problems);
    fields.end(problems);

    let Some(name) = name else { return };
    let id = format!("{}.{}", draft.def.name, name.value);
    if let Some(first) = draft.places.ops.get(&id) {
        let (line, _) = problems.source.line_column(first.name.start);
        let message = format!("there is an operation `{}` in line {line} already", name.value);
        problems.add(codes::O023, name.loc, message);
        return;
    }
    let places = OpPlaces {
        name: name.loc,
        body: body.as_ref().map_or(name.loc, |body| body.loc),
        laws: laws.iter().map(|(_, at)| *at).collect(),
    };
    draft.places.ops.insert(id.clone(), places);
    let written = (problems.found.len() == before).then_some(body).flatten();
    let signature = Signature { operands: operands.iter().map(|operand| operand.1).collect(), results };
    let names: Vec<String> = operands.into_iter().map(|operand| operand.0).collect();
    let attributes: Vec<AttributeDef> = attributes.into_iter().map(|(attribute, _)| attribute).collect();
    let function = written.and_then(|body| {
        let text = BodyText {
            id: &id,
            attributes: &attributes,
            names: &names,
            signature: &signature,
            text: body.value,
        };
        function(&text, language.as_ref(), &body, problems)
    });
    let Some(function) = function else { return draft.failed.push(id) };
    let mut def = OpDef::composite(function).laws(laws.iter().map(|(law, _)| *law));
    (def.signature, def.attributes, def.ulp) = (signature, attributes, ulp.map(|ulp| ulp as f32));
    def.doc = doc.map_or("", |doc| doc.value.trim()).into();
    if let Some((since, instead)) = deprecated {
        def = def.deprecated(since, instead);
    }
    draft.def.ops.push(def);
}

/// Reads a body; its instructions' locations are those in the file.
fn function(
    text: &BodyText<'_>,
    language: Option<&Text<'_>>,
    body: &Text<'_>,
    problems: &mut Problems,
) -> Option<Function> {
    let name = language.map_or("vyre", |language| language.value);
    let Some(found) = body_language(name) else {
        let message = format!("there is no language `{name}` for bodies");
        let there = body_languages();
        let near = nearest(name, there.iter().copied());
        let fix = near.unwrap_or_else(|| {
            format!("Use one of {}, or link the crate that has it into the program.", there.join(", "))
        });
        let at = language.map_or(body.loc, |language| language.loc);
        problems.add(codes::O024, at, message).fix = Some(fix);
        return None;
    };
    match (found.import)(text) {
        Ok(mut function) => {
            let p = &mut function.program;
            for inst in p.insts.keys() {
                let at = p.insts[inst].loc;
                p.insts[inst].loc = if at.is_known() { body.within(at) } else { body.loc };
            }
            p.source = Some(problems.source.clone());
            Some(function)
        }
        Err(errors) => {
            for mut error in errors {
                error.labels.iter_mut().for_each(|label| label.loc = body.within(label.loc));
                if error.labels.is_empty() {
                    error = error.at(body.loc, "");
                }
                problems.found.push(error.in_source(Some(&problems.source)));
            }
            None
        }
    }
}

/// Whether a text is a name, which is reported when it is none.
fn is_name(text: &Text<'_>, of: &str, problems: &mut Problems) -> bool {
    if is_word(text.value) {
        return true;
    }
    let problem = problems.add(codes::O023, text.loc, format!("`{}` is no name of {of}", text.value));
    problem.fix = Some("Use letters, digits and `_`, and no digit first.".into());
    false
}

fn semantic(text: &Text<'_>, problems: &mut Problems) -> Option<Version> {
    let read = Version::parse(text.value);
    let failed = |why: &_| {
        let message = format!("`{}` is not a version: {why}", text.value);
        problems.add(codes::O023, text.loc, message).fix = Some("Write it as in `1.2.0`.".into());
    };
    read.inspect_err(failed).ok()
}

fn ty(text: &Text<'_>, part: &str, problems: &mut Problems) -> Option<Type> {
    let read = Type::parse(part.trim());
    if read.is_none() {
        let message = format!("there is no type `{}`", part.trim());
        let names = Scalar::ALL.map(Scalar::name).join(", ");
        let fix = format!("Use one of {names}, or a vector such as f32x4.");
        problems.add(codes::O023, text.place(part.trim()), message).fix = Some(fix);
    }
    read
}

/// `name: type`, and where it is.
fn parameter(text: &Text<'_>, problems: &mut Problems) -> Option<(String, Type, Loc)> {
    let Some((name, part)) = text.value.split_once(':').filter(|(name, _)| is_word(name.trim())) else {
        let message = format!("`{}` is no operand", text.value);
        problems.add(codes::O023, text.loc, message).fix = Some("Write it as in `x: f32`.".into());
        return None;
    };
    Some((name.trim().into(), ty(text, part, problems)?, text.loc))
}

/// `name: type` or `name: type = number`, and where it is.
fn attribute(text: &Text<'_>, problems: &mut Problems) -> Option<(AttributeDef, Loc)> {
    let (declared, default) = match text.value.split_once('=') {
        Some((declared, number)) => (declared, Some(number.trim())),
        None => (text.value, None),
    };
    let parts = declared.split_once(':').filter(|(name, _)| is_word(name.trim()));
    let Some((name, part)) = parts else {
        let message = format!("`{}` is no attribute", text.value);
        problems.add(codes::O023, text.loc, message).fix = Some(
            "Write it as in `n: u32`, or `n: u32 = 3` with what a call has that does not give it.".into(),
        );
        return None;
    };
    let of = ty(text, part, problems)?;
    if of.lanes > 1 {
        let message = format!("an attribute is a scalar, not {of}");
        problems.add(codes::O023, text.place(part.trim()), message);
        return None;
    }
    let default = match default {
        Some(number) => Some(scalar_bits(of.scalar, number, text.place(number), problems)?),
        None => None,
    };
    Some((AttributeDef { name: name.trim().into(), ty: of.scalar, default }, text.loc))
}

fn scalar_bits(scalar: Scalar, number: &str, at: Loc, problems: &mut Problems) -> Option<u64> {
    let bits = parse_number(scalar, number);
    if bits.is_none() {
        problems.add(codes::O023, at, format!("`{number}` is not a number of type {scalar}"));
    }
    bits
}

/// Reports parameters with the name of another.
fn twice<'n>(
    attributes: impl Iterator<Item = (&'n str, Loc)>,
    operands: impl Iterator<Item = (&'n str, Loc)>,
    problems: &mut Problems,
) {
    let mut seen: Vec<&str> = Vec::new();
    for (name, at) in attributes.chain(operands) {
        if seen.contains(&name) {
            problems.add(codes::O023, at, format!("there are two operands or attributes `{name}`"));
        }
        seen.push(name);
    }
}

fn float(name: &str, (value, range): Field<'_>, problems: &mut Problems) -> Option<f64> {
    match value {
        DeValue::Integer(number) => number.as_str().parse().ok(),
        DeValue::Float(number) => number.as_str().parse().ok(),
        other => {
            wrong(name, "a number", other, range, problems);
            None
        }
    }
}

/// `"commutative"` and its like, or `{ identity = 0 }`, where the number is of the operands' type.
fn law(field: &Field<'_>, scalar: Option<Scalar>, problems: &mut Problems) -> Option<Law> {
    const FIX: &str = "Use some of \"commutative\", \"associative\", \"idempotent\", \"involution\", { identity = 0 }, \
                       { annihilator = 0 }.";
    let DeValue::Table(table) = field.0 else {
        let text = string("laws", field, problems)?;
        return match text.value {
            "commutative" => Some(Law::Commutative),
            "associative" => Some(Law::Associative),
            "idempotent" => Some(Law::Idempotent),
            "involution" => Some(Law::Involution),
            other => {
                let message = format!("there is no law `{other}`");
                problems.add(codes::O023, text.loc, message).fix = Some(FIX.into());
                None
            }
        };
    };
    let mut all = Fields::new("a law", table, field.1.clone()).all();
    let (Some((name, (value, range))), None) = (all.next(), all.next()) else {
        problems.add(codes::O023, loc(field.1.clone()), "a law has one name").fix = Some(FIX.into());
        return None;
    };
    let make = match name {
        "identity" => Law::Identity,
        "annihilator" => Law::Annihilator,
        other => {
            let message = format!("there is no law `{other}`");
            problems.add(codes::O023, loc(field.1.clone()), message).fix = Some(FIX.into());
            return None;
        }
    };
    let number = match value {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
        DeValue::Integer(_) => &problems.source.text[range.clone()].replace('_', ""),
        DeValue::Float(number) => number.as_str(),
        DeValue::Boolean(true) => "true",
        DeValue::Boolean(false) => "false",
        other => {
            wrong(name, "a number", other, range, problems);
            return None;
        }
    };
    // Without operands the law does not fit, which is reported as such.
    scalar_bits(scalar.unwrap_or(Scalar::F64), number, loc(range), problems).map(make)
}

/// Reads a migration: names without the dialect.
fn migration(mut fields: Fields<'_>, dialect: &str, problems: &mut Problems) -> Option<OpMigration> {
    let before = problems.found.len();
    let from = fields.needed("from", problems);
    let to = fields.text("to", problems).or(from.clone());
    let since = fields.needed("since", problems).and_then(|text| semantic(&text, problems));
    let operands = fields.any("operands").map(|_| fields.list("operands", problems));
    let operands = operands.map(|list| {
        let places = list.iter().filter_map(|(value, range)| match value {
            DeValue::Integer(number) if number.as_str().parse::<usize>().is_ok() => {
                number.as_str().parse().ok()
            }
            other => {
                wrong("operands", "places, counted from 0", other, range.clone(), problems);
                None
            }
        });
        places.collect::<Vec<usize>>()
    });
    let mut changes = Vec::new();
    if let Some(renamed) = fields.table("rename", "`rename`", problems) {
        for (old, field) in renamed.all() {
            if let Some(new) = string(old, &field, problems) {
                changes.push(AttributeChange::Rename { from: old.into(), to: new.value.into() });
            }
        }
    }
    for gone in fields.texts("remove", problems) {
        changes.push(AttributeChange::Remove(gone.value.into()));
    }
    for text in fields.texts("add", problems) {
        match attribute(&text, problems) {
            Some((AttributeDef { name, ty, default: Some(bits) }, _)) => {
                changes.push(AttributeChange::Add { name, ty, bits });
            }
            Some(_) => {
                let problem =
                    problems.add(codes::O023, text.loc, "an attribute that is new needs what calls meant");
                problem.fix = Some("Write it as in `n: u32 = 3`.".into());
            }
            None => (),
        }
    }
    fields.end(problems);
    let (from, to, since) = (from?.value, to?.value, since?);
    let id = |name: &str| format!("{dialect}.{name}");
    let migration = OpMigration { operands, ..OpMigration::rename(&id(from), &id(to), since) };
    (problems.found.len() == before).then(|| migration.attributes(changes))
}
