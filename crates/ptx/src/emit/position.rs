//! What stays the same while a kernel runs: positions of the invocation, addresses and lengths of buffers. Each is
//! computed in the prologue, once, when it is first asked for; ptxas computes again what is cheaper than a register.

use super::Emitter;
use super::code::{Class, Guard, Operand};
use crate::kernel::{Param, UNCUT};
use crate::layout::{LOCAL, SHARED};
use vyre_ir::{Attr, Buffer, Op};

/// Something that the prologue computes.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Fixed {
    /// Of the thread in its block.
    Thread(u8),
    /// Of the block in the whole grid.
    Workgroup(u8),
    /// Along x, where workgroups can be merged.
    BlockSize,
    Global(u8),
    LocalIndex,
    Lane,
    Param(Param),
    /// The address of a buffer that is bound, or of the array of workgroup or private memory.
    Base(Buffer),
    Barrier,
    Gate,
    Wanted(u8),
    Shared,
    Local,
    /// Whether a buffer has so many elements.
    Elements(Buffer, u32),
    /// Whether the thread is the first of its block.
    First,
    /// Whether the block is the first of the grid.
    FirstBlock,
    /// What a block adds to the word by which blocks wait for each other.
    Arrival,
}

/// The names of axes.
pub const AXES: [char; 3] = ['x', 'y', 'z'];

impl Emitter<'_> {
    /// What the prologue computes with this function, unless it has.
    pub fn fixed(&mut self, what: Fixed, compute: impl FnOnce(&mut Self) -> Operand) -> Operand {
        if let Some(&known) = self.fixed.get(&what) {
            return known;
        }
        let before = self.code.write_prologue(true);
        let x = compute(self);
        self.code.write_prologue(before);
        self.fixed.insert(what, x);
        x
    }

    pub fn position(&mut self, op: Op, attr: &Attr) -> Operand {
        let p = self.p;
        let count = p.workgroup_invocations() as u32;
        match (op, attr) {
            (Op::LocalId, Attr::Axis(axis)) => self.thread(*axis),
            (Op::WorkgroupId, Attr::Axis(axis)) => self.workgroup(*axis),
            (Op::NumWorkgroups, Attr::Axis(axis)) => self.param(Param::Workgroups(*axis)),
            (Op::GlobalId, Attr::Axis(axis)) => self.global(*axis),
            (Op::LocalIndex, _) => self.local_index(),
            (Op::SubgroupSize, _) => Operand::word(32),
            (Op::SubgroupLane, _) => self.lane(),
            (Op::SubgroupId, _) if count <= 32 => Operand::word(0),
            (Op::SubgroupId, _) => {
                let index = self.local_index();
                self.code.op(Class::Word, "shr.u32", &[index, Operand::word(5)])
            }
            (Op::NumSubgroups, _) => Operand::word(count.div_ceil(32)),
            _ => unreachable!("{op:?} says where an invocation is"),
        }
    }

    pub fn special(&mut self, name: &str, axis: u8) -> Operand {
        let to = self.code.reg(Class::Word);
        self.code.line(format_args!("mov.u32 {to}, %{name}.{}", AXES[axis as usize]));
        to.into()
    }

    /// Threads of a block along an axis.
    fn block_size(&mut self, axis: u8) -> Operand {
        if axis == 0 && self.known.needs.merges > 1 {
            return self.fixed(Fixed::BlockSize, |e| e.special("ntid", 0));
        }
        Operand::word(self.p.workgroup_size[axis as usize])
    }

    pub fn thread(&mut self, axis: u8) -> Operand {
        if self.block_size(axis) == Operand::word(1) {
            return Operand::word(0);
        }
        self.fixed(Fixed::Thread(axis), |e| e.special("tid", axis))
    }

    pub fn workgroup(&mut self, axis: u8) -> Operand {
        self.fixed(Fixed::Workgroup(axis), |e| {
            let block = e.special("ctaid", axis);
            if axis == 0 && e.p.workgroup_size[0] >= UNCUT {
                return block;
            }
            let first = e.param(Param::FirstWorkgroup(axis));
            e.code.op(Class::Word, "add.u32", &[block, first])
        })
    }

    fn global(&mut self, axis: u8) -> Operand {
        self.fixed(Fixed::Global(axis), |e| {
            let size = e.block_size(axis);
            let (workgroup, thread) = (e.workgroup(axis), e.thread(axis));
            if size == Operand::word(1) {
                return workgroup;
            }
            e.code.op(Class::Word, "mad.lo.u32", &[workgroup, size, thread])
        })
    }

    pub fn local_index(&mut self) -> Operand {
        let [nx, ny, _] = self.p.workgroup_size;
        self.fixed(Fixed::LocalIndex, |e| {
            let [x, y, z] = [0, 1, 2].map(|axis| e.thread(axis));
            let mut index = x;
            for (distance, along) in [(nx, y), (nx * ny, z)] {
                if along.bits() != Some(0) {
                    index = e.code.op(Class::Word, "mad.lo.u32", &[along, Operand::word(distance), index]);
                }
            }
            index
        })
    }

    pub fn lane(&mut self) -> Operand {
        self.fixed(Fixed::Lane, |e| {
            let to = e.code.reg(Class::Word);
            e.code.line(format_args!("mov.u32 {to}, %laneid"));
            to.into()
        })
    }

    /// The lanes of the subgroup that have an invocation, as bits.
    pub fn all_lanes(&mut self) -> Operand {
        let count = self.p.workgroup_invocations() as u32;
        let rest = u32::MAX >> ((32 - count % 32) % 32);
        if count.is_multiple_of(32) || count < 32 {
            return Operand::word(rest);
        }
        let index = self.local_index();
        let last = self.code.op(Class::Pred, "setp.ge.u32", &[index, Operand::word(count & !31)]);
        self.code.op(Class::Word, "selp.b32", &[Operand::word(rest), Operand::word(u32::MAX), last])
    }

    /// A parameter.
    pub fn param(&mut self, param: Param) -> Operand {
        self.fixed(Fixed::Param(param), |e| {
            let class = if param.bytes() == 8 { Class::Long } else { Class::Word };
            let to = e.code.reg(class);
            if !e.params.contains(&param) {
                e.params.push(param);
            }
            e.code.line(format_args!("ld.param.{} {to}, [{}]", class.ty(), name(param)));
            to.into()
        })
    }

    /// A parameter that is an address of global memory.
    pub fn pointer(&mut self, param: Param) -> Operand {
        let generic = self.param(param);
        self.code.op(Class::Long, "cvta.to.global.u64", &[generic])
    }

    /// Where a buffer that is bound begins.
    pub fn base(&mut self, buffer: Buffer) -> Operand {
        self.fixed(Fixed::Base(buffer), |e| e.pointer(Param::Address(buffer)))
    }

    /// Where workgroup memory begins.
    pub fn shared(&mut self) -> Operand {
        self.fixed(Fixed::Shared, |e| e.symbol(SHARED))
    }

    /// Where private memory begins.
    pub fn local(&mut self) -> Operand {
        self.fixed(Fixed::Local, |e| e.symbol(LOCAL))
    }

    fn symbol(&mut self, name: &str) -> Operand {
        let to = self.code.reg(Class::Word);
        self.code.line(format_args!("mov.u32 {to}, {name}"));
        to.into()
    }

    /// The number of elements of a buffer.
    pub fn length(&mut self, buffer: Buffer) -> Operand {
        let decl = &self.p.buffers[buffer];
        if decl.count > 0 {
            return Operand::word(decl.count as u32);
        }
        self.param(Param::Length { buffer, element: decl.element.bytes() })
    }

    /// The last index at which an access of so many scalars of so many bytes is in bounds, and, unless it is known that
    /// there is one, whether there is.
    pub fn last(&mut self, buffer: Buffer, bytes: u32, lanes: u32) -> (Operand, Option<Operand>) {
        let element = self.p.buffers[buffer].element.bytes();
        let last = self.param(Param::Last { buffer, bytes: bytes as u8, lanes: lanes as u8 });
        if bytes * lanes <= element {
            return (last, None);
        }
        let least = (bytes * lanes).div_ceil(element);
        let any = self.fixed(Fixed::Elements(buffer, least), |e| {
            let length = e.param(Param::Length { buffer, element });
            e.code.op(Class::Pred, "setp.ge.u32", &[length, Operand::word(least)])
        });
        (last, Some(any))
    }

    /// How many workgroups are wanted along an axis.
    pub fn wanted(&mut self, axis: u8) -> Operand {
        self.fixed(Fixed::Wanted(axis), |e| {
            let gate = e.fixed(Fixed::Gate, |e| e.pointer(Param::Gate));
            let wanted = e.code.reg(Class::Word);
            e.code.line(format_args!("ld.relaxed.gpu.global.u32 {wanted}, [{gate}+{}]", 4 * axis));
            wanted.into()
        })
    }

    /// Ends the kernel for blocks that are not wanted.
    pub fn leave_unless_wanted(&mut self) {
        if !self.options.gated {
            return;
        }
        let before = self.code.write_prologue(true);
        for axis in 0..3 {
            let (wanted, workgroup) = (self.wanted(axis), self.workgroup(axis));
            let beyond = self.code.op(Class::Pred, "setp.ge.u32", &[workgroup, wanted]);
            let beyond = Guard(Some(self.code.in_register(beyond)));
            self.code.line(format_args!("{beyond}ret"));
        }
        self.code.write_prologue(before);
    }
}

/// A parameter's name.
pub fn name(param: Param) -> String {
    use vyre_ir::Entity;
    match param {
        Param::Address(buffer) => format!("address_{}", buffer.index()),
        Param::Length { buffer, .. } => format!("length_{}", buffer.index()),
        Param::Last { buffer, bytes, lanes } => format!("last_{}_{bytes}x{lanes}", buffer.index()),
        Param::Workgroups(axis) => format!("workgroups_{}", AXES[axis as usize]),
        Param::FirstWorkgroup(axis) => format!("first_workgroup_{}", AXES[axis as usize]),
        Param::Barrier => "barrier".into(),
        Param::Gate => "gate".into(),
    }
}
