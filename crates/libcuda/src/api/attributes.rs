//! The attributes of a device, by their numbers in cuda.h.

use crate::configuration::Configuration;
use std::ffi::c_int;

/// Bytes of shared memory that a block has without asking for more.
pub(super) const SHARED_PER_BLOCK: u32 = 48 << 10;
/// Registers of a block, and of a multiprocessor.
pub(super) const REGISTERS: u32 = 64 << 10;
/// Threads of a block at most, and along each axis.
pub(super) const THREADS: u32 = 1024;
pub(super) const BLOCK: [u32; 3] = [1024, 1024, 64];
/// Blocks of a grid along each axis.
pub(super) const GRID: [u32; 3] = [0x7FFF_FFFF, 65535, 65535];

/// What the multiprocessors of an architecture have (CUDA C++ Programming Guide, technical specifications).
pub(super) struct Multiprocessor {
    pub threads: u32,
    pub blocks: u32,
    pub shared: u32,
    /// How much of it one block may ask for.
    pub shared_per_block: u32,
    /// How much the system takes of it for each block.
    pub shared_reserved: u32,
}

impl Multiprocessor {
    pub fn of(capability: (u32, u32)) -> Multiprocessor {
        let (threads, blocks, shared, reserved) = match capability {
            (..=7, 0..=4) => (2048, 32, 96, 0),
            (..=7, _) => (1024, 16, 64, 0),
            (8, 0) => (2048, 32, 164, 1),
            (8, 6) => (1536, 16, 100, 1),
            (8, 7) => (1536, 16, 164, 1),
            (8, _) => (1536, 24, 100, 1),
            (12, _) => (1536, 24, 100, 1),
            _ => (2048, 32, 228, 1),
        };
        Multiprocessor {
            threads,
            blocks,
            shared: shared << 10,
            shared_per_block: (shared - reserved) << 10,
            shared_reserved: reserved << 10,
        }
    }
}

/// The value of an attribute of the device with that number; `None` where cuda.h has no such attribute.
pub(super) fn attribute(configuration: &Configuration, device: usize, attribute: c_int) -> Option<c_int> {
    let (major, minor) = configuration.compute_capability;
    let multiprocessor = Multiprocessor::of((major, minor));
    let value = match attribute {
        1 => THREADS,
        2..=4 => BLOCK[attribute as usize - 2],
        5..=7 => GRID[attribute as usize - 5],
        8 => SHARED_PER_BLOCK,
        // Bytes of constant memory.
        9 => 64 << 10,
        // Threads of a warp.
        10 => 32,
        // Bytes of a line of a copy.
        11 => 0x7FFF_FFFF,
        12 | 82 => REGISTERS,
        // Kilohertz of the processors and of the memory, and the bits of its bus: those of an H200.
        13 => 1_980_000,
        36 => 3_201_000,
        37 => 6144,
        // Alignment of textures.
        14 => 512,
        // Copies while kernels run, pinned memory, several kernels, stream priorities, addresses shared with the host,
        // caches, preemption, registered memory.
        15 | 19 | 31 | 41 | 78 | 79 | 80 | 90 | 99 => 1,
        16 => configuration.multiprocessors,
        // ECC.
        32 => 1,
        // PCI bus, device and domain.
        33 => 1 + device as u32,
        34 | 50 => 0,
        38 => {
            if major >= 9 {
                50 << 20
            } else {
                6 << 20
            }
        }
        39 => multiprocessor.threads,
        // Copy engines.
        40 => 3,
        75 => major,
        76 => minor,
        81 => multiprocessor.shared,
        // Single to double precision.
        87 => 2,
        95 => u32::from(configuration.cooperative_launch),
        97 => multiprocessor.shared_per_block,
        106 => multiprocessor.blocks,
        111 => multiprocessor.shared_reserved,
        115 => u32::from(configuration.memory_pools),
        // No time limit, integrated memory, mode, TCC, managed memory, multi-device launch and the rest.
        17..=150 => 0,
        _ => return None,
    };
    Some(value as c_int)
}
