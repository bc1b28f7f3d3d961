//! A program file with its inputs and expected outputs in `//!` lines; `tests/programs/README.md` lists the lines.

use crate::bounds::{is_subnormal, ulps};
use crate::list::{self, Item};
use vyre_driver::{BackendError, BindingPlan, Device, DispatchConfig, Grid, OutOfBounds};
use vyre_ir::{Diagnostic, Program, Scalar};
use vyre_wgsl::ImportOptions;

/// A test program.
#[derive(Clone, Default, Debug)]
pub struct Case {
    /// The file's name.
    pub name: String,
    /// The whole text.
    pub source: String,
    /// What it shows.
    pub about: String,
    grid: Option<[u32; 3]>,
    entry: Option<String>,
    overrides: Vec<(String, f64)>,
    words: Vec<String>,
    inputs: Vec<(String, String)>,
    outputs: Vec<(String, String)>,
    ulp: Vec<(String, f64)>,
    abs: Vec<(String, f64)>,
    inexact: Vec<(String, f64)>,
    /// Whether it shows what becomes of subnormal numbers, beside those that it puts out.
    subnormals: bool,
    /// For a program that must be refused: what the message must contain.
    pub error: Option<String>,
    /// For a program that must be refused: the line it must point at.
    pub line: Option<usize>,
}

impl Case {
    /// Reads the `//!` lines of a program file.
    ///
    /// # Errors
    /// A sentence that names the line that is not understood.
    pub fn parse(name: &str, source: &str) -> Result<Case, String> {
        let mut case = Case { name: name.into(), source: source.into(), ..Case::default() };
        for (i, line) in source.lines().enumerate() {
            let Some(line) = line.strip_prefix("//!") else { continue };
            case.line(line.trim()).map_err(|e| format!("{name}:{}: {e}", i + 1))?;
        }
        Ok(case)
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let assign = || {
            let (name, value) = rest.split_once('=').ok_or_else(|| format!("expected NAME = in `{line}`"))?;
            Ok::<_, String>((name.trim().to_string(), value.trim().to_string()))
        };
        let number = |(name, value): (String, String)| {
            let value = match value.as_str() {
                "true" => 1.0,
                "false" => 0.0,
                v => v.parse().map_err(|e| format!("`{v}`: {e}"))?,
            };
            Ok::<_, String>((name, value))
        };
        match word {
            "grid:" => {
                let parts: Result<Vec<u32>, _> = rest.split(',').map(|n| n.trim().parse()).collect();
                let parts = parts.map_err(|e| e.to_string())?;
                self.grid = Some(parts.try_into().map_err(|_| "a grid has three axes".to_string())?);
            }
            "entry:" => self.entry = Some(rest.trim().into()),
            "override:" => self.overrides.push(number(assign()?)?),
            "words" => self.words.push(rest.trim().into()),
            "in" => self.inputs.push(assign()?),
            "out" => self.outputs.push(assign()?),
            "ulp" => self.ulp.push(number(assign()?)?),
            "abs" => self.abs.push(number(assign()?)?),
            "inexact" => self.inexact.push(number(assign()?)?),
            "needs:" if rest.trim() == "subnormals" => self.subnormals = true,
            "error:" => self.error = Some(rest.trim().into()),
            "line:" => self.line = Some(rest.trim().parse().map_err(|_| format!("`{rest}` is no line"))?),
            _ if self.about.is_empty() => self.about = line.into(),
            _ => return Err(format!("`{line}` is not understood")),
        }
        Ok(())
    }

    /// The program, imported or parsed by the file's extension.
    pub fn program(&self) -> Result<Program, Vec<Diagnostic>> {
        if self.name.ends_with(".vyre") {
            return vyre_ir::text::parse(&self.name, &self.source);
        }
        let options = ImportOptions { entry: self.entry.clone(), overrides: self.overrides.clone() };
        vyre_wgsl::import_wgsl(&self.name, &self.source, &options)
    }

    /// The bytes of each input in the order of the plan.
    ///
    /// # Errors
    /// A sentence about the list that does not fit.
    pub fn inputs(&self, program: &Program, plan: &BindingPlan) -> Result<Vec<Vec<u8>>, String> {
        for (name, _) in self.inputs.iter().chain(&self.outputs) {
            program.buffer_named(name).ok_or_else(|| format!("the program has no buffer `{name}`"))?;
        }
        let input = |b: &vyre_driver::Binding| match find(&self.inputs, &b.name) {
            Some(text) => {
                let scalar = self.scalar(program, &b.name);
                Ok(list::to_bytes(&list::parse(text, scalar)?, scalar))
            }
            None if b.static_byte_len.is_some() => Ok(vec![0; b.byte_len() as usize]),
            None => Err(format!("buffer `{}` is sized at run time and has no `in` line", b.name)),
        };
        plan.inputs().map(input).collect()
    }

    /// How the case is run.
    pub fn config(&self) -> DispatchConfig {
        DispatchConfig { grid: Grid::Workgroups(self.grid.unwrap_or([1, 1, 1])), ..DispatchConfig::default() }
    }

    /// Runs the case on a device and compares its outputs.
    ///
    /// # Errors
    /// [`Failure::Unsupported`] where the backend refuses the program by name, [`Failure::OutOfBounds`] in checked mode,
    /// [`Failure::Wrong`] for the rest.
    pub fn run(&self, device: &Device, config: &DispatchConfig) -> Result<(), Failure> {
        let wrong = |e: &dyn std::fmt::Display| Failure::Wrong(e.to_string());
        let program = self.program().map_err(|errors| wrong(&show_all(&errors)))?;
        let plan = BindingPlan::build(&program).map_err(|e| wrong(&e))?;
        let inputs = self.inputs(&program, &plan).map_err(Failure::Wrong)?;
        let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
        let refused = |e: BackendError| match e {
            BackendError::Unsupported { .. } => Failure::Unsupported(e.to_string()),
            BackendError::OutOfBounds { access } => Failure::OutOfBounds(access),
            _ => wrong(&e),
        };
        let floats = match device.profile().exact_floats {
            true => Floats::Exact,
            false => Floats::Inexact,
        };
        if self.subnormals
            && floats == Floats::Inexact
            && takes_subnormals_for_zero(device).map_err(|e| wrong(&e))?
        {
            return Err(Failure::Unsupported("this device has no subnormal numbers".into()));
        }
        let compiled = device.compile(&program, config).map_err(refused)?;
        let outputs = compiled.dispatch(&inputs, config).map_err(refused)?;
        for (b, bytes) in plan.outputs().zip(&outputs.buffers) {
            self.compare(&program, &b.name, bytes, floats).map_err(Failure::Wrong)?;
        }
        Ok(())
    }

    /// Compares one output with what the file says.
    ///
    /// # Errors
    /// The first element that differs.
    pub fn compare(&self, program: &Program, name: &str, bytes: &[u8], floats: Floats) -> Result<(), String> {
        let Some(text) = find(&self.outputs, name) else { return Ok(()) };
        let scalar = self.scalar(program, name);
        let want = list::parse(text, scalar)?;
        let got: Vec<u64> = bytes.chunks(scalar.bytes() as usize).map(list::from_bytes).collect();
        if want.len() != got.len() {
            return Err(format!("`{name}` has {} elements, {} are expected", got.len(), want.len()));
        }
        let inexact = find(&self.inexact, name).copied().filter(|_| floats == Floats::Inexact);
        let ulp = inexact.or(find(&self.ulp, name).copied()).unwrap_or(0.0);
        let abs = find(&self.abs, name).copied().unwrap_or(0.0);
        for (i, (want, got)) in want.into_iter().zip(got).enumerate() {
            let Item::Bits(want) = want else { continue };
            let allowed = |close: bool| match floats {
                Floats::Exact => close,
                Floats::Inexact => {
                    let flushed = is_subnormal(scalar, want) && got & scalar.mask() >> 1 == 0;
                    close || flushed || are_close_words(scalar, want, got, inexact.unwrap_or(0.0))
                }
            };
            if !allowed(close(scalar, want, got, ulp, abs)) {
                let (want_text, got_text) = (list::show(want, scalar), list::show(got, scalar));
                return Err(format!(
                    "`{name}[{i}]` is {got_text} ({got:#x}), expected {want_text} ({want:#x})"
                ));
            }
        }
        Ok(())
    }

    fn scalar(&self, program: &Program, name: &str) -> Scalar {
        if self.words.iter().any(|w| w == name) {
            return Scalar::U32;
        }
        let buffer = program.buffer_named(name).expect("names were checked");
        program.buffers[buffer].element.scalar
    }
}

/// How floats are compared.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Floats {
    /// As the file says.
    Exact,
    /// As the file says of devices whose floats are not exact; subnormal ones may be zero.
    Inexact,
}

/// Whether an f32 that is subnormal comes back as zero from a sum with zero.
fn takes_subnormals_for_zero(device: &Device) -> Result<bool, BackendError> {
    let text = "program subnormal workgroup(1, 1, 1) {
  buffer data: f32[2] storage read_write @group(0) @binding(0)
  %zero: u32 = const 0
  %one: u32 = const 1
  %x: f32 = load data[%zero]
  %y: f32 = load data[%one]
  %z: f32 = add %x, %y
  store data[%zero], %z
}";
    let program = vyre_ir::text::parse("subnormal.vyre", text).expect("it is a program");
    let config = DispatchConfig { grid: Grid::Workgroups([1, 1, 1]), ..DispatchConfig::default() };
    let outputs = device.compile(&program, &config)?.dispatch(&[&[1, 0, 0, 0, 0, 0, 0, 0]], &config)?;
    Ok(outputs.buffers[0][..4] == [0; 4])
}

/// Whether words are the bits of two normal f32 that are close.
fn are_close_words(scalar: Scalar, want: u64, got: u64, ulp: f64) -> bool {
    let normal = |bits: u64| (1..255).contains(&(bits >> 23 & 0xff));
    scalar == Scalar::U32 && normal(want) && normal(got) && ulps(Scalar::F32, want, got) <= ulp
}

/// Why a case did not pass.
#[derive(Debug)]
pub enum Failure {
    /// The backend cannot run it and says so.
    Unsupported(String),
    /// An access out of bounds in checked mode.
    OutOfBounds(Box<OutOfBounds>),
    /// A wrong result or an unexpected error.
    Wrong(String),
}

/// Whether two scalars are the same value, or close enough.
pub fn close(scalar: Scalar, want: u64, got: u64, ulp: f64, abs: f64) -> bool {
    if want == got {
        return true;
    }
    if !scalar.is_float() {
        return false;
    }
    let (w, g) = (as_f64(scalar, want), as_f64(scalar, got));
    if w.is_nan() || g.is_nan() {
        return w.is_nan() && g.is_nan();
    }
    w == g || ulps(scalar, want, got) <= ulp || (w - g).abs() <= abs
}

/// A float's value.
pub fn as_f64(scalar: Scalar, bits: u64) -> f64 {
    f64::from_bits(vyre_ir::lane::convert(scalar, Scalar::F64, bits))
}

/// Several diagnostics in one line.
pub fn show_all(errors: &[Diagnostic]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn find<'a, T>(table: &'a [(String, T)], name: &str) -> Option<&'a T> {
    table.iter().find(|(n, _)| n == name).map(|(_, value)| value)
}
