//! What a program becomes: text, and what a launch of it needs.

use vyre_ir::Buffer;
use vyre_opt::analysis::Fit;

/// A kernel as text, and what whoever launches it must know.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The module, which has one entry or two.
    pub ptx: String,
    /// The name of the entry for buffers of any size.
    pub entry: String,
    /// What each entry is given, in order. Each lies at the next multiple of its size.
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
    /// An entry that does the same, if buffers fit.
    pub fitted: Option<Fitted>,
}

/// A second entry of a module, with the same parameters and launched alike, in which accesses are not checked that are
/// in bounds because buffers are large enough for what decides their indices.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fitted {
    /// Its name.
    pub entry: String,
    /// What must hold of all launches of it.
    pub fits: Vec<Fit>,
}

impl Kernel {
    /// The entry for a launch of a grid of so many workgroups, where a function says how many bytes of a buffer are bound.
    pub fn entry_for(&self, bound: impl Fn(Buffer) -> u64, workgroups: [u32; 3]) -> &str {
        match &self.fitted {
            Some(fitted) if fit(&fitted.fits, bound, workgroups, self.workgroup_size) => &fitted.entry,
            _ => &self.entry,
        }
    }
}

/// Whether all fits hold, for a grid of so many workgroups of a size.
pub fn fit(fits: &[Fit], bound: impl Fn(Buffer) -> u64, workgroups: [u32; 3], size: [u32; 3]) -> bool {
    let invocations = [0, 1, 2].map(|axis| workgroups[axis].saturating_mul(size[axis]));
    fits.iter().all(|fit| fit.holds(&bound, invocations))
}

/// A grid is not cut along x if its workgroups have so many invocations along x: with fewer than 2^32 of those, there are
/// at most 2^28 workgroups.
pub const UNCUT: u32 = 16;

/// What a kernel is given.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Param {
    /// u64: where a buffer that the host binds begins; a multiple of 16 bytes at least.
    Address(Buffer),
    /// u32: how many elements of it are bound, or the largest number of a u32 if that is less. Only of buffers whose size
    /// the program does not say; as [`Last`](Param::Last).
    Length {
        /// Which buffer.
        buffer: Buffer,
        /// Bytes of an element.
        element: u32,
    },
    /// u32: the last index at which an access of so many scalars of so many bytes is in bounds, or the largest number of
    /// a u32 if that is less; any number if there is no such index.
    Last {
        /// Which buffer.
        buffer: Buffer,
        /// Bytes of a scalar.
        bytes: u8,
        /// Scalars.
        lanes: u8,
    },
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
            Param::Address(_) | Param::Barrier | Param::Gate => 8,
            Param::Length { .. } | Param::Last { .. } | Param::Workgroups(_) | Param::FirstWorkgroup(_) => 4,
        }
    }

    /// The buffer that it is about.
    pub fn buffer(self) -> Option<Buffer> {
        match self {
            Param::Address(buffer) | Param::Length { buffer, .. } | Param::Last { buffer, .. } => {
                Some(buffer)
            }
            _ => None,
        }
    }

    /// What it is if so many bytes of its buffer are bound; `None` of parameters that this does not decide.
    pub fn extent(self, bound: u64) -> Option<u32> {
        let count = match self {
            Param::Length { element, .. } => bound / u64::from(element.max(1)),
            Param::Last { bytes, lanes, .. } => {
                let bytes = u64::from(bytes.max(1));
                bound.saturating_sub(bytes * u64::from(lanes)) / bytes
            }
            _ => return None,
        };
        Some(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vyre_ir::Entity;

    /// The index up to which accesses are in bounds, counted.
    #[test]
    fn limits_are_those_of_counting() {
        let buffer = Buffer::new(0);
        for bound in 0..70u64 {
            for (bytes, lanes) in [(1u8, 1u8), (2, 3), (4, 1), (4, 2), (4, 4), (8, 1), (8, 3)] {
                let inside = |i: &u64| (i + u64::from(lanes)) * u64::from(bytes) <= bound;
                let Some(last) = (0..70).filter(inside).max() else { continue };
                let found = Param::Last { buffer, bytes, lanes }.extent(bound);
                assert_eq!(found, Some(last as u32), "{bytes} x {lanes} of {bound}");
            }
            let length = Param::Length { buffer, element: 12 }.extent(bound);
            assert_eq!(length, Some((0..70).filter(|i| (i + 1) * 12 <= bound).count() as u32));
        }
        let huge = 1 << 40;
        assert_eq!(Param::Length { buffer, element: 4 }.extent(huge), Some(u32::MAX));
        assert_eq!(Param::Last { buffer, bytes: 4, lanes: 1 }.extent(huge), Some(u32::MAX));
        // All 2^32 indices are in bounds, and none more.
        assert_eq!(Param::Last { buffer, bytes: 4, lanes: 1 }.extent(4 << 32), Some(u32::MAX));
        assert_eq!(Param::Last { buffer, bytes: 4, lanes: 1 }.extent((4 << 32) - 4), Some(u32::MAX - 1));
        assert_eq!(Param::Address(buffer).extent(8), None);
    }
}
