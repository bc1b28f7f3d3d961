//! vyre programs out to naga modules and from there to WGSL, SPIR-V, MSL and HLSL.
