//! The reducer, on passes, backends and readers that are broken on purpose.

use std::sync::Arc;
use vyre_conformance::fuzz::{Failure, Kind, Outcome, Problem, Subject, check};
use vyre_conformance::random::Options;
use vyre_conformance::trial::{STEPS, Trial};
use vyre_driver::{
    BackendError, Cancel, Command, CompileOptions, DeviceMemory, DeviceProfile, Executable, MemoryRequest,
    Submitted, VyreBackend,
};
use vyre_ir::verify::verify;
use vyre_ir::{Attr, Memory, Op, Program};
use vyre_opt::Target;

/// A backend that compiles one operation as another.
struct Broken {
    inner: Box<dyn VyreBackend>,
    from: Op,
    to: Op,
}

impl VyreBackend for Broken {
    fn id(&self) -> &'static str {
        "broken"
    }
    fn profile(&self) -> &DeviceProfile {
        self.inner.profile()
    }
    fn target(&self) -> Option<Target> {
        self.inner.target()
    }
    fn compile(&self, p: &Arc<Program>, o: &CompileOptions) -> Result<Arc<dyn Executable>, BackendError> {
        self.inner.compile(&Arc::new(replaced(p, self.from, self.to)), o)
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

/// The program with another operation in one's place, in every instruction that is not of floats.
fn replaced(p: &Program, from: Op, to: Op) -> Program {
    let mut p = p.clone();
    for inst in p.insts.keys().collect::<Vec<_>>() {
        let data = &p.insts[inst];
        if data.op == from && !data.args.first().is_some_and(|&v| p.ty(v).scalar.is_float()) {
            p.insts[inst].op = to;
        }
    }
    p
}

fn failures(options: &Options, broken: &dyn Fn(&Trial) -> Result<Outcome, Problem>) -> Vec<Failure> {
    let found = (0..1000).filter_map(|seed| check(seed, options, broken).err());
    let found: Vec<Failure> = found.take(2).map(|failure| *failure).collect();
    assert_eq!(found.len(), 2, "the problem is hardly ever seen");
    found
}

fn basic() -> Options {
    Options { math: false, ..Options::default() }
}

fn on_backend(from: Op, to: Op, most: usize) {
    let backend = Broken { inner: vyre::acquire("cpu").unwrap(), from, to };
    let subject = Subject { backend: &backend, takes_all: true };
    for failure in failures(&basic(), &|trial| subject.check(trial)) {
        let p = &failure.trial.program;
        assert!(p.size() <= most, "{failure}");
        assert_eq!(verify(p), Ok(()));
        assert!(failure.to_string().contains(from.name()), "{failure}");
        assert_eq!(failure.problem.kind, Kind::Differs);
        let expected = failure.trial.oracle(STEPS).unwrap();
        let right = failure.trial.backend(&*backend.inner).unwrap();
        assert_eq!(failure.trial.difference(&expected, &right), None, "it is the operation: {failure}");
    }
}

#[test]
fn a_wrong_operation() {
    on_backend(Op::Xor, Op::Or, 16);
}

#[test]
fn a_wrong_comparison() {
    on_backend(Op::Lt, Op::Le, 14);
}

#[test]
fn a_wrong_atomic() {
    on_backend(Op::AtomicXor, Op::AtomicOr, 12);
}

#[test]
fn a_wrong_position() {
    on_backend(Op::LocalIndex, Op::NumSubgroups, 20);
}

#[test]
fn a_wrong_loop() {
    // The values of the next turn come in the wrong order.
    let broken = |trial: &Trial| {
        let mut p = trial.program.clone();
        for inst in p.insts.keys().collect::<Vec<_>>() {
            if p.insts[inst].op != Op::Loop {
                continue;
            }
            let end = *p.regions[p.insts[inst].regions[0]].insts.last().unwrap();
            let args = p.insts[end].args.clone();
            let pair = (1..args.len()).find(|&i| i + 1 < args.len() && p.ty(args[i]) == p.ty(args[i + 1]));
            if let Some(i) = pair {
                p.insts[end].args.swap(i, i + 1);
            }
        }
        let expected = trial.oracle(STEPS).map_err(|e| Problem::new(Kind::Fails, e))?;
        match trial.with(p).oracle(STEPS).ok().and_then(|found| trial.difference(&expected, &found)) {
            Some(what) => Err(Problem::new(Kind::Differs, what)),
            None => Ok(Outcome::Agrees(1)),
        }
    };
    for failure in failures(&basic(), &broken) {
        let p = &failure.trial.program;
        assert!(p.size() <= 12, "{failure}");
        assert!(p.insts.values().any(|data| data.op == Op::Loop), "{failure}");
    }
}

/// A panic that hangs on two instructions which nobody uses.
#[test]
fn what_nobody_uses_may_matter() {
    let panics = |trial: &Trial| {
        let p = &trial.program;
        let (mut lengths, mut switches) = (0, 0);
        p.walk(p.body, &mut |inst| match p.insts[inst].op {
            Op::Length => lengths += 1,
            Op::Switch => switches += 1,
            _ => (),
        });
        assert!(lengths < 1 || switches < 1, "both");
        Ok(Outcome::Agrees(1))
    };
    for failure in failures(&basic(), &panics) {
        assert_eq!(failure.found.kind, Kind::Panics);
        assert!(failure.found.what.contains("both"), "{}", failure.found.what);
        // A length that is used, with its users, and a switch that is not.
        assert!(failure.trial.program.size() <= 11, "{failure}");
        assert_eq!((failure.trial.grid, failure.trial.program.workgroup_size), ([1, 1, 1], [1, 1, 1]));
    }
}

#[test]
fn the_same_again() {
    let broken = |trial: &Trial| {
        let p = &trial.program;
        let private = |data: &vyre_ir::InstData| match data.attr {
            Attr::Buffer(buffer) => p.buffers[buffer].memory == Memory::Private && data.op == Op::Store,
            _ => false,
        };
        let mut stores = 0;
        p.walk(p.body, &mut |inst| stores += private(&p.insts[inst]) as usize);
        if stores > 0 { Err(Problem::new(Kind::Fails, "a store")) } else { Ok(Outcome::Agrees(0)) }
    };
    let texts = || failures(&basic(), &broken).iter().map(Failure::to_string).collect::<Vec<_>>();
    let first = texts();
    assert!(first.iter().all(|text| text.lines().count() < 12), "{}", first[0]);
    assert_eq!(first, texts());
}
