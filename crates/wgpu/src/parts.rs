//! Grids of more workgroups along an axis than the device takes, where the device decides whether they run: a program that
//! makes of a block's workgroups those of each part of the grid.

use crate::errors;
use crate::executable::{Made, WgpuExecutable};
use crate::memory::WgpuMemory;
use crate::opened::Opened;
use crate::profile::program_features;
use crate::submission::{Bound, Part, parts};
use smallvec::smallvec;
use std::sync::Arc;
use vyre_driver::{BackendError, DeviceMemory, MemoryRequest, Placement};
use vyre_opt::stages::args;

/// Invocations of a workgroup of the program.
const INVOCATIONS: u32 = 64;

/// The parts of a grid, and the workgroups that each has on the device: four words each, of which the last is not used.
pub struct Parts<'s> {
    pub all: Vec<Part>,
    pub workgroups: WgpuMemory,
    program: Bound<'s>,
}

impl<'s> Parts<'s> {
    /// Those of a grid that is too large; `None` for any other.
    pub fn of(
        opened: &'s Arc<Opened>,
        state: &WgpuMemory,
        workgroups: [u32; 3],
    ) -> Result<Option<Parts<'s>>, BackendError> {
        let most = opened.limits.max_compute_workgroups_per_dimension;
        if workgroups.contains(&0) || workgroups.iter().all(|&n| n <= most) {
            return Ok(None);
        }
        let all: Vec<Part> = parts(workgroups, most).collect();
        let bytes = 16 * all.len() as u64;
        let what = "the workgroups of a grid's parts";
        let request = MemoryRequest { bytes, placement: Placement::default(), what };
        let memory = WgpuMemory::allocate(opened, &request)?;
        let executable = executable(opened, most)?;
        let blocks = [state, &memory].map(|memory| (memory.block(), memory.bound_bytes()));
        let group = errors::check(what, bytes, || executable.layout.group(opened, &blocks))?;
        let program = Bound { executable, group, bytes: smallvec![state.bytes(), bytes] };
        Ok(Some(Parts { all, workgroups: memory, program }))
    }

    /// What is to be run for a block before its stages: the program, its first workgroup, and how many along x.
    pub fn before(&self, block: usize) -> (&Bound<'s>, [u32; 3], u32) {
        (&self.program, [0, block as u32, 0], (self.all.len() as u32).div_ceil(INVOCATIONS))
    }
}

/// The program, made once for a device.
fn executable(opened: &Opened, most: u32) -> Result<&WgpuExecutable, BackendError> {
    if let Some(made) = opened.parts.get() {
        return Ok(made);
    }
    let text = text(most);
    let program =
        vyre_ir::text::parse("parts", &text).map_err(|errors| BackendError::InvalidProgram { errors })?;
    let features = program_features(opened.features, &opened.adapter.get_info());
    let made = Made::with(opened, &program, &features)?;
    let made = WgpuExecutable::new(opened, &program, made, None)?;
    Ok(opened.parts.get_or_init(|| made))
}

/// Each invocation makes one part, that of its number; the workgroup's number along y is the block. The grid is the one
/// that is divided.
fn text(most: u32) -> String {
    let mut text = format!(
        "program parts workgroup({INVOCATIONS}, 1, 1) {{
  buffer state: u32[] storage read @group(0) @binding(0)
  buffer parts: u32[] storage read_write @group(0) @binding(1)
  %one: u32 = const 1
  %four: u32 = const 4
  %most: u32 = const {most}
  %part: u32 = global_id x
  %block: u32 = workgroup_id y
  %wx: u32 = num_workgroups x
  %wy: u32 = num_workgroups y
  %lx: u32 = sub %wx, %one
  %ly: u32 = sub %wy, %one
  %dx: u32 = div %lx, %most
  %dy: u32 = div %ly, %most
  %nx: u32 = add %dx, %one
  %ny: u32 = add %dy, %one
  %i0: u32 = rem %part, %nx
  %row: u32 = div %part, %nx
  %i1: u32 = rem %row, %ny
  %i2: u32 = div %row, %ny
  %b4: u32 = mul %block, %four
  %p4: u32 = mul %part, %four
  %zero: u32 = const 0
"
    );
    for axis in 0..3 {
        let at = args(0) + axis;
        text += &format!(
            "  %at{axis}: u32 = const {at}
  %from{axis}: u32 = add %b4, %at{axis}
  %all{axis}: u32 = load state[%from{axis}]
  %first{axis}: u32 = mul %i{axis}, %most
  %rest{axis}: u32 = sub %all{axis}, %first{axis}
  %size{axis}: u32 = min %rest{axis}, %most
  %some{axis}: bool = lt %first{axis}, %all{axis}
  %part{axis}: u32 = select %some{axis}, %size{axis}, %zero
  %axis{axis}: u32 = const {axis}
  %to{axis}: u32 = add %p4, %axis{axis}
  store parts[%to{axis}], %part{axis}
"
        );
    }
    text + "}\n"
}
