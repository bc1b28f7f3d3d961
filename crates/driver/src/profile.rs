//! What a device is and can do, as plain data. Capabilities are fields, so a new one touches no trait.

/// What kind of device executes the work.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // the names are the documentation
pub enum DeviceKind {
    DiscreteGpu,
    IntegratedGpu,
    VirtualGpu,
    Cpu,
    Software,
    Oracle,
}

impl DeviceKind {
    /// Every kind.
    pub const ALL: [DeviceKind; 6] = [
        DeviceKind::DiscreteGpu,
        DeviceKind::IntegratedGpu,
        DeviceKind::VirtualGpu,
        DeviceKind::Cpu,
        DeviceKind::Software,
        DeviceKind::Oracle,
    ];
    /// The kinds that are real graphics hardware.
    pub const GPU: [DeviceKind; 3] =
        [DeviceKind::DiscreteGpu, DeviceKind::IntegratedGpu, DeviceKind::VirtualGpu];

    /// Whether it is a device of its own: not software that plays one on a processor, and no oracle.
    pub fn is_hardware(self) -> bool {
        !matches!(self, DeviceKind::Software | DeviceKind::Oracle)
    }

    /// The kind in words.
    pub fn name(self) -> &'static str {
        match self {
            DeviceKind::DiscreteGpu => "discrete GPU",
            DeviceKind::IntegratedGpu => "integrated GPU",
            DeviceKind::VirtualGpu => "virtual GPU",
            DeviceKind::Cpu => "CPU",
            DeviceKind::Software => "software",
            DeviceKind::Oracle => "oracle",
        }
    }

    /// Several of the kind, in words.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            DeviceKind::DiscreteGpu => "discrete GPUs",
            DeviceKind::IntegratedGpu => "integrated GPUs",
            DeviceKind::VirtualGpu => "virtual GPUs",
            DeviceKind::Cpu => "processors",
            DeviceKind::Software => "software devices",
            DeviceKind::Oracle => "oracles",
        }
    }
}

/// How well a backend can time work, worst first.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum TimingQuality {
    /// Only the whole call.
    #[default]
    HostOnly,
    /// Enqueue and wait apart.
    HostEnqueueWait,
    /// Timestamps taken by the device.
    DeviceTimestamps,
    /// Performance counters of the device.
    HardwareCounters,
}

impl TimingQuality {
    /// The quality in words.
    pub fn name(self) -> &'static str {
        match self {
            TimingQuality::HostOnly => "host only",
            TimingQuality::HostEnqueueWait => "host enqueue and wait",
            TimingQuality::DeviceTimestamps => "device timestamps",
            TimingQuality::HardwareCounters => "hardware counters",
        }
    }
}

/// The largest things a device takes; in requirements, the least that it must take.
#[derive(Copy, Clone, PartialEq, Eq, Default, Debug)]
pub struct Limits {
    /// Workgroup size along each axis.
    pub workgroup_size: [u32; 3],
    /// Invocations of a workgroup.
    pub invocations_per_workgroup: u32,
    /// Workgroups of a grid along each axis.
    pub workgroups_per_dimension: u32,
    /// Bytes of one storage buffer.
    pub storage_binding_bytes: u64,
    /// Bytes of workgroup memory.
    pub workgroup_memory_bytes: u64,
    /// Storage buffers of a program, persistent ones among them.
    pub buffers_per_stage: u32,
    /// Bytes of one uniform buffer.
    pub uniform_binding_bytes: u64,
    /// Uniform buffers of a program.
    pub uniform_buffers_per_stage: u32,
}

/// Each feature in words with its field, of a [`DeviceProfile`] or of [`DeviceRequirements`]: the one list of features.
///
/// [`DeviceRequirements`]: crate::DeviceRequirements
macro_rules! features {
    ($of:expr) => {
        [
            ("subgroups", $of.supports_subgroup_ops),
            ("subgroup shuffle", $of.supports_subgroup_shuffle),
            ("f16", $of.supports_f16),
            ("bf16", $of.supports_bf16),
            ("f64", $of.supports_f64),
            ("i64", $of.supports_i64),
            ("tensor cores", $of.supports_tensor_cores),
            ("asynchronous compute", $of.supports_async_compute),
            ("indirect dispatch", $of.supports_indirect_dispatch),
            ("persistent threads", $of.supports_persistent_threads),
            ("grid sync", $of.supports_grid_sync),
            ("device timestamps", $of.supports_device_timestamps),
            ("hardware counters", $of.supports_hardware_counters),
            ("distributed", $of.supports_distributed),
            ("cancel", $of.supports_cancel),
        ]
    };
}
pub(crate) use features;

/// A device: what it is, its limits and features. What was not measured is `None`. A type or operation is supported
/// when programs that use it run, whether the device has it or the backend expands it.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)] // each `supports_*` says what it says
pub struct DeviceProfile {
    /// The backend's id.
    pub backend: &'static str,
    /// What kind of device it is.
    pub kind: DeviceKind,
    /// Its name as its maker gives it.
    pub name: String,
    /// The driver and its version.
    pub driver: String,
    /// The largest things it takes.
    pub limits: Limits,
    /// Invocations of a subgroup; 0 when there are none.
    pub subgroup_size: u32,
    pub supports_subgroup_ops: bool,
    pub supports_subgroup_shuffle: bool,
    pub supports_f16: bool,
    pub supports_bf16: bool,
    pub supports_f64: bool,
    pub supports_i64: bool,
    pub supports_tensor_cores: bool,
    pub supports_async_compute: bool,
    pub supports_indirect_dispatch: bool,
    pub supports_persistent_threads: bool,
    pub supports_grid_sync: bool,
    pub supports_device_timestamps: bool,
    pub supports_hardware_counters: bool,
    pub supports_distributed: bool,
    /// Whether a run can be stopped before its end.
    pub supports_cancel: bool,
    /// Whether the device works in the host's memory, so that nothing needs to be copied to it.
    pub host_memory: bool,
    /// Whether floats are bit-identical to the oracle's, NaNs aside. Where not, they are within the bounds that the
    /// conformance suite states, and all else is identical still.
    pub exact_floats: bool,
    /// How well it times work.
    pub timing_quality: TimingQuality,
    /// Measured memory bandwidth in GB/s.
    pub mem_bw_gbps: Option<f32>,
    /// Processors: multiprocessors, cores.
    pub compute_units: u32,
}

impl DeviceProfile {
    /// A device without any feature, timed by the host only, with one processor and exact floats: a backend sets what
    /// it has.
    pub fn new(
        backend: &'static str,
        kind: DeviceKind,
        name: String,
        driver: String,
        limits: Limits,
    ) -> Self {
        DeviceProfile {
            backend,
            kind,
            name,
            driver,
            limits,
            subgroup_size: 0,
            supports_subgroup_ops: false,
            supports_subgroup_shuffle: false,
            supports_f16: false,
            supports_bf16: false,
            supports_f64: false,
            supports_i64: false,
            supports_tensor_cores: false,
            supports_async_compute: false,
            supports_indirect_dispatch: false,
            supports_persistent_threads: false,
            supports_grid_sync: false,
            supports_device_timestamps: false,
            supports_hardware_counters: false,
            supports_distributed: false,
            supports_cancel: false,
            host_memory: false,
            exact_floats: true,
            timing_quality: TimingQuality::HostOnly,
            mem_bw_gbps: None,
            compute_units: 1,
        }
    }

    /// Each feature in words, and whether the device has it.
    pub fn features(&self) -> [(&'static str, bool); 15] {
        features!(self)
    }

    /// How capable the device is: points per feature, the first key of the automatic choice.
    pub fn capability_score(&self) -> u32 {
        self.score_items().iter().filter(|(_, _, has)| *has).map(|(_, points, _)| points).sum()
    }

    /// Each item of the score: what, how many points, whether the device has it.
    pub fn score_items(&self) -> [(&'static str, u32, bool); 13] {
        let invocations = self.limits.invocations_per_workgroup;
        [
            ("storage buffers", 16, self.limits.storage_binding_bytes > 0),
            ("64 invocations per workgroup", 8, invocations >= 64),
            ("256 invocations per workgroup", 4, invocations >= 256),
            ("subgroups", 8, self.subgroup_size > 0),
            ("subgroup operations", 8, self.supports_subgroup_ops),
            ("subgroup shuffle", 4, self.supports_subgroup_shuffle),
            ("workgroup memory", 4, self.limits.workgroup_memory_bytes > 0),
            ("f16", 2, self.supports_f16),
            ("bf16", 2, self.supports_bf16),
            ("tensor cores", 4, self.supports_tensor_cores),
            ("indirect dispatch", 2, self.supports_indirect_dispatch),
            ("device timestamps", 2, self.supports_device_timestamps),
            ("hardware counters", 2, self.supports_hardware_counters),
        ]
    }
}
