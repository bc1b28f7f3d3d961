//! A diagnostic's forms: a line, and JSON.

use std::sync::Arc;
use vyre_ir::{Diagnostic, Loc, Severity, Source, codes::CODES};

fn code(name: &str) -> vyre_ir::Code {
    *CODES.iter().find(|code| code.name() == name).unwrap()
}

fn sample() -> Diagnostic {
    let source = Arc::new(Source { name: "é.vyre".into(), text: "one\ntwo é three\n".into() });
    Diagnostic::new(code("V004"), "no \"such\" thing")
        .at(Loc::span(11, 16), "here")
        .at(Loc::span(0, 3), "")
        .fix("Name another.")
        .in_source(Some(&source))
}

#[test]
fn json_has_every_part() {
    let expect = r#"{
        "code": "V004", "severity": "warning", "message": "no \"such\" thing", "fix": "Name another.",
        "file": "é.vyre", "line": 2, "column": 7,
        "labels": [
            {"text": "here", "line": 2, "column": 7, "end_line": 2, "end_column": 12},
            {"text": "", "line": 1, "column": 1, "end_line": 1, "end_column": 4}
        ]
    }"#;
    let expect: serde_json::Value = serde_json::from_str(expect).unwrap();
    assert_eq!(sample().severity(Severity::Warning).json(), expect);
}

#[test]
fn json_without_a_place() {
    let json = Diagnostic::new(code("V004"), "m").json();
    assert_eq!(json["severity"], "error");
    for part in ["fix", "file", "line", "column"] {
        assert!(json[part].is_null(), "{part}");
    }
    assert_eq!(json["labels"].as_array().unwrap().len(), 0);
}

#[test]
fn a_line_says_severity_and_code() {
    assert_eq!(sample().to_string(), "é.vyre:2:7: error[V004]: no \"such\" thing (here) Fix: Name another.");
    let note = sample().severity(Severity::Note).to_string();
    assert!(note.contains("note[V004]"), "{note}");
}

#[test]
fn a_code_is_a_number_too() {
    assert_eq!(code("V004").number(), 22_004);
}
