//! From `--set` and the grid to the memory of a program's buffers: which contents each buffer gets, how large it is,
//! and whether all of it fits the machine.

use crate::args::Assignment;
use crate::codes;
use crate::failure::Failure;
use crate::source::{FORMS, Source};
use vyre::{
    AlignedBytes, BackendError, Binding, BindingPlan, BindingRole, Grid, Placement, available_host_bytes,
};
use vyre_ir::diagnostic::counted;
use vyre_ir::{BufferDecl, Diagnostic, Program, Type};

/// Planned contents of a program's buffers; nothing is read or allocated yet.
pub struct Inputs {
    /// The buffers, with their sizes.
    pub plan: BindingPlan,
    /// For each binding of the plan, its source; `None` for zeros and for what is no input.
    sources: Vec<Option<Source>>,
    /// What the user should know.
    pub notices: Vec<String>,
    /// Width and height of the pictures among the inputs.
    pub pictures: Vec<(u32, u32)>,
}

/// The element type of a binding.
pub fn element(program: &Program, binding: &Binding) -> Type {
    declaration(program, binding).element
}

fn declaration<'p>(program: &'p Program, binding: &Binding) -> &'p BufferDecl {
    program.buffers.values().nth(binding.buffer_index).expect("the plan is of this program")
}

impl Inputs {
    /// Plans the contents of all buffers, or says everything that is wrong.
    pub fn plan(program: &Program, sets: &[Assignment], grid: Grid) -> Result<Inputs, Failure> {
        let mut plan = BindingPlan::build(program)?;
        let mut inputs = Inputs {
            sources: vec![None; plan.bindings.len()],
            notices: Vec::new(),
            pictures: Vec::new(),
            plan: plan.clone(),
        };
        let mut errors = Vec::new();
        for set in sets {
            if let Err(error) = inputs.set(program, &mut plan, set) {
                errors.push(error);
            }
        }
        if !errors.is_empty() {
            return Err(errors.into());
        }
        let known =
            plan.bindings.iter().any(|b| b.is_bound() && b.element_count > 0 && b.static_byte_len.is_none());
        let threads = match grid {
            Grid::Infer if !known => None,
            grid => grid.threads(program, &plan),
        };
        for (i, binding) in plan.bindings.iter_mut().enumerate() {
            if binding.element_count > 0 || !binding.is_bound() {
                let needs = matches!(binding.role, BindingRole::Input | BindingRole::Uniform);
                if needs && inputs.sources[i].is_none() {
                    errors.push(not_set(program, binding, "it has no contents"));
                }
                continue;
            }
            match (binding.role, threads) {
                (BindingRole::InputOutput | BindingRole::Output, Some(n)) => {
                    binding.element_count = n;
                    let (name, ty) = (&binding.name, element(program, binding));
                    inputs
                        .notices
                        .push(format!("`{name}` is not set: {n} zeros of {ty}, one for each thread"));
                }
                (BindingRole::InputOutput | BindingRole::Output, None) => errors.push(
                    not_set(program, binding, "it has no size")
                        .fix(format!("Give `--threads` or `--grid`, or `--set {}=zeros:N`.", binding.name)),
                ),
                _ => errors.push(not_set(program, binding, "it has no contents")),
            }
        }
        if !errors.is_empty() {
            return Err(errors.into());
        }
        inputs.plan = plan;
        Ok(inputs)
    }

    fn set(&mut self, program: &Program, plan: &mut BindingPlan, set: &Assignment) -> Result<(), Diagnostic> {
        let Some(i) = plan.bindings.iter().position(|b| b.is_bound() && b.name == set.name) else {
            return Err(unknown(plan, &set.name, |b| b.input_index.is_some()));
        };
        let binding = &mut plan.bindings[i];
        if binding.input_index.is_none() {
            let what = match binding.role {
                BindingRole::Persistent => "persistent memory, which starts as zero",
                _ => "an output only",
            };
            let message = format!("buffer `{}` is {what}", set.name);
            return Err(Diagnostic::new(codes::C011, message).fix(format!("Leave `--set {}` out.", set.name)));
        }
        if self.sources[i].is_some() {
            let message = format!("buffer `{}` is set twice", set.name);
            return Err(Diagnostic::new(codes::C012, message).fix("Leave one of them out."));
        }
        let (source, ty) = (Source::parse(&set.value)?, element(program, binding));
        let elements = source.measure(&set.name, ty)?;
        match binding.static_byte_len {
            Some(_) if elements != binding.element_count => {
                let want = binding.element_count;
                let message = format!(
                    "`{}` gives {} of {ty}, but buffer `{}` has {want}",
                    set.value,
                    counted(elements, "element"),
                    set.name
                );
                return Err(Diagnostic::new(codes::C014, message)
                    .fix(format!("Give exactly {}.", counted(want, "element"))));
            }
            _ if elements == 0 => {
                let message = format!("`{}` gives no elements for buffer `{}`", set.value, set.name);
                return Err(Diagnostic::new(codes::C014, message).fix("Give at least one element."));
            }
            _ => binding.element_count = elements,
        }
        self.pictures.extend(source.image_size()?);
        self.sources[i] = Some(source);
        Ok(())
    }

    /// Refuses what does not fit the machine: every buffer that is read is held once, every buffer that is written
    /// once more, and once again by the interpreter when it checks.
    pub fn check_memory(&self, verify: bool) -> Result<(), BackendError> {
        let bytes = |b: &Binding| {
            let copies =
                b.input_index.is_some() as u64 + b.output_index.is_some() as u64 * (1 + verify as u64);
            (b.element_count as u128 * b.element_size as u128) * copies as u128
        };
        let total: u128 = self.plan.bindings.iter().filter(|b| b.is_bound()).map(bytes).sum();
        match available_host_bytes() {
            Some(available) if total > available as u128 => Err(BackendError::OutOfMemory {
                requested: u64::try_from(total).unwrap_or(u64::MAX),
                available: Some(available),
                what: "the run".into(),
            }),
            _ => Ok(()),
        }
    }

    /// Reads or makes the contents of all inputs, in the order of [`BindingPlan::inputs`].
    pub fn read(&self, program: &Program) -> Result<Vec<AlignedBytes>, Failure> {
        let inputs = self.plan.bindings.iter().zip(&self.sources).filter(|(b, _)| b.input_index.is_some());
        let zeros = Source::Zeros(0);
        inputs
            .map(|(binding, source)| {
                let source = source.as_ref().unwrap_or(&zeros);
                let decl = declaration(program, binding);
                let placement = Placement::of(binding, decl);
                source.read(&binding.name, decl.element, binding.element_count, placement)
            })
            .collect()
    }
}

fn not_set(program: &Program, binding: &Binding, what: &str) -> Diagnostic {
    let (name, ty) = (&binding.name, element(program, binding));
    let size = match binding.static_byte_len {
        Some(_) => format!("{} of {ty}", counted(binding.element_count, "element")),
        None => format!("{ty}, sized at run time"),
    };
    let n = if binding.static_byte_len.is_some() { binding.element_count.to_string() } else { "N".into() };
    Diagnostic::new(codes::C019, format!("buffer `{name}` ({size}) is not set: {what}"))
        .fix(format!("Give `--set {name}=zeros:{n}` or another source: {FORMS}."))
}

/// A name that the program does not have; the fix lists those it has.
pub fn unknown(plan: &BindingPlan, name: &str, fits: impl Fn(&Binding) -> bool) -> Diagnostic {
    let names: Vec<&str> =
        plan.bindings.iter().filter(|b| b.is_bound() && fits(b)).map(|b| b.name.as_str()).collect();
    let fix = match names.is_empty() {
        true => "Leave it out; the program has no such buffers.".into(),
        false => format!("Name one of: {}.", names.join(", ")),
    };
    Diagnostic::new(codes::C011, format!("the program has no buffer `{name}`")).fix(fix)
}
