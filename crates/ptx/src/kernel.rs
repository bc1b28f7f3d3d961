//! What a program becomes: text, and what a launch of it needs.

use vyre_ir::Buffer;

/// A kernel as text, and what whoever launches it must know.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The module, which has one entry.
    pub ptx: String,
    /// The entry's name.
    pub entry: String,
    /// What the entry is given, in order. Each lies at the next multiple of its size.
    pub params: Vec<Param>,
    /// Invocations of a workgroup, which are the threads of a block.
    pub workgroup_size: [u32; 3],
    /// How many workgroups that follow each other along x can be one block, at most. It is 1 unless no invocation can
    /// tell which workgroup it is in. [`Param::FirstWorkgroup`] counts such blocks.
    pub merges: u32,
    /// Bytes of shared memory that the module declares itself.
    pub static_shared: u32,
    /// Bytes of shared memory that the launch must ask for.
    pub dynamic_shared: u32,
    /// Whether blocks wait for each other, so that the launch must be cooperative.
    pub waits: bool,
}

/// A grid is not cut along x if its workgroups have so many invocations along x: with fewer than 2^32 of those, there are
/// at most 2^28 workgroups.
pub const UNCUT: u32 = 16;

/// What a kernel is given.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Param {
    /// u64: where a buffer that the host binds begins; a multiple of 16 bytes at least.
    Address(Buffer),
    /// u64: how many bytes of it are bound. Only of buffers whose size the program does not say.
    Bytes(Buffer),
    /// u32: workgroups of the whole grid along an axis.
    Workgroups(u8),
    /// u32: along an axis, how many workgroups come before those of this launch. The grid of a launch can be part of
    /// the whole, since y and z have at most 65,535 blocks. Along x only of workgroups that are narrower than [`UNCUT`].
    FirstWorkgroup(u8),
    /// u64: address of three u32. By the first, blocks wait for each other: its highest bit flips with every wait; it is
    /// 0 at first and needs no reset between launches. The others hold what the grid's first invocation tells the rest.
    /// They are for one launch at a time.
    Barrier,
    /// u64: address of three u32, the workgroups along x, y, z that are wanted of this launch. Blocks beyond do nothing.
    /// Only with [`Options::gated`](crate::Options::gated).
    Gate,
}

impl Param {
    /// Its size in bytes.
    pub fn bytes(self) -> usize {
        match self {
            Param::Address(_) | Param::Bytes(_) | Param::Barrier | Param::Gate => 8,
            Param::Workgroups(_) | Param::FirstWorkgroup(_) => 4,
        }
    }
}
