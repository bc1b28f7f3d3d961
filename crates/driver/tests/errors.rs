//! Every error of the driver has a code of its own, a number that stays, and a sentence that says what to do.

use std::collections::BTreeSet;
use vyre_driver::{BackendError, codes::CODES};
use vyre_ir::Diagnostic;

fn diagnostic(name: &str) -> Box<Diagnostic> {
    let code = CODES.iter().find(|code| code.name() == name).unwrap();
    Box::new(Diagnostic::new(*code, "it has no f16").fix("Use f32."))
}

/// One of each, with its number.
fn all() -> Vec<(BackendError, u32)> {
    vec![
        (BackendError::NotLinked { id: "x".into(), linked: vec!["cpu"] }, 4001),
        (BackendError::Unavailable { reason: "no loader".into(), fix: "Install a driver.".into() }, 4002),
        (BackendError::OutOfMemory { requested: 9, available: Some(5), what: "buffer `a`".into() }, 4006),
        (BackendError::CompileFailed { backend: "cuda", log: "line 3: no such register".into() }, 4007),
        (BackendError::Timeout { seconds: 1.5, stopped: true }, 4008),
        (
            BackendError::DuplicateId {
                id: "x",
                what: "backend",
                registrations: vec!["a".into(), "b".into()],
            },
            4009,
        ),
        (BackendError::Cancelled, 4010),
        (BackendError::CooperativeLaunchTooLarge { workgroups: 200, limit: 132 }, 4011),
        (BackendError::DeviceLost { backend: "cuda", reason: "reset".into() }, 4012),
        (BackendError::Poisoned { name: "weights".into(), reason: "the device was lost".into() }, 4013),
        (BackendError::Cache { what: "the folder is gone".into() }, 4014),
        (BackendError::ShutDown, 4015),
        (BackendError::Unsupported { backend: "wgpu", what: diagnostic("D023") }, 4023),
        (BackendError::InvalidInput { what: diagnostic("B003") }, 2003),
        (BackendError::InvalidProgram { errors: vec![*diagnostic("B001")] }, 2001),
        (BackendError::Internal { what: "a register is missing".into() }, 4099),
    ]
}

#[test]
fn each_has_a_number_of_its_own_that_stays() {
    let numbers: BTreeSet<u32> = all().iter().map(|(error, _)| error.number()).collect();
    assert_eq!(numbers.len(), all().len());
    for (error, number) in all() {
        assert_eq!(error.number(), number, "{error}");
        assert!(error.to_string().contains(&format!("error[{}]", error.code())), "{error}");
    }
}

#[test]
fn each_says_what_to_do() {
    for (error, _) in all() {
        assert!(error.to_string().contains(" Fix: "), "{error}");
        assert!(error.to_string().ends_with('.'), "{error}");
    }
}

#[test]
fn each_says_the_values_that_matter() {
    let parts: [(usize, &[&str]); 8] = [
        (0, &["`x`", "cpu"]),
        (2, &["buffer `a`", "9 bytes", "5 are available"]),
        (3, &["`cuda`", "line 3: no such register"]),
        (5, &["`x`", "a", "b"]),
        (7, &["200 workgroups", "132"]),
        (8, &["`cuda`", "reset"]),
        (9, &["`weights`", "the device was lost"]),
        (12, &["`wgpu`", "it has no f16"]),
    ];
    for (index, parts) in parts {
        let text = all()[index].0.to_string();
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
    let running = BackendError::Timeout { seconds: 1.5, stopped: false }.to_string();
    assert!(running.contains("1.5 s") && running.contains("cannot be stopped"), "{running}");
}
