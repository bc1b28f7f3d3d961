//! What a device does, found out by asking it: how it rounds `fma`.

use crate::executable::{Made, WgpuExecutable};
use crate::memory::WgpuMemory;
use crate::opened::Opened;
use crate::profile::program_features;
use crate::submission;
use smallvec::smallvec;
use std::sync::Arc;
use vyre_driver::{BackendError, Cancel, Command, Launch, LaunchMemory, MemoryRequest, Placement};
use vyre_ir::Scalar;
use vyre_wgsl::export::device;

/// Whether the device's `fma` of that type, f32 or f64, rounds once: asked once, when the first program needs to know.
/// What cannot be asked does not.
pub fn fuses(opened: &Arc<Opened>, scalar: Scalar) -> bool {
    let place = &opened.fuses[(scalar == Scalar::F64) as usize];
    *place.get_or_init(|| match scalar {
        // (1 + e)^2 - (1 + 2e) is e^2, which the rounded product has lost.
        Scalar::F32 => {
            let factor = 1.0 + f32::EPSILON;
            let bytes = [factor, factor, -(1.0 + 2.0 * f32::EPSILON), 0.0].map(f32::to_le_bytes);
            result(opened, "f32", &bytes).is_ok_and(|sum| f32::from_le_bytes(sum) != 0.0)
        }
        _ => {
            let factor = 1.0 + f64::EPSILON;
            let bytes = [factor, factor, -(1.0 + 2.0 * f64::EPSILON), 0.0].map(f64::to_le_bytes);
            result(opened, "f64", &bytes).is_ok_and(|sum| f64::from_le_bytes(sum) != 0.0)
        }
    })
}

/// What the device makes of `fma`: the last of four numbers, made of the others.
fn result<const N: usize>(
    opened: &Arc<Opened>,
    scalar: &str,
    numbers: &[[u8; N]; 4],
) -> Result<[u8; N], BackendError> {
    let text = format!(
        "program fuses workgroup(1, 1, 1) {{
  buffer x: {scalar}[4] storage read_write @group(0) @binding(0)
  %0: u32 = const 0
  %1: {scalar} = load x[%0]
  %2: u32 = const 1
  %3: {scalar} = load x[%2]
  %4: u32 = const 2
  %5: {scalar} = load x[%4]
  %6: {scalar} = fma %1, %3, %5
  %7: u32 = const 3
  store x[%7], %6
}}
"
    );
    let program =
        vyre_ir::text::parse("probe", &text).map_err(|errors| BackendError::InvalidProgram { errors })?;
    let features = device::Features {
        fused_f32: true,
        fused_f64: true,
        ..program_features(opened.features, &opened.adapter.get_info())
    };
    let made = Made::with(opened, &program, &features)?;
    let executable = WgpuExecutable::new(opened, &program, made, None)?;
    let request = MemoryRequest { bytes: 4 * N as u64, placement: Placement::default(), what: "a probe" };
    let memory = WgpuMemory::allocate(opened, &request)?;
    let mut sum = [0; N];
    let launch = Launch {
        executable: &executable,
        workgroups: [1, 1, 1],
        memory: smallvec![LaunchMemory::Device { memory: &memory, writes: true }],
        timed: false,
    };
    let mut commands = [
        Command::Upload { to: &memory, offset: 0, bytes: numbers.as_flattened() },
        Command::Launch(launch),
        Command::Download { from: &memory, offset: 3 * N as u64, into: &mut sum },
    ];
    submission::submit(opened, &mut commands, &Cancel::default())?;
    drop(commands);
    Ok(sum)
}
