//! How much memory a work queue on the device takes, and how it is drained: decided before anything is allocated.
//!
//! A queue is a storage buffer of `queue_capacity` entries of `entry_bytes` and a control block of `control_bytes`
//! (head, tail and what else a queue keeps). Both stay on the device; the host sees the end result only. A queue that
//! is built from a plan allocates [`DeviceWorkQueuePlan::queue_bytes`] and [`DeviceWorkQueuePlan::control_bytes`], and
//! launches its drain [`DeviceWorkQueueBackpressurePlan::chunks`] times over windows of
//! [`DeviceWorkQueueBackpressurePlan::items_per_chunk`] entries, the last of which may be shorter.
//!
//! Every number is exact for every input: a sum or product that does not fit 64 bits is an error, and shares are computed in
//! 128 bits.

use crate::codes;
use crate::error::BackendError;
use std::fmt;
use vyre_ir::Diagnostic;
use vyre_ir::diagnostic::counted;

/// Basis points of a queue without a free entry.
const FULL_BPS: u128 = 10_000;

/// When the host looks at a queue.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum WorkQueueHostSync {
    /// Once, after the last item is done.
    FinalOnly,
    /// Also while items are being done. No plan is made for that: the queue would wait for the host.
    HostParticipates,
}

/// What is asked of a queue.
///
/// ```
/// use vyre_driver::{DeviceWorkQueueProfile, WorkQueueHostSync, plan_device_work_queue};
/// let profile = DeviceWorkQueueProfile {
///     initial_items: 256,
///     queue_capacity: 1024,
///     entry_bytes: 16,
///     control_bytes: 128,
///     budget_bytes: 32_768,
///     host_sync: WorkQueueHostSync::FinalOnly,
/// };
/// let plan = plan_device_work_queue(profile)?;
/// assert_eq!((plan.queue_bytes, plan.resident_bytes), (16_384, 16_512));
/// assert_eq!(plan.initial_occupancy_bps, 2_500);
/// # Ok::<(), vyre_driver::DeviceWorkQueueError>(())
/// ```
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct DeviceWorkQueueProfile {
    /// Items in the queue when it starts.
    pub initial_items: u64,
    /// Entries it can hold.
    pub queue_capacity: u64,
    /// Bytes of an entry.
    pub entry_bytes: u64,
    /// Bytes of the control block; may be 0.
    pub control_bytes: u64,
    /// Bytes that entries and control block may take together.
    pub budget_bytes: u64,
    /// When the host looks at it.
    pub host_sync: WorkQueueHostSync,
}

/// The memory of a queue.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct DeviceWorkQueuePlan {
    /// Bytes of all entries: capacity times the bytes of an entry.
    pub queue_bytes: u64,
    /// Bytes of the control block, as asked for.
    pub control_bytes: u64,
    /// Bytes that stay on the device, entries and control block; within the budget.
    pub resident_bytes: u64,
    /// Initial items in ten-thousandths of the capacity, rounded down; 10,000 only for a full queue.
    pub initial_occupancy_bps: u32,
    /// That the host looks at the queue only at its end; true of every plan.
    pub final_only_host_sync: bool,
}

/// How a queue is drained.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum DeviceWorkQueueDrainStrategy {
    /// One launch takes the whole queue.
    SingleResidentDrain,
    /// One launch after another takes a window of it; nothing goes back to the host between them.
    ChunkedResidentDrain,
}

/// The memory of a queue and the launches that drain it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct DeviceWorkQueueBackpressurePlan {
    /// The memory.
    pub queue: DeviceWorkQueuePlan,
    /// One launch or several.
    pub strategy: DeviceWorkQueueDrainStrategy,
    /// Entries that a launch takes at most.
    pub items_per_chunk: u64,
    /// Launches.
    pub chunks: u64,
    /// That the host looks at the queue only at its end; as the memory's plan says.
    pub final_only_host_sync: bool,
}

/// Why a queue cannot be planned. What is wrong with a profile is looked for in the order of the variants.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum DeviceWorkQueueError {
    /// The queue has no entries.
    ZeroCapacity,
    /// An entry has no bytes.
    ZeroEntryBytes,
    /// There are more items than entries at the start.
    InitialItemsExceedCapacity {
        /// Items at the start.
        initial_items: u64,
        /// Entries.
        queue_capacity: u64,
    },
    /// The host would take part while items are being done.
    HostParticipationRejected,
    /// A number of bytes does not fit 64 bits.
    ByteCountOverflow {
        /// The first field of the plan that does not fit: `queue_bytes` where capacity times the bytes of an entry
        /// does not, `resident_bytes` where only the sum with the control block does not.
        field: &'static str,
    },
    /// The bytes that stay on the device, entries and control block together, are more than the budget.
    OverBudget {
        /// Bytes of entries and control block: what would have been [`DeviceWorkQueuePlan::resident_bytes`].
        required_bytes: u64,
        /// Bytes allowed.
        budget_bytes: u64,
    },
    /// The window of a drain has no items; looked for before anything in the profile.
    ZeroDrainChunk,
}

/// Plans the memory of a queue.
///
/// # Errors
/// The first in the order of [`DeviceWorkQueueError`].
pub fn plan_device_work_queue(
    profile: DeviceWorkQueueProfile,
) -> Result<DeviceWorkQueuePlan, DeviceWorkQueueError> {
    use DeviceWorkQueueError as Error;
    let DeviceWorkQueueProfile {
        initial_items,
        queue_capacity,
        entry_bytes,
        control_bytes,
        budget_bytes,
        host_sync,
    } = profile;
    if queue_capacity == 0 {
        return Err(Error::ZeroCapacity);
    }
    if entry_bytes == 0 {
        return Err(Error::ZeroEntryBytes);
    }
    if initial_items > queue_capacity {
        return Err(Error::InitialItemsExceedCapacity { initial_items, queue_capacity });
    }
    if host_sync == WorkQueueHostSync::HostParticipates {
        return Err(Error::HostParticipationRejected);
    }
    let overflow = |field| Error::ByteCountOverflow { field };
    let queue_bytes = queue_capacity.checked_mul(entry_bytes).ok_or(overflow("queue_bytes"))?;
    let resident_bytes = queue_bytes.checked_add(control_bytes).ok_or(overflow("resident_bytes"))?;
    if resident_bytes > budget_bytes {
        return Err(Error::OverBudget { required_bytes: resident_bytes, budget_bytes });
    }
    let occupancy = initial_items as u128 * FULL_BPS / queue_capacity as u128;
    Ok(DeviceWorkQueuePlan {
        queue_bytes,
        control_bytes,
        resident_bytes,
        initial_occupancy_bps: occupancy as u32,
        final_only_host_sync: true,
    })
}

/// Plans the memory of a queue and how launches of at most `max_items_per_drain_launch` entries drain it.
///
/// # Errors
/// [`DeviceWorkQueueError::ZeroDrainChunk`] for a window of 0, else as [`plan_device_work_queue`].
pub fn plan_device_work_queue_backpressure(
    profile: DeviceWorkQueueProfile,
    max_items_per_drain_launch: u64,
) -> Result<DeviceWorkQueueBackpressurePlan, DeviceWorkQueueError> {
    if max_items_per_drain_launch == 0 {
        return Err(DeviceWorkQueueError::ZeroDrainChunk);
    }
    let queue = plan_device_work_queue(profile)?;
    let chunks = profile.queue_capacity.div_ceil(max_items_per_drain_launch);
    Ok(DeviceWorkQueueBackpressurePlan {
        queue,
        strategy: match chunks {
            1 => DeviceWorkQueueDrainStrategy::SingleResidentDrain,
            _ => DeviceWorkQueueDrainStrategy::ChunkedResidentDrain,
        },
        items_per_chunk: max_items_per_drain_launch.min(profile.queue_capacity),
        chunks,
        final_only_host_sync: queue.final_only_host_sync,
    })
}

impl DeviceWorkQueueError {
    /// The error with its code and what to do.
    pub fn diagnostic(&self) -> Diagnostic {
        use DeviceWorkQueueError as Error;
        let (code, message, fix) = match *self {
            Error::ZeroCapacity => {
                (codes::B020, "the work queue has no entries".into(), "Give it a capacity of at least 1.")
            }
            Error::ZeroEntryBytes => (
                codes::B021,
                "an entry of the work queue has no bytes".into(),
                "Give the size of an entry in bytes.",
            ),
            Error::InitialItemsExceedCapacity { initial_items, queue_capacity } => (
                codes::B022,
                format!(
                    "the work queue starts with {} and has room for {queue_capacity}",
                    counted(initial_items, "item")
                ),
                "Start with fewer items or make the queue larger.",
            ),
            Error::HostParticipationRejected => (
                codes::B023,
                "the host would take part while the work queue runs, which stays on the device".into(),
                "Look at the queue only at its end: `WorkQueueHostSync::FinalOnly`.",
            ),
            Error::ByteCountOverflow { field } => (
                codes::B024,
                format!("the work queue's `{field}` does not fit 64 bits"),
                "Make the queue or its entries smaller.",
            ),
            Error::OverBudget { required_bytes, budget_bytes } => (
                codes::B025,
                format!(
                    "the work queue keeps {} on the device and may keep {budget_bytes}",
                    counted(required_bytes, "byte")
                ),
                "Make the queue smaller or allow more.",
            ),
            Error::ZeroDrainChunk => (
                codes::B026,
                "a launch that drains the work queue takes no items".into(),
                "Let a launch take at least 1 item.",
            ),
        };
        Diagnostic::new(code, message).fix(fix)
    }
}

impl fmt::Display for DeviceWorkQueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostic().fmt(f)
    }
}

impl std::error::Error for DeviceWorkQueueError {}

/// What cannot be planned is what the caller gave.
impl From<DeviceWorkQueueError> for BackendError {
    fn from(error: DeviceWorkQueueError) -> BackendError {
        BackendError::InvalidInput { what: Box::new(error.diagnostic()) }
    }
}
