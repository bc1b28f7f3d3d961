//! Dialects in TOML files: what they declare, how they are installed, and that every problem says where it is.

use std::sync::Arc;
use vyre_driver::{
    BodyLanguage, BodyText, DialectRegistry, Function, Law, MAX_DIALECT_FILE, load_dialect, load_dialect_text,
};
use vyre_ir::dialect::{OpDef, evaluate};
use vyre_ir::{Diagnostic, Type, inventory};

/// A file with one operation of a dialect, whose body begins in line 10 if `op` has two lines.
fn file(dialect: &str, op: &str, body: &str) -> String {
    format!(
        "[dialect]\nname = \"{dialect}\"\nversion = \"1.0.0\"\n[[op]]\n{op}\nresults = [\"u32\"]\n\nbody = '''\n{body}'''\n"
    )
}

fn find(id: &str) -> Arc<OpDef> {
    DialectRegistry::global().find(id).unwrap_or_else(|| panic!("no {id}")).clone()
}

fn run(id: &str, attributes: &[u64], operands: &[u64]) -> u64 {
    let operands: Vec<_> = operands.iter().map(|&x| [x, 0, 0, 0]).collect();
    evaluate(&find(id), attributes, &operands).unwrap()[0][0]
}

/// `line:column code` of each problem, and its message.
fn places(name: &str, text: &str) -> Vec<(String, String)> {
    let errors = load_dialect_text(name, text).err().unwrap_or_else(|| panic!("nothing is wrong:\n{text}"));
    errors.iter().map(|error| (place(error, name), error.message.clone())).collect()
}

fn place(error: &Diagnostic, name: &str) -> String {
    let source = error.source.as_ref().unwrap_or_else(|| panic!("{error} has no source"));
    assert_eq!(source.name, name);
    let label = error.labels.first().unwrap_or_else(|| panic!("{error} has no place"));
    let (line, column) = source.line_column(label.loc.start);
    format!("{line}:{column} {}", error.code)
}

#[test]
fn a_file_declares_operations() {
    let text = "\
[dialect]
name = \"whole\"
version = \"1.2.0\"
repository = \"https://example.org/whole\"

[[op]]
name = \"mix\"
doc = \" The sum of both, and of `n`. \"
operands = [\"a: u32\", \"b: u32\"]
attributes = [\"n: u32 = 3\"]
results = [\"u32\"]
laws = [\"commutative\"]
ulp = 1.5
deprecated = { since = \"1.1.0\", instead = \"Add.\" }
body = '''
%0: u32 = add %a, %b
%1: u32 = add %0, %n
yield %1
'''

[[op]]
name = \"both\"
operands = [\"x: f32x2\"]
results = [\"f32\", \"f32\"]
body = \"%0: f32 = extract %x.x\\n%1: f32 = extract %x.y\\nyield %1, %0\"

[[op]]
name = \"three\"
operands = [\"x: u32\"]
results = [\"u32\"]
body = '''
%0: u32 = call whole.mix[n: u32 = 1] %x, %x
yield %0
'''
";
    let loaded = load_dialect_text("whole.toml", text).unwrap();
    assert_eq!((loaded.name.as_str(), loaded.version.to_string()), ("whole", "1.2.0".into()));
    assert_eq!(loaded.repository.as_deref(), Some("https://example.org/whole"));
    assert_eq!(loaded.ops, ["whole.mix", "whole.both", "whole.three"]);
    let mix = find("whole.mix");
    assert_eq!(mix.to_string(), "op whole.mix[%n: u32 = 3](%a: u32, %b: u32) -> u32");
    assert_eq!((mix.doc.as_str(), mix.ulp), ("The sum of both, and of `n`.", Some(1.5)));
    assert_eq!(mix.laws, [Law::Commutative]);
    assert_eq!(mix.deprecated.as_ref().unwrap().instead, "Add.");
    assert_eq!(mix.registrant(), "whole.toml");
    assert_eq!(run("whole.mix", &[3], &[4, 5]), 12);
    assert_eq!(run("whole.three", &[], &[4]), 9);
    let pair = evaluate(&find("whole.both"), &[], &[[7, 8, 0, 0]]).unwrap();
    assert_eq!([pair[0][0], pair[1][0]], [8, 7]);
}

#[test]
fn laws_with_numbers_are_of_the_operands_type() {
    let op = "name = \"join\"\noperands = [\"a: u32\", \"b: u32\"]\nlaws = [\"associative\", \"idempotent\", \
              { identity = 0 }, { annihilator = 0xffff_ffff }]";
    load_dialect_text("laws.toml", &file("laws", op, "%0: u32 = or %a, %b\nyield %0\n")).unwrap();
    let all = [Law::Associative, Law::Idempotent, Law::Identity(0), Law::Annihilator(0xffff_ffff)];
    assert_eq!(find("laws.join").laws, all);
    let floats = "[dialect]\nname = \"half\"\nversion = \"1.0.0\"\n[[op]]\nname = \"mul\"\noperands = [\"a: f32\", \
                  \"b: f32\"]\nresults = [\"f32\"]\nlaws = [{ identity = 1 }, { identity = 1.0 }]\n\
                  body = '''%0: f32 = mul %a, %b\nyield %0'''";
    load_dialect_text("half.toml", floats).unwrap();
    assert_eq!(find("half.mul").laws, [Law::Identity(0x3f80_0000); 2]);
}

#[test]
fn the_same_file_replaces_what_it_held() {
    let op = |name: &str| format!("name = \"{name}\"\noperands = [\"x: u32\"]");
    let one = load_dialect_text("same.toml", &file("same", &op("a"), "yield %x\n")).unwrap();
    load_dialect_text("same.toml", &file("same", &op("b"), "yield %x\n")).unwrap();
    let now = DialectRegistry::global();
    assert!(now.find("same.a").is_none() && now.find("same.b").is_some());
    assert!(one.registry.find("same.a").is_some(), "whoever has the old snapshot keeps it");
    // Under another name too.
    load_dialect_text("same.toml", &file("renamed", &op("b"), "yield %x\n")).unwrap();
    let now = DialectRegistry::global();
    assert!(now.find("same.b").is_none() && now.find("renamed.b").is_some());
    // What another file holds is not taken from it.
    let text = file("renamed", &op("c"), "yield %x\n");
    let [(place, message)] = &places("other.toml", &text)[..] else { panic!() };
    assert_eq!(place, "2:8 O003");
    assert!(message.contains("is registered twice: by same.toml and by other.toml"), "{message}");
}

#[test]
fn what_is_wrong_changes_nothing() {
    let op = "name = \"f\"\noperands = [\"x: u32\"]\nlaws = [\"idempotent\"]";
    load_dialect_text("kept.toml", &file("kept", op, "yield %x\n")).unwrap();
    let before = find("kept.f");
    for text in [
        "[dialect",
        &file("kept", op, "yield %y\n"),
        &file("kept", &op.replace("operands", "operand"), "yield %x\n"),
        &file("kept", op, "%0: u32 = const 1\n%1: u32 = add %x, %0\nyield %1\n"),
        &file("kept", op, "%0: f32 = convert %x\nyield %0\n"),
    ] {
        assert!(!places("kept.toml", text).is_empty());
        assert!(Arc::ptr_eq(&before, &find("kept.f")), "{text}");
    }
}

#[test]
fn every_problem_of_the_file_says_where() {
    let good = "name = \"f\"\noperands = [\"x: u32\"]";
    let yields = "yield %x\n";
    let all: &[(&str, &str, String)] = &[
        ("1:9 O021", "", "[dialect\nname = 1".into()),
        ("3:9 O021", "", "[dialect]\nname = \"where\"\nversion 1".into()),
        ("1:1 O022", "the file has no `[dialect]`", "".into()),
        ("1:1 O022", "`[dialect]` has no `version`", "[dialect]\nname = \"where\"".into()),
        (
            "2:8 O022",
            "`name` is a string, not a number",
            file("where", good, yields).replace("\"where\"", "3"),
        ),
        ("2:8 O023", "`a-b` is no name of a dialect", file("a-b", good, yields)),
        ("3:11 O023", "`1` is not a version", file("where", good, yields).replace("1.0.0", "1")),
        ("4:1 O022", "an operation has no `name`", file("where", "operands = [\"x: u32\"]", yields)),
        (
            "4:1 O022",
            "an operation has no `results`",
            file("where", good, yields).replace("results = [\"u32\"]\n", ""),
        ),
        (
            "4:1 O022",
            "an operation has no `body`",
            "[dialect]\nname = \"where\"\nversion = \"1.0.0\"\n[[op]]\nname = \"f\"\nresults = [\"u32\"]"
                .into(),
        ),
        ("5:8 O023", "`f g` is no name of an operation", file("where", "name = \"f g\"", "")),
        (
            "5:1 O022",
            "an operation has no field `nam`",
            file("where", "nam = \"f\"\nname = \"f\"\noperands = [\"x: u32\"]", yields),
        ),
        ("6:13 O023", "`x f32` is no operand", file("where", "name = \"f\"\noperands = [\"x f32\"]", yields)),
        (
            "6:17 O023",
            "there is no type `u33`",
            file("where", "name = \"f\"\noperands = [\"x: u33\"]", yields),
        ),
        (
            "6:23 O022",
            "`operands` is a string, not a number",
            file("where", "name = \"f\"\noperands = [\"x: u32\", 7]", yields),
        ),
        (
            "6:23 O023",
            "there are two operands or attributes `x`",
            file("where", "name = \"f\"\noperands = [\"x: u32\", \"x: u32\"]", yields),
        ),
        (
            "7:25 O023",
            "`x` is not a number of type u32",
            file("where", &format!("{good}\nattributes = [\"n: u32 = x\"]"), yields),
        ),
        (
            "7:9 O023",
            "there is no law `cumulative`",
            file("where", &format!("{good}\nlaws = [\"cumulative\"]"), yields),
        ),
        (
            "7:22 O023",
            "`-1` is not a number of type u32",
            file("where", &format!("{good}\nlaws = [{{ identity = -1 }}]"), yields),
        ),
        (
            "7:12 O024",
            "there is no language `wgls` for bodies",
            file("where", &format!("{good}\nlanguage = \"wgls\""), yields),
        ),
        (
            "11:5 O005",
            "the body of `where.f` uses `global_id`",
            file("where", good, "   \n    %0: u32 = global_id x\nyield %0\n"),
        ),
        (
            "10:14 T002",
            "there is no operation `ad`",
            file("where", good, "   %0: u32 = ad %x, %x\n  yield %0\n"),
        ),
        ("12:8 T004", "`%z` is not defined here", file("where", good, "\n\n yield %z\n")),
        (
            "10:3 V012",
            "the body of `where.f`: there is no operation `where.g`",
            file("where", good, "  %0: u32 = call where.g %x\n  yield %0\n"),
        ),
        ("9:8 O005", "the body of `where.f`", file("where", good, "")),
        (
            "7:9 O007",
            "`where.f` does not have the operands",
            file("where", &format!("{good}\nlaws = [\"commutative\"]"), yields),
        ),
    ];
    for (expected, message, text) in all {
        let found = places("where.toml", text);
        let [(place, said)] = &found[..] else { panic!("{expected}: {found:?}\n{text}") };
        assert!(place == expected && said.contains(message), "{expected} {message}: {place} {said}\n{text}");
    }
}

#[test]
fn lines_and_columns_within_bodies_survive_escapes() {
    let op = "name = \"f\"\noperands = [\"x: u32\"]\nresults = [\"u32\"]\n";
    let head = format!("[dialect]\nname = \"escaped\"\nversion = \"1.0.0\"\n[[op]]\n{op}");
    for (body, expected) in [
        ("body = \"\\u0025y: u32 = ad %x, %x\\nyield %y\"", "8:24 T002"),
        ("body = \"%y: u32 = not %x\\nyield %z\"", "8:33 T004"),
        ("body = \"\"\"\n%y: u32 = not %x\n\\\n   yield %z\"\"\"", "11:10 T004"),
        ("body = '''\r\n%y: u32 = not %x\r\nyield %z'''", "10:7 T004"),
    ] {
        let found = places("escaped.toml", &format!("{head}{body}"));
        assert_eq!(found[0].0, expected, "{body}");
    }
}

#[test]
fn all_problems_are_listed_at_once_in_their_order() {
    let text = "\
[dialect]
name = \"many\"
version = \"one\"
[[op]]
name = \"a\"
operands = [\"x: f33\"]
results = [\"u32\"]
body = 'yield %x'
[[op]]
name = \"b\"
operands = [\"x: u32\"]
results = [\"u32\"]
laws = [\"involution\", \"idempotent\"]
body = '''
%0: u32 = const 1
%1: u32 = add %x, %0
yield %1
'''
[[op]]
name = \"c\"
operands = [\"x: u32\"]
results = [\"u32\"]
body = '''
%0: u32 = ad %x, %x
%1: u32 = sbu %x, %x
yield %0
'''
[[op]]
name = \"calls\"
operands = [\"x: u32\"]
results = [\"u32\"]
body = '''
%0: u32 = call many.b %x
%1: u32 = call many.c %0
yield %1
'''
[[op]]
name = \"d\"
operands = [\"x: u32\"]
results = [\"f32\"]
body = 'yield %x'
[[op]]
name = \"wide\"
operands = [\"x: u32\"]
results = [\"u32\"]
body = '''
%0: u32 = call gone.away %x
yield %0
'''
";
    // The version is wrong, so nothing can be said of the whole.
    let codes = |text: &str| -> Vec<String> {
        places("many.toml", text).into_iter().map(|(place, _)| place).collect()
    };
    assert_eq!(codes(text), ["3:11 O023", "6:17 O023", "24:11 T002", "25:11 T002"]);
    let text = text.replace("\"one\"", "\"1.0.0\"");
    let all = codes(&text);
    assert_eq!(
        all,
        ["6:17 O023", "13:9 O007", "13:23 O007", "24:11 T002", "25:11 T002", "41:9 O005", "47:1 V012"],
        "{:?}",
        places("many.toml", &text)
    );
    assert_eq!(codes("a =\nb = 2\nc 1\n"), ["1:4 O021", "3:3 O021"], "TOML's own");
}

#[test]
fn cycles_and_migrations_have_places() {
    let op = |name: &str, calls: &str| {
        format!("[[op]]\nname = \"{name}\"\noperands = [\"x: u32\"]\nresults = [\"u32\"]\nbody = '%0: u32 = call round.{calls} %x yield %0'\n")
            .replace(" yield", "\n yield")
            .replace('\'', "'''")
    };
    let head = "[dialect]\nname = \"round\"\nversion = \"1.1.0\"\n";
    let found = places("round.toml", &format!("{head}{}{}", op("a", "b"), op("b", "a")));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "5:8 O006");
    let migrations = "[[migration]]\nfrom = \"old\"\nto = \"gone\"\nsince = \"1.1.0\"\n\
                      [[migration]]\nfrom = \"older\"\nto = \"f\"\nsince = \"9.0.0\"\n\
                      [[migration]]\nfrom = \"older\"\nto = \"f\"\n";
    let text = file("steps", "name = \"f\"\noperands = [\"x: u32\"]", "yield %x\n") + migrations;
    let found: Vec<String> = places("steps.toml", &text).into_iter().map(|(place, _)| place).collect();
    assert_eq!(found, ["12:1 O008", "16:1 O008", "20:1 O022"]);
}

#[test]
fn migrations_are_those_of_the_file() {
    use vyre_driver::link;
    use vyre_ir::text::parse;
    let text = file(
        "moved",
        "name = \"less\"\noperands = [\"a: u32\", \"b: u32\"]\nattributes = [\"n: u32\"]",
        "yield %a\n",
    ) + "[[migration]]\nfrom = \"minus\"\nto = \"less\"\nsince = \"1.0.0\"\noperands = [1, 0]\n\
           rename = { m = \"k\" }\nremove = [\"k\"]\nadd = [\"n: u32 = 5\"]\n";
    load_dialect_text("moved.toml", &text).unwrap();
    let p = "program p workgroup(1, 1, 1) {\n%0: u32 = const 1\n%1: u32 = const 2\n%2: u32 = call \
             moved.minus@0.9.0[m: u32 = 7] %0, %1\n}";
    let linked = link(&parse("p", p).unwrap(), &DialectRegistry::global()).unwrap().to_string();
    assert!(linked.contains("call moved.less@1.0.0[n: u32 = 5] %1, %0"), "{linked}");
}

/// A language of which the text is the number of the operand that is the result.
fn number(body: &BodyText<'_>) -> Result<Function, Vec<Diagnostic>> {
    assert_eq!((body.id, body.names), ("spoken.pick", &["a".to_string(), "b".into()][..]));
    let Ok(place) = body.text.trim().parse::<usize>() else {
        let code = vyre_driver::codes::CODES[0];
        let start = body.text.len() as u32 - 1;
        return Err(vec![Diagnostic::new(code, "no number").at(vyre_ir::Loc::span(start, start + 1), "")]);
    };
    let types: &[Type] = &body.signature.operands;
    Ok(Function::build(body.id, body.attributes.to_vec(), types, |_, values| vec![values[place]]))
}

inventory::submit! { BodyLanguage { name: "number", import: number } }

#[test]
fn bodies_are_in_any_language_that_is_linked() {
    let op = "name = \"pick\"\noperands = [\"a: u32\", \"b: u32\"]\nlanguage = \"number\"";
    load_dialect_text("spoken.toml", &file("spoken", op, " 1 ")).unwrap();
    assert_eq!(run("spoken.pick", &[], &[5, 6]), 6);
    let found = places("spoken.toml", &file("spoken", op, " x"));
    assert_eq!(found[0].0.split(' ').next(), Some("11:2"));
    let unknown = load_dialect_text("spoken.toml", &file("spoken", &op.replace("number", "basic"), "1"));
    let fix = unknown.unwrap_err()[0].fix.clone().unwrap();
    assert_eq!(fix, "Use one of vyre, number, or link the crate that has it into the program.");
}

#[test]
fn files_are_bounded() {
    let op = |i: usize| {
        format!("[[op]]\nname = \"f{i}\"\noperands = [\"x: u32\"]\nresults = [\"u32\"]\nbody = 'yield %x'\n")
    };
    let many = |n: usize| {
        "[dialect]\nname = \"bounded\"\nversion = \"1.0.0\"\n".to_string()
            + &(0..n).map(op).collect::<String>()
    };
    assert_eq!(load_dialect_text("bounded.toml", &many(1024)).unwrap().ops.len(), 1024);
    let found = places("bounded.toml", &many(1025));
    assert!(
        found[0].0.ends_with("O020") && found[0].1.contains("1025 operations; at most 1024"),
        "{found:?}"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.toml");
    std::fs::write(&path, " ".repeat(MAX_DIALECT_FILE as usize + 1)).unwrap();
    let error = load_dialect(&path).unwrap_err()[0].to_string();
    assert!(error.contains("error[O020]") && error.contains("is larger than 1024 KiB"), "{error}");
    std::fs::write(&path, b"\xff").unwrap();
    assert!(load_dialect(&path).unwrap_err()[0].message.contains("byte 0 is not UTF-8 text"));
    assert!(load_dialect(&folder.path().join("none.toml")).unwrap_err()[0].message.contains("cannot read"));
    // Deep nesting ends the parser, not the process.
    let deep = format!("a = {}", "[".repeat(100_000));
    assert!(load_dialect_text("deep.toml", &deep).is_err());
}
