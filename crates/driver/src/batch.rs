//! Several steps as one unit of work: uploads, runs, repetitions of them, and a readback at the end, behind one
//! synchronization. All memory that the programs write is resident, so nothing comes back in between.

use crate::binding::bind_error;
use crate::codes;
use crate::compiled::{Compiled, elapsed};
use crate::config::DispatchConfig;
use crate::device::Device;
use crate::error::BackendError;
use crate::memory::AlignedBytes;
use crate::outputs::Timing;
use crate::resident::{Region, Upload};
use crate::resource::Resource;
use crate::spans::TARGET;
use crate::submission::{LaunchStep, Slot, Step, perform};
use std::ops::Range;
use std::time::{Duration, Instant};

/// Steps in order, for [`Batch::run`].
pub struct Batch<'a> {
    device: &'a Device,
    steps: Vec<Step<'a>>,
    timeout: Option<Duration>,
}

/// What a batch gives.
pub struct BatchOutputs {
    /// The bytes of each region, in order.
    pub regions: Vec<AlignedBytes>,
    /// How long all of it took.
    pub timing: Timing,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(device: &'a Device) -> Batch<'a> {
        Batch { device, steps: Vec::new(), timeout: None }
    }

    /// Copies bytes to a resident buffer.
    ///
    /// # Errors
    /// `D030` for bytes outside of the buffer, `D031` for a buffer of another device.
    pub fn upload(&mut self, upload: Upload<'a>) -> Result<(), BackendError> {
        let end = upload.offset.checked_add(upload.bytes.len() as u64);
        upload.to.check_range(self.device, Some(upload.offset)..end)?;
        self.steps.push(Step::Upload(upload));
        Ok(())
    }

    /// Runs a program on resources, as [`Compiled::dispatch_resources`]. What it writes must be resident. A timeout
    /// is for the whole batch; the longest one counts.
    ///
    /// # Errors
    /// `D033` for memory of the host that the program would write, `D031` for a program of another device; as
    /// [`Compiled::dispatch_resources`].
    pub fn dispatch(
        &mut self,
        compiled: &'a Compiled,
        resources: &[Resource<'a>],
        config: &DispatchConfig,
    ) -> Result<(), BackendError> {
        if !compiled.device().is(self.device) {
            let message = format!("program `{}` is compiled for another device", compiled.program().name);
            return Err(bind_error(codes::D031, message, "Compile it for the device of the batch."));
        }
        let (bound, mut counts) = compiled.bind(resources)?;
        let workgroups = compiled.grid(&mut counts, &|_| false, config)?;
        let mut slots = Vec::new();
        let in_host = self.device.profile().host_memory;
        for (place, (b, resource)) in compiled.plan().bindings.iter().zip(bound).enumerate() {
            slots.push(match resource {
                Some(Resource::Resident(resident)) => Slot::Resident { resident, after: None },
                Some(Resource::Bytes(bytes)) if !b.is_written() => match in_host {
                    true => Slot::Read(bytes),
                    false => Slot::Staged {
                        bytes: bytes.len() as u64,
                        placement: compiled.placement(b),
                        before: Some(bytes),
                        after: None,
                    },
                },
                Some(_) => {
                    let message =
                        format!("buffer `{}` is written and not bound to a resident buffer", b.name);
                    return Err(bind_error(
                        codes::D033,
                        message,
                        "Bind a resident buffer, and read it back at the end.",
                    ));
                }
                None => match compiled.own_memory(place) {
                    Some(resident) => Slot::Resident { resident, after: None },
                    None => Slot::Unbound,
                },
            });
        }
        self.timeout = self.timeout.max(config.timeout);
        let timed = config.timed;
        let launch = Step::Launch(LaunchStep { compiled, slots, workgroups, timed, queue: None });
        self.steps.push(match config.iterations {
            1 => launch,
            times => Step::Repeat { times, steps: vec![launch] },
        });
        self.device.inner.metrics.dispatches.add(config.iterations as u64);
        Ok(())
    }

    /// Repeats the steps that `fill` adds.
    ///
    /// # Errors
    /// What `fill` gives.
    pub fn repeat(
        &mut self,
        times: u32,
        fill: impl FnOnce(&mut Batch<'a>) -> Result<(), BackendError>,
    ) -> Result<(), BackendError> {
        let mut inner = Batch::new(self.device);
        fill(&mut inner)?;
        self.timeout = self.timeout.max(inner.timeout);
        if times > 0 && !inner.steps.is_empty() {
            self.steps.push(Step::Repeat { times, steps: inner.steps });
        }
        Ok(())
    }

    /// Does it all, then copies regions of resident buffers to the host.
    ///
    /// # Errors
    /// `D030` and `D031` for a region as for an upload, [`BackendError::Poisoned`], [`BackendError::DeviceLost`], timeout.
    pub fn run(mut self, regions: &[Region<'_>]) -> Result<BatchOutputs, BackendError> {
        let (steps, regions_asked) = (self.steps.len(), regions.len());
        let _span = tracing::debug_span!(target: TARGET, "batch", steps, regions = regions_asked).entered();
        let start = Instant::now();
        let mut outputs = Vec::with_capacity(regions.len());
        for region in regions {
            let Range { start, end } = region.range;
            region.from.check_range(self.device, Some(start)..Some(end))?;
            outputs.push(AlignedBytes::zeroed(
                end - start,
                &format!("a copy of resident buffer `{}`", region.from.name()),
            )?);
        }
        let mut into: Vec<(Region<'_>, &mut [u8])> =
            regions.iter().cloned().zip(outputs.iter_mut().map(|bytes| &mut bytes[..])).collect();
        let backend = self.device.inner.opened()?;
        let submitted =
            perform(self.device, &backend, &mut self.steps, &mut into, self.timeout, &Default::default())?;
        drop(into);
        let timing = Timing {
            wall_ns: elapsed(start),
            device_ns: submitted.device_ns,
            enqueue_ns: submitted.enqueue_ns,
            wait_ns: submitted.wait_ns,
            ..Timing::default()
        };
        Ok(BatchOutputs { regions: outputs, timing })
    }
}
