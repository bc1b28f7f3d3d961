//! Functions that are compiled several times, for the vectors of different processors, and called as the processor at
//! hand allows. So a build for any x86-64 measures what `-C target-cpu=native` would.

/// The vectors that the functions of [`for_vectors`] use here.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Vectors {
    /// AVX-512 and all before it.
    Avx512,
    /// AVX2 and fused multiply-add, which Rust never makes of its own accord.
    Avx2,
    /// Those that the whole build is for.
    Plain,
}

impl Vectors {
    /// The best that there are.
    #[inline]
    pub fn here() -> Vectors {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            let avx2 = has!("avx2")
                && has!("fma")
                && has!("bmi1")
                && has!("bmi2")
                && has!("lzcnt")
                && has!("popcnt");
            if avx2 && has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
                return Vectors::Avx512;
            }
            if avx2 {
                return Vectors::Avx2;
            }
        }
        Vectors::Plain
    }

    /// For the head of a table.
    pub fn about(self) -> &'static str {
        match self {
            Vectors::Avx512 if cfg!(target_feature = "avx512f") => "built for AVX-512 as a whole",
            Vectors::Avx512 => "its loops built for AVX-512",
            Vectors::Avx2 if cfg!(target_feature = "avx2") => "built for AVX2 as a whole",
            Vectors::Avx2 => "its loops built for AVX2",
            Vectors::Plain => "built for any processor of this architecture",
        }
    }
}

/// Defines a function that runs in its form for the best vectors that there are.
macro_rules! for_vectors {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $body:block)*) => {$(
        $(#[$doc])*
        fn $name($($arg: $ty),*) {
            #[inline(always)]
            fn plain($($arg: $ty),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(
                enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi1,bmi2,lzcnt,popcnt"
            )]
            fn avx512($($arg: $ty),*) {
                plain($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
            fn avx2($($arg: $ty),*) {
                plain($($arg),*)
            }

            match Vectors::here() {
                // SAFETY: the processor has all these features.
                #[cfg(target_arch = "x86_64")]
                Vectors::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Vectors::Avx2 => unsafe { avx2($($arg),*) },
                _ => plain($($arg),*),
            }
        }
    )*};
}
pub(crate) use for_vectors;
