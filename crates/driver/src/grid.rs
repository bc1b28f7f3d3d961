//! How many workgroups run: as given, or inferred the same way for every backend and the oracle.

use crate::binding::{BindingPlan, bind_error};
use crate::codes;
use crate::error::BackendError;
use vyre_ir::Program;

/// The size of a run.
#[derive(Copy, Clone, Default, PartialEq, Eq, Debug)]
pub enum Grid {
    /// The largest element count of all bindings, as threads along x.
    #[default]
    Infer,
    /// Workgroups along each axis.
    Workgroups([u32; 3]),
    /// At least this many threads along each axis: divided by the workgroup size, rounded up.
    Threads([u32; 3]),
}

impl Grid {
    /// The threads asked for, before rounding up to whole workgroups: how many elements an output without a size of
    /// its own gets. `extent` is the largest element count of all bindings. `None` beyond 64 bits.
    pub(crate) fn thread_count(self, workgroup_size: [u32; 3], extent: u64) -> Option<u64> {
        let product = |axes: [u32; 3], scale: [u32; 3]| {
            let axes = axes.into_iter().zip(scale).map(|(n, scale)| n as u64 * scale as u64);
            axes.into_iter().try_fold(1u64, u64::checked_mul)
        };
        match self {
            Grid::Infer => Some(extent),
            Grid::Workgroups(groups) => product(groups, workgroup_size),
            Grid::Threads(threads) => product(threads, [1; 3]),
        }
    }

    /// The threads asked for, before rounding up to whole workgroups. `None` beyond 64 bits.
    pub fn threads(self, program: &Program, plan: &BindingPlan) -> Option<u64> {
        self.thread_count(program.workgroup_size, plan.extent())
    }

    /// The workgroups along each axis.
    ///
    /// # Errors
    /// `B010` for an axis of 0, `B011` for 2^32 threads or more along an axis.
    pub fn workgroups(self, program: &Program, plan: &BindingPlan) -> Result<[u32; 3], BackendError> {
        self.resolve(program.workgroup_size, plan.extent())
    }

    /// The workgroups along each axis. `extent` is the largest element count of all bindings.
    pub(crate) fn resolve(self, workgroup_size: [u32; 3], extent: u64) -> Result<[u32; 3], BackendError> {
        let groups = match self {
            Grid::Infer => infer(workgroup_size, extent)?,
            Grid::Workgroups(groups) => groups,
            Grid::Threads(threads) => {
                let mut groups = threads;
                for (n, size) in groups.iter_mut().zip(workgroup_size) {
                    *n = n.div_ceil(size);
                }
                groups
            }
        };
        for (axis, (&n, &size)) in groups.iter().zip(&workgroup_size).enumerate() {
            let axis = ["x", "y", "z"][axis];
            if n == 0 {
                return Err(bind_error(
                    codes::B010,
                    format!("the grid is 0 along {axis}"),
                    "Give at least one workgroup or thread along each axis.",
                ));
            }
            if n as u64 * size as u64 > u32::MAX as u64 {
                return Err(bind_error(
                    codes::B011,
                    format!(
                        "the grid has {} threads along {axis}, more than 4294967295",
                        n as u64 * size as u64
                    ),
                    "Use a smaller grid, or more of its axes.",
                ));
            }
        }
        Ok(groups)
    }
}

/// The grid when the caller gives none: the largest element count over all bindings, as threads along x, rounded up
/// to whole workgroups.
///
/// # Errors
/// `B011` for 2^32 workgroups or more.
pub fn infer_grid(program: &Program, plan: &BindingPlan) -> Result<[u32; 3], BackendError> {
    infer(program.workgroup_size, plan.extent())
}

fn infer(workgroup_size: [u32; 3], extent: u64) -> Result<[u32; 3], BackendError> {
    let groups = extent.div_ceil(workgroup_size[0].max(1) as u64);
    u32::try_from(groups).map(|x| [x, 1, 1]).map_err(|_| {
        let message = format!("the grid inferred from a buffer of {extent} elements is too large");
        bind_error(codes::B011, message, "Give the grid.")
    })
}
