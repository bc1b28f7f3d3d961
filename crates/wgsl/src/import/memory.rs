//! Where variables live: bound buffers, workgroup and private memory, slots.
//!
//! A variable stays in slots as long as only constant indices reach into it and it is not too large; else it becomes
//! a buffer. Workgroup variables always are buffers.

use super::access::{Place, Root};
use super::facts::{self, Facts};
use super::lower::{Constant, Lower, Outcome, Owner};
use super::types::{Kind, Ty};
use super::value::{BIG, Data, Rvalue};
use crate::codes;
use naga::{AddressSpace, Expression as E, Handle, StorageAccess};
use vyre_ir::*;

/// Bytes that a variable in workgroup or private memory may take.
const MAX_VARIABLE: u64 = 256 << 20;

impl Lower<'_> {
    /// Declares the global variables that the entry point uses.
    pub fn declare(&mut self, facts: &[Facts]) -> Outcome<()> {
        let uses = self.frame.info;
        for (handle, global) in self.m.global_variables.iter() {
            if uses[handle].is_empty() {
                continue;
            }
            self.at(self.m.global_variables.get_span(handle));
            let fallback = match &global.binding {
                Some(b) => format!("buffer_{}_{}", b.group, b.binding),
                None => format!("global_{}", handle.index()),
            };
            let name = global.name.clone().unwrap_or(fallback);
            let place = match global.space {
                AddressSpace::Storage { access } => {
                    let access =
                        match (access.contains(StorageAccess::LOAD), access.contains(StorageAccess::STORE)) {
                            (_, false) => Access::Read,
                            (false, true) => Access::Write,
                            (true, true) => Access::ReadWrite,
                        };
                    self.bound(global, name, Memory::Storage, access)?
                }
                AddressSpace::Uniform => self.bound(global, name, Memory::Uniform, Access::Read)?,
                AddressSpace::WorkGroup => {
                    let ty = self.types.own(global.ty);
                    self.usable(ty)?;
                    self.own_memory(name, Memory::Workgroup, ty)?
                }
                AddressSpace::Private => {
                    let ty = self.types.own(global.ty);
                    self.usable(ty)?;
                    let root = facts::Root::Global(handle);
                    let indexed = facts.iter().any(|f| f.indexed.contains(&root));
                    if indexed || self.types[ty].leaves > BIG {
                        self.own_memory(name, Memory::Private, ty)?
                    } else {
                        self.slots(ty)
                    }
                }
                AddressSpace::Immediate => {
                    return Err(self.unsupported("an immediate (push constant) variable"));
                }
                _ => {
                    let what = match self.types[self.types.own(global.ty)].kind {
                        Kind::Opaque(what) => what,
                        _ => "a variable of this address space",
                    };
                    return Err(self.unsupported(what));
                }
            };
            self.globals[handle.index()] = Some(place.clone());
            if let Some(init) = global.init {
                let value = self.global_value(init)?;
                self.store(&place, &value)?;
            }
        }
        Ok(())
    }

    fn bound(
        &mut self,
        global: &naga::GlobalVariable,
        name: String,
        memory: Memory,
        access: Access,
    ) -> Outcome<Place> {
        let ty = self.types.host(global.ty);
        self.usable(ty)?;
        let shape = &self.types[ty];
        let element = self.types.element(ty);
        let count = if shape.unsized_ { 0 } else { shape.size / element.bytes() as u64 };
        let binding = global.binding.unwrap_or(naga::ResourceBinding { group: 0, binding: 0 });
        let name = self.unique(name);
        let buffer = self.code.b.buffer(BufferDecl {
            name,
            group: binding.group,
            binding: binding.binding,
            memory,
            access,
            element,
            count,
            ..BufferDecl::default()
        });
        Ok(Place::new(Root::Buffer(buffer), ty))
    }

    /// Workgroup or private memory of a type.
    fn own_memory(&mut self, name: String, memory: Memory, ty: Ty) -> Outcome<Place> {
        let shape = &self.types[ty];
        let words = if shape.align >= 4 { Scalar::U32 } else { Scalar::U16 };
        let element: Type = shape.scalar.unwrap_or(words).into();
        let bytes = element.bytes() as u64;
        if shape.size > MAX_VARIABLE {
            let (size, kind) = (shape.size, memory.name());
            let message =
                format!("`{name}` takes {size} bytes of {kind} memory; the limit is {MAX_VARIABLE}");
            return Err(Box::new(
                Diagnostic::new(codes::I013, message)
                    .at(self.code.b.loc, "here")
                    .fix("Use a storage buffer."),
            ));
        }
        let count = shape.size / bytes;
        let name = self.unique(name);
        let buffer = self.code.b.buffer(BufferDecl {
            name,
            group: 0,
            binding: 0,
            memory,
            access: Access::ReadWrite,
            element,
            count,
            ..BufferDecl::default()
        });
        Ok(Place::new(Root::Buffer(buffer), ty))
    }

    /// New slots for a variable.
    pub fn slots(&mut self, ty: Ty) -> Place {
        fn add(lower: &mut Lower<'_>, ty: Ty) {
            match lower.types[ty].kind.clone() {
                Kind::Leaf(leaf) => {
                    lower.vars.slot(leaf);
                }
                Kind::Array { element, count, .. } => {
                    (0..count.unwrap_or(0)).for_each(|_| add(lower, element));
                }
                Kind::Struct(members) => members.iter().for_each(|m| add(lower, m.ty)),
                other => unreachable!("no variable holds {other:?}"),
            }
        }
        let first = self.vars.mark().slots();
        add(self, ty);
        Place::new(Root::Slots(first), ty)
    }

    /// A name no other buffer has.
    fn unique(&mut self, name: String) -> String {
        let mut candidate = name.clone();
        let mut n = 1;
        while !self.names.insert(candidate.clone()) {
            n += 1;
            candidate = format!("{name}_{n}");
        }
        candidate
    }

    pub fn usable(&self, ty: Ty) -> Outcome<()> {
        match self.types[ty].kind {
            Kind::Opaque(what) => Err(self.unsupported(what)),
            _ => Ok(()),
        }
    }

    /// The private memory of an owner, and whether it was made just now.
    pub fn private(&mut self, owner: Owner, name: &str, ty: Ty) -> Outcome<(Place, bool)> {
        if let Some(&buffer) = self.memory.get(&owner) {
            return Ok((Place::new(Root::Buffer(buffer), ty), false));
        }
        let function = self.frame.f.name.as_deref().unwrap_or("main");
        let place = self.own_memory(format!("{function}_{name}"), Memory::Private, ty)?;
        if let Root::Buffer(buffer) = place.root {
            self.memory.insert(owner, buffer);
        }
        Ok((place, true))
    }

    /// The address that tells this function from others.
    pub fn function_id(&self) -> usize {
        std::ptr::from_ref(self.frame.f) as usize
    }

    /// Private memory for the value of an expression of this function.
    pub fn expression_memory(&mut self, e: Handle<E>, ty: Ty) -> Outcome<Place> {
        let owner = Owner::Expression(self.function_id(), e);
        let name = self.frame.f.named_expressions.get(&e).cloned().unwrap_or_else(|| "value".into());
        Ok(self.private(owner, &name, ty)?.0)
    }

    /// A constant array in memory, written before everything else; `function` says whose expression it is.
    pub fn table(
        &mut self,
        function: Option<usize>,
        e: Handle<E>,
        ty: Ty,
        constants: &[Constant],
    ) -> Outcome<Rvalue> {
        if let Some(place) = self.tables.get(&(function, e)) {
            return Ok(Rvalue { ty, data: Data::Place(place.clone()) });
        }
        let place = self.own_memory("table".into(), Memory::Private, ty)?;
        self.tables.insert((function, e), place.clone());
        let outside = self.code.open_prologue();
        let leaves =
            constants.iter().map(|c| self.code.pure(Op::Const, Attr::Bits(c.bits), &[], c.ty)).collect();
        let stored = self.store(&place, &Rvalue { ty, data: Data::Leaves(leaves) });
        self.code.close_prologue(outside);
        stored?;
        Ok(Rvalue { ty, data: Data::Place(place) })
    }
}
