//! An open device, and all that is kept for it.

use crate::errors;
use crate::executable::WgpuExecutable;
use crate::layouts::Layouts;
use crate::memory::{Block, GRAIN, Pool};
use crate::profile::{USED, is_swiftshader, profile};
use crate::staging::{Direction, Stagings};
use crate::timing::Timers;
use crate::turn::Turns;
use crate::{ID, adapters, vulkan};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use vyre_driver::{BackendError, DeviceKind, DeviceProfile};
use vyre_wgsl::export::device::FloatControls;
use wgpu::{
    Adapter, Backend, Device, DeviceDescriptor, Features, Limits, PollError, PollType, Queue, SubmissionIndex,
};

/// An open device.
pub struct Opened {
    /// No two of a process have the same: what belongs to a device says so by it.
    pub id: u64,
    pub adapter: Adapter,
    pub device: Device,
    pub queue: Queue,
    pub features: Features,
    pub limits: Limits,
    pub profile: DeviceProfile,
    /// What the device promises about floats, if it takes SPIR-V as it is.
    pub spirv: Option<FloatControls>,
    /// Whether it clears workgroup memory by itself, of programs that go as SPIR-V.
    pub clears: bool,
    pub memory: Pool,
    pub up: Stagings,
    pub down: Stagings,
    pub layouts: Layouts,
    pub timers: Timers,
    /// Taken by each submission, if they are to come one after the other.
    pub turns: Option<Turns>,
    /// Held from when memory is used for the first time is recorded until that is handed over.
    pub first_use: Mutex<()>,
    /// What watched programs set.
    pub watch: OnceLock<Block>,
    /// The program that divides grids, once one is too large.
    pub parts: OnceLock<WgpuExecutable>,
    /// Whether `fma` rounds once, of f32 and of f64, once it is known.
    pub fuses: [OnceLock<bool>; 2],
    pub loss: Arc<Loss>,
    /// Submissions that nobody waits for any more and that may still be at work.
    stuck: Mutex<Vec<SubmissionIndex>>,
}

/// Why the device is lost, once it is.
#[derive(Default)]
pub struct Loss(OnceLock<String>);

impl Loss {
    /// It is lost, for that reason if there was none before.
    pub fn tell(&self, reason: &str) -> String {
        self.0.get_or_init(|| reason.into()).clone()
    }
}

impl Opened {
    /// Opens an adapter's device. `spirv` is whether programs go as SPIR-V where the device takes it.
    pub fn new(adapter: Adapter, spirv: bool) -> Result<Opened, BackendError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (features, limits) = (adapter.features() & USED, adapter.limits());
        let descriptor = DeviceDescriptor {
            label: Some("vyre"),
            required_features: features,
            required_limits: limits.clone(),
            ..DeviceDescriptor::default()
        };
        let profile = profile(&adapter);
        let opened = adapters::ready(adapter.request_device(&descriptor));
        let (device, queue) = opened.map_err(|error| BackendError::Unavailable {
            reason: format!("the device \"{}\" cannot be opened: {error}", profile.name),
            fix: "Look whether another process holds the device, or choose another one that `vyre devices` lists."
                .into(),
        })?;
        errors::keep(&device);
        let loss = Arc::new(Loss::default());
        let told = loss.clone();
        device.set_device_lost_callback(move |reason, message| {
            told.tell(&if message.is_empty() { format!("{reason:?}") } else { message });
        });
        let takes_spirv =
            adapter.get_info().backend == Backend::Vulkan && features.contains(Features::PASSTHROUGH_SHADERS);
        Ok(Opened {
            id: COUNT.fetch_add(1, Ordering::Relaxed),
            spirv: (spirv && takes_spirv).then(|| vulkan::controls(&adapter)),
            // SwiftShader clears it for each subgroup, also when others have written it.
            clears: takes_spirv
                && vulkan::clears_workgroup_memory(&adapter)
                && !is_swiftshader(&adapter.get_info()),
            memory: Pool::new(&limits),
            up: Stagings::new(Direction::Up),
            down: Stagings::new(Direction::Down),
            layouts: Layouts::default(),
            timers: Timers::new(features.contains(Features::TIMESTAMP_QUERY), queue.get_timestamp_period()),
            turns: (profile.kind == DeviceKind::Software).then(Turns::default),
            first_use: Mutex::default(),
            adapter,
            device,
            queue,
            features,
            limits,
            profile,
            watch: OnceLock::new(),
            parts: OnceLock::new(),
            fuses: Default::default(),
            loss,
            stuck: Mutex::default(),
        })
    }

    /// What watched programs set.
    pub fn watch(&self) -> Result<&Block, BackendError> {
        if let Some(watch) = self.watch.get() {
            return Ok(watch);
        }
        let watch = Block::new(self, GRAIN, "a word that tells of loops")?;
        Ok(self.watch.get_or_init(|| watch))
    }

    /// Why the device is lost, if it is.
    pub fn lost(&self) -> Option<String> {
        self.loss.0.get().cloned()
    }

    /// The device is not used any more.
    pub fn lose(&self, reason: &str) -> BackendError {
        BackendError::DeviceLost { backend: ID, reason: self.loss.tell(reason) }
    }

    /// That the device can be given work.
    ///
    /// # Errors
    /// [`BackendError::DeviceLost`], also while a run is under way that did not end when it was asked to.
    pub fn usable(&self) -> Result<(), BackendError> {
        if let Some(reason) = self.lost() {
            return Err(BackendError::DeviceLost { backend: ID, reason });
        }
        if self.is_stuck() {
            return Err(self.lose("a run that reached its time limit is still under way"));
        }
        Ok(())
    }

    /// Nobody waits for a submission any more, and it cannot be made to stop.
    pub fn leave(&self, index: SubmissionIndex) {
        lock(&self.stuck).push(index);
    }

    /// Whether a submission that was left is still at work.
    fn is_stuck(&self) -> bool {
        let at_work = |index: &SubmissionIndex| {
            let (submission_index, timeout) = (Some(index.clone()), Some(Duration::ZERO));
            let wait = PollType::Wait { submission_index, timeout };
            matches!(self.device.poll(wait), Err(PollError::Timeout))
        };
        let mut stuck = lock(&self.stuck);
        stuck.retain(at_work);
        !stuck.is_empty()
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if self.is_stuck() {
            // Closing the device would wait for the run that does not end.
            std::mem::forget((self.device.clone(), self.queue.clone()));
        }
    }
}

/// Locks; what is guarded here is right at every moment, so a panic elsewhere does not spoil it.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
