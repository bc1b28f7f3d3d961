//! Only a processor, a software device and an oracle are there: the default policy takes none of them, and says so.

mod common;

use common::{fake, places, plain};
use vyre_driver::*;

fake!(CPU, "cpu", probed || Ok(vec![plain("cpu", DeviceKind::Cpu)]));
fake!(SOFT, "soft", probed || Ok(vec![plain("soft", DeviceKind::Software)]));
// The best of them by score.
fake!(
    ORACLE,
    "oracle",
    probed || Ok(vec![DeviceProfile { supports_f16: true, ..plain("oracle", DeviceKind::Oracle) }])
);
inventory::submit! { BackendPrecedence { id: "soft", rank: 1 } }

#[test]
fn a_gpu_policy_says_what_was_there() {
    let _turn = common::turn();
    // The other test may have been first.
    for calls in [&CPU, &SOFT, &ORACLE] {
        calls.take();
    }
    let text = acquire_preferred_dispatch_backend().err().unwrap().to_string();
    for part in [
        "there are only processors and software devices and oracles",
        "`cpu` (CPU): the policy does not allow a device of kind CPU",
        "`soft` (software): the policy does not allow a device of kind software",
        "`oracle` (oracle): an oracle is only used when named",
        "Fix: ",
        "`soft` by its id",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!([CPU.take().1, SOFT.take().1, ORACLE.take().1], [const { Vec::<usize>::new() }; 3]);
    assert_eq!(AcquirePolicy::default(), AcquirePolicy::gpu());
}

#[test]
fn an_oracle_is_never_chosen_unless_named() {
    let _turn = common::turn();
    let mut policy = AcquirePolicy::any();
    assert!(policy.kinds.contains(&DeviceKind::Oracle));
    policy.prefer = vec![Preference::Device("oracle".into()), Preference::Kind(DeviceKind::Oracle)];
    assert_eq!(places(&explain_selection(&policy).unwrap()), ["soft", "cpu"]);
    policy.kinds = vec![DeviceKind::Oracle];
    let text = acquire_by_policy(&policy).err().unwrap().to_string();
    assert!(text.contains("there are only processors and software devices and oracles"), "{text}");
    assert_eq!(acquire("oracle").unwrap().id(), "oracle");
}
