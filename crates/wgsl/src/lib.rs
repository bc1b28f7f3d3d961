//! WGSL and SPIR-V into vyre programs, and vyre programs out to WGSL, SPIR-V, MSL and HLSL, all through naga.
//!
//! [`import`] and [`export`] share nothing but naga, so that either may get another front or back end.

pub mod codes;
pub mod export;
pub mod import;

pub use import::{ImportOptions, import_spirv, import_wgsl};
