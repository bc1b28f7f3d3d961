//! What a device has and has done, counted by name.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that anyone may read.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }
    pub fn sub(&self, n: u64) {
        self.0.fetch_sub(n, Ordering::Relaxed);
    }
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $field:ident $name:literal;)*) => {
        /// Counters of a device.
        #[derive(Default)]
        pub struct Counters {
            $($(#[doc = $doc])+ pub $field: Counter,)*
        }
        impl Counters {
            /// Every counter by name.
            pub fn list(&self) -> Vec<(&'static str, u64)> {
                vec![$(($name, self.$field.get()),)*]
            }
        }
    };
}

counters! {
    /// Pieces of the device's memory there are.
    blocks "cuda blocks";
    /// Their bytes.
    block_bytes "cuda block bytes";
    /// Bytes of the host's memory there are that the device copies from and to.
    pinned_bytes "cuda pinned bytes";
    /// Streams there are that submissions use.
    lanes "cuda streams";
    /// Modules there are.
    modules "cuda modules";
    /// Graphs there are.
    graphs "cuda graphs";
    /// Kernels launched one by one.
    launches "cuda launches";
    /// Graphs launched.
    graph_launches "cuda graph launches";
    /// Kernels loaded from code that was kept.
    loads "cuda loads";
    /// Kernels compiled by the driver.
    compilations "cuda compilations";
}
