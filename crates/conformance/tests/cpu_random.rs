//! In gangs of every size, the programs of `tests/programs` give what they say, every row of the op table what it says,
//! and random programs the same bytes as on the oracle: as they are, and optimized.
//!
//! A failure names the seed and shows a small program with the same problem.

use std::sync::Arc;
use vyre::Device;
use vyre_conformance::fuzz::{Outcome, Subject, check};
use vyre_conformance::random::Options;
use vyre_conformance::rows::{self, Verdict};
use vyre_conformance::suite;
use vyre_driver::{
    BackendError, Cancel, Command, CompileOptions, DeviceMemory, DeviceProfile, Executable, MemoryRequest,
    Submitted, VyreBackend,
};
use vyre_ir::{Program, Scalar};
use vyre_opt::Target;

/// The sizes of gangs.
const GANGS: [u32; 4] = [1, 4, 8, 16];

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

fn in_gangs(gang: u32) -> InGangs {
    InGangs { inner: vyre::acquire("cpu").expect("it is linked"), gang }
}

#[test]
fn every_program_of_the_suite() {
    let cases = suite::programs();
    for gang in GANGS {
        let report = suite::run(&Device::new(Box::new(in_gangs(gang))), &cases);
        assert!(report.failed.is_empty() && report.unsupported.is_empty(), "gangs of {gang}: {report:#?}");
        assert!(report.passed.len() >= 150, "only {} programs were found", report.passed.len());
    }
}

/// Also where a gang is one invocation, or wider than a register.
#[test]
fn every_row_and_type() {
    for gang in GANGS {
        let device = Device::new(Box::new(in_gangs(gang)));
        for signature in rows::signatures() {
            let verdict = rows::check(&device, &signature);
            assert!(
                verdict == Verdict::Exact,
                "gangs of {gang}: {} {signature}: {verdict:?}",
                signature.op.name()
            );
        }
    }
}

/// Checks the programs of all seeds, each in gangs of one size.
fn check_all(seeds: std::ops::Range<u64>, options: &Options) {
    let backends = GANGS.map(in_gangs);
    for seed in seeds {
        let backend = &backends[seed as usize % backends.len()];
        let subject = Subject { backend, takes_all: true };
        match check(seed, options, &|trial| subject.check(trial)) {
            Ok(outcome) => assert!(outcome != Outcome::Refused, "seed {seed} is refused"),
            Err(failure) => panic!("gang {}: {failure}", backend.gang),
        }
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
