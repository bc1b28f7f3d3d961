//! Which devices a kernel is for: `.target` and `.version`.

use std::fmt;

/// An architecture, and the lowest version of PTX that vyre writes for it.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Arch {
    /// Compute capability times ten: 90 for `sm_90`.
    pub sm: u32,
    /// Version of PTX, major and minor.
    pub version: (u32, u32),
}

impl Arch {
    /// Every architecture that code is written for, lowest first. Source: ptxas 12.9, and the CUDA release notes for
    /// which version came with which driver.
    pub const ALL: [Arch; 6] = [
        Arch { sm: 70, version: (7, 0) },
        Arch { sm: 80, version: (7, 4) },
        Arch { sm: 89, version: (8, 1) },
        Arch { sm: 90, version: (8, 0) },
        Arch { sm: 100, version: (8, 6) },
        Arch { sm: 120, version: (8, 7) },
    ];

    /// The architecture of that name, such as `sm_90`.
    pub fn parse(name: &str) -> Option<Arch> {
        Arch::ALL.into_iter().find(|arch| arch.to_string() == name)
    }

    /// The best architecture whose code a device takes, given its compute capability (major, minor) and the version of
    /// CUDA that its driver has (major times 1000 plus minor times 10).
    pub fn of_device(capability: (u32, u32), driver: u32) -> Option<Arch> {
        let sm = capability.0 * 10 + capability.1;
        Arch::ALL.into_iter().rev().find(|arch| arch.sm <= sm && arch.version <= newest(driver))
    }
}

/// The newest version of PTX that a driver of this version of CUDA takes.
fn newest(driver: u32) -> (u32, u32) {
    match (driver / 1000, driver % 1000 / 10) {
        (11, minor) => (7, minor.min(8)),
        (12, minor) => (8, minor.min(8)),
        (13.., minor) => (9, minor),
        _ => (0, 0),
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sm_{}", self.sm)
    }
}
