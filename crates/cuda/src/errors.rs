//! What errors of the driver mean.

use crate::library::Failure;
use crate::symbols::{OUT_OF_MEMORY, Status};
use vyre_driver::BackendError;

/// Errors after which every call in the context gives the same, or that say that context or device is gone.
const LOSSES: [i32; 20] = [
    4,   // DEINITIALIZED
    46,  // DEVICE_UNAVAILABLE
    100, // NO_DEVICE
    101, // INVALID_DEVICE
    201, // INVALID_CONTEXT
    214, // ECC_UNCORRECTABLE
    220, // NVLINK_UNCORRECTABLE
    226, // CONTAINED
    700, // ILLEGAL_ADDRESS
    702, // LAUNCH_TIMEOUT
    709, // CONTEXT_IS_DESTROYED
    710, // ASSERT
    714, // HARDWARE_STACK_ERROR
    715, // ILLEGAL_INSTRUCTION
    716, // MISALIGNED_ADDRESS
    717, // INVALID_ADDRESS_SPACE
    718, // INVALID_PC
    719, // LAUNCH_FAILED
    721, // TENSOR_MEMORY_LEAK
    999, // UNKNOWN
];

/// Whether nothing works in the context after an error.
pub fn is_loss(status: Status) -> bool {
    LOSSES.contains(&status.0)
}

/// An error after which the device works.
pub fn of(failure: &Failure) -> BackendError {
    if failure.status == OUT_OF_MEMORY {
        let what = format!("the driver ({})", failure.call);
        return BackendError::OutOfMemory { requested: 0, available: None, what };
    }
    BackendError::Internal { what: failure.to_string() }
}

/// A bug in vyre.
pub fn internal(what: &str) -> BackendError {
    BackendError::Internal { what: what.into() }
}
