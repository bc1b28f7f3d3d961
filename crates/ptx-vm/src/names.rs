//! Names of memory: what faults call a place, where whoever launches knows more of it than its address.

use crate::code::{Code, Space};
use crate::memory::Memory;

/// Memory that has a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Where it begins.
    pub begin: Begin,
    /// How many bytes it has.
    pub bytes: u64,
    /// Bytes of an element.
    pub element_bytes: u64,
}

/// Where memory begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Begin {
    /// At an address of [`Memory`].
    Address(u64),
    /// In a variable of the module, so many bytes from its begin.
    Variable(String, u64),
}

/// The names that a launch was given.
#[derive(Copy, Clone)]
pub(crate) struct Names<'a> {
    pub(crate) named: &'a [Named],
    pub(crate) code: &'a Code,
}

impl Names<'_> {
    /// The element at an address: `` `data[3]` ``, or `` byte 2 of `data[3]` ``. `None` where nothing has a name.
    pub(crate) fn element(&self, memory: &Memory, space: Space, address: u64) -> Option<String> {
        let (named, offset) = self.before(memory, space, address)?;
        (offset < named.bytes).then(|| named.element(offset))
    }

    /// What an address is beyond the end of, or so near to it that an access is: the element that it would be, and how
    /// many there are.
    pub(crate) fn beyond(&self, memory: &Memory, space: Space, address: u64) -> Option<(String, String)> {
        let (named, offset) = self.before(memory, space, address)?;
        let count = named.bytes / named.element_bytes.max(1);
        let plural = if count == 1 { "" } else { "s" };
        Some((named.element(offset), format!("`{}` has {count} element{plural}", named.name)))
    }

    /// The last memory that begins at an address or before it, and how far before. In global memory, only that of the
    /// same allocation.
    fn before(&self, memory: &Memory, space: Space, address: u64) -> Option<(&Named, u64)> {
        let space = of_allocations(space);
        let offset = |named: &Named| {
            let (its_space, begin) = self.begin(memory, &named.begin)?;
            let offset = address.checked_sub(begin)?;
            let is_near = space != Space::Global || memory.find(begin) == memory.find(address);
            (its_space == space && is_near).then_some(offset)
        };
        let all = self.named.iter().filter_map(|named| Some((named, offset(named)?)));
        all.min_by_key(|(_, offset)| *offset)
    }

    fn begin(&self, memory: &Memory, begin: &Begin) -> Option<(Space, u64)> {
        let (name, more) = match begin {
            Begin::Address(address) => return Some((Space::Global, *address)),
            Begin::Variable(name, more) => (name, more),
        };
        let placed = self.code.variables.iter().find(|placed| placed.variable.name == *name)?;
        let space = of_allocations(placed.variable.space);
        let begin = match space {
            Space::Global => *memory.globals.get(&(self.code.module, placed.number))?,
            _ => placed.begin,
        };
        Some((space, begin.checked_add(*more)?))
    }
}

impl Named {
    fn element(&self, offset: u64) -> String {
        let size = self.element_bytes.max(1);
        let element = format!("`{}[{}]`", self.name, offset / size);
        match offset % size {
            0 => element,
            byte => format!("byte {byte} of {element}"),
        }
    }
}

/// Constant memory lies in allocations, as global memory does.
fn of_allocations(space: Space) -> Space {
    if matches!(space, Space::Const | Space::Generic) { Space::Global } else { space }
}
