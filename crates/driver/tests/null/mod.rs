//! What the tests with the null backend share: programs, what they do in plain Rust, and a watch over hanging.
#![allow(dead_code)] // each test uses a part

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use vyre_driver::*;
use vyre_ir::Program;
use vyre_null::{FaultPlan, Log, NullBackend, NullOptions};

/// `v = data[i] * 3 + add[i]`, `kept[i] += v`, `data[i] = v`, `out[i] = kept[i] ^ i`.
pub fn step() -> Program {
    parse(
        "program step workgroup(8, 1, 1) {
  buffer data: u32[8] storage read_write @group(0) @binding(0)
  buffer add: u32[8] storage read @group(0) @binding(1)
  buffer out: u32[8] storage write @group(0) @binding(2)
  buffer kept: u32[8] persistent read_write @group(0) @binding(3)
  %0: u32 = global_id x
  %1: u32 = load data[%0]
  %2: u32 = load add[%0]
  %3: u32 = const 3
  %4: u32 = mul %1, %3
  %5: u32 = add %4, %2
  %6: u32 = load kept[%0]
  %7: u32 = add %6, %5
  store kept[%0], %7
  store data[%0], %5
  %8: u32 = xor %7, %0
  store out[%0], %8
}",
    )
}

/// `data[i] = data[i] * 2 + 1`, of any number of elements.
pub fn twice() -> Program {
    parse(
        "program twice workgroup(4, 1, 1) {
  buffer data: u32[] storage read_write @group(0) @binding(0)
  %0: u32 = global_id x
  %1: u32 = load data[%0]
  %2: u32 = add %1, %1
  %3: u32 = const 1
  %4: u32 = add %2, %3
  store data[%0], %4
}",
    )
}

pub fn parse(text: &str) -> Program {
    vyre_ir::text::parse("p.vyre", text).unwrap()
}

pub type Words = [u32; 8];

/// [`step`] in plain Rust: `data` and `kept` change, `out` is given.
pub fn step_model(data: &mut Words, add: &Words, kept: &mut Words) -> Words {
    let mut out = [0; 8];
    for i in 0..8 {
        data[i] = data[i].wrapping_mul(3).wrapping_add(add[i]);
        kept[i] = kept[i].wrapping_add(data[i]);
        out[i] = kept[i] ^ i as u32;
    }
    out
}

/// [`twice`] in plain Rust.
pub fn twice_model(data: &mut [u32]) {
    data.iter_mut().for_each(|n| *n = n.wrapping_mul(2).wrapping_add(1));
}

pub fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

pub fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect()
}

/// Eight different words.
pub fn some(seed: u32) -> Words {
    std::array::from_fn(|i| (seed + i as u32).wrapping_mul(2654435761))
}

pub fn null(options: NullOptions, plan: FaultPlan) -> (Device, Log) {
    let backend = NullBackend::new(options, plan);
    let log = backend.log();
    (Device::new(Box::new(backend)), log)
}

pub fn resident(device: &Device, name: &str, bytes: u64, journaled: bool) -> Result<Resident, BackendError> {
    device.allocate(ResidentOptions { name: name.into(), bytes, journaled, ..Default::default() })
}

pub fn metric(device: &Device, name: &str) -> u64 {
    let found = device.metrics().into_iter().find(|(other, _)| *other == name);
    found.unwrap_or_else(|| panic!("there is no metric {name}")).1
}

/// Runs a test; one that hangs fails instead.
pub fn watched(test: impl FnOnce() + Send + 'static) {
    let (send, receive) = channel();
    let thread = std::thread::spawn(move || {
        test();
        let _ = send.send(());
    });
    match receive.recv_timeout(Duration::from_secs(300)) {
        Ok(()) => {}
        Err(RecvTimeoutError::Timeout) => panic!("the test hangs"),
        Err(RecvTimeoutError::Disconnected) => {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// Numbers that look random and are always the same.
pub struct Random(pub u64);

impl Random {
    /// Below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % end
    }
}
