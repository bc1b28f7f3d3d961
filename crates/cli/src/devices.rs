//! `vyre devices`: every device of every linked backend, all that is known of it, and what `auto` and the library's
//! default make of it.

use crate::failure::Failure;
use crate::show::{self, nanoseconds, table};
use serde_json::{Value, json};
use vyre::{
    AcquirePolicy, BindingPlan, BindingRole, Candidate, DeviceKind, DeviceProfile, DeviceRequirements, Survey,
};
use vyre_ir::Program;

/// How `--backend auto` chooses for a program: any kind of device that can run it.
pub fn auto_policy(program: &Program) -> AcquirePolicy {
    AcquirePolicy { require: DeviceRequirements::of(program), ..AcquirePolicy::any() }
}

/// [`auto_policy`] for a run of which the sizes are known.
pub fn auto_policy_for_run(program: &Program, plan: &BindingPlan, workgroups: [u32; 3]) -> AcquirePolicy {
    let mut policy = auto_policy(program);
    let limits = &mut policy.require.limits;
    limits.workgroups_per_dimension = workgroups.into_iter().max().unwrap_or(1);
    for b in plan.bindings.iter().filter(|b| b.is_bound()) {
        let most = match b.role {
            BindingRole::Uniform => &mut limits.uniform_binding_bytes,
            _ => &mut limits.storage_binding_bytes,
        };
        *most = b.byte_len().max(*most);
    }
    policy
}

/// A device under both policies.
struct Row {
    auto: Candidate,
    /// The same device's place and reason under the library's default.
    default: (Option<usize>, String),
}

/// Both decisions, of one survey.
struct Decisions {
    rows: Vec<Row>,
    /// Why the library's default chooses none.
    default_failure: Option<String>,
}

/// Lists the devices; gives what to print on standard output.
pub fn devices(as_json: bool) -> Result<String, Failure> {
    let mut survey = Survey::new()?;
    let auto = survey.explain(&AcquirePolicy::any());
    let default = survey.explain(&AcquirePolicy::default());
    // Opening the devices of the second decision may have told more of them, but nothing of their places in the first.
    let rows = auto.into_iter().map(|auto| {
        let same = default.iter().find(|c| c.id == auto.id);
        Row { default: same.map(|c| (c.place, c.reason.clone())).unwrap_or_default(), auto }
    });
    let decisions = Decisions {
        rows: rows.collect(),
        default_failure: survey
            .acquire(&AcquirePolicy::default())
            .err()
            .and_then(|error| Some(error.diagnostics().first()?.message.clone())),
    };
    Ok(if as_json { format!("{:#}\n", decisions.json()) } else { decisions.text() })
}

impl Decisions {
    fn auto_choice(&self) -> Option<&str> {
        Some(&self.rows.iter().find(|row| row.auto.place == Some(0))?.auto.id)
    }

    fn default_choice(&self) -> Option<&str> {
        Some(&self.rows.iter().find(|row| row.default.0 == Some(0))?.auto.id)
    }

    fn text(&self) -> String {
        let header = ["rank", "id", "kind", "name", "score", "timing", "GB/s", "note"];
        let mut lines = vec![header.map(String::from)];
        for Row { auto: c, .. } in &self.rows {
            let of = |fact: &dyn Fn(&DeviceProfile) -> String| c.profile.as_ref().map_or("-".into(), fact);
            lines.push([
                c.place.map_or("-".into(), |place| (place + 1).to_string()),
                c.id.clone(),
                of(&|p| p.kind.name().into()),
                of(&|p| p.name.clone()),
                of(&|p| p.capability_score().to_string()),
                of(&|p| p.timing_quality.name().into()),
                of(&|p| p.mem_bw_gbps.map_or("-".into(), |rate| rate.to_string())),
                if c.place == Some(0) { "auto picks this one".into() } else { c.reason.clone() },
            ]);
        }
        let mut text = table(&lines);
        text += &format!(
            "\nauto (`vyre run --backend auto`) picks the best device of any kind that can run the program: {}\n",
            self.auto_choice().unwrap_or("none")
        );
        text += &match (self.default_choice(), &self.default_failure) {
            (Some(id), _) => format!("the library's default picks the best GPU: {id}\n"),
            (None, why) => {
                format!(
                    "the library's default picks the best GPU: none; {}\n",
                    why.as_deref().unwrap_or("none fits")
                )
            }
        };
        for row in &self.rows {
            text += &details(row);
        }
        text
    }

    fn json(&self) -> Value {
        let kinds = |kinds: Vec<DeviceKind>| kinds.into_iter().map(DeviceKind::name).collect::<Vec<_>>();
        let any = AcquirePolicy::any().kinds.into_iter().filter(|kind| *kind != DeviceKind::Oracle).collect();
        json!({
            "devices": self.rows.iter().map(document).collect::<Vec<_>>(),
            "auto": { "kinds": kinds(any), "picks": self.auto_choice() },
            "default": {
                "kinds": kinds(AcquirePolicy::default().kinds),
                "picks": self.default_choice(),
                "failure": self.default_failure,
            },
        })
    }
}

fn details(row: &Row) -> String {
    let c = &row.auto;
    let mut text = format!("\n{}\n", c.id);
    let rank = if c.precedence == u32::MAX { "no rank".into() } else { format!("rank {}", c.precedence) };
    text += &format!("  backend     {}, device {}, {rank} among equals\n", c.backend, c.index);
    text += &format!("  auto        {}{}\n", place(c.place), c.reason);
    text += &format!("  default     {}{}\n", place(row.default.0), row.default.1);
    let time = |what: &str, ns: Option<u64>| match ns {
        Some(ns) => format!("{what} in {}", nanoseconds(ns)),
        None => format!("not {what}"),
    };
    text += &format!("  found       {}, {}\n", time("probed", c.probe_ns), time("opened", c.open_ns));
    let Some(p) = &c.profile else { return text };
    let list = |wanted: bool| {
        let names: Vec<&str> =
            p.features().into_iter().filter(|(_, has)| *has == wanted).map(|(name, _)| name).collect();
        if names.is_empty() { "nothing".into() } else { names.join(", ") }
    };
    let l = &p.limits;
    let [x, y, z] = l.workgroup_size;
    text += &format!("  device      {}, {}, driver {}\n", p.name, p.kind.name(), p.driver);
    text += &format!("  processors  compute units: {}, subgroups of {}\n", p.compute_units, p.subgroup_size);
    let rate = p.mem_bw_gbps.map_or("not measured".into(), |rate| format!("{rate} GB/s"));
    text += &format!("  timing      {}; memory bandwidth {rate}\n", p.timing_quality.name());
    let memory = if p.host_memory { "that of the host; nothing is copied" } else { "its own" };
    text += &format!("  memory      {memory}\n");
    text += &format!("  features    {}\n  lacks       {}\n", list(true), list(false));
    text += &format!(
        "  workgroup   at most {} invocations, {x} x {y} x {z}; {} of memory; {} along an axis\n",
        l.invocations_per_workgroup,
        show::bytes(l.workgroup_memory_bytes),
        count(l.workgroups_per_dimension, "workgroups")
    );
    let size = |bytes: u64| match bytes {
        u64::MAX => "any size".into(),
        bytes => format!("at most {}", show::bytes(bytes)),
    };
    text += &format!(
        "  buffers     {}, each of {}\n",
        count(l.buffers_per_stage, "storage buffers"),
        size(l.storage_binding_bytes)
    );
    text += &format!(
        "              {}, each of {}\n",
        count(l.uniform_buffers_per_stage, "uniform buffers"),
        size(l.uniform_binding_bytes)
    );
    text += &format!("  score       {}\n", p.capability_score());
    let items = p.score_items().map(|(item, points, has)| {
        ["    ".into(), item.into(), if has { format!("{points}") } else { format!("- of {points}") }]
    });
    text + &table(&items)
}

fn place(place: Option<usize>) -> String {
    place.map_or("not chosen: ".into(), |place| format!("rank {}: ", place + 1))
}

fn count(n: u32, of: &str) -> String {
    if n == u32::MAX { format!("any number of {of}") } else { format!("at most {n} {of}") }
}

fn document(row: &Row) -> Value {
    let c = &row.auto;
    let mut document = json!({
        "id": c.id,
        "backend": c.backend,
        "device": c.index,
        "place": c.place,
        "rank": c.place.map(|place| place + 1),
        "reason": c.reason,
        "default": {
            "place": row.default.0,
            "rank": row.default.0.map(|place| place + 1),
            "reason": row.default.1,
        },
        "dispatches": c.dispatches,
        "precedence": Some(c.precedence).filter(|rank| *rank != u32::MAX),
        "acquire_ns": c.acquire_ns(),
        "probe_ns": c.probe_ns,
        "open_ns": c.open_ns,
        "failure": c.failure.as_ref().map(|error| {
            error.diagnostics().iter().map(vyre_ir::Diagnostic::json).collect::<Vec<_>>()
        }),
    });
    if let Some(p) = &c.profile {
        let features: serde_json::Map<String, Value> =
            p.features().into_iter().map(|(name, has)| (name.replace(' ', "_"), has.into())).collect();
        let items = p.score_items().map(|(item, points, has)| {
            json!({ "item": item, "points": if has { points } else { 0 }, "of": points, "has": has })
        });
        let l = p.limits;
        document["name"] = p.name.clone().into();
        document["kind"] = p.kind.name().into();
        document["driver"] = p.driver.clone().into();
        document["score"] = p.capability_score().into();
        document["score_items"] = items.to_vec().into();
        document["timing_quality"] = p.timing_quality.name().into();
        document["mem_bw_gbps"] = p.mem_bw_gbps.into();
        document["compute_units"] = p.compute_units.into();
        document["subgroup_size"] = p.subgroup_size.into();
        document["host_memory"] = p.host_memory.into();
        document["features"] = features.into();
        document["limits"] = json!({
            "workgroup_size": l.workgroup_size,
            "invocations_per_workgroup": l.invocations_per_workgroup,
            "workgroups_per_dimension": l.workgroups_per_dimension,
            "storage_binding_bytes": l.storage_binding_bytes,
            "workgroup_memory_bytes": l.workgroup_memory_bytes,
            "buffers_per_stage": l.buffers_per_stage,
            "uniform_binding_bytes": l.uniform_binding_bytes,
            "uniform_buffers_per_stage": l.uniform_buffers_per_stage,
        });
    }
    document
}
