//! `docs/ops.md`: the op table and the shipped dialects for people. Written by `cargo xtask bless`; a test of the crate
//! that ships dialects says when it is not current.

use crate::dialect::{Dialect, DialectRegistry, Law, OpDef};
use crate::op::{Effect, Info, OPS, Op, Rule};
use crate::types::*;
use std::fmt::Write;

/// The parts of the page: title, and what holds for all rows in it.
const SECTIONS: [(&str, &str); 8] = [
    ("Values", "Lane by lane, on scalars and on vectors of 2 to 4 lanes."),
    (
        "Mathematical functions",
        "Each is defined by its expansion into basic operations, which every device computes, so that all agree in \
         every bit. The error is the largest one found against the correctly rounded value, in units in the last \
         place of f32; f16 is computed in f32 and rounded once.",
    ),
    ("Where an invocation is", ""),
    ("Memory", "An index counts scalars of the accessed type from the start of the buffer."),
    ("Atomics", "On storage, persistent and workgroup memory that is `read_write`."),
    ("Subgroups", "The active invocations of a subgroup are those that run the operation together."),
    (
        "Synchronization",
        "All but `subgroup_barrier` must be in control flow that is uniform across the workgroup.",
    ),
    ("Control flow", ""),
];

/// Which section a row is in.
fn section_of(info: &Info) -> &'static str {
    let atomic = matches!(info.op, Op::AtomicLoad | Op::AtomicStore);
    match (info.effect, info.rule) {
        (Effect::Converges, _) => "Subgroups",
        (Effect::Syncs, _) => "Synchronization",
        (Effect::Control, _) => "Control flow",
        (_, Rule::Axis | Rule::Index) => "Where an invocation is",
        (_, Rule::Atomic(_) | Rule::CompareExchange(_)) => "Atomics",
        (_, Rule::Load | Rule::Store) if atomic => "Atomics",
        (_, Rule::Length | Rule::Load | Rule::Store) => "Memory",
        _ if info.expand.is_some() && info.eval.is_none() => "Mathematical functions",
        _ => "Values",
    }
}

/// The page, with the dialects of a registry.
pub fn ops_markdown(registry: &DialectRegistry) -> String {
    let mut page = String::from(
        "# Operations\n\n\
         Generated from the op table in `crates/ir/src/op.rs` and the dialects in `crates/ops` by `cargo xtask bless`. What the words mean and what holds \
         for all operations is in [semantics.md](semantics.md).\n\n",
    );
    for (class, name) in CLASSES {
        let names: Vec<&str> = class.scalars().map(Scalar::name).collect();
        writeln!(page, "- *{name}*: {}", names.join(", ")).expect("a string takes everything");
    }
    for (title, about) in SECTIONS {
        section(&mut page, title, about).expect("a string takes everything");
    }
    // Those of this repository, whoever else is linked in.
    for dialect in registry.dialects().filter(|dialect| dialect.origin == "vyre") {
        dialect_section(&mut page, dialect, registry).expect("a string takes everything");
    }
    page
}

/// What classes of scalars are called on the page.
const CLASSES: [(Class, &str); 9] = [
    (NUM, "number"),
    (INT, "integer"),
    (FLOAT, "float"),
    (NEGATABLE, "signed number"),
    (BITS, "bits"),
    (MATH, "f16 or f32"),
    (ATOMIC, "atomic number"),
    (ATOMIC_INT, "atomic integer"),
    (ANY, "any"),
];

fn class_name(class: Class) -> String {
    match CLASSES.iter().find(|(known, _)| *known == class) {
        Some((_, name)) => format!("*{name}*"),
        None => class.scalars().map(Scalar::name).collect::<Vec<_>>().join(", "),
    }
}

fn section(page: &mut String, title: &str, about: &str) -> std::fmt::Result {
    let math = title == "Mathematical functions";
    write!(page, "\n## {title}\n\n")?;
    if !about.is_empty() {
        write!(page, "{about}\n\n")?;
    }
    let last = if math { "error (ULP)" } else { "effect" };
    write!(page, "| operation | signature | meaning | {last} |\n|---|---|---|---|\n")?;
    for info in OPS.iter().filter(|info| section_of(info) == title) {
        let last = match (math, info.ulp) {
            (false, _) => effect(info.effect).to_string(),
            (true, Some(ulp)) => ulp.to_string(),
            (true, None) => "not stated".into(),
        };
        let doc: Vec<&str> = info.doc.split_whitespace().collect();
        let meaning = doc.join(" ").replace('|', "\\|");
        writeln!(page, "| `{}` | {} | {meaning} | {last} |", info.name, signature(info))?;
    }
    Ok(())
}

fn dialect_section(page: &mut String, dialect: &Dialect, registry: &DialectRegistry) -> std::fmt::Result {
    let name = &dialect.name;
    write!(
        page,
        "\n## Dialect `{name}` {}\n\nUsed as in `call {name}.{{operation}} %operand, ...`. ",
        dialect.version
    )?;
    page.push_str(
        "A call becomes the operation's body before code is made. An error is the largest one, as above.\n\n",
    );
    page.push_str("| operation | meaning | known of it |\n|---|---|---|\n");
    for def in registry.iter().filter(|def| def.dialect == *name) {
        let header = def.to_string();
        let header =
            header.trim_start_matches("op ").trim_start_matches(name.as_str()).trim_start_matches('.');
        writeln!(page, "| `{header}` | {} | {} |", def.doc.replace('|', "\\|"), known(def))?;
    }
    Ok(())
}

/// Error and laws of an operation of a dialect.
fn known(def: &OpDef) -> String {
    let error = def.ulp.map(|ulp| format!("error {ulp} ULP"));
    let law = |law: &Law| match law {
        Law::Commutative => "commutative".to_string(),
        Law::Associative => "associative".into(),
        Law::Idempotent => "idempotent".into(),
        Law::Involution => "its own inverse".into(),
        Law::Identity(bits) => format!("identity {bits:#x}"),
        Law::Annihilator(bits) => format!("annihilator {bits:#x}"),
    };
    error.into_iter().chain(def.laws.iter().map(law)).collect::<Vec<_>>().join(", ")
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Pure => "none",
        Effect::Reads => "reads memory",
        Effect::Writes => "writes memory",
        Effect::Converges => "exchanges values in the subgroup",
        Effect::Syncs => "waits, orders memory",
        Effect::Control => "control flow",
    }
}

/// Operands and results, with what `T` may be.
fn signature(info: &Info) -> String {
    let with = |shape: &str, class: Class| format!("`{shape}`, T: {}", class_name(class));
    let same = |n: u8| match n {
        1 => "(T) -> T",
        2 => "(T, T) -> T",
        _ => "(T, T, T) -> T",
    };
    match info.rule {
        Rule::Same(class, n) if class == BOOL => format!("`{}`", same(n).replace('T', "bool")),
        Rule::Same(class, n) => with(same(n), class),
        Rule::Compare(class) => with("(T, T) -> bool", class),
        Rule::Shift(class) => with("(T, u32) -> T", class),
        Rule::Select => with("(bool, T, T) -> T", ANY),
        Rule::Convert => "`(T) -> U`, T and U different, of the same lanes".into(),
        Rule::Bitcast => "`(T) -> U`, T and U numbers of the same width".into(),
        Rule::Const => "`number -> T`".into(),
        Rule::Compose => "2 to 4 scalars `-> vector`".into(),
        Rule::Extract => "`(vector).lane -> scalar`".into(),
        Rule::Axis => "`axis -> u32`".into(),
        Rule::Index => "`() -> u32`".into(),
        Rule::Length => "`buffer -> u32`".into(),
        Rule::Load if info.op == Op::AtomicLoad => with("buffer[u32] -> T", ATOMIC),
        Rule::Load => with("buffer[u32] -> T", STORED),
        Rule::Store if info.op == Op::AtomicStore => with("buffer[u32], T", ATOMIC),
        Rule::Store => with("buffer[u32], T", STORED),
        Rule::Atomic(class) => with("buffer[u32], T -> T", class),
        Rule::CompareExchange(class) => with("buffer[u32], T, T -> (T, bool)", class),
        Rule::Lane(class) => with("(T, u32) -> T", class),
        Rule::Ballot => "`(bool) -> u32x4`".into(),
        Rule::Call => "`dialect.op, values -> values`, as the operation says".into(),
        Rule::Agree(class) => with("(T, bool) -> T", class),
        Rule::Item(class) => with("() -> T", class),
        Rule::Push(class) => with("(T)", class),
        Rule::Nothing => "`()`".into(),
        Rule::Structure => match info.op {
            Op::If => "`bool, 2 regions -> yields`".into(),
            Op::Loop => "`initial values, region -> last values`".into(),
            Op::Switch => "`i32 or u32, cases, regions -> yields`".into(),
            _ => "`values`".into(),
        },
    }
}
