//! `vyre devices`: every device of every linked backend, all that is known of it, and what `auto` and the library's
//! default make of it.

use crate::args::DevicesArgs;
use crate::failure::Failure;
use crate::show::{self, nanoseconds, table};
use serde_json::{Value, json};
use vyre::{
    AcquirePolicy, BackendError, Bandwidths, BindingPlan, BindingRole, Candidate, Device, DeviceKind,
    DeviceProfile, DeviceRequirements, DiskCacheConfig, Survey, registered_backends,
};
use vyre_ir::Program;

/// The longest name of a device in the table: with it, a line has at most 100 characters.
const NAME: usize = 34;

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

/// What was measured of devices before, as far as it is kept.
pub fn bandwidths() -> Bandwidths {
    let folder = DiskCacheConfig::from_environment().map(|config| config.directory);
    folder.map_or_else(Bandwidths::default, |folder| Bandwidths::in_folder(&folder))
}

/// Opens what `auto` chooses. Bandwidths that were measured before count; none is measured now, it takes too long.
pub fn auto(policy: &AcquirePolicy) -> Result<Device, BackendError> {
    Device::acquired(|| {
        let mut survey = Survey::likely(policy)?;
        survey.know(&bandwidths());
        survey.acquire(policy)
    })
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
    auto_choice: Option<String>,
    default_choice: Option<String>,
    /// Why the library's default chooses none.
    default_failure: Option<String>,
}

/// Lists the devices; gives what to print on standard output.
pub fn devices(args: &DevicesArgs, as_json: bool) -> Result<String, Failure> {
    let mut survey = Survey::new()?;
    let shown = |c: &Candidate| args.backend.as_ref().is_none_or(|id| *id == c.id || id == c.backend);
    if let Some(id) = args.backend.as_ref().filter(|_| !survey.devices().any(shown)) {
        let linked = registered_backends()?.iter().map(|backend| backend.id).collect();
        return Err(BackendError::NotLinked { id: id.clone(), linked }.into());
    }
    let mut known = bandwidths();
    survey.know(&known);
    if !args.no_measure {
        survey.devices().filter(|c| shown(c)).for_each(|c| measure(c, &mut known));
        survey.know(&known);
    }
    let auto = survey.explain(&AcquirePolicy::any());
    let default = survey.explain(&AcquirePolicy::default());
    let first = |all: &[Candidate]| all.iter().find(|c| c.place == Some(0)).map(|c| c.id.clone());
    let (auto_choice, default_choice) = (first(&auto), first(&default));
    // Opening the devices of the second decision may have told more of them, but nothing of their places in the first.
    let rows = auto.into_iter().filter(shown).map(|auto| {
        let same = default.iter().find(|c| c.id == auto.id);
        Row { default: same.map(|c| (c.place, c.reason.clone())).unwrap_or_default(), auto }
    });
    let decisions = Decisions {
        rows: rows.collect(),
        auto_choice,
        default_choice,
        default_failure: survey
            .acquire(&AcquirePolicy::default())
            .err()
            .and_then(|error| Some(error.diagnostics().first()?.message.clone())),
    };
    Ok(if as_json { format!("{:#}\n", decisions.json()) } else { decisions.text() })
}

/// Measures a device's memory bandwidth if it is not known. What goes wrong is told, and the device is listed without.
/// Where an oracle would stand in an order is of no interest, and it is slow.
fn measure(c: &Candidate, known: &mut Bandwidths) {
    let profile = c.profile.as_ref().filter(|p| p.kind != DeviceKind::Oracle && p.mem_bw_gbps.is_none());
    let Some(profile) = profile.filter(|_| c.dispatches && c.failure.is_none()) else { return };
    eprintln!("note: measuring the memory bandwidth of `{}`; `--no-measure` leaves that out", c.id);
    let measured = Device::open(&c.id).and_then(|device| device.measure_bandwidth());
    if let Err(error) = measured.and_then(|rate| known.keep(profile, rate)) {
        for diagnostic in error.diagnostics() {
            eprintln!("note: {}", diagnostic.message);
        }
    }
}

impl Decisions {
    fn text(&self) -> String {
        let header = ["rank", "id", "kind", "name", "score", "timing", "GB/s"];
        let mut lines = vec![header.map(String::from)];
        for Row { auto: c, .. } in &self.rows {
            let of = |fact: &dyn Fn(&DeviceProfile) -> String| c.profile.as_ref().map_or("-".into(), fact);
            lines.push([
                c.place.map_or("-".into(), |place| (place + 1).to_string()),
                c.id.clone(),
                of(&|p| p.kind.name().into()),
                of(&|p| show::shortened(&p.name, NAME)),
                of(&|p| p.capability_score().to_string()),
                of(&|p| p.timing_quality.name().into()),
                of(&|p| p.mem_bw_gbps.map_or("-".into(), gigabytes)),
            ]);
        }
        let mut text = table(&lines) + "\n";
        text += &show::paragraph(
            "auto    ",
            &format!(
                "(`vyre run --backend auto`) takes the best device of any kind that can run the program, software only where \
                 there is nothing else: {}",
                self.auto_choice.as_deref().unwrap_or("none")
            ),
        );
        let why = self.default_failure.as_deref().map(|why| format!("; {why}")).unwrap_or_default();
        text += &show::paragraph(
            "default ",
            &format!(
                "(the library's) takes the best GPU: {}{why}",
                self.default_choice.as_deref().unwrap_or("none")
            ),
        );
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
            "auto": { "kinds": kinds(any), "picks": self.auto_choice },
            "default": {
                "kinds": kinds(AcquirePolicy::default().kinds),
                "picks": self.default_choice,
                "failure": self.default_failure,
            },
        })
    }
}

fn details(row: &Row) -> String {
    let c = &row.auto;
    let mut text = format!("\n{}\n", c.id);
    let mut line = |label: &str, words: &str| text += &show::paragraph(&format!("  {label:12}"), words);
    let rank = if c.precedence == u32::MAX { "no rank".into() } else { format!("rank {}", c.precedence) };
    line("backend", &format!("{}, device {}, {rank} among equals", c.backend, c.index));
    line("auto", &format!("{}{}", place(c.place), c.reason));
    line("default", &format!("{}{}", place(row.default.0), row.default.1));
    let time = |what: &str, ns: Option<u64>| match ns {
        Some(ns) => format!("{what} in {}", nanoseconds(ns)),
        None => format!("not {what}"),
    };
    line("found", &format!("{}, {}", time("probed", c.probe_ns), time("opened", c.open_ns)));
    let Some(p) = &c.profile else { return text };
    let list = |wanted: bool| {
        let names: Vec<&str> =
            p.features().into_iter().filter(|(_, has)| *has == wanted).map(|(name, _)| name).collect();
        if names.is_empty() { "nothing".into() } else { names.join(", ") }
    };
    let l = &p.limits;
    let [x, y, z] = l.workgroup_size;
    line("device", &format!("{}, {}, driver {}", p.name, p.kind.name(), p.driver));
    line("processors", &format!("compute units: {}, subgroups of {}", p.compute_units, p.subgroup_size));
    let rate = p.mem_bw_gbps.map_or("not measured".into(), |rate| format!("{} GB/s", gigabytes(rate)));
    line("timing", &format!("{}; memory bandwidth {rate}", p.timing_quality.name()));
    line("memory", if p.host_memory { "that of the host; nothing is copied" } else { "its own" });
    line(
        "floats",
        if p.exact_floats { "as the oracle's, bit by bit" } else { "within the bounds of each operation" },
    );
    line("features", &list(true));
    line("lacks", &list(false));
    let memory = show::bytes(l.workgroup_memory_bytes);
    let along = count(l.workgroups_per_dimension, "workgroups");
    let most = l.invocations_per_workgroup;
    line(
        "workgroup",
        &format!("at most {most} invocations, {x} x {y} x {z}; {memory} of memory; {along} along an axis"),
    );
    let buffers = |n: u32, what: &str, bytes: u64| match bytes {
        u64::MAX => format!("{}, each of any size", count(n, what)),
        bytes => format!("{}, each of at most {}", count(n, what), show::bytes(bytes)),
    };
    line("buffers", &buffers(l.buffers_per_stage, "storage buffers", l.storage_binding_bytes));
    line("", &buffers(l.uniform_buffers_per_stage, "uniform buffers", l.uniform_binding_bytes));
    line("score", &p.capability_score().to_string());
    let items = p.score_items().map(|(item, points, has)| {
        ["    ".into(), item.into(), if has { format!("{points}") } else { format!("- of {points}") }]
    });
    text + &table(&items)
}

/// A bandwidth with as many digits as were measured.
fn gigabytes(rate: f32) -> String {
    match rate {
        rate if rate < 0.1 => format!("{rate:.4}"),
        rate if rate < 10.0 => format!("{rate:.2}"),
        rate if rate < 100.0 => format!("{rate:.1}"),
        rate => format!("{rate:.0}"),
    }
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
        document["exact_floats"] = p.exact_floats.into();
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
