//! Makes kernels of functions: each kernel gets the functions it calls, and a place for every variable it names.
//!
//! Functions do not call themselves, however indirectly; so every function has its registers and its own memory at
//! fixed places, beside those of its callers.

use super::{Formal, Function, SHARED_BYTES, Source};
use crate::code::{Call, Code, Constant, Instruction, NONE, Op, Place, Placed, Space};
use crate::module::{Entry, Module, ParamDecl, ParseError};
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where a kernel's shared memory begins, so that the address 0 is none.
pub(crate) const SHARED_BEGIN: u64 = 1024;
/// Between variables of shared memory, so that what runs over one does not land in the next. A multiple of the width of
/// all banks.
const SHARED_GAP: u64 = 256;
/// Where a thread's own memory begins.
pub(crate) const LOCAL_BEGIN: u64 = 64;
/// Where the parameter block begins.
pub(crate) const PARAM_BEGIN: u64 = 64;
/// The most bytes of a kernel's parameters: from PTX 8.1 on.
const PARAM_BYTES: u64 = 32_764;
/// The most instructions of all kernels, each with its functions.
const INSTRUCTIONS: usize = 1 << 22;

static MODULES: AtomicU64 = AtomicU64::new(1);

pub(crate) fn module(source: Source<'_>, version: (u32, u32)) -> Result<Module, ParseError> {
    let id = MODULES.fetch_add(1, Ordering::Relaxed);
    let place = |(file, line, column): &(u64, usize, usize)| {
        (source.files.get(file).map_or(String::new(), |name| (*name).to_string()), *line, *column)
    };
    let called = source.functions.iter().enumerate().filter(|(_, function)| !function.entry);
    let shared = Shared {
        functions: called.map(|(index, function)| (function.name.as_str(), index)).collect(),
        text: source.text.into(),
        places: source.places.iter().map(place).collect(),
        id,
    };
    let mut entries = Vec::new();
    let mut instructions = 0;
    for (index, function) in source.functions.iter().enumerate().filter(|(_, function)| function.entry) {
        let entry = Linker::new(&source, &shared).entry(index, function)?;
        instructions += entry.code.instructions.len();
        if instructions > INSTRUCTIONS {
            return Err(error(function.line, "too many instructions in all kernels together".to_string()));
        }
        entries.push(entry);
    }
    drop(shared);
    Ok(Module { target: source.target, version, entries })
}

/// What all kernels of a module have.
struct Shared<'s> {
    /// Functions that can be called.
    functions: FxHashMap<&'s str, usize>,
    text: Arc<str>,
    places: Arc<[(String, usize, usize)]>,
    id: u64,
}

fn error(line: u32, message: String) -> ParseError {
    ParseError { line: line as usize, message }
}

struct Linker<'s, 'a> {
    source: &'s Source<'a>,
    shared: &'s Shared<'s>,
    /// Functions with where their code and registers begin.
    placed: FxHashMap<usize, (u32, u32)>,
    code: Code,
}

impl<'s, 'a> Linker<'s, 'a> {
    fn new(source: &'s Source<'a>, shared: &'s Shared<'s>) -> Linker<'s, 'a> {
        Linker {
            source,
            shared,
            placed: FxHashMap::default(),
            code: Code {
                instructions: Vec::new(),
                types: Vec::new(),
                names: Vec::new(),
                constants: Vec::new(),
                variables: Vec::new(),
                shared: Vec::new(),
                dynamic_shared: 0,
                has_dynamic_shared: false,
                local_bytes: 0,
                places: Arc::clone(&shared.places),
                text: Arc::clone(&shared.text),
                module: shared.id,
                non_coherent: false,
            },
        }
    }

    fn entry(mut self, index: usize, function: &Function) -> Result<Entry, ParseError> {
        self.place(index, &mut Vec::new())?;
        let used = self.used(function);
        let (params, param_bytes) = self.parameters(function)?;
        let mut offsets = vec![NONE as u64; self.source.variables.len()];
        for (variable, offset) in function.arguments.iter().zip(&params) {
            if let Formal::Variable(variable) = variable {
                offsets[*variable as usize] = PARAM_BEGIN + offset.offset as u64;
            }
        }
        let static_shared = self.shared(function, &used, &mut offsets)?;
        let mut local = LOCAL_BEGIN;
        for (at, variable) in self.source.variables.iter().enumerate() {
            let own = variable.space == Space::Local || variable.space == Space::Param && !variable.of_entry;
            if used[at] && own {
                local = local.next_multiple_of(u64::from(variable.align));
                offsets[at] = local;
                local += variable.bytes;
            }
        }
        if local > 1 << 22 {
            return Err(error(function.line, format!("a thread's own memory is too large: {local} bytes")));
        }
        self.code.local_bytes = local - LOCAL_BEGIN;
        let named = self.source.variables.iter().enumerate().filter(|(at, _)| used[*at]);
        self.code.variables = named
            .map(|(at, variable)| Placed {
                number: at as u32,
                variable: variable.clone(),
                begin: offsets[at],
            })
            .collect();
        for constant in &mut self.code.constants {
            if let Constant::Address(variable, more) = *constant {
                let space = self.source.variables[variable as usize].space;
                if !matches!(space, Space::Global | Space::Const) {
                    *constant = Constant::Value(offsets[variable as usize].wrapping_add(more as u64));
                }
            }
        }
        self.calls(&offsets)?;
        self.code.non_coherent = self
            .code
            .instructions
            .iter()
            .any(|instruction| matches!(&instruction.op, Op::Load(access) if access.non_coherent));
        Ok(Entry {
            name: function.name.clone(),
            params,
            param_bytes,
            static_shared,
            required_threads: function.required_threads,
            max_threads: function.max_threads.map(|most| most.iter().copied().fold(1, u32::saturating_mul)),
            code: Arc::new(self.code),
        })
    }

    /// Appends a function's code and that of what it calls.
    fn place(&mut self, index: usize, callers: &mut Vec<usize>) -> Result<(), ParseError> {
        let function = &self.source.functions[index];
        if callers.contains(&index) || callers.len() > 64 {
            return Err(error(
                function.line,
                format!("`{}` calls itself, or calls too deeply", function.name),
            ));
        }
        if self.placed.contains_key(&index) {
            return Ok(());
        }
        let (begin, registers, constants) = (
            self.code.instructions.len() as u32,
            self.code.types.len() as u32,
            self.code.constants.len() as u32,
        );
        self.placed.insert(index, (begin, registers));
        self.code.types.extend_from_slice(&function.registers);
        let names = function.register_names.iter();
        self.code.names.extend(names.map(|(name, first, count)| (name.clone(), first + registers, *count)));
        self.code.constants.extend_from_slice(&function.constants);
        let instructions = function.instructions.iter().map(|one| moved(one, begin, registers, constants));
        self.code.instructions.extend(instructions);
        if self.code.instructions.len() > INSTRUCTIONS {
            return Err(error(function.line, "too many instructions".to_string()));
        }
        callers.push(index);
        for instruction in &function.instructions {
            if let Op::Call(call) = &instruction.op {
                let callee = self.function(call, instruction.line)?;
                self.place(callee, callers)?;
            }
        }
        callers.pop();
        Ok(())
    }

    fn function(&self, call: &Call, line: u32) -> Result<usize, ParseError> {
        let found = self.shared.functions.get(call.name.as_str()).copied();
        found.ok_or_else(|| error(line, format!("there is no function `{}`", call.name)))
    }

    /// Which variables the kernel and its functions name.
    fn used(&self, entry: &Function) -> Vec<bool> {
        let mut used = vec![false; self.source.variables.len()];
        for index in self.placed.keys() {
            let function = &self.source.functions[*index];
            for constant in &function.constants {
                if let Constant::Address(variable, _) = constant {
                    used[*variable as usize] = true;
                }
            }
            for formal in function.arguments.iter().chain(&function.results) {
                if let Formal::Variable(variable) = formal {
                    used[*variable as usize] = true;
                }
            }
            for instruction in &function.instructions {
                if let Op::Call(call) = &instruction.op {
                    for place in call.arguments.iter().chain(&call.results) {
                        if let Place::Memory(variable, _) = place {
                            used[*variable as usize] = true;
                        }
                    }
                }
            }
        }
        debug_assert!(entry.entry);
        used
    }

    fn parameters(&self, function: &Function) -> Result<(Vec<ParamDecl>, usize), ParseError> {
        let mut end = 0;
        let mut params = Vec::new();
        for formal in &function.arguments {
            let Formal::Variable(variable) = formal else { continue };
            let variable = &self.source.variables[*variable as usize];
            let offset = u64::next_multiple_of(end, u64::from(variable.align));
            end = offset + variable.bytes;
            params.push(ParamDecl {
                name: variable.name.clone(),
                offset: offset as usize,
                bytes: variable.bytes as usize,
            });
            if end > PARAM_BYTES {
                return Err(error(function.line, format!("too many bytes of parameters: {end}")));
            }
        }
        Ok((params, end as usize))
    }

    /// Places shared memory; gives the bytes that the kernel declares.
    fn shared(&mut self, function: &Function, used: &[bool], offsets: &mut [u64]) -> Result<u32, ParseError> {
        // Two ends: of the memory as hardware lays it out, and of it with gaps.
        let (mut plain, mut end) = (0u64, SHARED_BEGIN);
        for (at, variable) in self.source.variables.iter().enumerate() {
            if used[at] && variable.space == Space::Shared && !variable.dynamic {
                let aligned = plain.next_multiple_of(u64::from(variable.align));
                end = (end + aligned - plain).next_multiple_of(u64::from(variable.align));
                // Banks are those that the variable would have.
                end += (aligned % 128 + 128 - end % 128) % 128;
                offsets[at] = end;
                self.code.shared.push((end, end + variable.bytes));
                plain = aligned + variable.bytes;
                end += variable.bytes + SHARED_GAP;
            }
        }
        if plain > SHARED_BYTES {
            return Err(error(function.line, format!("too much shared memory: {plain} bytes")));
        }
        self.code.dynamic_shared = end.next_multiple_of(1024);
        for (at, variable) in self.source.variables.iter().enumerate() {
            if used[at] && variable.dynamic {
                self.code.has_dynamic_shared = true;
                offsets[at] = self.code.dynamic_shared;
            }
        }
        Ok(plain as u32)
    }

    /// Tells calls where their functions are.
    fn calls(&mut self, offsets: &[u64]) -> Result<(), ParseError> {
        let place = |place: &mut Place| {
            if let Place::Memory(variable, _) = place {
                *variable = offsets[*variable as usize] as u32;
            }
        };
        for at in 0..self.code.instructions.len() {
            let line = self.code.instructions[at].line;
            let Op::Call(call) = &self.code.instructions[at].op else { continue };
            let index = self.function(call, line)?;
            let function = &self.source.functions[index];
            let (begin, registers) =
                *self.placed.get(&index).ok_or_else(|| error(line, "an unplaced function".to_string()))?;
            let formal = |formal: &Formal| match *formal {
                Formal::Register(register, _) => Place::Register(register + registers),
                Formal::Variable(variable) => Place::Memory(
                    offsets[variable as usize] as u32,
                    self.source.variables[variable as usize].bytes as u32,
                ),
            };
            let mut linked = call.clone();
            linked.target = begin;
            linked.formal_arguments = function.arguments.iter().map(formal).collect();
            linked.formal_results = function.results.iter().map(formal).collect();
            linked.arguments.iter_mut().chain(&mut linked.results).for_each(place);
            let fits = |given: &[Place], formal: &[Place]| {
                given.len() == formal.len()
                    && given.iter().zip(formal).all(|pair| match pair {
                        (Place::Memory(_, given), Place::Memory(_, formal)) => given == formal,
                        (Place::Register(_) | Place::Value(_), Place::Register(_)) => true,
                        _ => false,
                    })
            };
            if !fits(&linked.arguments, &linked.formal_arguments)
                || !fits(&linked.results, &linked.formal_results)
            {
                return Err(error(
                    line,
                    format!("`{}` takes other arguments or gives other results", call.name),
                ));
            }
            self.code.instructions[at].op = Op::Call(linked);
        }
        Ok(())
    }
}

/// An instruction in a kernel where its function's code, registers and constants begin later.
fn moved(one: &Instruction, code: u32, registers: u32, constants: u32) -> Instruction {
    let mut one = one.clone();
    let register = |register: &mut u32| {
        if *register != NONE {
            *register += registers;
        }
    };
    register(&mut one.guard.register);
    register(&mut one.destination);
    one.more_destinations.iter_mut().for_each(register);
    for source in one.sources.iter_mut().chain(&mut one.more_sources) {
        *source = source.moved(registers, constants);
    }
    match &mut one.op {
        Op::Branch(target) => *target += code,
        Op::BranchIndex(targets) => targets.iter_mut().for_each(|target| *target += code),
        Op::Call(call) => {
            for place in call.arguments.iter_mut().chain(&mut call.results) {
                match place {
                    Place::Register(register) => *register += registers,
                    Place::Value(source) => *source = source.moved(registers, constants),
                    Place::Memory(..) => {}
                }
            }
        }
        _ => {}
    }
    one
}
