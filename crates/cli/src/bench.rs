//! `vyre bench`: kernels measured against what else a user could run them with.

use crate::args::{BenchArgs, BenchPeer, BenchSize};
use crate::codes;
use crate::devices;
use crate::failure::{BAD_INPUT, FAILED, Failure};
use crate::show::table;
use vyre::{AcquirePolicy, Device, registered_backends};
use vyre_bench::queues::QueueRow;
use vyre_bench::stages::StagesRow;
use vyre_bench::{BenchError, Options, Peer, Report, Size, Steady};
use vyre_ir::Diagnostic;

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Failure {
        let exit = match error {
            BenchError::Device(error) => return error.into(),
            BenchError::NoKernel(_) => BAD_INPUT,
            BenchError::Wrong { .. } | BenchError::Peer(_) => FAILED,
        };
        Failure { exit, diagnostics: error.diagnostics() }
    }
}

/// Measures; gives what to print on standard output.
///
/// # Errors
/// When there is no such kernel or backend, a result is wrong, or a device fails.
pub fn bench(args: &BenchArgs, as_json: bool) -> Result<String, Failure> {
    let linked: Vec<&str> = registered_backends()?.iter().map(|backend| backend.id).collect();
    let (backends, names): (Vec<&String>, Vec<&String>) =
        args.names.iter().partition(|name| linked.contains(&name.split(':').next().unwrap_or_default()));
    let mut backend = args.backend.as_deref().filter(|id| *id != "auto");
    for name in backends {
        if backend.is_some_and(|other| other != name) {
            let message =
                format!("two backends are to be measured: `{}` and `{name}`", backend.unwrap_or_default());
            return Err(Diagnostic::new(codes::C006, message).fix("Name one.").into());
        }
        backend = Some(name);
    }
    let (mut kernels, mut queues, mut stages) = (vec![], vec![], false);
    for name in names {
        match vyre_bench::queue(name) {
            _ if name == vyre_bench::stages::NAME => stages = true,
            Some(queue) => queues.push(queue),
            None => kernels.push(vyre_bench::kernel(name)?),
        }
    }
    let device = match backend {
        Some(id) => Device::open(id)?,
        None => devices::auto(&AcquirePolicy::any())?,
    };
    let options = Options {
        kernels,
        queues,
        stages,
        peers: args.peers.as_ref().map_or_else(
            || Peer::of(&device).to_vec(),
            |peers| peers.iter().filter_map(|peer| peer.peer()).collect(),
        ),
        passes: args.passes as usize,
        size: match args.size {
            BenchSize::Full => Size::Full,
            BenchSize::Mebibyte => Size::Mebibyte,
            BenchSize::Small => Size::Small,
        },
        progress: &|what| eprintln!("bench: {what}"),
    };
    let report = vyre_bench::bench(&device, &options)?;
    Ok(if as_json { format!("{:#}\n", report.json()) } else { text(&report) })
}

impl BenchPeer {
    fn peer(self) -> Option<Peer> {
        match self {
            BenchPeer::None => None,
            BenchPeer::Rayon => Some(Peer::Rayon),
            BenchPeer::Lavapipe => Some(Peer::Lavapipe),
            BenchPeer::Pocl => Some(Peer::Pocl),
            BenchPeer::Wgpu => Some(Peer::Wgpu),
            BenchPeer::WgpuUnchecked => Some(Peer::Unchecked),
            BenchPeer::VyreTimed => Some(Peer::Timed),
        }
    }
}

/// A table of work queues.
fn queues_text(queues: &[QueueRow]) -> String {
    if queues.is_empty() {
        return String::new();
    }
    let header = [
        "queue", "on", "ms", "M/s", "items", "at once", "windows", "waits", "peer", "peer ms", "ratio",
        "spread",
    ];
    let mut lines = vec![header.map(String::from)];
    for row in queues {
        let mut peers: Vec<[String; 4]> = (row.peers.iter())
            .map(|(peer, ms, ratio, [low, high])| {
                [
                    peer.to_string(),
                    format!("{ms:9.3}"),
                    format!("{ratio:7.2}"),
                    format!("{low:.2} to {high:.2}"),
                ]
            })
            .collect();
        if peers.is_empty() {
            peers.push(["-"; 4].map(String::from));
        }
        for (i, [peer, ms, ratio, spread]) in peers.into_iter().enumerate() {
            let ours = [
                row.name.to_string(),
                row.about.clone(),
                format!("{:9.3}", row.ms),
                format!("{:.1} {}", row.rate.0, row.rate.1),
            ];
            let counted = row.counted.map(|n| n.to_string());
            let ours: Vec<String> = ours.into_iter().chain(counted).collect();
            let mut line: Vec<String> = if i == 0 { ours } else { vec![String::new(); ours.len()] };
            line.extend([peer, ms, ratio, spread]);
            lines.push(line.try_into().expect("as many columns as the header has"));
        }
    }
    format!("\n{}", table(&lines))
}

/// A table of programs as stages.
fn stages_text(rows: &[StagesRow]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let header = ["as stages", "stages", "bytes up", "down", "ours ms", "dispatches ms", "ratio", "spread"];
    let mut lines = vec![header.map(String::from)];
    lines.extend(rows.iter().map(|row| {
        let ([up, down], [low, high]) = (row.copied, row.spread);
        [
            row.about.clone(),
            row.stages.to_string(),
            up.to_string(),
            down.to_string(),
            format!("{:9.3}", row.ms),
            format!("{:9.3}", row.peer_ms),
            format!("{:7.2}", row.ratio),
            format!("{low:.2} to {high:.2}"),
        ]
    }));
    format!("\n{}", table(&lines))
}

fn text(report: &Report) -> String {
    let mut text = format!(
        "{}: {}; {} threads; medians of {} passes by turns\n",
        report.backend, report.about, report.threads, report.passes
    );
    for (peer, about) in &report.peers {
        text += &format!("{peer}: {about}\n");
    }
    for absent in &report.absent {
        let kernel = absent.kernel.map(|kernel| format!(" for {kernel}")).unwrap_or_default();
        text += &format!("{} is not there{kernel}: {}\n", absent.peer, absent.reason);
    }
    let header = ["kernel", "case", "peer", "ours ms", "peer ms", "ratio", "spread"];
    let mut lines = vec![header.map(String::from)];
    for (case, ms) in &report.ours {
        let (kernel, about) = (case.kernel.name, case.about());
        let rows =
            report.rows.iter().filter(|row| (row.case.kernel.name, row.case.about()) == (kernel, about));
        let before = lines.len();
        lines.extend(rows.map(|row| {
            let [low, high] = row.spread;
            [
                kernel.into(),
                about.into(),
                row.peer.into(),
                format!("{:9.3}", row.ours_ms),
                format!("{:9.3}", row.peer_ms),
                format!("{:7.2}", row.ratio),
                format!("{low:.2} to {high:.2}"),
            ]
        }));
        if lines.len() == before {
            let none = || "-".to_string();
            lines.push([kernel.into(), about.into(), none(), format!("{ms:9.3}"), none(), none(), none()]);
        }
    }
    text += &format!("\n{}", table(&lines));
    text += &queues_text(&report.queues);
    text += &stages_text(&report.stages);
    text += "\nratio: the peer's median time by ours, more is better; spread: the quartiles of the ratios of single rounds\n";
    let header = ["compiling", "import ms", "optimize ms", "code ms"];
    let mut lines = vec![header.map(String::from)];
    lines.extend(report.compile.iter().map(|c| {
        let ms = |ms: f64| format!("{ms:9.3}");
        [c.kernel.into(), ms(c.import_ms), ms(c.optimize_ms), ms(c.code_ms)]
    }));
    text += &format!("\n{}\n", table(&lines));
    text += &format!("an empty dispatch of one workgroup: {:.0} ns\n", report.dispatch.inline_ns);
    text += &format!("one of two workgroups when workers sleep: {:.1} us\n", report.dispatch.parked_us);
    if let Some(ms) = report.idle_cpu_ms {
        text += &format!("processor time in 200 ms of doing nothing: {ms:.3} ms\n");
    }
    let Steady { dispatches, resident_kib, counters } = &report.steady;
    if let Some([before, after]) = resident_kib {
        text += &format!(
            "memory of the process before and after {dispatches} dispatches: {before} KiB, {after} KiB\n"
        );
    }
    for (name, [before, after]) in counters {
        text += &format!("{name} before and after {dispatches} dispatches: {before}, {after}\n");
    }
    text
}
