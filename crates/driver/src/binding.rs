//! The one description of a program's interface: which buffers there are, in what order the caller gives and gets
//! them, and how large they are.

use crate::codes;
use crate::error::BackendError;
use vyre_ir::diagnostic::counted;
use vyre_ir::entity::Entity;
use vyre_ir::{Access, BufferDecl, Code, Diagnostic, Memory, Program, Scalar};

/// The largest alignment that a program can ask for: that of a large page of memory.
pub const MAX_ALIGNMENT: u32 = 2 << 20;

/// What a buffer is to the caller.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum BindingRole {
    /// Given by the caller, read only.
    Input,
    /// Given by the caller, read back after.
    InputOutput,
    /// Read back after; starts as zero.
    Output,
    /// Given by the caller; small and read only.
    Uniform,
    /// Workgroup or private memory: not the caller's.
    Shared,
    /// Device memory that outlives the dispatch.
    Persistent,
}

/// One buffer of a program as the caller sees it. Sizes are in bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// Name.
    pub name: String,
    /// Bind group.
    pub group: u32,
    /// Binding in the group.
    pub binding: u32,
    /// Index in `Program::buffers`.
    pub buffer_index: usize,
    /// What it is to the caller.
    pub role: BindingRole,
    /// Size of an element.
    pub element_size: u32,
    /// What the address of its memory is to be a multiple of: the program's hint, but at least the element's size and
    /// 1. Not a power of two where the element's size is not one; [`AlignedBytes`](crate::AlignedBytes) rounds up.
    pub preferred_alignment: u32,
    /// Number of elements; 0 while a runtime-sized buffer has no input yet.
    pub element_count: u64,
    /// Size of the buffer where the program declares its count.
    pub static_byte_len: Option<u64>,
    /// Its place among the inputs.
    pub input_index: Option<usize>,
    /// Its place among the outputs.
    pub output_index: Option<usize>,
}

impl Binding {
    /// Whether the host provides memory for it.
    pub fn is_bound(&self) -> bool {
        self.role != BindingRole::Shared
    }

    /// Whether the program may write it. A backend may take memory of other bindings as constant during a run.
    pub fn is_written(&self) -> bool {
        !matches!(self.role, BindingRole::Input | BindingRole::Uniform)
    }

    /// Whether the caller says what it is bound to.
    pub fn is_callers(&self) -> bool {
        self.is_bound() && self.role != BindingRole::Persistent
    }
    /// Size in bytes, as far as it is known.
    pub fn byte_len(&self) -> u64 {
        self.element_count.saturating_mul(self.element_size as u64)
    }

    /// Its number of elements with inputs that fit.
    fn count_for(&self, inputs: &[&[u8]]) -> u64 {
        match (self.input_index, self.static_byte_len) {
            (Some(i), None) => inputs[i].len() as u64 / self.element_size as u64,
            _ => self.element_count,
        }
    }

    pub(crate) fn check_input(&self, len: u64) -> Result<(), BackendError> {
        let Binding { name, element_size, .. } = self;
        if !len.is_multiple_of(*element_size as u64) {
            let message = format!(
                "the input of buffer `{name}` has {len} bytes, which is not a multiple of its element size {element_size}"
            );
            return Err(bind_error(codes::B004, message, "Pass whole elements."));
        }
        if let Some(want) = self.static_byte_len
            && want != len
        {
            let message =
                format!("the input of buffer `{name}` has {len} bytes, but the program declares {want}");
            let fix = format!("Pass exactly {}.", counted(self.element_count, "element"));
            return Err(bind_error(codes::B005, message, fix));
        }
        if len == 0 {
            let message = format!("the input of buffer `{name}` is empty");
            return Err(bind_error(codes::B006, message, "Pass at least one element."));
        }
        Ok(())
    }
}

/// All buffers of a program, sorted by (group, binding); memory that is not bound comes last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BindingPlan {
    /// The buffers.
    pub bindings: Vec<Binding>,
}

impl BindingPlan {
    /// The plan of a program before any input is known.
    ///
    /// # Errors
    /// `B001` for two buffers with one (group, binding), `B002` for a size beyond 64 bits, `B012` for an alignment hint
    /// that is no power of two or more than [`MAX_ALIGNMENT`], `B013` for an element type that has no size in memory
    /// (`bool`, or a vector of other than 1 to 4 lanes), whatever count is declared of it: such elements have the
    /// size that a device gives them when the program runs.
    pub fn build(program: &Program) -> Result<BindingPlan, BackendError> {
        let mut bindings = Vec::with_capacity(program.buffers.len());
        for (id, decl) in program.buffers.iter() {
            check_element(decl)?;
            check_alignment(decl)?;
            let static_byte_len = match decl.count {
                0 => None,
                count => Some(decl.static_bytes().ok_or_else(|| {
                    bind_error(
                        codes::B002,
                        format!(
                            "buffer `{}` of {count} elements of {} has no size in 64 bits",
                            decl.name, decl.element
                        ),
                        "Declare fewer elements.",
                    )
                })?),
            };
            bindings.push(Binding {
                name: decl.name.clone(),
                group: decl.group,
                binding: decl.binding,
                buffer_index: id.index(),
                role: role(decl),
                element_size: decl.element.bytes(),
                preferred_alignment: decl.hints.preferred_alignment.max(decl.element.bytes()).max(1),
                element_count: decl.count,
                static_byte_len,
                input_index: None,
                output_index: None,
            });
        }
        bindings.sort_by_key(|b| (!b.is_bound(), b.group, b.binding, b.buffer_index));
        if let Some(w) = bindings
            .windows(2)
            .find(|w| w[1].is_bound() && (w[0].group, w[0].binding) == (w[1].group, w[1].binding))
        {
            return Err(bind_error(
                codes::B001,
                format!(
                    "buffers `{}` and `{}` are both @group({}) @binding({})",
                    w[0].name, w[1].name, w[0].group, w[0].binding
                ),
                "Give each buffer its own group and binding.",
            ));
        }
        let (mut inputs, mut outputs) = (0.., 0..);
        let decls: Vec<&BufferDecl> = program.buffers.values().collect();
        for b in &mut bindings {
            let (input, output) = match b.role {
                BindingRole::Input | BindingRole::Uniform => (true, false),
                BindingRole::InputOutput => (true, true),
                BindingRole::Output => (false, true),
                BindingRole::Shared | BindingRole::Persistent => (false, false),
            };
            // Memory that the host does not see has nothing to give.
            let live_out = decls[b.buffer_index].live_out && b.is_bound();
            b.input_index = if input { inputs.next() } else { None };
            b.output_index = if output || live_out { outputs.next() } else { None };
        }
        Ok(BindingPlan { bindings })
    }

    /// The plan with the sizes that these inputs give.
    pub fn from_program(program: &Program, inputs: &[Vec<u8>]) -> Result<BindingPlan, BackendError> {
        let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
        BindingPlan::from_borrowed_inputs(program, &inputs)
    }

    /// The plan with the sizes that these inputs give.
    pub fn from_borrowed_inputs(program: &Program, inputs: &[&[u8]]) -> Result<BindingPlan, BackendError> {
        let mut plan = BindingPlan::build(program)?;
        plan.validate_borrowed_inputs(inputs)?;
        for b in &mut plan.bindings {
            b.element_count = b.count_for(inputs);
        }
        Ok(plan)
    }

    /// The number of elements that each binding has with these inputs, in the order of the plan: declared, or what the
    /// input holds; 0 for an output whose size neither says. The plan stays as it is and nothing is allocated, so that
    /// one plan serves every dispatch of a program.
    ///
    /// # Errors
    /// Those of [`BindingPlan::validate_borrowed_inputs`]; [`BackendError::Internal`] when `counts` is not as long as
    /// [`BindingPlan::bindings`].
    pub fn element_counts(&self, inputs: &[&[u8]], counts: &mut [u64]) -> Result<(), BackendError> {
        if counts.len() != self.bindings.len() {
            let (got, want) = (counts.len(), self.bindings.len());
            return Err(BackendError::Internal { what: format!("{got} counts for a plan of {want}") });
        }
        self.validate_borrowed_inputs(inputs)?;
        for (count, b) in counts.iter_mut().zip(&self.bindings) {
            *count = b.count_for(inputs);
        }
        Ok(())
    }

    /// Whether these inputs fit; see [`BindingPlan::validate_borrowed_inputs`].
    pub fn validate_inputs(&self, inputs: &[Vec<u8>]) -> Result<(), BackendError> {
        let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
        self.validate_borrowed_inputs(&inputs)
    }

    /// Whether these inputs, one for each binding with an `input_index` in that order, fit the program. Allocates only
    /// to say what does not.
    ///
    /// # Errors
    /// `B003` for a wrong number of inputs, `B004` for a length that is no multiple of the element size, `B005` for a
    /// length that differs from the declared one, `B006` for an input of no bytes.
    pub fn validate_borrowed_inputs(&self, inputs: &[&[u8]]) -> Result<(), BackendError> {
        let expected = self.inputs().count();
        if expected != inputs.len() {
            let names: Vec<&str> = self.inputs().map(|b| b.name.as_str()).collect();
            let fix = match names.is_empty() {
                true => "Give no inputs.".into(),
                false => format!("Give one input for each of: {}.", names.join(", ")),
            };
            let takes = counted(expected as u64, "input");
            return Err(bind_error(
                codes::B003,
                format!("the program takes {takes}, {} were given", inputs.len()),
                fix,
            ));
        }
        self.inputs().zip(inputs).try_for_each(|(b, input)| b.check_input(input.len() as u64))
    }

    /// The bindings that are bound to the caller's resources, in order.
    pub fn bound(&self) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(|b| b.is_callers())
    }

    /// The largest number of elements: what a grid is inferred from.
    pub fn extent(&self) -> u64 {
        let bound = self.bindings.iter().filter(|b| b.is_bound());
        bound.map(|b| b.element_count).max().unwrap_or(1).max(1)
    }

    /// The largest of these numbers of elements, one for each binding.
    pub(crate) fn extent_of(&self, counts: &[u64]) -> u64 {
        let bound = self.bindings.iter().zip(counts).filter(|(b, _)| b.is_bound());
        bound.map(|(_, &count)| count).max().unwrap_or(1).max(1)
    }

    /// The bindings that the caller gives, in order.
    pub fn inputs(&self) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(|b| b.input_index.is_some())
    }

    /// The bindings that are read back, in order.
    pub fn outputs(&self) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(|b| b.output_index.is_some())
    }
}

fn check_element(decl: &BufferDecl) -> Result<(), BackendError> {
    let BufferDecl { name, element, .. } = decl;
    if element.scalar != Scalar::Bool && (1..=4).contains(&element.lanes) {
        return Ok(());
    }
    let count = match decl.count {
        0 => "has elements".to_string(),
        count => format!("declares {count} elements"),
    };
    let message = format!("buffer `{name}` {count} of {element}, a type without a size in memory");
    Err(bind_error(codes::B013, message, "Declare it as u32, or a vector of up to 4."))
}

fn check_alignment(decl: &BufferDecl) -> Result<(), BackendError> {
    let hint = decl.hints.preferred_alignment;
    if hint == 0 || (hint.is_power_of_two() && hint <= MAX_ALIGNMENT) {
        return Ok(());
    }
    let message = format!("buffer `{}` prefers an alignment of {hint} bytes, which cannot be had", decl.name);
    let fix = format!("Prefer a power of two up to {MAX_ALIGNMENT}, or 0 for none.");
    Err(bind_error(codes::B012, message, fix))
}

fn role(decl: &BufferDecl) -> BindingRole {
    match (decl.memory, decl.access) {
        (Memory::Workgroup | Memory::Private, _) => BindingRole::Shared,
        (Memory::Persistent, _) => BindingRole::Persistent,
        _ if decl.output => BindingRole::Output,
        (Memory::Uniform, _) => BindingRole::Uniform,
        (Memory::Storage, Access::Read) => BindingRole::Input,
        (Memory::Storage, Access::ReadWrite) => BindingRole::InputOutput,
        (Memory::Storage, Access::Write) => BindingRole::Output,
    }
}

/// An error about what the caller gave.
pub(crate) fn bind_error(code: Code, message: impl Into<String>, fix: impl Into<String>) -> BackendError {
    BackendError::InvalidInput { what: Box::new(Diagnostic::new(code, message).fix(fix)) }
}
