//! From `--out` to the places of a program's outputs, and outputs in a few words.

use crate::args::WorkArgs;
use crate::codes;
use crate::elements;
use crate::failure::Failure;
use crate::inputs::{Inputs, element, unknown};
use crate::sink::{Output, Sink, write_all};
use serde_json::{Value, json};
use vyre::{Binding, BindingPlan};
use vyre_ir::{Diagnostic, Program, Type};

/// Elements of an output that are shown.
const SHOWN: usize = 8;

/// What a program wrote, and where it goes.
pub struct Results<'a> {
    /// The program.
    pub program: &'a Program,
    /// Its buffers.
    pub plan: &'a BindingPlan,
    /// The contents of each output of the plan.
    pub buffers: Vec<&'a [u8]>,
    /// The sink of each, if it has one.
    pub sinks: &'a [Option<Sink>],
}

/// Contents, whoever owns them.
pub fn views(buffers: &[impl std::ops::Deref<Target = [u8]>]) -> Vec<&[u8]> {
    buffers.iter().map(|buffer| &**buffer).collect()
}

impl Results<'_> {
    fn each(&self) -> impl Iterator<Item = (&Binding, &[u8], Option<&Sink>)> {
        let outputs = self.plan.outputs().zip(&self.buffers).zip(self.sinks);
        outputs.map(|((binding, bytes), sink)| (binding, *bytes, sink.as_ref()))
    }

    /// Writes what has a sink.
    pub fn write(&self) -> Result<(), Failure> {
        let of = |(binding, bytes, sink): (_, _, Option<_>)| {
            Some(Output { ty: element(self.program, binding), bytes, sink: sink? })
        };
        let written: Vec<Output> = self.each().filter_map(of).collect();
        for notice in write_all(&written)? {
            eprintln!("note: {notice}");
        }
        Ok(())
    }

    /// Whether standard output belongs to one of them.
    pub fn on_standard_output(&self) -> bool {
        self.sinks.iter().flatten().any(|sink| sink.path().is_none())
    }

    /// Names, types and the first elements.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (binding, bytes, sink) in self.each() {
            let ty = element(self.program, binding);
            let to = sink.and_then(|s| Some(format!(" -> {}", s.path()?.display()))).unwrap_or_default();
            let (name, count) = (&binding.name, binding.element_count);
            text += &format!("  {name}: {ty}[{count}]{}{to}\n", extent(sink, count));
            if !matches!(sink, Some(Sink::Png(..))) {
                text += &format!("    {}\n", first_elements(bytes, ty));
            }
        }
        text
    }

    /// The same for `--json`.
    pub fn json(&self) -> Vec<Value> {
        let of = |(binding, bytes, sink): (&Binding, &[u8], Option<&Sink>)| {
            let ty = element(self.program, binding);
            let first: Vec<Value> = (0..SHOWN * ty.lanes as usize)
                .map_while(|i| elements::scalar_at(bytes, ty.scalar, i))
                .map(|bits| elements::json(ty.scalar, bits))
                .collect();
            json!({
                "name": binding.name,
                "type": ty.to_string(),
                "elements": binding.element_count,
                "first": first,
                "file": sink.and_then(Sink::path).map(|path| path.display().to_string()),
            })
        };
        self.each().map(of).collect()
    }
}

/// The sink of each output of the plan, if it has one, checked.
pub fn sinks(
    work: &WorkArgs,
    program: &Program,
    inputs: &Inputs,
    as_json: bool,
) -> Result<Vec<Option<Sink>>, Failure> {
    let plan = &inputs.plan;
    let mut sinks: Vec<Option<Sink>> = plan.outputs().map(|_| None).collect();
    let mut errors = Vec::new();
    for out in &work.outs {
        let Some(i) = plan.outputs().position(|b| b.name == out.name) else {
            errors.push(unknown_output(plan, &out.name));
            continue;
        };
        let binding = plan.outputs().nth(i).expect("it was just found");
        let (ty, elements) = (element(program, binding), binding.element_count);
        let sink = Sink::parse(&out.value).and_then(|mut sink| {
            sink.fit(&out.name, ty, elements, picture_width(work, program, inputs, elements))?;
            sink.probe()?;
            Ok(sink)
        });
        match sink {
            Ok(sink) => {
                let taken = sinks.iter().flatten().any(|other| match (other.path(), sink.path()) {
                    (None, None) => true,
                    (Some(a), Some(b)) => a == b,
                    _ => false,
                });
                if taken || sinks[i].is_some() {
                    let message = format!("`--out {}={}` comes twice", out.name, out.value);
                    errors.push(
                        Diagnostic::new(codes::C012, message)
                            .fix("Write each buffer once, to its own place."),
                    );
                }
                sinks[i] = Some(sink);
            }
            Err(error) => errors.push(error),
        }
    }
    if as_json && sinks.iter().flatten().any(|sink| sink.path().is_none()) {
        let message = "`--json` and an output to `-` both want standard output";
        errors.push(Diagnostic::new(codes::C001, message).fix("Write the output to a file."));
    }
    if errors.is_empty() { Ok(sinks) } else { Err(errors.into()) }
}

fn unknown_output(plan: &BindingPlan, name: &str) -> Diagnostic {
    let mut error = unknown(plan, name, |b| b.output_index.is_some());
    if plan.bindings.iter().any(|b| b.name == name) {
        error.message = format!("the program does not write buffer `{name}`");
    }
    error
}

/// The width of a picture of so many pixels: the grid's if it has two axes, else that of an input of as many pixels.
fn picture_width(work: &WorkArgs, program: &Program, inputs: &Inputs, pixels: u64) -> Option<u32> {
    let axes = match (work.threads, work.grid) {
        (Some(threads), _) => threads.0.map(u64::from),
        (_, Some(groups)) => {
            [0, 1, 2].map(|axis| groups.0[axis] as u64 * program.workgroup_size[axis] as u64)
        }
        _ => [1; 3],
    };
    if axes[1] > 1 && axes[0] as u128 * axes[1] as u128 * axes[2] as u128 == pixels as u128 {
        return u32::try_from(axes[0]).ok();
    }
    let same = inputs.pictures.iter().find(|(w, h)| *w as u64 * *h as u64 == pixels);
    same.map(|(width, _)| *width)
}

fn extent(sink: Option<&Sink>, elements: u64) -> String {
    match sink {
        Some(Sink::Png(_, Some(width))) => format!(", {width} x {} pixels", elements / *width as u64),
        _ => String::new(),
    }
}

fn first_elements(buffer: &[u8], ty: Type) -> String {
    let elements = buffer.len() / ty.bytes() as usize;
    let first = (0..elements.min(SHOWN)).map(|i| elements::show_element(buffer, ty, i));
    let more = if elements > SHOWN { " ..." } else { "" };
    first.collect::<Vec<_>>().join(" ") + more
}
