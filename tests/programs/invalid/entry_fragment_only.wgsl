//! A fragment shader cannot be dispatched.
//! error: compute

@fragment
fn main() -> @location(0) vec4<f32> {
    return vec4<f32>(1.0);
}
