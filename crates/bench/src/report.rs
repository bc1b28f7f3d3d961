//! What a measurement says.

use crate::kernels::Case;
use crate::measure::{median, quartiles};
use crate::overhead::{Compile, Dispatch};
use crate::queues::QueueRow;
use crate::stages::StagesRow;
use crate::steady::Steady;
use serde_json::{Value, json};

/// What was measured.
pub struct Report {
    /// The device's id.
    pub backend: &'static str,
    /// The device.
    pub about: String,
    /// Threads of this machine; all use that many.
    pub threads: usize,
    /// Timed runs of each.
    pub passes: usize,
    /// The peers that took part, and what they are.
    pub peers: Vec<(&'static str, String)>,
    /// Median milliseconds of each case on the device.
    pub ours: Vec<(Case, f64)>,
    /// Each case against each peer.
    pub rows: Vec<Row>,
    /// Of each kernel, on the device.
    pub compile: Vec<Compile>,
    /// Of a program that does nothing, on the device.
    pub dispatch: Dispatch,
    /// Milliseconds of processor time in 200 ms of doing nothing, before a peer was opened; `None` where the system does
    /// not say.
    pub idle_cpu_ms: Option<f64>,
    /// What many dispatches leave behind.
    pub steady: Steady,
    /// Peers that are not there, wholly or for a kernel.
    pub absent: Vec<Absent>,
    /// Work queues.
    pub queues: Vec<QueueRow>,
    /// Programs as stages.
    pub stages: Vec<StagesRow>,
}

/// A case against a peer.
pub struct Row {
    /// The case.
    pub case: Case,
    /// The peer.
    pub peer: &'static str,
    /// Median milliseconds on the device.
    pub ours_ms: f64,
    /// Median milliseconds of the peer.
    pub peer_ms: f64,
    /// The peer's median by the device's: how many times as fast the device is.
    pub ratio: f64,
    /// The quartiles of the ratios of single rounds.
    pub spread: [f64; 2],
}

/// A peer that is not there.
pub struct Absent {
    /// Which.
    pub peer: &'static str,
    /// For which kernel; none for all.
    pub kernel: Option<&'static str>,
    /// Why.
    pub reason: String,
}

impl Row {
    /// From the milliseconds of each round.
    pub fn new(case: Case, peer: &'static str, ours: &[f64], theirs: &[f64]) -> Row {
        let ratios: Vec<f64> = theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect();
        let (ours_ms, peer_ms) = (median(ours), median(theirs));
        Row { case, peer, ours_ms, peer_ms, ratio: peer_ms / ours_ms, spread: quartiles(&ratios) }
    }
}

impl Report {
    /// All of it as one document.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "kernel": row.case.kernel.name, "case": row.case.about(), "peer": row.peer, "ours_ms": row.ours_ms, "peer_ms": row.peer_ms,
                "ratio": row.ratio, "spread": row.spread,
            })
        });
        let ours = self
            .ours
            .iter()
            .map(|(case, ms)| json!({ "kernel": case.kernel.name, "case": case.about(), "ms": ms }));
        let compile = self.compile.iter().map(|c| {
            json!({
                "kernel": c.kernel, "ms": c.optimize_ms + c.code_ms, "import_ms": c.import_ms,
                "optimize_ms": c.optimize_ms, "code_ms": c.code_ms,
            })
        });
        let absent =
            self.absent.iter().map(|a| json!({ "peer": a.peer, "kernel": a.kernel, "reason": a.reason }));
        let queues = self.queues.iter().map(|row| {
            let [items, high_water, windows, host_syncs] = row.counted;
            let peers = row.peers.iter().map(|(peer, ms, ratio, spread)| {
                json!({ "peer": peer, "ms": ms, "ratio": ratio, "spread": spread })
            });
            json!({
                "queue": row.name, "about": row.about, "ms": row.ms, "millions_a_second": row.rate.0, "unit": row.rate.1,
                "items": items, "high_water": high_water, "windows": windows, "host_syncs": host_syncs,
                "peers": peers.collect::<Vec<_>>(),
            })
        });
        let stages = self.stages.iter().map(|row| {
            let [up, down] = row.copied;
            json!({
                "about": row.about, "stages": row.stages, "bytes_up": up, "bytes_down": down, "ms": row.ms,
                "dispatches_ms": row.peer_ms, "ratio": row.ratio, "spread": row.spread,
            })
        });
        let Steady { dispatches, resident_kib, counters } = &self.steady;
        let counters = counters
            .iter()
            .map(|(name, [before, after])| json!({ "name": name, "before": before, "after": after }));
        json!({
            "backend": self.backend,
            "machine": self.about,
            "threads": self.threads,
            "passes": self.passes,
            "peers": self.peers.iter().map(|(peer, about)| json!({ "peer": peer, "about": about })).collect::<Vec<_>>(),
            "rows": rows.collect::<Vec<_>>(),
            "ours": ours.collect::<Vec<_>>(),
            "compile": compile.collect::<Vec<_>>(),
            "dispatch": {
                "one_workgroup_ns": self.dispatch.inline_ns,
                "two_workgroups_parked_us": self.dispatch.parked_us,
            },
            "idle_cpu_ms_of_200": self.idle_cpu_ms,
            "steady": {
                "dispatches": dispatches,
                "resident_kib": resident_kib,
                "counters": counters.collect::<Vec<_>>(),
            },
            "absent": absent.collect::<Vec<_>>(),
            "queues": queues.collect::<Vec<_>>(),
            "stages": stages.collect::<Vec<_>>(),
        })
    }
}
