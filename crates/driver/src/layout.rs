//! What of a program's interface a device makes objects from, and names for it.
//!
//! Devices bind memory through layout objects that say which kinds of memory come at which places. Programs whose
//! interfaces differ only in sizes can share them, so backends keep them under a fingerprint: of each group
//! ([`BindingSetFingerprint`]) where a device has an object for each, of all groups ([`BackendLayoutFingerprint`]) where
//! it has one for the program. Names of buffers, counts, alignments, and what is read back are not part of either.
//!
//! A fingerprint is the BLAKE3 hash of a canonical encoding and is the same on every run and machine, so it can be kept
//! in files: a word that says which of the two it is, the number of slots as a little-endian u32, then for each slot,
//! sorted by group and binding: group, binding as little-endian u32, class (0 storage, 1 uniform) and whether it is
//! read-only (0, 1) as bytes, element size as little-endian u32.

use crate::binding::{Binding, BindingPlan, BindingRole};
use std::fmt;

/// The kind of memory that a slot takes.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LayoutClass {
    /// Storage; also where it is persistent.
    Storage,
    /// Uniform.
    Uniform,
}

/// What a layout says of one binding.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LayoutSlot {
    /// Bind group.
    pub group: u32,
    /// Binding in the group.
    pub binding: u32,
    /// Kind of memory.
    pub class: LayoutClass,
    /// Whether the program only reads it. Persistent memory counts as written.
    pub read_only: bool,
    /// Size of an element in bytes.
    pub element_size: u32,
}

impl LayoutSlot {
    fn of(b: &Binding) -> LayoutSlot {
        let class = match b.role {
            BindingRole::Uniform => LayoutClass::Uniform,
            _ => LayoutClass::Storage,
        };
        let Binding { group, binding, element_size, .. } = *b;
        LayoutSlot { group, binding, class, read_only: !b.is_written(), element_size }
    }
}

/// What the bindings of one group are to a device: the key of an object that binds the group. The number of the group
/// is part of it.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BindingSetFingerprint(pub [u8; 32]);

/// What all bindings of a program are to a device: the key of an object that binds the program.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackendLayoutFingerprint(pub [u8; 32]);

impl BindingPlan {
    /// The slots of all bindings that the host provides memory for, sorted by group and binding.
    pub fn layout_slots(&self) -> impl Iterator<Item = LayoutSlot> {
        // The plan is in this order already.
        self.bindings.iter().filter(|b| b.is_bound()).map(LayoutSlot::of)
    }

    /// The fingerprint of one group; a group without bindings has one too.
    pub fn binding_set_fingerprint(&self, group: u32) -> BindingSetFingerprint {
        BindingSetFingerprint(hash(b"vyre set", self.layout_slots().filter(|slot| slot.group == group)))
    }

    /// The groups that have bindings, ascending, each with its fingerprint.
    pub fn binding_sets(&self) -> Vec<(u32, BindingSetFingerprint)> {
        let mut groups: Vec<u32> = self.layout_slots().map(|slot| slot.group).collect();
        groups.dedup();
        groups.into_iter().map(|group| (group, self.binding_set_fingerprint(group))).collect()
    }

    /// The fingerprint of all groups.
    pub fn layout_fingerprint(&self) -> BackendLayoutFingerprint {
        BackendLayoutFingerprint(hash(b"vyre layout", self.layout_slots()))
    }
}

/// Whether one layout object serves both programs: their slots are the same.
pub fn binding_plans_share_layout(a: &BindingPlan, b: &BindingPlan) -> bool {
    a.layout_slots().eq(b.layout_slots())
}

fn hash(kind: &[u8], slots: impl Iterator<Item = LayoutSlot>) -> [u8; 32] {
    let (mut encoded, mut count) = (Vec::new(), 0u32);
    for LayoutSlot { group, binding, class, read_only, element_size } in slots {
        count += 1;
        encoded.extend(group.to_le_bytes());
        encoded.extend(binding.to_le_bytes());
        encoded.extend([class as u8, read_only as u8]);
        encoded.extend(element_size.to_le_bytes());
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(kind).update(&count.to_le_bytes()).update(&encoded);
    hasher.finalize().into()
}

/// In hexadecimal.
impl fmt::Display for BindingSetFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

/// In hexadecimal.
impl fmt::Display for BackendLayoutFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for BindingSetFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BindingSetFingerprint({self})")
    }
}

impl fmt::Debug for BackendLayoutFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackendLayoutFingerprint({self})")
    }
}
