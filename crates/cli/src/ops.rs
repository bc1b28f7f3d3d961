//! `vyre ops`: the operation table.

use serde_json::json;
use vyre_ir::build::wants;
use vyre_ir::{Info, OPS, Rule};

/// Lists the operations; gives what to print on standard output.
pub fn ops(as_json: bool) -> String {
    if as_json {
        let list: Vec<_> = OPS
            .iter()
            .map(|row| {
                json!({
                    "name": row.name, "operands": operands(row), "effect": effect(row),
                    "expanded": row.expand.is_some(), "ulp": row.ulp, "doc": row.doc.trim(),
                })
            })
            .collect();
        return format!("{:#}\n", json!({ "ops": list }));
    }
    let mut text = String::new();
    for row in OPS {
        text += &format!("{:<26}{}\n", row.name, row.doc.trim());
        text += &format!("{:<26}  takes {}; {}\n", "", operands(row), effect(row));
    }
    text
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
