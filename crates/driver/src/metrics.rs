//! What a device has done, counted by name.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $name:ident;)*) => {
        /// Counters of a [`Device`](crate::Device).
        #[derive(Default)]
        pub(crate) struct Metrics {
            $($(#[doc = $doc])+ pub $name: Counter,)*
        }
        impl Metrics {
            /// Every counter by name.
            pub fn list(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.get()),)*]
            }
        }
    };
}

metrics! {
    /// Programs compiled, those found in a cache included.
    compiles;
    /// Runs of programs asked for.
    dispatches;
    /// Units of work handed to the backend.
    submissions;
    /// Bytes that uploads of resident buffers and inputs copied.
    bytes_uploaded;
    /// Bytes that downloads and outputs copied.
    bytes_downloaded;
    /// Resident buffers there are.
    resident_buffers;
    /// Bytes of resident buffers there are.
    resident_bytes;
    /// Dispatches that took longer than they may.
    timeouts;
    /// Times the device was lost.
    losses;
    /// Times it was recovered.
    recoveries;
}

/// A number that only this counter's owner changes and anyone may read.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

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
