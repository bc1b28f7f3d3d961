//! How a module meets who runs it: the one choice between a module that is written as text for anyone, and one that
//! the backend of a device binds itself.
//!
//! Text says where its buffers are declared and asks the device how long they are. Whoever binds them keeps to what
//! WebGPU wants: no empty buffers, sizes in multiples of 4 bytes, grids of up to 65,535 workgroups along an axis.
//! A device's backend is held to none of that: it numbers the buffers itself, pads their memory, and says how long they
//! are, how many workgroups there are and which is the first in words of immediate data. So a buffer may be empty, and
//! a grid may be run in several parts.

use super::code::{Code, Val};
use super::device::Immediate;
use super::scan::Uses;
use naga::{AddressSpace, Expression, Handle, Span};
use vyre_ir::{Access, Buffer, BufferDecl, Entity, Memory, Program, Scalar};

/// The memory of a buffer that is bound to a device has at least this many bytes, and a multiple of them.
pub const PADDING: u32 = 16;

/// The largest uniform buffer that every device can bind (Vulkan's least `maxUniformBufferRange`).
const UNIFORM_BYTES: u64 = 16 << 10;

/// Who runs the module.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Interface {
    /// Whoever reads the text.
    Text,
    /// The backend of a device.
    Device,
}

impl Interface {
    /// Where each buffer is bound.
    pub fn bindings(self, p: &Program) -> Vec<Option<naga::ResourceBinding>> {
        let declared = |d: &BufferDecl| naga::ResourceBinding { group: d.group, binding: d.binding };
        let mut bindings: Vec<_> =
            p.buffers.values().map(|d| d.memory.is_bound().then(|| declared(d))).collect();
        if self == Interface::Device {
            for (i, buffer) in in_order(p).into_iter().enumerate() {
                bindings[buffer.index()] = Some(naga::ResourceBinding { group: 0, binding: i as u32 });
            }
        }
        bindings
    }

    /// The memory that the module declares for a buffer. A device reads uniform memory that may be large as storage.
    pub fn memory(self, decl: &BufferDecl) -> Memory {
        match decl.memory {
            Memory::Uniform if self == Interface::Device => match decl.static_bytes() {
                Some(bytes) if bytes <= UNIFORM_BYTES => Memory::Uniform,
                _ => Memory::Storage,
            },
            memory => memory,
        }
    }

    /// Whether the buffer can be an array of that: one of what does not divide the buffer's size would be larger than
    /// what is bound, unless its memory is padded.
    pub fn divides(self, decl: &BufferDecl, unit: Scalar) -> bool {
        self == Interface::Device
            || !decl.memory.is_bound()
            || match decl.static_bytes() {
                Some(bytes) => bytes.is_multiple_of(unit.bytes() as u64),
                None => decl.element.bytes().is_multiple_of(unit.bytes()),
            }
    }

    /// What a buffer that nothing accesses is an array of, where it can be: as declared, or what every device has.
    pub fn unused(self, decl: &BufferDecl) -> Scalar {
        if self == Interface::Text { decl.element.scalar } else { Scalar::U32 }
    }

    /// The size of what the length of a buffer of `unit` is counted in at run time. All accesses and the element are
    /// multiples of it, if they are of the unit; in text parts of words are counted by the word.
    pub fn counted_bytes(self, decl: &BufferDecl, uses: Uses, unit: Scalar) -> u32 {
        let element = decl.element.bytes();
        match self {
            Interface::Text => unit.bytes(),
            Interface::Device => uses.scalars.iter().map(Scalar::bytes).fold(element, gcd).max(1),
        }
    }

    /// Whether floats are to be exact at the cost of more code.
    pub fn exact_floats(self) -> bool {
        self == Interface::Device
    }

    /// The length of a buffer that is sized at run time, in units of that many bytes.
    pub fn units(
        self,
        code: &mut Code,
        (buffer, global): (Buffer, Handle<Expression>),
        unit_bytes: u32,
        name: &str,
    ) -> Val {
        let units = match self {
            Interface::Text => code.value(Scalar::U32, Expression::ArrayLength(global)),
            Interface::Device => code.immediate(Immediate::Units { buffer, unit_bytes }, name),
        };
        code.name(units, name);
        units
    }

    /// How many bytes a buffer that is sized at run time surely has.
    pub fn certain_bytes(self, decl: &BufferDecl) -> u32 {
        if self == Interface::Text { decl.element.bytes() } else { 0 }
    }

    /// How many bytes of such a buffer can be read, be it as short as it may.
    pub fn readable_bytes(self) -> u32 {
        if self == Interface::Text { 0 } else { PADDING }
    }

    /// The workgroup that the device counts as the first along an axis, where that is not 0.
    pub fn first_workgroup(self, code: &mut Code, axis: u8) -> Option<Val> {
        (self == Interface::Device)
            .then(|| code.immediate(Immediate::FirstWorkgroup(axis), &along("first_workgroup", axis)))
    }

    /// The number of workgroups along an axis, where the device does not know it.
    pub fn workgroups(self, code: &mut Code, axis: u8) -> Option<Val> {
        (self == Interface::Device)
            .then(|| code.immediate(Immediate::Workgroups(axis), &along("num_workgroups", axis)))
    }
}

/// Bound buffers by (group, binding), which is the order of the driver's binding plan.
pub(super) fn in_order(p: &Program) -> Vec<Buffer> {
    let mut bound: Vec<Buffer> = p.buffers.keys().filter(|&b| p.buffers[b].memory.is_bound()).collect();
    bound.sort_by_key(|&b| (p.buffers[b].group, p.buffers[b].binding, b.index()));
    bound
}

/// Whether the module only reads a buffer.
pub(super) fn read_only(decl: &BufferDecl) -> bool {
    decl.access == Access::Read
}

/// The name of something that there is for each axis.
pub(super) fn along(name: &str, axis: u8) -> String {
    format!("{name}_{}", ["x", "y", "z"][axis as usize])
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The immediate data that a function reads: a structure of words that grows while the function is made.
#[derive(Default)]
pub(super) struct Words {
    /// What each word is, and its name.
    list: Vec<(Immediate, String)>,
    global: Option<(Handle<naga::GlobalVariable>, Handle<Expression>)>,
}

impl Words {
    /// Gives the variable its type, once all words are known.
    pub fn finish(self, module: &mut naga::Module) -> Vec<Immediate> {
        let Some((global, _)) = self.global else { return Vec::new() };
        let ty = module.global_variables[global].ty;
        let member = |(i, (_, name)): (usize, &(Immediate, String))| naga::StructMember {
            name: Some(name.clone()),
            ty,
            binding: None,
            offset: i as u32 * 4,
        };
        let members = self.list.iter().enumerate().map(member).collect();
        let inner = naga::TypeInner::Struct { members, span: self.list.len() as u32 * 4 };
        let ty = naga::Type { name: Some("Immediates".into()), inner };
        module.global_variables[global].ty = module.types.insert(ty, Span::UNDEFINED);
        self.list.into_iter().map(|(word, _)| word).collect()
    }
}

impl Code {
    /// A word of immediate data.
    fn immediate(&mut self, word: Immediate, name: &str) -> Val {
        let list = &mut self.words.list;
        let index = list.iter().position(|(listed, _)| *listed == word).unwrap_or_else(|| {
            list.push((word, name.into()));
            list.len() - 1
        });
        let base = self.immediates();
        self.at_start(|code| {
            let pointer = code.emit(Expression::AccessIndex { base, index: index as u32 });
            let value = code.read(Scalar::U32, pointer);
            code.name(value, name);
            value
        })
    }

    fn immediates(&mut self) -> Handle<Expression> {
        if let Some((_, expr)) = self.words.global {
            return expr;
        }
        let variable = naga::GlobalVariable {
            name: Some("immediates".into()),
            space: AddressSpace::Immediate,
            binding: None,
            ty: self.ty(Scalar::U32.into()),
            init: None,
            memory_decorations: naga::MemoryDecorations::empty(),
        };
        let global = self.module.global_variables.append(variable, Span::UNDEFINED);
        let expr = self.declare(Expression::GlobalVariable(global));
        self.words.global = Some((global, expr));
        expr
    }
}
