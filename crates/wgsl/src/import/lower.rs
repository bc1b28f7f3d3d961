//! The state of an import: the program so far, the variables, and the function that is being read.

use super::access::Place;
use super::code::Code;
use super::facts::{self, Facts};
use super::named;
use super::spread;
use super::types::Types;
use super::value::{BIG, Rvalue};
use super::vars::{Slot, State, Vars};
use crate::codes;
use naga::{Expression as E, Function, Handle, Module};
use smallvec::SmallVec;
use std::collections::{HashMap, HashSet};
use vyre_ir::verify::{MAX_DEPTH, MAX_INSTS};
use vyre_ir::*;

/// What a step gives, or the error that ends the import.
pub type Outcome<T> = Result<T, Box<Diagnostic>>;

/// Calls inside calls that an import follows.
pub const MAX_CALLS: u32 = 256;

/// An import in progress.
pub struct Lower<'m> {
    pub m: &'m Module,
    pub info: &'m naga::valid::ModuleInfo,
    pub code: Code,
    pub types: Types,
    pub vars: Vars,
    /// The facts of each function, and of the entry point.
    pub facts: &'m [Facts],
    pub globals: Vec<Option<Place>>,
    pub frame: Frame<'m>,
    /// Loops around this place, through calls.
    pub loops: u32,
    /// The flag that the entry point has returned.
    pub done: Slot,
    /// Branches outside of loops, and which of their sides end only in a return from the entry point.
    pub last: Vec<(Inst, [bool; 2])>,
    /// Whether locations point into a source text.
    pub has_source: bool,
    /// Private memory of local variables and of big values.
    pub memory: HashMap<Owner, Buffer>,
    /// Constant arrays in private memory that is written first of all.
    pub tables: HashMap<(Option<usize>, Handle<E>), Place>,
    pub names: HashSet<String>,
}

/// Who needs private memory: a function, by address, and what in it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Owner {
    Local(usize, Handle<naga::LocalVariable>),
    Expression(usize, Handle<E>),
    Result(usize),
}

/// A call of a function.
pub struct Frame<'m> {
    pub f: &'m Function,
    pub info: &'m naga::valid::FunctionInfo,
    pub facts: &'m Facts,
    /// Values of the expressions that were emitted.
    pub values: Vec<Option<Rvalue>>,
    pub arguments: Vec<Argument>,
    pub locals: Vec<Place>,
    /// Whether it returned.
    pub returned: Slot,
    /// What it returned.
    pub result: Option<Place>,
    /// Where `break` and `continue` go, innermost last.
    pub jumps: Vec<Jump>,
}

/// What a parameter stands for.
#[derive(Clone)]
pub enum Argument {
    Value(Rvalue),
    Pointer(Place),
    /// A built-in value of the entry point.
    BuiltIn(naga::BuiltIn),
    /// A structure of them.
    BuiltIns(SmallVec<[naga::BuiltIn; 4]>),
}

/// A leaf that is known before anything runs.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct Constant {
    pub ty: Type,
    pub bits: [u64; 4],
}

/// The flags of a loop or switch.
#[derive(Copy, Clone)]
pub struct Jump {
    pub broke: Slot,
    pub continued: Option<Slot>,
}

impl<'m> Lower<'m> {
    /// Lowers an entry point.
    pub fn entry(
        m: &'m Module,
        info: &'m naga::valid::ModuleInfo,
        entry: usize,
        facts: &'m [Facts],
        has_source: bool,
    ) -> Outcome<Program> {
        let point = &m.entry_points[entry];
        let (own, callees) = facts.split_last().expect("the entry point has facts");
        let code = Code::new(&point.name, point.workgroup_size);
        let outermost = (&point.function, info.get_entry_point(entry), own);
        let mut this = Lower::new(m, info, code, outermost, callees, has_source);
        this.declare(facts)?;
        this.builtins(point)?;
        this.body()?;
        let mut program = this.code.finish();
        spread::spread(&mut program, &this.last);
        Ok(program)
    }

    /// An import that begins with this function, of which nothing has been read.
    pub fn new(
        m: &'m Module,
        info: &'m naga::valid::ModuleInfo,
        mut code: Code,
        (f, uses, own): (&'m Function, &'m naga::valid::FunctionInfo, &'m Facts),
        facts: &'m [Facts],
        has_source: bool,
    ) -> Lower<'m> {
        let mut vars = Vars::default();
        let returned = vars.slot(Scalar::Bool.into());
        code.b.loc = Loc::default();
        let frame = Frame {
            f,
            info: uses,
            facts: own,
            values: vec![None; f.expressions.len()],
            arguments: Vec::new(),
            locals: Vec::new(),
            returned,
            result: None,
            jumps: Vec::new(),
        };
        Lower {
            m,
            info,
            code,
            types: Types::of(m),
            vars,
            facts,
            globals: vec![None; m.global_variables.len()],
            frame,
            loops: 0,
            done: returned,
            last: Vec::new(),
            has_source,
            memory: HashMap::new(),
            tables: HashMap::new(),
            names: HashSet::new(),
        }
    }

    /// Allocates and initializes the local variables of the function.
    pub fn allocate_locals(&mut self) -> Outcome<()> {
        let f = self.frame.f;
        for (handle, local) in f.local_variables.iter() {
            self.at(f.local_variables.get_span(handle));
            let ty = self.types.own(local.ty);
            self.usable(ty)?;
            let indexed = self.frame.facts.indexed.contains(&facts::Root::Local(handle));
            let place = if indexed || self.types[ty].leaves > BIG {
                let owner = Owner::Local(self.function_id(), handle);
                let (place, fresh) = self.private(owner, local.name.as_deref().unwrap_or("local"), ty)?;
                // Private memory starts as zero; a later call finds what the one before left.
                if local.init.is_none() && !(fresh && self.loops == 0) {
                    self.clear(&place)?;
                }
                place
            } else {
                self.slots(ty)
            };
            self.frame.locals.push(place.clone());
            if let Some(init) = local.init {
                let value = self.rvalue(init)?;
                self.store(&place, &value)?;
            }
        }
        Ok(())
    }

    /// Reads a called function in place of the call.
    pub fn call(
        &mut self,
        function: Handle<Function>,
        arguments: &[Handle<E>],
        result: Option<Handle<E>>,
    ) -> Outcome<()> {
        let f = &self.m.functions[function];
        if let Some(op) = named::operation(f) {
            return self.perform(op, arguments, result);
        }
        let mut passed = Vec::with_capacity(arguments.len());
        for (&e, parameter) in arguments.iter().zip(&f.arguments) {
            passed.push(match self.m.types[parameter.ty].inner {
                naga::TypeInner::Pointer { .. } | naga::TypeInner::ValuePointer { .. } => {
                    Argument::Pointer(self.place(e)?)
                }
                _ => Argument::Value(self.rvalue(e)?),
            });
        }
        let mark = self.vars.mark();
        let (returned, loc) = (self.vars.slot(Scalar::Bool.into()), self.code.b.loc);
        let frame = Frame {
            f,
            info: &self.info[function],
            facts: &self.facts[function.index()],
            values: vec![None; f.expressions.len()],
            arguments: passed,
            locals: Vec::new(),
            returned,
            result: None,
            jumps: Vec::new(),
        };
        let caller = std::mem::replace(&mut self.frame, frame);
        if let Some(result) = &f.result {
            let ty = self.types.own(result.ty);
            self.usable(ty)?;
            self.frame.result = Some(if self.types[ty].leaves > BIG {
                self.private(Owner::Result(self.function_id()), "result", ty)?.0
            } else {
                self.slots(ty)
            });
        }
        self.body()?;
        let callee = std::mem::replace(&mut self.frame, caller);
        self.code.b.loc = loc;
        let value = match (result, callee.result) {
            (Some(e), Some(place)) if self.frame.info[e].ref_count > 0 => {
                let value = self.load(&place, |this| this.expression_memory(e, place.ty))?;
                Some((e, value))
            }
            _ => None,
        };
        self.vars.forget(mark);
        if let Some((e, value)) = value {
            self.set_value(e, value)?;
        }
        Ok(())
    }

    /// Reads the function of the frame.
    pub fn body(&mut self) -> Outcome<()> {
        self.prepare_arguments()?;
        self.allocate_locals()?;
        self.block(&self.frame.f.body)
    }

    /// Gives memory to array parameters that are indexed dynamically.
    fn prepare_arguments(&mut self) -> Outcome<()> {
        for (e, expression) in self.frame.f.expressions.iter() {
            let E::FunctionArgument(i) = *expression else { continue };
            if !self.frame.facts.tables.contains(&e) {
                continue;
            }
            if let Some(Argument::Value(value)) = self.frame.arguments.get(i as usize).cloned() {
                self.set_value(e, value)?;
            }
        }
        Ok(())
    }

    /// Sets the location of what comes next.
    pub fn at(&mut self, span: naga::Span) {
        if let (true, Some(range)) = (self.has_source, span.to_range()) {
            self.code.b.loc = Loc::span(range.start as u32, range.end as u32);
        }
    }

    /// An error at the current place: the construct cannot be imported.
    pub fn unsupported(&self, what: &str) -> Box<Diagnostic> {
        let function = self.frame.f.name.as_deref();
        let place = match function {
            Some(name) if !self.has_source => format!(" in function `{name}`"),
            _ => String::new(),
        };
        Box::new(
            Diagnostic::new(codes::I020, format!("{what} cannot be imported{place}"))
                .at(self.code.b.loc, "here"),
        )
    }

    /// Refuses regions nested deeper than programs may be.
    pub fn check_depth(&self) -> Outcome<()> {
        // The expansion of a long copy nests once more.
        if self.code.depth() + 2 < MAX_DEPTH {
            return Ok(());
        }
        Err(Box::new(
            Diagnostic::new(
                codes::I014,
                format!(
                    "control flow nests deeper than {MAX_DEPTH} levels once early exits are made explicit"
                ),
            )
            .at(self.code.b.loc, "here")
            .fix("Replace a chain of early exits by a loop or a switch."),
        ))
    }

    /// Refuses programs that grow too large.
    pub fn check_size(&self) -> Outcome<()> {
        let size = self.code.b.p.insts.len();
        if size <= MAX_INSTS {
            return Ok(());
        }
        Err(too_large(size as u64, self.code.b.loc))
    }

    /// A flag that starts as false.
    pub fn flag(&mut self) -> Slot {
        let slot = self.vars.slot(Scalar::Bool.into());
        debug_assert_eq!(self.vars.state(slot), State::Zero);
        slot
    }
}

/// A call tree or program over the limit.
pub fn too_large(size: u64, loc: Loc) -> Box<Diagnostic> {
    let message = format!(
        "the program has {size} instructions once its functions are inlined; the limit is {MAX_INSTS}"
    );
    Box::new(
        Diagnostic::new(codes::I013, message)
            .at(loc, "")
            .fix("Call large functions from fewer places, for example in a loop."),
    )
}
