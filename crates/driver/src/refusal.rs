//! Why a device may not be chosen, and what to say when none may.

use crate::error::BackendError;
use crate::policy::AcquirePolicy;
use crate::profile::DeviceKind;
use crate::survey::Candidate;

/// Why the policy cannot choose the device; `None` when it can.
pub(crate) fn refusal(c: &Candidate, policy: &AcquirePolicy) -> Option<String> {
    if !c.dispatches {
        return Some("it does not run programs".into());
    }
    if let Some(error) = &c.failure {
        let failed = if c.profile.is_some() { "cannot be opened" } else { "no device" };
        let fix = error.diagnostics().into_iter().find_map(|d| d.fix);
        let fix = fix.map(|fix| format!(" ({})", fix.trim_end_matches('.'))).unwrap_or_default();
        return Some(format!("{failed}: {}{fix}", error.message()));
    }
    let p = c.profile.as_ref()?;
    if p.kind == DeviceKind::Oracle {
        return Some("an oracle is only used when named".into());
    }
    if !policy.kinds.contains(&p.kind) {
        return Some(format!("the policy does not allow a device of kind {}", p.kind.name()));
    }
    let unmet = policy.require.unmet(p);
    (!unmet.is_empty()).then(|| format!("it lacks what is needed: {}", unmet.join(", ")))
}

/// The error of a choice in which no device is left, with the reason of each.
pub(crate) fn unavailable(all: &[Candidate], policy: &AcquirePolicy) -> BackendError {
    let named = |c: &Candidate| {
        let kind = c.profile.as_ref().map(|p| format!(" ({})", p.kind.name())).unwrap_or_default();
        format!("`{}`{kind}: {}", c.id, c.reason)
    };
    let each: Vec<String> = all.iter().map(named).collect();
    let each = each.join("; ");
    let able: Vec<&Candidate> = all.iter().filter(|c| c.dispatches).collect();
    // What works, and is of a kind that is not chosen.
    let left_out = |c: &&Candidate| {
        let kind = c.profile.as_ref().filter(|_| c.failure.is_none()).map(|p| p.kind);
        kind.filter(|kind| *kind == DeviceKind::Oracle || !policy.kinds.contains(kind))
    };
    let (reason, fix) = if all.is_empty() {
        ("no backend is linked".into(), "Link the crate of a backend, or turn on its cargo feature.".into())
    } else if able.is_empty() {
        (
            format!("no backend that runs programs is linked: {each}"),
            "Link the crate of a backend that runs programs, or turn on its cargo feature.".into(),
        )
    } else if able.iter().all(|c| left_out(c).is_some()) {
        let kinds =
            DeviceKind::ALL.into_iter().filter(|kind| able.iter().any(|c| left_out(c) == Some(*kind)));
        let kinds: Vec<&str> = kinds.map(DeviceKind::plural).collect();
        (
            format!("there are only {}, which are not chosen here: {each}", kinds.join(" and ")),
            format!(
                "Link a backend for a device and install its driver, allow more kinds of device in the policy, or acquire \
                 `{}` by its id.",
                able.iter().find(|c| left_out(c) != Some(DeviceKind::Oracle)).unwrap_or(&able[0]).id
            ),
        )
    } else {
        (
            format!("no device that the policy allows can be used: {each}"),
            "Correct what is said of the device that should run it, need less, allow more kinds of device in the policy, or \
             acquire a backend by its id."
                .into(),
        )
    };
    BackendError::Unavailable { reason, fix }
}
