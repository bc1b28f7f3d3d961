//! What a dispatch gives: bytes, and how long it took.

use crate::compiled::Compiled;
use crate::memory::AlignedBytes;
use vyre_ir::Type;

/// How long a dispatch took, in nanoseconds. What was not measured is `None`.
#[derive(Copy, Clone, Default, PartialEq, Eq, Debug)]
pub struct Timing {
    /// From call to return.
    pub wall_ns: u64,
    /// Preparing memory and copying inputs, where that is apart from the run.
    pub upload_ns: Option<u64>,
    /// The run and nothing else, by the host's clock, where nothing needs to be copied to the device.
    pub run_ns: Option<u64>,
    /// The run, measured by the device.
    pub device_ns: Option<u64>,
    /// Handing the work over to the device.
    pub enqueue_ns: Option<u64>,
    /// Waiting for the device.
    pub wait_ns: Option<u64>,
}

impl Timing {
    /// The best there is for how long the run took: by the device, of the run alone, of the whole.
    pub fn best_ns(&self) -> u64 {
        self.device_ns.or(self.run_ns).unwrap_or(self.wall_ns)
    }
}

/// What a dispatch gives.
#[derive(Default)]
pub struct Outputs {
    /// The bytes of each output, in the order of [`BindingPlan::outputs`](crate::BindingPlan::outputs); none for one that
    /// stays on the device, unless the program declares it as live after the run.
    pub buffers: Vec<AlignedBytes>,
    /// The element type of each output.
    pub types: Vec<Type>,
    /// The workgroups that ran, along x, y, z.
    pub workgroups: [u32; 3],
    /// How long it took.
    pub timing: Timing,
}

impl Outputs {
    /// One memory for each output of a program.
    pub(crate) fn prepare(&mut self, compiled: &Compiled, workgroups: [u32; 3]) {
        let kernel = &*compiled.kernel;
        self.workgroups = workgroups;
        self.buffers.resize_with(kernel.plan.outputs().count(), AlignedBytes::default);
        self.types.clear();
        self.types.extend(kernel.plan.outputs().map(|b| kernel.decl(b).element));
    }
}
