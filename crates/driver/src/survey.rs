//! What devices there are, and which of them a policy chooses.
//!
//! Devices are probed, not opened. The first in the order is opened, its own profile takes the place of the probed one,
//! and the order is made again, until the first is an open one. So what is scored is the real device, one that fails to
//! open gives way to the next, and no device is opened to be compared. A backend that dispatches but has no probe has
//! to be opened to be asked; if it wins, that one is what the caller gets.

use crate::acquire::{device_name, open};
use crate::backend::VyreBackend;
use crate::bandwidth::Bandwidths;
use crate::error::BackendError;
use crate::policy::AcquirePolicy;
use crate::profile::DeviceProfile;
use crate::refusal;
use crate::registry::{
    BackendRegistration, backend_dispatches, backend_precedence, probe, registered_backends,
};
use std::cmp::Reverse;
use std::time::Instant;

/// One device in an automatic choice: what was found and what became of it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The device's name, as [`acquire`](crate::acquire()) takes it.
    pub id: String,
    /// The backend's id.
    pub backend: &'static str,
    /// Which of the backend's devices it is.
    pub index: usize,
    /// Whether the backend runs programs.
    pub dispatches: bool,
    /// The backend's rank; `u32::MAX` when it has none.
    pub precedence: u32,
    /// What the device is: what the open device says, else what the probe says. `None` when neither could be asked.
    pub profile: Option<DeviceProfile>,
    /// Why it could not be probed or opened.
    pub failure: Option<BackendError>,
    /// Nanoseconds that the probe of all of the backend's devices took.
    pub probe_ns: Option<u64>,
    /// Nanoseconds that opening took, of one that was opened or failed to.
    pub open_ns: Option<u64>,
    /// Its place in the order, 0 the chosen one; `None` when it may not be chosen.
    pub place: Option<usize>,
    /// Why it was or was not chosen.
    pub reason: String,
}

impl Candidate {
    /// The measured time that counts in the order: that of the probe, or of opening where there is no probe. It does not
    /// change when the device is opened, or opening the first of two equal devices would put the other one first.
    pub fn acquire_ns(&self) -> u64 {
        self.probe_ns.or(self.open_ns).unwrap_or(0)
    }
}

struct Found {
    candidate: Candidate,
    registration: &'static BackendRegistration,
    device: Option<Box<dyn VyreBackend>>,
}

/// Every device of every linked backend, asked once; for several decisions, of which no device is opened twice.
///
/// The order of a decision: the policy's preferences; then capability score, timing quality, memory bandwidth (one that
/// was not measured counts as 0), all descending; then the backend's rank, the measured time, the id, all ascending.
pub struct Survey {
    found: Vec<Found>,
    /// Backends were left out that the policy was not to choose anyway.
    partial: bool,
}

impl Survey {
    /// Probes all backends, and opens those that dispatch and have no probe.
    ///
    /// # Errors
    /// [`BackendError::DuplicateId`].
    pub fn new() -> Result<Survey, BackendError> {
        Survey::of(|_| true)
    }

    /// As [`Survey::new`], for one decision: when a device can be chosen that the policy prefers to everything that is
    /// made of software, backends that have nothing else here are left out. Probing such a one takes long, since it
    /// loads compilers.
    ///
    /// # Errors
    /// [`BackendError::DuplicateId`].
    pub fn likely(policy: &AcquirePolicy) -> Result<Survey, BackendError> {
        let is_hardware = |id: &str| probe(id).is_none_or(|probe| (probe.hardware)());
        let mut survey = Survey::of(is_hardware)?;
        let usable = survey.devices().filter(|c| refusal::refusal(c, policy).is_none());
        let preference =
            |c: &Candidate| c.profile.as_ref().map(|profile| policy.preference(&c.id, profile.kind));
        let best = usable.filter_map(preference).min();
        for registration in registered_backends()?.iter().filter(|r| !is_hardware(r.id)) {
            let in_doubt = best.is_none_or(|best| policy.software_preference(registration.id) <= best);
            if in_doubt {
                ask(registration, &mut survey.found);
            } else {
                survey.partial = true;
            }
        }
        Ok(survey)
    }

    fn of(asked: impl Fn(&str) -> bool) -> Result<Survey, BackendError> {
        let mut found = Vec::new();
        for registration in registered_backends()?.iter().filter(|r| asked(r.id)) {
            ask(registration, &mut found);
        }
        Ok(Survey { found, partial: false })
    }

    /// Every device that was found, in the order in which they were asked.
    pub fn devices(&self) -> impl Iterator<Item = &Candidate> {
        self.found.iter().map(|f| &f.candidate)
    }

    /// Fills in memory bandwidths that were measured before, where a device does not say its own.
    pub fn know(&mut self, bandwidths: &Bandwidths) {
        for profile in self.found.iter_mut().filter_map(|f| f.candidate.profile.as_mut()) {
            profile.mem_bw_gbps = profile.mem_bw_gbps.or_else(|| bandwidths.get(profile));
        }
    }

    /// Opens what the policy chooses.
    ///
    /// # Errors
    /// [`BackendError::Unavailable`] with what is wrong with each device, when none can be used.
    pub fn acquire(mut self, policy: &AcquirePolicy) -> Result<Box<dyn VyreBackend>, BackendError> {
        match self.choose(policy) {
            Some(chosen) => Ok(self.found.swap_remove(chosen).device.expect("what is chosen is open")),
            // What was to be chosen cannot be opened.
            None if self.partial => Survey::new()?.acquire(policy),
            None => Err(refusal::unavailable(&self.explain(policy), policy)),
        }
    }

    /// What the policy chooses and why, as data: in order, those that may not be chosen last. The chosen device is
    /// open afterwards, and stays so as long as the survey.
    pub fn explain(&mut self, policy: &AcquirePolicy) -> Vec<Candidate> {
        self.choose(policy);
        let mut all: Vec<Candidate> = self.found.iter().map(|f| f.candidate.clone()).collect();
        let refusals: Vec<Option<String>> = all.iter().map(|c| refusal::refusal(c, policy)).collect();
        for (candidate, refusal) in all.iter_mut().zip(refusals) {
            candidate.reason = refusal.unwrap_or_default();
        }
        all.sort_by_cached_key(|c| (!c.reason.is_empty(), order(c, policy)));
        let usable = all.iter().take_while(|c| c.reason.is_empty()).count();
        for place in (0..usable).rev() {
            all[place].place = Some(place);
            all[place].reason = match place {
                0 => "first in the order".into(),
                _ => lost(&all[place], &all[0], policy),
            };
        }
        all
    }

    /// Opens devices from the first in the order on until the first is an open one; gives where it is.
    fn choose(&mut self, policy: &AcquirePolicy) -> Option<usize> {
        loop {
            let usable = |(_, f): &(usize, &Found)| refusal::refusal(&f.candidate, policy).is_none();
            let all = self.found.iter().enumerate().filter(usable);
            let (at, _) = all.min_by_key(|(_, f)| order(&f.candidate, policy))?;
            if self.found[at].device.is_some() {
                return Some(at);
            }
            self.found[at].open();
        }
    }
}

impl Found {
    fn open(&mut self) {
        let start = Instant::now();
        let opened = open(self.registration, self.candidate.index);
        self.candidate.open_ns = Some(start.elapsed().as_nanos() as u64);
        match opened {
            Ok(device) => {
                let known = self.candidate.profile.take().and_then(|probed| probed.mem_bw_gbps);
                let mut profile = device.profile().clone();
                // What was measured of it is true of it when it is open, too.
                profile.mem_bw_gbps = profile.mem_bw_gbps.or(known);
                self.candidate.profile = Some(profile);
                self.device = Some(device);
            }
            Err(error) => self.candidate.failure = Some(error),
        }
    }
}

/// Adds a backend's devices, or what went wrong as one candidate.
fn ask(registration: &'static BackendRegistration, found: &mut Vec<Found>) {
    let id = registration.id;
    let add = |index, profile, failure, probe_ns| Found {
        candidate: Candidate {
            id: device_name(id, index),
            backend: id,
            index,
            dispatches: backend_dispatches(id),
            precedence: backend_precedence(id),
            profile,
            failure,
            probe_ns,
            open_ns: None,
            place: None,
            reason: String::new(),
        },
        registration,
        device: None,
    };
    let Some(probe) = probe(id) else {
        let mut only = add(0, None, None, None);
        if only.candidate.dispatches {
            only.open();
        }
        found.push(only);
        return;
    };
    let start = Instant::now();
    let seen = (probe.probe)();
    let probe_ns = Some(start.elapsed().as_nanos() as u64);
    match seen {
        Ok(profiles) if profiles.is_empty() => {
            let nothing = BackendError::Unavailable {
                reason: "it sees no device".into(),
                fix: "Install the device's driver, or choose another backend.".into(),
            };
            found.push(add(0, None, Some(nothing), probe_ns));
        }
        Ok(profiles) => {
            let devices = profiles.into_iter().enumerate();
            found.extend(devices.map(|(index, profile)| add(index, Some(profile), None, probe_ns)));
        }
        Err(error) => found.push(add(0, None, Some(error), probe_ns)),
    }
}

/// The sort key.
type Order = (usize, Reverse<u32>, Reverse<u8>, Reverse<u32>, u32, u64, (&'static str, usize));

fn order(c: &Candidate, policy: &AcquirePolicy) -> Order {
    let p = c.profile.as_ref();
    (
        p.map_or(usize::MAX, |p| policy.preference(&c.id, p.kind)),
        Reverse(p.map_or(0, DeviceProfile::capability_score)),
        Reverse(p.map_or(0, |p| p.timing_quality as u8)),
        // Bits of numbers that are not negative are ordered as the numbers are.
        Reverse(p.map_or(0.0, bandwidth).to_bits()),
        c.precedence,
        c.acquire_ns(),
        (c.backend, c.index),
    )
}

/// In GB/s; 0 when it was not measured.
fn bandwidth(p: &DeviceProfile) -> f32 {
    p.mem_bw_gbps.unwrap_or(0.0).max(0.0)
}

/// The first thing in the order in which a candidate is behind the chosen one.
fn lost(c: &Candidate, chosen: &Candidate, policy: &AcquirePolicy) -> String {
    let (Some(own), Some(best)) = (&c.profile, &chosen.profile) else { return String::new() };
    let (a, b) = (order(c, policy), order(chosen, policy));
    let winner = &chosen.id;
    if a.0 != b.0 {
        // The chosen one is before this one, so something prefers it.
        format!("`{winner}` is preferred by the policy, {}", policy.prefer[b.0])
    } else if a.1 != b.1 {
        format!(
            "`{winner}` has a higher capability score: {}, this has {}",
            best.capability_score(),
            own.capability_score()
        )
    } else if a.2 != b.2 {
        let (best, own) = (best.timing_quality.name(), own.timing_quality.name());
        format!("`{winner}` has better timing: {best}, this has {own}")
    } else if a.3 != b.3 {
        let this =
            own.mem_bw_gbps.map_or("that of this was not measured".into(), |rate| format!("this has {rate}"));
        format!("`{winner}` has more memory bandwidth: {} GB/s, {this}", bandwidth(best))
    } else if a.4 != b.4 {
        let rank = |c: &Candidate| match c.precedence {
            u32::MAX => "none".into(),
            rank => rank.to_string(),
        };
        format!("`{winner}` has a lower rank: {}, this has {}", rank(chosen), rank(c))
    } else if a.5 != b.5 {
        format!("`{winner}` took less time: {} ns, this took {}", chosen.acquire_ns(), c.acquire_ns())
    } else {
        format!("`{winner}` is equal in all, and first by name")
    }
}
