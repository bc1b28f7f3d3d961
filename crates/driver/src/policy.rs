//! What a caller wants of a device that is chosen for it, as plain data: kinds, requirements, preferences.

use crate::profile::{DeviceKind, DeviceProfile, Limits, TimingQuality, features};
use std::fmt;
use vyre_ir::op::{Effect, Op, Rule};
use vyre_ir::{Attr, Memory, Program, Scalar, Type};

/// Which devices may be chosen, and which are taken first.
///
/// ```
/// use vyre_driver::{AcquirePolicy, DeviceRequirements};
/// let require = DeviceRequirements { supports_f64: true, ..Default::default() };
/// let policy = AcquirePolicy { require, ..AcquirePolicy::any() };
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct AcquirePolicy {
    /// The kinds of device that may be chosen. An oracle is never chosen, whatever stands here.
    pub kinds: Vec<DeviceKind>,
    /// What a device must have to be chosen.
    pub require: DeviceRequirements,
    /// Devices that come before the others, the first one first, whatever their scores are. It only orders: what is
    /// not allowed or not there is passed over.
    pub prefer: Vec<Preference>,
}

/// Devices that a policy takes before others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Preference {
    /// The device of that name: `cuda`, `cuda:1`.
    Device(String),
    /// Every device of that kind.
    Kind(DeviceKind),
    /// Every device that is not made of software: GPUs and processors.
    Hardware,
}

impl Preference {
    /// Whether a device of that name and kind is among them.
    fn is(&self, device: &str, kind: DeviceKind) -> bool {
        match self {
            Preference::Device(name) => name == device,
            Preference::Kind(preferred) => *preferred == kind,
            Preference::Hardware => kind.is_hardware(),
        }
    }
}

/// Why, after "it is preferred".
impl fmt::Display for Preference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Preference::Device(_) => f.write_str("by its name"),
            Preference::Kind(kind) => write!(f, "as a device of kind {}", kind.name()),
            Preference::Hardware => f.write_str("as hardware"),
        }
    }
}

impl AcquirePolicy {
    /// Real graphics hardware only.
    pub fn gpu() -> AcquirePolicy {
        AcquirePolicy { kinds: DeviceKind::GPU.to_vec(), require: Default::default(), prefer: Vec::new() }
    }
    /// Anything that runs programs, except oracles; software only where no hardware can be had. A driver in software
    /// has nearly every feature, and so a high score, on the same processor that the backend for processors uses better.
    pub fn any() -> AcquirePolicy {
        let prefer = vec![Preference::Hardware];
        AcquirePolicy { kinds: DeviceKind::ALL.to_vec(), prefer, ..AcquirePolicy::gpu() }
    }
    /// The best place among the preferences that a software device of a backend can have.
    pub(crate) fn software_preference(&self, backend: &str) -> usize {
        let may_be = |p: &Preference| match p {
            Preference::Device(name) => name.split(':').next() == Some(backend),
            p => p.is(backend, DeviceKind::Software),
        };
        self.prefer.iter().position(may_be).unwrap_or(self.prefer.len())
    }
    /// Where among the preferences a device stands; all that is not preferred stands behind them.
    pub(crate) fn preference(&self, device: &str, kind: DeviceKind) -> usize {
        self.prefer.iter().position(|p| p.is(device, kind)).unwrap_or(self.prefer.len())
    }
}

/// [`AcquirePolicy::gpu`].
impl Default for AcquirePolicy {
    fn default() -> AcquirePolicy {
        AcquirePolicy::gpu()
    }
}

/// What a device must have: features that are `true`, and the least that its limits may be. The default asks for
/// nothing.
#[derive(Clone, PartialEq, Default, Debug)]
#[allow(missing_docs)] // the fields of `DeviceProfile`
pub struct DeviceRequirements {
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
    pub supports_cancel: bool,
    /// The least that each limit may be.
    pub limits: Limits,
    /// The least number of invocations of a subgroup.
    pub subgroup_size: u32,
    /// How well the device must time work at least.
    pub timing_quality: TimingQuality,
    /// The least memory bandwidth in GB/s; a device on which it was not measured does not meet it.
    pub mem_bw_gbps: Option<f32>,
    /// The least number of processors.
    pub compute_units: u32,
}

impl DeviceRequirements {
    /// What a device must have to run the program: its types, its subgroup operations, its workgroup, its memory as
    /// far as it is declared. Buffers that are sized at run time and the grid are the caller's to add.
    pub fn of(program: &Program) -> DeviceRequirements {
        let mut need = DeviceRequirements::default();
        for decl in program.buffers.values() {
            need.add_type(decl.element);
            let bytes = decl.static_bytes().unwrap_or(if decl.count == 0 { 1 } else { u64::MAX });
            let limits = &mut need.limits;
            match decl.memory {
                Memory::Storage | Memory::Persistent => {
                    limits.buffers_per_stage += 1;
                    limits.storage_binding_bytes = limits.storage_binding_bytes.max(bytes);
                }
                Memory::Workgroup => {
                    limits.workgroup_memory_bytes = limits.workgroup_memory_bytes.saturating_add(bytes);
                }
                Memory::Uniform => {
                    limits.uniform_buffers_per_stage += 1;
                    limits.uniform_binding_bytes = limits.uniform_binding_bytes.max(bytes);
                }
                Memory::Private => {}
            }
        }
        need.add_code(program);
        need.limits.workgroup_size = program.workgroup_size;
        need.limits.invocations_per_workgroup =
            program.workgroup_invocations().try_into().unwrap_or(u32::MAX);
        need
    }

    /// Types and operations of a program's code, and of the bodies of what it calls, where it is linked.
    fn add_code(&mut self, program: &Program) {
        program.walk(program.body, &mut |inst| {
            let data = &program.insts[inst];
            data.results.iter().for_each(|&value| self.add_type(program.ty(value)));
            self.add_operation(data.op);
            if let Attr::Call(call) = &data.attr
                && let Some(body) = call.def.as_ref().and_then(|def| def.body.as_ref())
            {
                self.add_code(&body.program);
            }
        });
    }

    fn add_type(&mut self, ty: Type) {
        match ty.scalar {
            Scalar::F16 => self.supports_f16 = true,
            Scalar::BF16 => self.supports_bf16 = true,
            Scalar::F64 => self.supports_f64 = true,
            Scalar::I64 | Scalar::U64 => self.supports_i64 = true,
            _ => {}
        }
    }

    fn add_operation(&mut self, op: Op) {
        let reads_place =
            matches!(op, Op::SubgroupSize | Op::SubgroupLane | Op::SubgroupId | Op::NumSubgroups);
        if reads_place || op == Op::SubgroupBarrier || op.info().effect == Effect::Converges {
            self.supports_subgroup_ops = true;
            self.subgroup_size = self.subgroup_size.max(1);
        }
        self.supports_subgroup_shuffle |= matches!(op.info().rule, Rule::Lane(_));
    }

    /// Each feature in words, and whether it is needed; in the order of [`DeviceProfile::features`].
    pub fn features(&self) -> [(&'static str, bool); 15] {
        features!(self)
    }

    /// Every requirement that the device does not meet, in words, with what is wanted and what it has.
    pub fn unmet(&self, profile: &DeviceProfile) -> Vec<String> {
        let mut unmet: Vec<String> = Vec::new();
        for ((name, wanted), (_, has)) in self.features().into_iter().zip(profile.features()) {
            if wanted && !has {
                unmet.push(format!("{name}: wanted, and it has none"));
            }
        }
        let (least, limits) = (self.limits, profile.limits);
        let [x, y, z] = [0, 1, 2].map(|i| (least.workgroup_size[i] as u64, limits.workgroup_size[i] as u64));
        let numbers = [
            ("workgroup size along x", x.0, x.1),
            ("workgroup size along y", y.0, y.1),
            ("workgroup size along z", z.0, z.1),
            (
                "invocations per workgroup",
                least.invocations_per_workgroup.into(),
                limits.invocations_per_workgroup.into(),
            ),
            (
                "workgroups per dimension",
                least.workgroups_per_dimension.into(),
                limits.workgroups_per_dimension.into(),
            ),
            ("bytes of a storage binding", least.storage_binding_bytes, limits.storage_binding_bytes),
            ("bytes of workgroup memory", least.workgroup_memory_bytes, limits.workgroup_memory_bytes),
            ("storage buffers", least.buffers_per_stage.into(), limits.buffers_per_stage.into()),
            ("bytes of a uniform binding", least.uniform_binding_bytes, limits.uniform_binding_bytes),
            (
                "uniform buffers",
                least.uniform_buffers_per_stage.into(),
                limits.uniform_buffers_per_stage.into(),
            ),
            ("invocations per subgroup", self.subgroup_size.into(), profile.subgroup_size.into()),
            ("compute units", self.compute_units.into(), profile.compute_units.into()),
        ];
        for (name, wanted, has) in numbers {
            if wanted > has {
                unmet.push(format!("{name}: wanted {wanted}, has {has}"));
            }
        }
        if self.timing_quality > profile.timing_quality {
            let (wanted, has) = (self.timing_quality.name(), profile.timing_quality.name());
            unmet.push(format!("timing quality: wanted {wanted}, has {has}"));
        }
        if let Some(wanted) = self.mem_bw_gbps {
            match profile.mem_bw_gbps {
                Some(has) if has >= wanted => {}
                Some(has) => unmet.push(format!("memory bandwidth: wanted {wanted} GB/s, has {has} GB/s")),
                None => unmet.push(format!("memory bandwidth: wanted {wanted} GB/s, has none measured")),
            }
        }
        unmet
    }
}
