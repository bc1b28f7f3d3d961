//! `vyre devices`: every linked backend, what its device can do, and what `auto` picks.

use crate::failure::Failure;
use crate::show::bytes;
use serde_json::json;
use vyre::{AcquirePolicy, Candidate, explain_selection};

/// Lists the devices; gives what to print on standard output.
pub fn devices(as_json: bool) -> Result<String, Failure> {
    let candidates = explain_selection(&AcquirePolicy::any())?;
    if as_json {
        let list: Vec<_> = candidates.iter().map(document).collect();
        return Ok(format!("{:#}\n", json!({ "devices": list })));
    }
    let mut text = String::new();
    for c in &candidates {
        let choice = match c.place {
            Some(0) => "auto picks this one".into(),
            Some(place) => format!("place {place} for auto: {}", c.reason),
            None => format!("not for auto: {}", c.reason),
        };
        let profile = match &c.profile {
            Ok(profile) => profile,
            Err(_) => {
                text += &format!("{}: cannot be opened\n  {choice}\n", c.id);
                continue;
            }
        };
        let limits = profile.limits;
        let features: Vec<&str> =
            features(c).into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect();
        text += &format!("{}: {}, {}, driver {}\n", c.id, profile.name, profile.kind.name(), profile.driver);
        text += &format!("  {choice}\n");
        text += &format!(
            "  score {}, {} compute units, opened in {}\n",
            profile.capability_score(),
            profile.compute_units,
            crate::show::nanoseconds(c.acquire_ns)
        );
        text += &format!(
            "  at most {} invocations a workgroup, {} of workgroup memory; subgroups of {}\n",
            limits.invocations_per_workgroup,
            bytes(limits.workgroup_memory_bytes),
            profile.subgroup_size
        );
        text += &format!("  features: {}\n", features.join(", "));
    }
    Ok(text)
}

fn features(c: &Candidate) -> Vec<(&'static str, bool)> {
    let Ok(p) = &c.profile else { return Vec::new() };
    vec![
        ("f16", p.supports_f16),
        ("bf16", p.supports_bf16),
        ("f64", p.supports_f64),
        ("i64", p.supports_i64),
        ("subgroups", p.supports_subgroup_ops),
        ("subgroup shuffle", p.supports_subgroup_shuffle),
        ("tensor cores", p.supports_tensor_cores),
        ("asynchronous compute", p.supports_async_compute),
        ("indirect dispatch", p.supports_indirect_dispatch),
        ("persistent threads", p.supports_persistent_threads),
        ("grid sync", p.supports_grid_sync),
        ("device timestamps", p.supports_device_timestamps),
        ("hardware counters", p.supports_hardware_counters),
    ]
}

fn document(c: &Candidate) -> serde_json::Value {
    let mut document =
        json!({ "id": c.id, "place": c.place, "reason": c.reason, "acquire_ns": c.acquire_ns });
    if let Ok(p) = &c.profile {
        let features: serde_json::Map<String, serde_json::Value> =
            features(c).into_iter().map(|(name, has)| (name.replace(' ', "_"), has.into())).collect();
        let l = p.limits;
        document["name"] = p.name.clone().into();
        document["kind"] = p.kind.name().into();
        document["driver"] = p.driver.clone().into();
        document["score"] = p.capability_score().into();
        document["compute_units"] = p.compute_units.into();
        document["subgroup_size"] = p.subgroup_size.into();
        document["features"] = features.into();
        document["limits"] = json!({
            "workgroup_size": l.workgroup_size,
            "invocations_per_workgroup": l.invocations_per_workgroup,
            "workgroups_per_dimension": l.workgroups_per_dimension,
            "storage_binding_bytes": l.storage_binding_bytes,
            "workgroup_memory_bytes": l.workgroup_memory_bytes,
            "buffers_per_stage": l.buffers_per_stage,
        });
    }
    document
}
