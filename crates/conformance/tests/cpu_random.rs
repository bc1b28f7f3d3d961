//! Random programs give the same bytes on the backend `cpu` as on the oracle: as they are, and optimized for it, in
//! gangs of every size.
//!
//! A failure names the seed and shows a small program with the same problem.

use std::sync::Arc;
use vyre_conformance::fuzz::{Outcome, Subject, check};
use vyre_conformance::random::Options;
use vyre_driver::{
    BackendError, Cancel, Command, CompileOptions, DeviceMemory, DeviceProfile, Executable, MemoryRequest,
    Submitted, VyreBackend,
};
use vyre_ir::{Program, Scalar};
use vyre_opt::Target;

/// The backend with so many invocations in step.
struct InGangs {
    inner: Box<dyn VyreBackend>,
    gang: u32,
}

impl VyreBackend for InGangs {
    fn id(&self) -> &'static str {
        self.inner.id()
    }
    fn profile(&self) -> &DeviceProfile {
        self.inner.profile()
    }
    fn target(&self) -> Option<Target> {
        self.inner.target()
    }
    fn compile(&self, p: &Arc<Program>, _: &CompileOptions) -> Result<Arc<dyn Executable>, BackendError> {
        Ok(Arc::new(vyre_cpu::compile_in_gangs(p, self.gang)?))
    }
    fn allocate(&self, request: &MemoryRequest<'_>) -> Result<Arc<dyn DeviceMemory>, BackendError> {
        self.inner.allocate(request)
    }
    fn submit(&self, commands: &mut [Command<'_>], cancel: &Cancel) -> Result<Submitted, BackendError> {
        self.inner.submit(commands, cancel)
    }
    fn device_lost(&self) -> Option<String> {
        None
    }
    fn reopen(&self) -> Result<Box<dyn VyreBackend>, BackendError> {
        self.inner.reopen()
    }
}

/// Checks the programs of all seeds; one that is refused is replaced by one without subgroup operations.
fn check_all(seeds: std::ops::Range<u64>, options: &Options) {
    let backends =
        [1, 4, 8, 16].map(|gang| InGangs { inner: vyre::acquire("cpu").expect("it is linked"), gang });
    let taken = |seed: u64, options: &Options| {
        let backend = &backends[seed as usize % backends.len()];
        let subject = Subject { backend, takes_all: true };
        match check(seed, options, &|trial| subject.check(trial)) {
            Ok(outcome) => outcome != Outcome::Refused,
            Err(failure) => panic!("gang {}: {failure}", backend.gang),
        }
    };
    // A subgroup operation in control flow that may diverge.
    let refused: Vec<u64> = seeds.clone().filter(|&seed| !taken(seed, options)).collect();
    assert!(refused.len() * 4 < seeds.count() * 3, "{} programs are refused", refused.len());
    for seed in refused {
        assert!(taken(seed, &Options { subgroups: false, ..options.clone() }), "seed {seed} is refused");
    }
}

#[test]
fn programs_of_all_types() {
    check_all(0..1000, &Options { math: false, ..Options::default() });
}

#[test]
fn programs_of_32_bit_types() {
    let scalars = vec![Scalar::I32, Scalar::U32, Scalar::F32];
    check_all(1000..1600, &Options { scalars, statements: 24, math: false, ..Options::default() });
}

#[test]
fn programs_with_mathematical_functions() {
    check_all(1600..2000, &Options { vectors: false, ..Options::default() });
}

#[test]
fn programs_of_larger_workgroups() {
    let scalars = vec![Scalar::I32, Scalar::U32, Scalar::F32, Scalar::U8, Scalar::I64];
    check_all(2000..2200, &Options { scalars, wide: true, math: false, ..Options::default() });
}
