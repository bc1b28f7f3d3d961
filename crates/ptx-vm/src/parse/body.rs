//! Functions: their parameters, registers, labels and instructions.

use super::cursor::Cursor;
use super::{Formal, Function, REGISTERS, Source, declared, typed};
use crate::code::{Constant, Guard, Instruction, NONE, Op, Space};
use crate::decode;
use crate::lex::Token;
use crate::module::ParseError;
use crate::types::Type;
use rustc_hash::FxHashMap;

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Symbol {
    Register(u32),
    Variable(u32),
}

/// What is declared between two braces.
#[derive(Default)]
struct Scope<'a> {
    names: FxHashMap<&'a str, Symbol>,
    /// Of `%r<10>`: the first register and how many, by what stands before the number.
    ranges: FxHashMap<&'a str, (u32, u32)>,
}

impl Scope<'_> {
    fn find(&self, name: &str) -> Option<Symbol> {
        if let Some(symbol) = self.names.get(name) {
            return Some(*symbol);
        }
        // What stands before the number can end in digits itself; numbers have no leading zeros.
        let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        (1..=digits.min(7)).find_map(|taken| {
            let (prefix, number) = name.split_at(name.len() - taken);
            let (begin, count) = *self.ranges.get(prefix)?;
            let number = number.parse::<u32>().ok().filter(|_| taken == 1 || !number.starts_with('0'))?;
            (number < count).then_some(Symbol::Register(begin + number))
        })
    }
}

/// A function while it is read.
pub(crate) struct Body<'m, 'a> {
    pub(crate) source: &'m mut Source<'a>,
    scopes: Vec<Scope<'a>>,
    pub(crate) registers: Vec<Type>,
    /// What registers are called: a name, its first register, and how many have numbers behind it, 0 for a name alone.
    register_names: Vec<(String, u32, u32)>,
    instructions: Vec<Instruction>,
    pub(crate) constants: Vec<Constant>,
    labels: FxHashMap<&'a str, u32>,
    lists: FxHashMap<&'a str, Vec<&'a str>>,
    /// Branches whose labels may come later.
    branches: Vec<(usize, &'a str)>,
    /// Results and arguments, for `st.param` and `ld.param` of kernels.
    entry: bool,
    place: u32,
}

impl<'m, 'a> Body<'m, 'a> {
    /// A kernel or function after its directive; `None` for one that is only declared.
    pub(crate) fn function(
        source: &'m mut Source<'a>,
        cursor: &mut Cursor<'a>,
        entry: bool,
    ) -> Result<Option<Function>, ParseError> {
        let line = cursor.line();
        let mut body = Body {
            source,
            scopes: vec![Scope::default()],
            registers: Vec::new(),
            register_names: Vec::new(),
            instructions: Vec::new(),
            constants: Vec::new(),
            labels: FxHashMap::default(),
            lists: FxHashMap::default(),
            branches: Vec::new(),
            entry,
            place: NONE,
        };
        let mut results = Vec::new();
        if !entry && cursor.peek() == Token::Sign('(') {
            results = body.formals(cursor)?;
        }
        let name = cursor.name()?;
        let mut arguments = Vec::new();
        if cursor.peek() == Token::Sign('(') {
            arguments = body.formals(cursor)?;
        }
        let (mut required_threads, mut max_threads) = (None, None);
        loop {
            match cursor.next() {
                Token::Sign(';') => return Ok(None),
                Token::Sign('{') => break,
                Token::Word(".reqntid") => required_threads = Some(dimensions(cursor)?),
                Token::Word(".maxntid") => max_threads = Some(dimensions(cursor)?),
                Token::Word(".minnctapersm" | ".maxnreg" | ".maxnctapersm") => {
                    cursor.integer()?;
                }
                Token::Word(".noreturn") => {}
                Token::Word(".pragma") => skip_statement(cursor)?,
                _ => return Err(cursor.error("no directive of a function")),
            }
        }
        body.statements(cursor)?;
        body.instructions.push(Instruction { line: cursor.line(), ..Instruction::new(Op::Return) });
        body.resolve()?;
        Ok(Some(Function {
            name: name.to_string(),
            entry,
            line,
            registers: body.registers,
            register_names: body.register_names,
            instructions: body.instructions,
            constants: body.constants,
            arguments,
            results,
            required_threads,
            max_threads,
        }))
    }

    fn formals(&mut self, cursor: &mut Cursor<'a>) -> Result<Vec<Formal>, ParseError> {
        cursor.expect('(')?;
        let mut out = Vec::new();
        while !cursor.take(')') {
            match cursor.word("a parameter")? {
                ".param" => {
                    if let Some((name, mut variable)) = declared_one(cursor)? {
                        variable.of_entry = self.entry;
                        let index = self.variable(cursor, name, variable)?;
                        out.push(Formal::Variable(index));
                    }
                }
                ".reg" if !self.entry => {
                    let (kind, _, _) = typed(cursor)?;
                    let name = cursor.name()?;
                    let register = self.register(cursor, name, kind)?;
                    out.push(Formal::Register(register, kind));
                }
                word => return Err(cursor.error(&format!("`{word}` is no parameter"))),
            }
            if !cursor.take(',') {
                cursor.expect(')')?;
                break;
            }
        }
        Ok(out)
    }

    fn variable(
        &mut self,
        cursor: &Cursor<'a>,
        name: &'a str,
        variable: crate::code::Variable,
    ) -> Result<u32, ParseError> {
        let index = self.source.variables.len() as u32;
        self.source.variables.push(variable);
        self.declare(cursor, name, Symbol::Variable(index))?;
        Ok(index)
    }

    fn declare(&mut self, cursor: &Cursor<'a>, name: &'a str, symbol: Symbol) -> Result<(), ParseError> {
        match self.scopes.last_mut().map(|scope| scope.names.insert(name, symbol)) {
            Some(None) => Ok(()),
            _ => Err(cursor.error(&format!("`{name}` is declared twice"))),
        }
    }

    fn register(&mut self, cursor: &Cursor<'a>, name: &'a str, kind: Type) -> Result<u32, ParseError> {
        let index = self.registers.len();
        if index >= REGISTERS {
            return Err(cursor.error("too many registers"));
        }
        self.registers.push(kind);
        self.register_names.push((name.to_string(), index as u32, 0));
        self.declare(cursor, name, Symbol::Register(index as u32))?;
        Ok(index as u32)
    }

    /// What a name means in the innermost scope that has it.
    pub(crate) fn lookup(&self, name: &str) -> Option<Symbol> {
        let inner = self.scopes.iter().rev().find_map(|scope| scope.find(name));
        inner.or_else(|| self.source.names.get(name).map(|index| Symbol::Variable(*index)))
    }

    fn statements(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ParseError> {
        loop {
            match cursor.peek() {
                Token::Sign('{') => {
                    cursor.next();
                    if self.scopes.len() > 64 {
                        return Err(cursor.error("too many braces"));
                    }
                    self.scopes.push(Scope::default());
                }
                Token::Sign('}') => {
                    cursor.next();
                    self.scopes.pop();
                    if self.scopes.is_empty() {
                        return Ok(());
                    }
                }
                Token::Sign('@') => self.instruction(cursor)?,
                Token::Word(_) if cursor.second() == Token::Sign(':') => self.label(cursor)?,
                Token::Word(word) if word.starts_with('.') => {
                    cursor.next();
                    self.directive(cursor, word)?;
                }
                Token::Word(_) => self.instruction(cursor)?,
                _ => {
                    cursor.next();
                    return Err(cursor.error("an instruction is missing"));
                }
            }
        }
    }

    fn label(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ParseError> {
        let name = cursor.name()?;
        cursor.expect(':')?;
        if cursor.peek() == Token::Word(".branchtargets") {
            cursor.next();
            let mut list = Vec::new();
            loop {
                list.push(cursor.name()?);
                if !cursor.take(',') {
                    break;
                }
            }
            self.lists.insert(name, list);
            return cursor.expect(';');
        }
        if self.lookup(name).is_some() || self.labels.insert(name, self.instructions.len() as u32).is_some() {
            return Err(cursor.error(&format!("`{name}` is there twice")));
        }
        Ok(())
    }

    fn directive(&mut self, cursor: &mut Cursor<'a>, word: &str) -> Result<(), ParseError> {
        match word {
            ".reg" => {
                let (kind, lanes, _) = typed(cursor)?;
                if lanes != 1 || kind.packed() && kind != Type::F16x2 || matches!(kind.bits(), 8) {
                    return Err(cursor.error("no registers have that type"));
                }
                if matches!(kind, Type::Bf16 | Type::Tf32) {
                    return Err(cursor.error("registers of that type are declared without one: .b16 or .b32"));
                }
                loop {
                    let name = cursor.name()?;
                    if cursor.take('<') {
                        let count = cursor.integer()?;
                        cursor.expect('>')?;
                        self.numbered(cursor, name, count, kind)?;
                    } else {
                        self.register(cursor, name, kind)?;
                    }
                    if !cursor.take(',') {
                        break;
                    }
                }
                cursor.expect(';')
            }
            ".shared" | ".local" | ".param" | ".global" | ".const" => {
                let space = match word {
                    ".shared" => Space::Shared,
                    ".local" => Space::Local,
                    ".param" => Space::Param,
                    ".global" => Space::Global,
                    _ => Space::Const,
                };
                for (name, variable) in declared(cursor, space, false)? {
                    self.variable(cursor, name, variable)?;
                }
                cursor.expect(';')
            }
            ".loc" => {
                let place = (cursor.integer()?, cursor.integer()? as usize, cursor.integer()? as usize);
                // What follows a comma says where it was inlined.
                while cursor.take(',') {
                    while let Token::Word(_) | Token::Integer(_) = cursor.peek() {
                        if matches!(cursor.peek(), Token::Word(word) if !INLINING.contains(&word)) {
                            break;
                        }
                        cursor.next();
                    }
                }
                self.place = self.source.places.len() as u32;
                self.source.places.push(place);
                Ok(())
            }
            ".file" => self.source.file(cursor),
            ".pragma" => skip_statement(cursor),
            _ => Err(cursor.error(&format!("`{word}` is no directive known here"))),
        }
    }

    /// Declares `prefix0`, `prefix1` and so on.
    fn numbered(
        &mut self,
        cursor: &Cursor<'a>,
        prefix: &'a str,
        count: u64,
        kind: Type,
    ) -> Result<(), ParseError> {
        let begin = self.registers.len();
        if count > (REGISTERS - begin) as u64 {
            return Err(cursor.error("too many registers"));
        }
        self.registers.resize(begin + count as usize, kind);
        self.register_names.push((prefix.to_string(), begin as u32, count as u32));
        let scope = self.scopes.last_mut();
        match scope.map(|scope| scope.ranges.insert(prefix, (begin as u32, count as u32))) {
            Some(None) => Ok(()),
            _ => Err(cursor.error(&format!("`{prefix}` is declared twice"))),
        }
    }

    fn instruction(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ParseError> {
        let line = cursor.line();
        let mut guard = Guard { register: NONE, when: true };
        if cursor.take('@') {
            guard.when = !cursor.take('!');
            let name = cursor.word("a predicate")?;
            match self.lookup(name) {
                Some(Symbol::Register(register)) if self.registers[register as usize] == Type::Pred => {
                    guard.register = register;
                }
                _ => return Err(cursor.error(&format!("`{name}` is no predicate"))),
            }
        }
        let mnemonic = cursor.word("an instruction")?;
        let mut operands = Vec::new();
        while !cursor.take(';') {
            operands.push(self.operand(cursor, 0)?);
            if !cursor.take(',') {
                // The old form of shuffles with two results, and `createpolicy`, need no more than commas either.
                cursor.expect(';')?;
                break;
            }
        }
        let fail =
            |message: String| ParseError { line: line as usize, message: format!("{mnemonic}: {message}") };
        let mut instruction = decode::instruction(self, mnemonic, &operands).map_err(fail)?;
        instruction.guard = guard;
        instruction.line = line;
        instruction.place = self.place;
        self.instructions.push(instruction);
        Ok(())
    }

    /// Notes that the instruction being read goes to a label.
    pub(crate) fn branch(&mut self, label: &'a str) {
        self.branches.push((self.instructions.len(), label));
    }

    /// Whether there is a list of branch targets of that name.
    pub(crate) fn has_list(&self, name: &str) -> bool {
        self.lists.contains_key(name)
    }

    /// Puts the places of labels into branches.
    fn resolve(&mut self) -> Result<(), ParseError> {
        for (at, name) in std::mem::take(&mut self.branches) {
            let instruction = &mut self.instructions[at];
            let unknown = |name: &str, line: u32| ParseError {
                line: line as usize,
                message: format!("there is no label `{name}`"),
            };
            match &mut instruction.op {
                Op::Branch(target) => {
                    *target = *self.labels.get(name).ok_or_else(|| unknown(name, instruction.line))?;
                }
                Op::BranchIndex(targets) => {
                    let list = self.lists.get(name).ok_or_else(|| unknown(name, instruction.line))?;
                    let found: Option<Box<[u32]>> =
                        list.iter().map(|label| self.labels.get(label).copied()).collect();
                    *targets = found.ok_or_else(|| unknown(name, instruction.line))?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

const INLINING: [&str; 2] = ["function_name", "inlined_at"];

fn skip_statement(cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
    while !cursor.take(';') {
        if cursor.next() == Token::End {
            return Err(cursor.error("a `;` is missing"));
        }
    }
    Ok(())
}

/// Up to three numbers.
fn dimensions(cursor: &mut Cursor<'_>) -> Result<[u32; 3], ParseError> {
    let mut out = [1; 3];
    for size in &mut out {
        let value = cursor.integer()?;
        *size = u32::try_from(value)
            .ok()
            .filter(|value| (1..=1024).contains(value))
            .ok_or_else(|| cursor.error("a block has 1 to 1024 threads along an axis"))?;
        if !cursor.take(',') {
            break;
        }
    }
    Ok(out)
}

/// A parameter, of which there is one before each comma.
fn declared_one<'a>(cursor: &mut Cursor<'a>) -> Result<Option<(&'a str, crate::code::Variable)>, ParseError> {
    let (kind, lanes, mut align) = typed(cursor)?;
    if kind == Type::Pred {
        return Err(cursor.error("memory holds no predicates"));
    }
    let name = cursor.name()?;
    let mut bytes = u64::from(kind.bytes() * lanes);
    if align == 0 {
        align = bytes as u32;
    }
    if cursor.take('[') {
        let count = cursor.integer()?;
        cursor.expect(']')?;
        bytes = bytes
            .checked_mul(count)
            .filter(|bytes| *bytes <= super::OWN_BYTES)
            .ok_or_else(|| cursor.error(&format!("`{name}` is too large")))?;
    }
    Ok(Some((
        name,
        crate::code::Variable {
            name: name.to_string(),
            space: Space::Param,
            bytes,
            align,
            initial: Vec::new(),
            dynamic: false,
            of_entry: false,
        },
    )))
}
