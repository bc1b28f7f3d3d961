//! Instructions: from a mnemonic with its modifiers and operands to the compact form. Refuses what PTX's rules of types
//! refuse, and every modifier that the instruction does not have.

mod arithmetic;
mod collective;
mod control;
mod floating;
mod memory;

use crate::code::{Constant, Instruction, Op, Rounding, Source, Space};
use crate::parse::{Body, Operand};
use crate::types::Type;

/// An instruction, or what is wrong with it.
type Decoded<T = Instruction> = Result<T, String>;

/// The instruction of a mnemonic with its modifiers.
pub(crate) fn instruction<'a>(
    body: &mut Body<'_, 'a>,
    mnemonic: &'a str,
    operands: &[Operand<'a>],
) -> Decoded {
    let mut words = mnemonic.split('.');
    let name = words.next().unwrap_or_default();
    let modifiers = words.map(|word| (word, false)).collect();
    let mut reading = Reading { body, modifiers, operands };
    let decoded = arithmetic::instruction(&mut reading, name)
        .or_else(|| floating::instruction(&mut reading, name))
        .or_else(|| memory::instruction(&mut reading, name))
        .or_else(|| control::instruction(&mut reading, name))
        .or_else(|| collective::instruction(&mut reading, name))
        .unwrap_or_else(|| Err("no instruction known here".to_string()))?;
    match reading.modifiers.iter().find(|(_, used)| !used) {
        Some((word, _)) => Err(format!("it has no `.{word}`")),
        None => Ok(decoded),
    }
}

/// An instruction while it is decoded.
pub(crate) struct Reading<'b, 'm, 'a> {
    body: &'b mut Body<'m, 'a>,
    /// With whether something asked for it.
    modifiers: Vec<(&'a str, bool)>,
    operands: &'b [Operand<'a>],
}

impl<'a> Reading<'_, '_, 'a> {
    /// Whether it has a modifier.
    fn has(&mut self, name: &str) -> bool {
        match self.modifiers.iter_mut().find(|(word, used)| *word == name && !used) {
            Some((_, used)) => {
                *used = true;
                true
            }
            None => false,
        }
    }

    /// Which of some modifiers it has.
    fn one_of<T: Copy>(&mut self, choices: &[(&str, T)]) -> Option<T> {
        choices.iter().find(|(name, _)| self.has(name)).map(|(_, choice)| *choice)
    }

    fn must<T: Copy>(&mut self, choices: &[(&str, T)]) -> Decoded<T> {
        self.one_of(choices).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| format!(".{name}")).collect();
            format!("one of {} is missing", names.join(", "))
        })
    }

    /// The next type among the modifiers.
    fn kind(&mut self) -> Decoded<Type> {
        for (word, used) in &mut self.modifiers {
            if let (false, Some(kind)) = (*used, Type::named(word)) {
                *used = true;
                return Ok(kind);
            }
        }
        Err("a type is missing".to_string())
    }

    /// A type that is one of some.
    fn kind_of(&mut self, allowed: &[Type]) -> Decoded<Type> {
        let kind = self.kind()?;
        if allowed.contains(&kind) { Ok(kind) } else { Err(format!("it has no type .{}", kind.name())) }
    }

    fn rounding(&mut self) -> Option<Rounding> {
        self.one_of(&[
            ("rn", Rounding::Nearest),
            ("rz", Rounding::Zero),
            ("rm", Rounding::Down),
            ("rp", Rounding::Up),
        ])
    }

    /// Demands so many operands.
    fn count(&self, count: usize) -> Decoded<()> {
        let given = self.operands.len();
        if given == count { Ok(()) } else { Err(format!("{given} operands, not {count}")) }
    }

    fn operand(&self, at: usize) -> Decoded<&Operand<'a>> {
        self.operands.get(at).ok_or_else(|| "an operand is missing".to_string())
    }

    fn constant(&mut self, value: u64) -> Source {
        self.body.constants.push(Constant::Value(value));
        Source::constant(self.body.constants.len() as u32 - 1)
    }

    fn address_of(&mut self, variable: u32, more: i64) -> Source {
        self.body.constants.push(Constant::Address(variable, more));
        Source::constant(self.body.constants.len() as u32 - 1)
    }

    fn register_type(&self, register: u32) -> Type {
        self.body.registers[register as usize]
    }

    /// A source of exactly the type.
    fn input(&mut self, at: usize, kind: Type) -> Decoded<Source> {
        let operand = self.operand(at)?.clone();
        self.value(&operand, kind, Type::takes)
    }

    /// A source of the type, or wider.
    fn wide_input(&mut self, at: usize, kind: Type) -> Decoded<Source> {
        let operand = self.operand(at)?.clone();
        self.value(&operand, kind, Type::takes_wider)
    }

    fn inputs<const N: usize>(&mut self, kinds: [Type; N]) -> Decoded<[Source; N]> {
        let mut sources = [Source::NONE; N];
        for (at, kind) in kinds.into_iter().enumerate() {
            sources[at] = self.input(at + 1, kind)?;
        }
        Ok(sources)
    }

    fn value(&mut self, operand: &Operand<'a>, kind: Type, takes: fn(Type, Type) -> bool) -> Decoded<Source> {
        let bits = match *operand {
            Operand::Register(register) => {
                let found = self.register_type(register);
                return if takes(kind, found) {
                    Ok(Source::register(register))
                } else {
                    Err(format!("a register of type .{} where .{} is wanted", found.name(), kind.name()))
                };
            }
            Operand::Integer(value) if kind == Type::Pred => u64::from(value != 0),
            Operand::Integer(value) if kind.integer() || kind.untyped() => value & kind.mask(),
            Operand::Single(bits) if matches!(kind, Type::F32 | Type::B32) => u64::from(bits),
            Operand::Single(bits) if kind == Type::F64 => f64::from(f32::from_bits(bits)).to_bits(),
            Operand::Double(bits) if matches!(kind, Type::F64 | Type::B64) => bits,
            Operand::Double(bits) if kind == Type::F32 => u64::from((f64::from_bits(bits) as f32).to_bits()),
            Operand::Name(name) => return Err(format!("`{name}` is not declared")),
            Operand::Special(_) => return Err("special registers are read by mov and cvt only".to_string()),
            _ => return Err(format!("no operand of type .{}", kind.name())),
        };
        Ok(self.constant(bits))
    }

    /// A destination of exactly the type.
    fn output(&self, at: usize, kind: Type) -> Decoded<u32> {
        self.destination(self.operand(at)?, kind, Type::takes)
    }

    fn wide_output(&self, at: usize, kind: Type) -> Decoded<u32> {
        self.destination(self.operand(at)?, kind, Type::takes_wider)
    }

    fn destination(&self, operand: &Operand<'a>, kind: Type, takes: fn(Type, Type) -> bool) -> Decoded<u32> {
        let Operand::Register(register) = *operand else {
            return Err("a destination is a register".to_string());
        };
        let found = self.register_type(register);
        if takes(kind, found) {
            Ok(register)
        } else {
            Err(format!("a destination of type .{} where .{} is wanted", found.name(), kind.name()))
        }
    }

    /// A predicate, and whether it is negated.
    fn predicate(&mut self, at: usize) -> Decoded<(Source, bool)> {
        match *self.operand(at)? {
            Operand::Not(register) if self.register_type(register) == Type::Pred => {
                Ok((Source::register(register), true))
            }
            _ => Ok((self.input(at, Type::Pred)?, false)),
        }
    }

    /// What is in brackets, for a space: the source and what is added; a space more exact than the one given.
    fn address(&mut self, at: usize, space: Space) -> Decoded<(Source, i64, Space)> {
        let Operand::Address(base, offset) = self.operand(at)?.clone() else {
            return Err("an address in brackets is missing".to_string());
        };
        match *base {
            Operand::Register(register) => {
                let found = self.register_type(register);
                let narrow = matches!(space, Space::Shared | Space::Local | Space::Param | Space::Const);
                let wide_enough = found.bits() == 64 || narrow && found.bits() >= 16;
                if found.format().is_some() || found == Type::Pred || !wide_enough {
                    return Err(format!("a register of type .{} is no address", found.name()));
                }
                Ok((Source::register(register), offset, space))
            }
            Operand::Variable(variable, _) => {
                let found = &self.body.source.variables[variable as usize];
                let mut of = found.space;
                if of == Space::Param && !found.of_entry {
                    of = Space::Local;
                }
                let fits = match space {
                    // Generic addresses of variables in the other spaces are not their addresses.
                    Space::Generic => of == Space::Global,
                    Space::Param => found.space == Space::Param,
                    space => of == space,
                };
                if !fits {
                    return Err(format!("`{}` is not in that space", found.name));
                }
                Ok((self.address_of(variable, 0), offset, if space == Space::Param { of } else { space }))
            }
            Operand::Integer(value) => Ok((self.constant(value), 0, space)),
            _ => Err("no address".to_string()),
        }
    }

    /// The operands in braces, or one alone.
    fn elements(&self, at: usize, count: usize) -> Decoded<Vec<Operand<'a>>> {
        let operand = self.operand(at)?;
        match operand {
            Operand::Vector(elements) if count > 1 && elements.len() == count => Ok(elements.clone()),
            Operand::Vector(elements) if count == 1 && elements.len() == 1 => Ok(elements.clone()),
            Operand::Vector(elements) => Err(format!("{} elements, not {count}", elements.len())),
            _ if count == 1 => Ok(vec![operand.clone()]),
            _ => Err(format!("{count} elements in braces are missing")),
        }
    }

    /// A space among the modifiers; generic where there is none.
    fn space(&mut self) -> Space {
        self.one_of(&[
            ("global", Space::Global),
            ("shared", Space::Shared),
            ("shared::cta", Space::Shared),
            ("local", Space::Local),
            ("param", Space::Param),
            ("param::entry", Space::Param),
            ("param::func", Space::Param),
            ("const", Space::Const),
        ])
        .unwrap_or(Space::Generic)
    }
}

/// An instruction with destination and sources.
fn plain<const N: usize>(op: Op, destination: u32, sources: [Source; N]) -> Decoded {
    Ok(Instruction::new(op).to(destination).from(sources))
}
