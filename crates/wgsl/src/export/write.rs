//! naga's validator and writers, with the options that fit modules made here.

use super::lower::identifier;
use crate::codes;
use naga::back::{hlsl, msl, spv, wgsl};
use naga::proc::BoundsCheckPolicies;
use naga::valid::{Capabilities, ModuleInfo, SubgroupOperationSet, ValidationFlags, Validator};
use vyre_ir::{Diagnostic, Program};

/// Checks a module, which the writers rely on; `capabilities` are those of the device or language it is for.
pub fn validate(module: &naga::Module, capabilities: Capabilities) -> Result<ModuleInfo, Diagnostic> {
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    validator.subgroup_stages(naga::valid::ShaderStages::COMPUTE);
    validator.subgroup_operations(SubgroupOperationSet::all());
    validator.validate(module).map_err(|e| {
        Diagnostic::new(codes::E006, format!("naga rejects the module: {}", chain(e.as_inner())))
    })
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source());
    causes.map(|e| e.to_string()).collect::<Vec<_>>().join(": ")
}

/// [`validate`] for a language, which may lack what naga has.
fn check(
    p: &Program,
    module: &naga::Module,
    target: &str,
    has: Capabilities,
) -> Result<ModuleInfo, Diagnostic> {
    validate(module, has).map_err(|error| match validate(module, Capabilities::all()) {
        Ok(_) => Diagnostic::new(
            codes::E005,
            format!("`{}` cannot be written as {target}: {}", p.name, error.message),
        ),
        Err(error) => error,
    })
}

fn refuse(p: &Program, target: &str, error: &dyn std::error::Error) -> Diagnostic {
    Diagnostic::new(codes::E005, format!("`{}` cannot be written as {target}: {}", p.name, chain(error)))
}

/// Nothing: all checks are in the module.
const UNCHECKED: BoundsCheckPolicies = BoundsCheckPolicies {
    index: naga::proc::BoundsCheckPolicy::Unchecked,
    buffer: naga::proc::BoundsCheckPolicy::Unchecked,
    image_load: naga::proc::BoundsCheckPolicy::Unchecked,
    binding_array: naga::proc::BoundsCheckPolicy::Unchecked,
};

pub(super) fn wgsl(p: &Program, module: &naga::Module) -> Result<String, Diagnostic> {
    let info = &check(p, module, "WGSL", wgsl::supported_capabilities())?;
    wgsl::write_string(module, info, wgsl::WriterFlags::empty()).map_err(|e| refuse(p, "WGSL", &e))
}

/// The words of a SPIR-V module, as naga writes them. `clearing` is how workgroup memory becomes zero.
pub(super) fn spirv(
    p: &Program,
    module: &naga::Module,
    clearing: spv::ZeroInitializeWorkgroupMemoryMode,
) -> Result<Vec<u32>, Diagnostic> {
    let info = &check(p, module, "SPIR-V", spv::supported_capabilities())?;
    let options = spv::Options {
        lang_version: (1, 3),
        flags: spv::WriterFlags::DEBUG,
        bounds_check_policies: UNCHECKED,
        zero_initialize_workgroup_memory: clearing,
        force_loop_bounding: false,
        ..spv::Options::default()
    };
    spv::write_vec(module, info, &options, None).map_err(|e| refuse(p, "SPIR-V", &e))
}

pub(super) fn msl(p: &Program, module: &naga::Module) -> Result<String, Diagnostic> {
    let info = &check(p, module, "MSL", msl::supported_capabilities())?;
    let mut resources = msl::EntryPointResources::default();
    let mut slot = 0u8;
    for (_, variable) in module.global_variables.iter() {
        if let Some(binding) = variable.binding {
            let writes = matches!(variable.space, naga::AddressSpace::Storage { access }
                if access.contains(naga::StorageAccess::STORE));
            let target = msl::BindTarget { buffer: Some(slot), mutable: writes, ..Default::default() };
            resources.resources.insert(binding, target);
            slot = slot.checked_add(1).ok_or_else(|| {
                Diagnostic::new(codes::E005, format!("`{}` has more buffers than Metal has slots", p.name))
            })?;
        }
    }
    resources.sizes_buffer = Some(slot);
    let options = msl::Options {
        lang_version: (3, 1),
        per_entry_point_map: [(identifier(&p.name), resources)].into(),
        fake_missing_bindings: false,
        bounds_check_policies: UNCHECKED,
        zero_initialize_workgroup_memory: true,
        force_loop_bounding: false,
        ..msl::Options::default()
    };
    msl::write_string(module, info, &options, &msl::PipelineOptions::default())
        .map(|(text, _)| text)
        .map_err(|e| refuse(p, "MSL", &e))
}

pub(super) fn hlsl(p: &Program, module: &naga::Module) -> Result<String, Diagnostic> {
    let info = &check(p, module, "HLSL", hlsl::supported_capabilities())?;
    refuse_wide_bitcasts(p, module, info)?;
    let options = hlsl::Options {
        shader_model: hlsl::ShaderModel::V6_6,
        fake_missing_bindings: true,
        zero_initialize_workgroup_memory: true,
        restrict_indexing: false,
        force_loop_bounding: false,
        ..hlsl::Options::default()
    };
    let mut text = String::new();
    let pipeline = hlsl::PipelineOptions::default();
    let mut writer = hlsl::Writer::new(&mut text, &options, &pipeline);
    writer.write(module, info, None).map_err(|e| refuse(p, "HLSL", &e))?;
    Ok(text)
}

/// naga writes a bit cast between f64 and a 64-bit integer as if it were a conversion of the number.
fn refuse_wide_bitcasts(p: &Program, module: &naga::Module, info: &ModuleInfo) -> Result<(), Diagnostic> {
    for (i, entry) in module.entry_points.iter().enumerate() {
        let types = info.get_entry_point(i);
        for (_, expression) in entry.function.expressions.iter() {
            let naga::Expression::As { expr, kind, convert: None } = *expression else { continue };
            let from = types[expr].ty.inner_with(&module.types).scalar();
            let is_float = |kind| kind == naga::ScalarKind::Float;
            if from.is_some_and(|from| from.width == 8 && is_float(from.kind) != is_float(kind)) {
                let message = format!("`{}` cannot be written as HLSL: it takes the bits of an f64", p.name);
                return Err(Diagnostic::new(codes::E005, message).in_source(p.source.as_ref()));
            }
        }
    }
    Ok(())
}
