//! `vyre conform`: the conformance suite on devices, as a table of operations by devices.
//!
//! Signatures of an operation that all devices make the same of share a line. The suite is in the command: no file is
//! read.

use crate::args::ConformArgs;
use crate::failure::{FAILED, Failure};
use crate::progress::counted;
use crate::show::table;
use serde_json::{Value, json};
use vyre::{AcquirePolicy, Device, DeviceProfile, explain_selection};
use vyre_conformance::rows::Verdict;
use vyre_conformance::suite::lacks;
use vyre_conformance::table::{self as suite, Row, Table};
use vyre_ir::{OPS, Op, Scalar};

/// Types that are listed one by one.
const FEW: usize = 8;

/// What a device makes of the suite.
struct Conformance {
    id: String,
    profile: DeviceProfile,
    table: Table,
}

/// The suite on devices.
struct Results {
    devices: Vec<Conformance>,
    /// Devices that cannot be had, with the reason.
    absent: Vec<(String, String)>,
}

/// Runs the suite; gives what to print on standard output, and the exit status.
///
/// # Errors
/// When a device that is named cannot be had.
pub fn conform(args: &ConformArgs, as_json: bool) -> Result<(String, u8), Failure> {
    let mut results = Results { devices: Vec::new(), absent: Vec::new() };
    let devices = if args.backend.is_empty() {
        all(&mut results.absent)?
    } else {
        let mut ids = args.backend.clone();
        ids.sort();
        ids.dedup();
        ids.into_iter().map(|id| Ok((Device::open(&id)?, id))).collect::<Result<_, Failure>>()?
    };
    for (device, id) in devices {
        let table = counted(&format!("conformance of {id}"), |tell| suite::table(&device, tell));
        results.devices.push(Conformance { id, profile: device.profile().clone(), table });
    }
    let exit = if results.devices.iter().all(|device| device.table.passed()) { 0 } else { FAILED };
    Ok((if as_json { format!("{:#}\n", results.json()) } else { results.text() }, exit))
}

/// Every device there is.
fn all(absent: &mut Vec<(String, String)>) -> Result<Vec<(Device, String)>, Failure> {
    let mut candidates = explain_selection(&AcquirePolicy::any())?;
    candidates.retain(|candidate| candidate.dispatches);
    candidates.sort_by_key(|candidate| (candidate.precedence, candidate.index));
    let mut devices = Vec::new();
    for candidate in candidates {
        match candidate.failure.map_or_else(|| Device::open(&candidate.id), Err) {
            Ok(device) => devices.push((device, candidate.id)),
            Err(error) => absent.push((candidate.id, error.to_string())),
        }
    }
    Ok(devices)
}

impl Results {
    fn text(&self) -> String {
        let mut header = vec!["operation".to_string(), "types".into()];
        header.extend(self.devices.iter().map(|device| device.id.clone()));
        let mut lines = vec![header];
        for info in OPS {
            lines.extend(self.lines(info.op));
        }
        let mut programs = vec!["tests/programs".to_string(), String::new()];
        programs.extend(self.devices.iter().map(|device| {
            let report = &device.table.programs;
            let all = report.passed.len() + report.unsupported.len() + report.failed.len();
            format!("{} of {all}", report.passed.len())
        }));
        lines.push(programs);
        let mut text = table(&lines);
        for device in &self.devices {
            text += &device.text();
        }
        for (id, reason) in &self.absent {
            text += &format!("\n{id} cannot be had: {reason}\n");
        }
        text
    }

    /// The lines of an operation: types of which every device makes the same.
    fn lines(&self, op: Op) -> Vec<Vec<String>> {
        let rows = |device: &Conformance| -> Vec<(String, String)> {
            let rows = device.table.rows.iter().filter(|row| row.op == op);
            rows.map(|row| (row.types.clone(), cell(&row.verdict))).collect()
        };
        let by_device: Vec<Vec<(String, String)>> = self.devices.iter().map(rows).collect();
        let Some(first) = by_device.first() else { return Vec::new() };
        let mut groups: Vec<(Vec<String>, Vec<&str>)> = Vec::new();
        for (i, (types, _)) in first.iter().enumerate() {
            let cells: Vec<String> = by_device.iter().map(|rows| rows[i].1.clone()).collect();
            match groups.iter_mut().find(|(known, _)| *known == cells) {
                Some((_, list)) => list.push(types),
                None => groups.push((cells, vec![types])),
            }
        }
        let names = [op.name()].into_iter().chain(std::iter::repeat(""));
        let line = |(name, (cells, types)): (&str, &(Vec<String>, Vec<&str>))| {
            let mut line = vec![name.to_string(), summary(types, first.len())];
            line.extend(cells.iter().cloned());
            line
        };
        names.zip(&groups).map(line).collect()
    }

    fn json(&self) -> Value {
        let absent = |(id, reason): &(String, String)| json!({ "id": id, "reason": reason });
        json!({
            "devices": self.devices.iter().map(Conformance::json).collect::<Vec<_>>(),
            "absent": self.absent.iter().map(absent).collect::<Vec<_>>(),
        })
    }
}

impl Conformance {
    /// What the table does not say.
    fn text(&self) -> String {
        let Conformance { id, profile, table } = self;
        let floats = if profile.exact_floats { "exact" } else { "within bounds" };
        let mut text = format!("\n{id}: {}, driver {}; floats {floats}\n", profile.name, profile.driver);
        let mut lacking: Vec<(String, Vec<&str>)> = Vec::new();
        for (name, why) in &table.programs.unsupported {
            let why = lacks(why).map_or(why.clone(), |what| format!("no {what}"));
            match lacking.iter_mut().find(|(known, _)| *known == why) {
                Some((_, names)) => names.push(name),
                None => lacking.push((why, vec![name])),
            }
        }
        for (why, names) in lacking {
            text += &format!("  {why}: {}\n", names.join(", "));
        }
        let wrong = table.rows.iter().filter_map(|row| match &row.verdict {
            Verdict::Wrong(why) if !row.types.is_empty() => Some(why),
            _ => None,
        });
        for why in wrong {
            text += &format!("  WRONG: {why}\n");
        }
        for (name, why) in &table.programs.failed {
            text += &format!("  WRONG: {name}: {why}\n");
        }
        if table.passed() {
            text += "  nothing is wrong\n";
        }
        text
    }

    fn json(&self) -> Value {
        let Conformance { id, profile, table } = self;
        let named = |list: &[(String, String)]| -> Vec<Value> {
            list.iter().map(|(name, why)| json!({ "name": name, "why": why })).collect()
        };
        json!({
            "id": id, "name": profile.name, "driver": profile.driver, "exact_floats": profile.exact_floats,
            "passed": table.passed(),
            "rows": table.rows.iter().map(row).collect::<Vec<_>>(),
            "programs": {
                "passed": table.programs.passed,
                "unsupported": named(&table.programs.unsupported),
                "failed": named(&table.programs.failed),
            },
        })
    }
}

/// A verdict in a cell of the table.
fn cell(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Exact => "exact".into(),
        Verdict::Near { worst, bound, flushes, zeros } => {
            let mut text = if *bound == 0.0 { "exact".into() } else { format!("{worst} ULP of {bound}") };
            if *flushes {
                text += ", subnormals 0";
            }
            if *zeros {
                text += ", zeros of any sign";
            }
            text
        }
        Verdict::Passed(1) => "1 program".into(),
        Verdict::Passed(programs) => format!("{programs} programs"),
        Verdict::Unsupported(why) => lacks(why).map_or("refused".into(), |what| format!("no {what}")),
        Verdict::Wrong(_) => "WRONG".into(),
    }
}

/// Some of an operation's types in few words.
fn summary(types: &[&str], of: usize) -> String {
    if types.len() <= FEW || types.len() < of && !types[0].contains("->") {
        return if types.len() == of && of > 1 { "all".into() } else { types.join(" ") };
    }
    if types.len() == of {
        return "all".into();
    }
    // Conversions, of which what is special is special for a type.
    let touches = |pair: &str, scalar: Scalar| pair.split("->").any(|name| name == scalar.name());
    let every = 2 * (Scalar::ALL.len() - 1);
    let whole = |scalar: &Scalar| types.iter().filter(|pair| touches(pair, *scalar)).count() == every;
    let special: Vec<Scalar> = Scalar::ALL.into_iter().filter(whole).collect();
    if !special.is_empty() && types.iter().all(|pair| special.iter().any(|scalar| touches(pair, *scalar))) {
        let names: Vec<&str> = special.iter().map(|scalar| scalar.name()).collect();
        return format!("from or to {}", names.join(" "));
    }
    format!("{} and {} more", types[..FEW - 2].join(" "), types.len() + 2 - FEW)
}

fn row(row: &Row) -> Value {
    let mut document = json!({ "op": row.op.name(), "types": row.types });
    let mut set = |name: &str, value: Value| document[name] = value;
    match &row.verdict {
        Verdict::Exact => set("verdict", "exact".into()),
        Verdict::Near { worst, bound, flushes, zeros } => {
            set("verdict", "near".into());
            set("worst_ulp", (*worst).into());
            set("bound_ulp", (*bound).into());
            set("subnormals_are_zero", (*flushes).into());
            set("zeros_of_any_sign", (*zeros).into());
        }
        Verdict::Passed(programs) => {
            set("verdict", "passed".into());
            set("programs", (*programs).into());
        }
        Verdict::Unsupported(why) => {
            set("verdict", "unsupported".into());
            set("why", why.clone().into());
        }
        Verdict::Wrong(why) => {
            set("verdict", "wrong".into());
            set("why", why.clone().into());
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use vyre::{DeviceKind, Limits};
    use vyre_conformance::suite::Report;

    /// A device that does divisions like this, and everything else right.
    fn device(id: &str, division: Verdict) -> Conformance {
        let profile = DeviceProfile::new(
            "fake",
            DeviceKind::VirtualGpu,
            "a card".into(),
            "1".into(),
            Limits::default(),
        );
        let row = |op, types: &str, verdict| Row { op, types: types.into(), verdict };
        let rows = vec![
            row(Op::Add, "i32", Verdict::Exact),
            row(Op::Add, "f32", Verdict::Exact),
            row(Op::Div, "i32", Verdict::Exact),
            row(Op::Div, "f32", division),
            row(Op::If, "", Verdict::Passed(2)),
        ];
        let programs = Report {
            passed: vec!["a.wgsl".into(), "b.wgsl".into()],
            unsupported: vec![("c.wgsl".into(), "this device has no f64: `sqrt`".into())],
            failed: Vec::new(),
        };
        Conformance { id: id.into(), profile, table: Table { rows, programs } }
    }

    fn near() -> Verdict {
        Verdict::Near { worst: 2.0, bound: 3.0, flushes: true, zeros: false }
    }

    #[test]
    fn what_devices_make_the_same_of_shares_a_line() {
        let wrong = Verdict::Wrong("div f32 of 1, 3 gives 0".into());
        let devices = vec![device("one", near()), device("two", wrong)];
        let text = Results { devices, absent: vec![("three".into(), "no driver".into())] }.text();
        let expected = "\
operation       types  one                        two
add             all    exact                      exact
div             i32    exact                      exact
                f32    2 ULP of 3, subnormals 0   WRONG
if                     2 programs                 2 programs
tests/programs         2 of 3                     2 of 3

one: a card, driver 1; floats exact
  no f64: c.wgsl
  nothing is wrong

two: a card, driver 1; floats exact
  no f64: c.wgsl
  WRONG: div f32 of 1, 3 gives 0

three cannot be had: no driver
";
        // However wide the columns are.
        let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
        assert_eq!(words(&text), words(expected), "{text}");
        let places: Vec<Option<usize>> = text.lines().take(4).map(|line| line.find("exact")).collect();
        assert_eq!(places[1], places[2]);
    }

    #[test]
    fn verdicts_as_json() {
        let document = device("one", near()).json();
        let expected = json!({
            "op": "div", "types": "f32", "verdict": "near", "worst_ulp": 2.0, "bound_ulp": 3.0,
            "subnormals_are_zero": true, "zeros_of_any_sign": false,
        });
        assert_eq!(document["rows"][3], expected);
        assert_eq!(document["passed"], true);
        assert_eq!(document["programs"]["unsupported"][0]["name"], "c.wgsl");
        assert_eq!(device("two", Verdict::Wrong("x".into())).json()["passed"], false);
    }

    #[test]
    fn many_types_in_few_words() {
        let pairs: Vec<String> = Scalar::ALL
            .into_iter()
            .flat_map(|a| Scalar::ALL.into_iter().filter(move |b| *b != a).map(move |b| format!("{a}->{b}")))
            .collect();
        let with = |scalar: &str| {
            let touches = |pair: &&str| pair.split("->").any(|name| name == scalar);
            pairs.iter().map(String::as_str).filter(touches).collect::<Vec<_>>()
        };
        assert_eq!(summary(&with("f64"), 156), "from or to f64");
        let all: Vec<&str> = pairs.iter().map(String::as_str).collect();
        assert_eq!(summary(&all, 156), "all");
        assert_eq!(
            summary(&all[..20], 156),
            "bool->i8 bool->i16 bool->i32 bool->i64 bool->u8 bool->u16 and 14 more"
        );
        assert_eq!(summary(&["i32", "f32"], 5), "i32 f32");
        assert_eq!(summary(&["f32"], 1), "f32");
    }
}
