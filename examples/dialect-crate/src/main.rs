//! Runs a program with operations of the dialect on the best device there is.

use dialect_color as _;
use vyre::ir::text::parse;
use vyre::{AcquirePolicy, BackendError, Device, DispatchConfig, typed};

fn main() -> Result<(), BackendError> {
    let program = parse("gray.vyre", include_str!("gray.vyre"))
        .map_err(|errors| BackendError::InvalidProgram { errors })?;
    let device = Device::by_policy(&AcquirePolicy::any())?;
    let config = DispatchConfig::default();
    let compiled = device.compile(&program, &config)?;
    let (a, b) = ([0x00_00_00_ff_u32, 0x00_80_80_80, 0], [0x00_00_ff_00_u32, 0x00_10_90_10, 0x00_ff_ff_ff]);
    let outputs = compiled.dispatch_typed(&[typed(&a), typed(&b)], &config)?;
    println!("{:?}", outputs.get::<u32>(0)?);
    Ok(())
}
