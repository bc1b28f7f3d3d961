//! naga as the front end: parse, validate, choose the entry point, give overrides their values.

use super::ImportOptions;
use super::facts::Facts;
use super::lower::{Lower, MAX_CALLS, too_large};
use crate::codes;
use naga::back::PipelineConstants;
use naga::back::pipeline_constants::{PipelineConstantError, process_overrides};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{Module, ShaderStage, Span};
use std::any::Any;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use vyre_ir::verify::MAX_INSTS;
use vyre_ir::{Diagnostic, Loc, Program};

type Errors = Vec<Diagnostic>;

/// What programs may use beyond WGSL's core.
fn capabilities() -> Capabilities {
    Capabilities::FLOAT64
        | Capabilities::SHADER_FLOAT16
        | Capabilities::SHADER_FLOAT16_IN_FLOAT32
        | Capabilities::SHADER_INT16
        | Capabilities::SHADER_INT64
        | Capabilities::SHADER_INT64_ATOMIC_MIN_MAX
        | Capabilities::SHADER_INT64_ATOMIC_ALL_OPS
        | Capabilities::SHADER_FLOAT32_ATOMIC
        | Capabilities::SUBGROUP
        | Capabilities::SUBGROUP_BARRIER
        | Capabilities::MEMORY_DECORATION_COHERENT
        | Capabilities::MEMORY_DECORATION_VOLATILE
        // Refused by the importer in words of its own.
        | Capabilities::IMMEDIATES
        | Capabilities::RAY_QUERY
        | Capabilities::BUFFER_BINDING_ARRAY
        | Capabilities::STORAGE_BUFFER_BINDING_ARRAY
        | Capabilities::TEXTURE_AND_SAMPLER_BINDING_ARRAY
        | Capabilities::default()
}

/// Imports WGSL whose size and nesting are in bounds.
pub fn wgsl(source: &str, options: &ImportOptions) -> Result<Program, Errors> {
    lower(&parse(source)?, options, true)
}

/// Reads WGSL whose size and nesting are in bounds.
pub fn parse(source: &str) -> Result<Module, Errors> {
    let text = super::guard::without_subgroups(source);
    let mut module = guarded(|| naga::front::wgsl::parse_str(&text))?.map_err(|error| {
        let mut diagnostic = Diagnostic::new(codes::I001, error.message());
        for (span, label) in error.labels() {
            diagnostic = diagnostic.at(loc(span), label);
        }
        let notes: Vec<&str> = error.notes().collect();
        vec![if notes.is_empty() { diagnostic } else { diagnostic.fix(notes.join(" ")) }]
    })?;
    super::repair::unreachable_returns(&mut module);
    super::guard::alignment(&module, source).map_err(|d| vec![d])?;
    Ok(module)
}

/// Imports SPIR-V whose size is in bounds.
pub fn spirv(name: &str, bytes: &[u8], options: &ImportOptions) -> Result<Program, Errors> {
    let settings = naga::front::spv::Options {
        adjust_coordinate_space: false,
        strict_capabilities: false,
        block_ctx_dump_prefix: None,
    };
    let bytes = super::spirv::repaired(bytes).map_err(|d| vec![d])?;
    let module = guarded(|| naga::front::spv::parse_u8_slice(&bytes, &settings))?.map_err(|error| {
        vec![Diagnostic::new(codes::I005, format!("`{name}` cannot be read as SPIR-V: {}", chain(&error)))]
    })?;
    lower(&module, options, false)
}

/// Imports a module of naga's; its spans point into a source text or not.
pub fn lower(module: &Module, options: &ImportOptions, has_source: bool) -> Result<Program, Errors> {
    let info = validated(module, has_source)?;
    super::named::check(module, has_source)?;
    let entry = entry(module, options)?;
    let name = module.entry_points[entry].name.clone();
    let values = overrides(module, options)?;
    let point = Some((ShaderStage::Compute, name.as_str()));
    let (module, info) = guarded(|| process_overrides(module, &info, point, &values).map_err(Box::new))?
        .map_err(|error| {
            vec![match &*error {
                PipelineConstantError::ValidationError(inner) => spanned(codes::I003, inner, has_source),
                PipelineConstantError::MissingValue(id) => {
                    Diagnostic::new(codes::I003, format!("the override `{id}` has no value"))
                        .fix(format!("Give it one, for example `{id}=1`."))
                }
                other => Diagnostic::new(codes::I003, chain(other)),
            }]
        })?;
    into_program(&module, &info, &name, has_source).map_err(|error| vec![*error])
}

/// What the validator knows about a module that is valid.
pub fn validated(module: &Module, has_source: bool) -> Result<ModuleInfo, Errors> {
    guarded(|| {
        Validator::new(ValidationFlags::all(), capabilities())
            .validate(module)
            .map_err(|e| vec![spanned(codes::I002, &e, has_source)])
    })?
}

fn into_program(
    module: &Module,
    info: &ModuleInfo,
    name: &str,
    has_source: bool,
) -> Result<Program, Box<Diagnostic>> {
    let entry = module
        .entry_points
        .iter()
        .position(|p| p.stage == ShaderStage::Compute && p.name == name)
        .expect("the entry point was found before overrides got their values");
    let mut facts = functions(module, info);
    let point = &module.entry_points[entry].function;
    let own = Facts::of(module, info.get_entry_point(entry), point, &facts);
    bounded(&own)?;
    facts.push(own);
    Lower::entry(module, info, entry, &facts, has_source)
}

/// The facts of each function that is no entry point.
pub fn functions(module: &Module, info: &ModuleInfo) -> Vec<Facts> {
    let mut facts = Vec::with_capacity(module.functions.len() + 1);
    for (handle, function) in module.functions.iter() {
        let known = Facts::of(module, &info[handle], function, &facts);
        facts.push(known);
    }
    facts
}

/// Refuses a call tree that is too deep or too large.
pub fn bounded(own: &Facts) -> Result<(), Box<Diagnostic>> {
    if own.depth > MAX_CALLS {
        let message = format!("calls nest {} deep; the limit is {MAX_CALLS}", own.depth);
        return Err(Box::new(
            Diagnostic::new(codes::I014, message).fix("Call fewer functions one within the other."),
        ));
    }
    if own.size > MAX_INSTS as u64 {
        return Err(too_large(own.size, Loc::default()));
    }
    Ok(())
}

/// The entry point that was asked for, or the only one.
fn entry(module: &Module, options: &ImportOptions) -> Result<usize, Errors> {
    let compute: Vec<(usize, &str)> = module
        .entry_points
        .iter()
        .enumerate()
        .filter(|(_, p)| p.stage == ShaderStage::Compute)
        .map(|(i, p)| (i, p.name.as_str()))
        .collect();
    let names = compute.iter().map(|(_, name)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (&options.entry, compute.as_slice()) {
        (_, []) => Err(vec![
            Diagnostic::new(codes::I004, "there is no compute entry point")
                .fix("Mark a function with `@compute @workgroup_size(64)`."),
        ]),
        (None, [(only, _)]) => Ok(*only),
        (None, several) => Err(vec![
            Diagnostic::new(codes::I004, format!("there are {} entry points: {names}", several.len()))
                .fix("Name the one to use, on the command line by `--entry NAME`."),
        ]),
        (Some(wanted), all) => match all.iter().find(|(_, name)| name == wanted) {
            Some((i, _)) => Ok(*i),
            None => Err(vec![
                Diagnostic::new(codes::I004, format!("there is no compute entry point `{wanted}`"))
                    .fix(format!("Use one of {names}.")),
            ]),
        },
    }
}

/// Override values by the key that naga wants: the `@id` if there is one, else the name.
fn overrides(module: &Module, options: &ImportOptions) -> Result<PipelineConstants, Errors> {
    let mut values = PipelineConstants::default();
    let mut errors = Vec::new();
    for (key, value) in &options.overrides {
        let found = module
            .overrides
            .iter()
            .map(|(_, o)| o)
            .find(|o| o.name.as_deref() == Some(key) || o.id.is_some_and(|id| key.parse() == Ok(id)));
        match found {
            Some(o) => {
                let wanted = o.id.map_or_else(|| key.clone(), |id| id.to_string());
                values.insert(wanted, *value);
            }
            None => {
                let names: Vec<String> = module
                    .overrides
                    .iter()
                    .filter_map(|(_, o)| o.name.clone().or(o.id.map(|id| id.to_string())))
                    .map(|name| format!("`{name}`"))
                    .collect();
                let known = match names.as_slice() {
                    [] => "The program declares none.".into(),
                    names => format!("Use one of {}.", names.join(", ")),
                };
                errors.push(Diagnostic::new(codes::I003, format!("there is no override `{key}`")).fix(known));
            }
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

/// Runs a part of naga; a panic there is an error here.
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, Errors> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let message = format!("naga failed on this input: {}", panic_text(&*panic));
        vec![Diagnostic::new(codes::I010, message)]
    })
}

/// What a panic said.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| s.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it gave no reason".into())
}

/// An error and what caused it, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let next = inner.to_string();
        // Wrappers repeat what they wrap.
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        source = inner.source();
    }
    text
}

/// A naga error with its places.
fn spanned<E: Error>(code: vyre_ir::Code, error: &naga::WithSpan<E>, has_source: bool) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(code, chain(error.as_inner()));
    if has_source {
        for (span, label) in error.spans() {
            // Some labels are only names of naga's own types.
            let words = if label.starts_with("naga::") { "" } else { label.as_str() };
            diagnostic = diagnostic.at(loc(*span), words);
        }
        // The innermost place says most.
        diagnostic.labels.sort_by_key(|l| l.loc.end - l.loc.start);
    }
    diagnostic
}

pub fn loc(span: Span) -> Loc {
    span.to_range().map_or(Loc::default(), |r| Loc::span(r.start as u32, r.end as u32))
}
