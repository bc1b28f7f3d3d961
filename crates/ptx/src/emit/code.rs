//! The text under construction: typed registers, operands, labels, lines.
//!
//! A kernel is written in two parts at the same time. The prologue computes what stays the same while the kernel runs
//! (positions, addresses of buffers, limits of indices), each when it is first asked for; the body is the program.
//!
//! Every register has the type of what it holds, so that ptxas refuses an instruction that takes a float for an
//! integer. Integers of 32 bits have one type, whatever their sign: it is the instruction that knows. Those of 8 and
//! 16 bits are kept in 32, extended by their sign.

use std::fmt::{self, Write};
use vyre_ir::Scalar;

/// What a register holds.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Class {
    /// A bool.
    Pred,
    /// An f16 or bf16.
    Half,
    /// An integer of at most 32 bits.
    Word,
    /// An integer of 64 bits, or an address.
    Long,
    /// An f32.
    Float,
    /// An f64.
    Double,
}

impl Class {
    pub const ALL: [Class; 6] =
        [Class::Pred, Class::Half, Class::Word, Class::Long, Class::Float, Class::Double];

    /// That of values of a type.
    pub fn of(scalar: Scalar) -> Class {
        match scalar {
            Scalar::Bool => Class::Pred,
            Scalar::I64 | Scalar::U64 => Class::Long,
            Scalar::F16 | Scalar::BF16 => Class::Half,
            Scalar::F32 => Class::Float,
            Scalar::F64 => Class::Double,
            _ => Class::Word,
        }
    }

    /// The letter of its registers.
    fn letter(self) -> char {
        match self {
            Class::Pred => 'p',
            Class::Half => 'h',
            Class::Word => 'r',
            Class::Long => 'l',
            Class::Float => 'f',
            Class::Double => 'd',
        }
    }

    /// The type of its registers, and of what moves them.
    pub fn ty(self) -> &'static str {
        match self {
            Class::Pred => "pred",
            Class::Half => "b16",
            Class::Word => "u32",
            Class::Long => "u64",
            Class::Float => "f32",
            Class::Double => "f64",
        }
    }
}

/// A register.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reg {
    pub class: Class,
    number: u32,
}

impl Reg {
    /// As `Display` does, in less time: most of a kernel is registers.
    fn push_to(self, text: &mut String) {
        text.push('%');
        text.push(self.class.letter());
        let (mut digits, mut at, mut rest) = ([0; 10], 10, self.number);
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        digits[at..].iter().for_each(|&digit| text.push(digit.into()));
    }
}

impl fmt::Display for Reg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}{}", self.class.letter(), self.number)
    }
}

/// What an instruction takes: a register, or a number as the bits of a register.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Operand {
    Reg(Reg),
    Bits(Class, u64),
}

use Operand::Bits;

impl Operand {
    /// An integer of 32 bits.
    pub fn word(n: u32) -> Operand {
        Bits(Class::Word, n as u64)
    }

    /// An integer of 64 bits.
    pub fn long(n: u64) -> Operand {
        Bits(Class::Long, n)
    }

    /// A constant of a type.
    pub fn constant(scalar: Scalar, bits: u64) -> Operand {
        match scalar {
            Scalar::I8 => Operand::word(bits as i8 as u32),
            Scalar::I16 => Operand::word(bits as i16 as u32),
            _ => Bits(Class::of(scalar), bits),
        }
    }

    pub fn class(self) -> Class {
        match self {
            Operand::Reg(reg) => reg.class,
            Bits(class, _) => class,
        }
    }

    /// The bits of a number.
    pub fn bits(self) -> Option<u64> {
        match self {
            Operand::Reg(_) => None,
            Bits(_, bits) => Some(bits),
        }
    }
}

impl From<Reg> for Operand {
    fn from(reg: Reg) -> Operand {
        Operand::Reg(reg)
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Operand::Reg(reg) => write!(f, "{reg}"),
            Bits(Class::Float, bits) => write!(f, "0f{bits:08X}"),
            Bits(Class::Double, bits) => write!(f, "0d{bits:016X}"),
            Bits(Class::Word, bits) => write!(f, "{}", bits as i32),
            Bits(Class::Half, bits) => write!(f, "{bits:#06x}"),
            Bits(_, bits) => write!(f, "{}", bits as i64),
        }
    }
}

/// A place to jump to.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Label(u32);

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$L{}", self.0)
    }
}

/// Under which condition an instruction runs: always, or if a register is true.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Guard(pub Option<Reg>);

impl Guard {
    pub const ALWAYS: Guard = Guard(None);
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |reg| write!(f, "@{reg} "))
    }
}

/// The text so far.
#[derive(Default)]
pub struct Code {
    prologue: String,
    body: String,
    in_prologue: bool,
    registers: [u32; Class::ALL.len()],
    labels: u32,
}

impl Code {
    /// Whether lines go to the prologue from now on; what it was before.
    pub fn write_prologue(&mut self, to: bool) -> bool {
        std::mem::replace(&mut self.in_prologue, to)
    }

    /// Adds an instruction.
    pub fn line(&mut self, text: fmt::Arguments<'_>) {
        let part = if self.in_prologue { &mut self.prologue } else { &mut self.body };
        writeln!(part, "\t{text};").expect("a string takes all");
    }

    /// Adds a directive or a comment to the body.
    pub fn remark(&mut self, text: fmt::Arguments<'_>) {
        writeln!(self.body, "\t{text}").expect("a string takes all");
    }

    /// A new register.
    pub fn reg(&mut self, class: Class) -> Reg {
        let count = &mut self.registers[class as usize];
        *count += 1;
        Reg { class, number: *count - 1 }
    }

    /// A new label.
    pub fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }

    /// Puts a label here.
    pub fn place(&mut self, label: Label) {
        let part = if self.in_prologue { &mut self.prologue } else { &mut self.body };
        writeln!(part, "{label}:").expect("a string takes all");
    }

    /// Adds an instruction that has one result: of operands that are all numbers the first goes through a register.
    pub fn op(&mut self, class: Class, name: &str, args: &[Operand]) -> Operand {
        let to = self.reg(class);
        self.op_to(to, name, args);
        to.into()
    }

    /// The same into a register of that choice.
    pub fn op_to(&mut self, to: Reg, name: &str, args: &[Operand]) {
        let mut args: smallvec::SmallVec<[Operand; 4]> = args.into();
        let no_register = args.iter().all(|arg| arg.bits().is_some());
        for (i, arg) in args.iter_mut().enumerate() {
            if matches!(arg.class(), Class::Half | Class::Pred) || no_register && i == 0 {
                *arg = self.in_register(*arg).into();
            }
        }
        let part = if self.in_prologue { &mut self.prologue } else { &mut self.body };
        part.push('\t');
        part.push_str(name);
        part.push(' ');
        to.push_to(part);
        for arg in args {
            part.push_str(", ");
            match arg {
                Operand::Reg(reg) => reg.push_to(part),
                _ => write!(part, "{arg}").expect("a string takes all"),
            }
        }
        part.push_str(";\n");
    }

    /// The operand in a register.
    pub fn in_register(&mut self, x: Operand) -> Reg {
        match x {
            Operand::Reg(reg) => reg,
            Bits(class, _) => {
                let reg = self.reg(class);
                self.mov(reg, x);
                reg
            }
        }
    }

    /// Copies an operand to a register.
    pub fn mov(&mut self, to: Reg, x: Operand) {
        self.line(format_args!("mov.{} {to}, {x}", to.class.ty()));
    }

    /// The declarations of all registers, the prologue, and the body.
    pub fn finish(self) -> String {
        let mut text = String::with_capacity(self.prologue.len() + self.body.len() + 256);
        for class in Class::ALL {
            let count = self.registers[class as usize];
            if count > 0 {
                writeln!(text, "\t.reg .{} %{}<{count}>;", class.ty(), class.letter())
                    .expect("a string takes all");
            }
        }
        text + &self.prologue + &self.body
    }
}
