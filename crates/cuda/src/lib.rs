//! Backend `cuda`: vyre programs on NVIDIA devices, with nothing but the display driver.

/// The backend's id.
pub const ID: &str = "cuda";
