//! What the buffers of a program are bound to, and the grid that follows from it.

use crate::binding::{Binding, BindingRole, bind_error};
use crate::codes;
use crate::compiled::Compiled;
use crate::config::DispatchConfig;
use crate::error::BackendError;
use crate::resident::Resident;
use smallvec::SmallVec;
use std::sync::Arc;
use vyre_ir::Diagnostic;

/// What a buffer of the program is bound to.
#[derive(Clone)]
pub enum Resource<'a> {
    /// Bytes of the caller, which are copied if the program may write them; the result is then among the outputs.
    Bytes(&'a [u8]),
    /// Zeroed memory for a buffer that is only written; the result is among the outputs.
    Fresh,
    /// Memory on the device; the result stays there, and is among the outputs too if the program declares the buffer as
    /// live after the run.
    Resident(&'a Resident),
}

/// Resources by place in the plan; none for what the caller does not give.
pub(crate) type Bound<'a> = SmallVec<[Option<Resource<'a>>; 16]>;

/// The number of elements of each buffer, by place in the plan.
pub(crate) type Counts = SmallVec<[u64; 16]>;

impl Compiled {
    /// The resources by place in the plan, and how many elements each has.
    pub(crate) fn bind<'a>(&self, resources: &[Resource<'a>]) -> Result<(Bound<'a>, Counts), BackendError> {
        let plan = &self.kernel.plan;
        let expected = plan.bound().count();
        if expected != resources.len() {
            let message = format!(
                "the program has {expected} buffers to bind, {} resources were given",
                resources.len()
            );
            let names: Vec<&str> = plan.bound().map(|b| b.name.as_str()).collect();
            let fix = format!("Give one for each of: {}.", names.join(", "));
            return Err(bind_error(codes::B003, message, fix));
        }
        let mut given = resources.iter();
        let (mut all, mut counts) = (Bound::new(), Counts::new());
        for b in &plan.bindings {
            if !b.is_callers() {
                all.push(None);
                counts.push(b.element_count);
                continue;
            }
            let resource = given.next().expect("they were counted").clone();
            let mut count = b.element_count;
            match &resource {
                Resource::Bytes(bytes) if b.input_index.is_some() => {
                    b.check_input(bytes.len() as u64)?;
                    count = bytes.len() as u64 / b.element_size as u64;
                }
                Resource::Bytes(_) => {
                    let message = format!("bytes are given for buffer `{}`, which is only written", b.name);
                    return Err(bind_error(codes::D028, message, "Give `Resource::Fresh`."));
                }
                Resource::Fresh if b.input_index.is_some() => {
                    let message = format!("nothing is given for buffer `{}`, which is read", b.name);
                    return Err(bind_error(codes::D028, message, "Give bytes or a resident buffer."));
                }
                Resource::Fresh => {}
                Resource::Resident(resident) => {
                    resident.check_device(&self.device)?;
                    count = check_resident(b, resident)?;
                }
            }
            all.push(Some(resource));
            counts.push(count);
        }
        check_aliases(self, &all)?;
        Ok((all, counts))
    }

    /// The grid of a dispatch, and the number of elements of each output that is sized by it.
    pub(crate) fn grid(
        &self,
        counts: &mut [u64],
        fresh: &dyn Fn(usize) -> bool,
        config: &DispatchConfig,
    ) -> Result<[u32; 3], BackendError> {
        let kernel = &*self.kernel;
        self.check_config(config)?;
        let extent = kernel.plan.extent_of(counts);
        let workgroups = config.grid.resolve(kernel.program.workgroup_size, extent)?;
        let limit = self.device.profile().limits.workgroups_per_dimension;
        if let Some(axis) = workgroups.iter().position(|&n| n > limit) {
            let message = format!(
                "the grid has {} workgroups along {}; the device takes {limit}",
                workgroups[axis],
                ["x", "y", "z"][axis]
            );
            let what = Diagnostic::new(codes::D024, message).fix("Use a smaller grid, or more of its axes.");
            return Err(BackendError::Unsupported { backend: self.device.id(), what: Box::new(what) });
        }
        let threads = config.grid.thread_count(kernel.program.workgroup_size, extent);
        for (place, b) in kernel.plan.bindings.iter().enumerate() {
            if b.role == BindingRole::Output && b.static_byte_len.is_none() && fresh(place) {
                counts[place] = threads.ok_or_else(|| BackendError::OutOfMemory {
                    requested: u64::MAX,
                    available: None,
                    what: format!("buffer `{}`", b.name),
                })?;
            }
            let bytes = counts[place].saturating_mul(b.element_size as u64);
            let limits = &self.device.profile().limits;
            let (what, limit) = match b.role {
                BindingRole::Uniform => ("uniform", limits.uniform_binding_bytes),
                _ => ("storage", limits.storage_binding_bytes),
            };
            if b.is_bound() && bytes > limit {
                let name = &b.name;
                let message =
                    format!("{what} buffer `{name}` has {bytes} bytes; the device takes {limit} in one");
                let what = Diagnostic::new(codes::D025, message).fix("Use a smaller buffer, or several.");
                return Err(BackendError::Unsupported { backend: self.device.id(), what: Box::new(what) });
            }
        }
        Ok(workgroups)
    }
}

/// That a resident buffer is what the program's buffer needs; its number of elements.
fn check_resident(b: &Binding, resident: &Resident) -> Result<u64, BackendError> {
    let (bytes, size) = (resident.bytes(), b.element_size as u64);
    let wants = match b.static_byte_len {
        Some(wanted) if wanted != bytes => format!("{wanted} bytes"),
        None if !bytes.is_multiple_of(size) || bytes == 0 => format!("elements of {size} bytes"),
        _ => return Ok(bytes / size),
    };
    let message = format!(
        "resident buffer `{}` has {bytes} bytes; buffer `{}` of the program has {wants}",
        resident.name(),
        b.name
    );
    Err(bind_error(codes::D028, message, "Allocate a buffer of that size."))
}

/// That no resident buffer is bound twice if the program writes it.
fn check_aliases(compiled: &Compiled, resources: &[Option<Resource<'_>>]) -> Result<(), BackendError> {
    let kernel = &*compiled.kernel;
    let resident = |place: usize| match &resources[place] {
        Some(Resource::Resident(resident)) => Some(Arc::as_ptr(&resident.inner)),
        Some(_) => None,
        None => compiled.own_memory(place).map(|resident| Arc::as_ptr(&resident.inner)),
    };
    let bindings = &kernel.plan.bindings;
    for (i, a) in bindings.iter().enumerate() {
        for (j, b) in bindings.iter().enumerate().skip(i + 1) {
            if resident(i).is_some() && resident(i) == resident(j) && (a.is_written() || b.is_written()) {
                let message = format!(
                    "buffers `{}` and `{}` are bound to one resident buffer, which the program writes",
                    a.name, b.name
                );
                return Err(bind_error(codes::D029, message, "Bind each to memory of its own."));
            }
        }
    }
    Ok(())
}
