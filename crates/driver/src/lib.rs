//! The layer between programs and devices. It knows no concrete backend: backends register themselves at link time,
//! are acquired by id or by what they measure, and are driven through one small trait. Everything a user calls is
//! written once over that trait.

mod acquire;
mod backend;
mod bandwidth;
mod batch;
mod binding;
mod bounds;
mod cache;
pub mod codes;
mod compiled;
mod config;
mod device;
mod dialect;
mod dispatch;
mod drain;
mod dump;
mod error;
mod form;
mod grid;
mod host;
mod layout;
mod memory;
mod metrics;
mod outputs;
mod pending;
mod placement;
mod policy;
mod profile;
mod queue;
mod refusal;
mod registry;
mod resident;
mod resource;
pub mod spans;
mod submission;
mod survey;
mod typed;
mod work_queue;

/// For backends' registrations: `vyre_driver::inventory::submit!`.
pub use inventory;

pub use acquire::{acquire, acquire_by_policy, acquire_preferred_dispatch_backend, explain_selection};
pub use backend::{
    Cancel, Command, CompileOptions, Control, DeviceMemory, Drain, Executable, Launch, LaunchMemory,
    MemoryRequest, Stages, Submitted, VyreBackend,
};
pub use bandwidth::Bandwidths;
pub use batch::{Batch, BatchOutputs};
pub use binding::{Binding, BindingPlan, BindingRole, MAX_ALIGNMENT};
pub use bounds::{Accessor, OutOfBounds};
pub use cache::disk::{DiskCache, DiskCacheConfig, DiskUsage};
pub use cache::key::{COMPILER, CacheKey, device_features};
pub use cache::{
    CacheConfig, CacheSource, DiskSnapshot, MissReason, PipelineCache, PipelineCacheSnapshot, Recipe,
};
pub use compiled::{CompileTimes, Compiled};
pub use config::{DispatchConfig, GridSync};
pub use device::{Device, Recovery, with_timeout};
pub use dialect::{
    DialectReload, DialectWatch, LoadedDialect, MAX_DIALECT_FILE, load_dialect, load_dialect_text,
};
pub use drain::{Drained, HostDrain, Undrained, set_word, word, writable};
pub use dump::dump;
pub use error::BackendError;
pub use grid::{Grid, infer_grid};
pub use host::{HostBytes, HostLaunch, HostMemory, own, submit_on_host};
pub use layout::{
    BackendLayoutFingerprint, BindingSetFingerprint, LayoutClass, LayoutSlot, binding_plans_share_layout,
};
pub use memory::{AlignedBytes, available_host_bytes};
pub use outputs::{Outputs, Timing};
pub use pending::PendingDispatch;
pub use placement::Placement;
pub use policy::{AcquirePolicy, DeviceRequirements, Preference};
pub use profile::{DeviceKind, DeviceProfile, Limits, TimingQuality};
pub use queue::{
    DeviceWorkQueueBackpressurePlan, DeviceWorkQueueDrainStrategy, DeviceWorkQueueError, DeviceWorkQueuePlan,
    DeviceWorkQueueProfile, WorkQueueHostSync, plan_device_work_queue, plan_device_work_queue_backpressure,
};
pub use registry::{
    BackendCapability, BackendPrecedence, BackendProbe, BackendRegistration, backend_dispatches,
    backend_precedence, registered_backends, registered_backends_by_precedence_slice,
};
pub use resident::{Region, Resident, ResidentOptions, Upload};
pub use resource::Resource;
pub use survey::{Candidate, Survey};
pub use typed::{Element, Typed, typed};
pub use vyre_ir::Version;
/// Operations of dialects; the whole of it is in `vyre_ir::dialect`.
pub use vyre_ir::dialect::{
    AttributeChange, AttributeDef, BodyLanguage, BodyText, Call, CallAttribute, Category, Dialect,
    DialectDef, DialectRegistry, DuplicateOpIdError, ExternDialect, ExternOp, Function, InTreeDialect, Law,
    Lowering, LoweringCode, OpDef, OpDeprecation, OpId, OpMigration, Reference, RegistryBuilder,
    RegistryError, Signature, Snapshot, Subject, Target, check_laws, link,
};
pub use work_queue::{QueueCounts, WorkQueue, WorkQueueOptions, WorkQueueRun};
