//! The order in which a workgroup's invocations run, and so which of them are neighbors in a gang.
//!
//! The order is the local index's (x fastest) unless a buffer hints that neighbors along another axis access neighboring
//! elements: then that axis is fastest, so that a gang's accesses are one vector instead of one element after another.
//! An invocation's position in the order says where its values wait between pieces;
//! only its local id and index are the program's to see. Subgroups are made of consecutive local indices, so a program
//! that has anything to do with them runs in their order.

use vyre_ir::{Effect, Op, Program, SideTable, program::Buffer};

/// Axes by how fast they change.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Order(pub [usize; 3]);

impl Order {
    /// That of the local index.
    pub const BY_INDEX: Order = Order([0, 1, 2]);

    /// The order for a program: the first buffer that is used and has a hint decides.
    pub fn of(p: &Program, used: &SideTable<Buffer, bool>) -> Order {
        let mut hints = p.buffers.iter().filter(|(id, _)| used[*id]).map(|(_, b)| b.hints.coalesce_axis);
        let order = match hints.find_map(|axis| axis) {
            Some(1) => Order([1, 0, 2]),
            Some(2) => Order([2, 0, 1]),
            _ => return Order::BY_INDEX,
        };
        let mut subgroups = false;
        p.walk(p.body, &mut |inst| subgroups |= is_about_subgroups(p.insts[inst].op));
        if subgroups { Order::BY_INDEX } else { order }
    }

    /// How far apart in the order neighbors along an axis are.
    pub fn stride(self, p: &Program, axis: usize) -> u64 {
        self.0.iter().take_while(|&&faster| faster != axis).map(|&a| p.workgroup_size[a] as u64).product()
    }
}

/// Whether an operation has to do with subgroups.
pub(crate) fn is_about_subgroups(op: Op) -> bool {
    let position = matches!(op, Op::SubgroupLane | Op::SubgroupId | Op::SubgroupSize | Op::NumSubgroups);
    position || op == Op::SubgroupBarrier || op.info().effect == Effect::Converges
}
