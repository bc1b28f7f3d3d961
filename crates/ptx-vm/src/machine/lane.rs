//! A thread's registers, and the instructions that need nothing else: the step loop.

use crate::code::{Code, Combine, Instruction, NONE, Op, Source, Special};
use crate::fault::FaultKind;
use crate::float;
use crate::integer;
use crate::types::Type;

/// What ends a run, before its place is known.
pub(crate) type Halt = Box<(FaultKind, String)>;

pub(crate) fn halt<T>(kind: FaultKind, message: impl Into<String>) -> Result<T, Halt> {
    Err(Box::new((kind, message.into())))
}

/// What special registers say of a thread.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Position {
    pub(crate) tid: [u32; 3],
    pub(crate) ntid: [u32; 3],
    pub(crate) ctaid: [u32; 3],
    pub(crate) nctaid: [u32; 3],
    /// Number of the thread in its block.
    pub(crate) linear: u32,
    pub(crate) slot: u32,
    pub(crate) dynamic_shared: u32,
    pub(crate) static_shared: u32,
    pub(crate) steps: u64,
}

impl Position {
    fn special(&self, number: u32) -> u64 {
        const fn is(number: u32, special: Special) -> bool {
            number == special as u32
        }
        let lane = self.linear % 32;
        let threads = self.ntid[0] * self.ntid[1] * self.ntid[2];
        let at = |special: Special, of: [u32; 3]| of[(number - special as u32) as usize % 3];
        u64::from(match number {
            n if n <= Special::TidZ as u32 => at(Special::TidX, self.tid),
            n if n <= Special::NtidZ as u32 => at(Special::NtidX, self.ntid),
            n if n <= Special::CtaidZ as u32 => at(Special::CtaidX, self.ctaid),
            n if n <= Special::NctaidZ as u32 => at(Special::NctaidX, self.nctaid),
            n if is(n, Special::Laneid) => lane,
            n if is(n, Special::Warpid) => self.linear / 32,
            n if is(n, Special::Nwarpid) => threads.div_ceil(32),
            n if is(n, Special::Smid) => self.slot,
            n if is(n, Special::Nsmid) => 132,
            n if is(n, Special::LanemaskEq) => 1 << lane,
            n if is(n, Special::LanemaskLt) => (1 << lane) - 1,
            n if is(n, Special::LanemaskLe) => u32::MAX >> (31 - lane),
            n if is(n, Special::LanemaskGt) => !(u32::MAX >> (31 - lane)),
            n if is(n, Special::LanemaskGe) => u32::MAX << lane,
            n if is(n, Special::Clock) || is(n, Special::GlobaltimerLow) => self.steps as u32,
            n if is(n, Special::ClockHigh) || is(n, Special::GlobaltimerHigh) => (self.steps >> 32) as u32,
            n if is(n, Special::Clock64) || is(n, Special::Globaltimer) => return self.steps,
            n if is(n, Special::DynamicShared) => self.dynamic_shared,
            n if is(n, Special::TotalShared) => self.dynamic_shared + self.static_shared,
            n if is(n, Special::One) => 1,
            _ => 0,
        })
    }
}

/// A thread's registers.
pub(crate) struct Lane<'m> {
    pub(crate) code: &'m Code,
    pub(crate) constants: &'m [u64],
    pub(crate) registers: &'m mut [u64],
    /// A bit for each register that has a value.
    pub(crate) set: &'m mut [u64],
    pub(crate) position: &'m Position,
    pub(crate) carry: &'m mut bool,
}

impl Lane<'_> {
    #[inline(always)]
    pub(crate) fn read(&self, source: Source) -> Result<u64, Halt> {
        if let Some(register) = source.as_register() {
            let register = register as usize;
            if self.set[register / 64] >> (register % 64) & 1 == 0 {
                return Err(unset(self.code, register as u32));
            }
            return Ok(self.registers[register]);
        }
        if let Some(constant) = source.as_constant() {
            return Ok(self.constants[constant as usize]);
        }
        Ok(self.position.special(source.as_special()))
    }

    #[inline(always)]
    pub(crate) fn write(&mut self, register: u32, value: u64) {
        if register != NONE {
            let register = register as usize;
            self.registers[register] = value;
            self.set[register / 64] |= 1 << (register % 64);
        }
    }

    /// Writes a value that can be narrower than the register: extended by its sign or by zeros.
    pub(crate) fn write_extended(&mut self, register: u32, value: u64, bits: u32, signed: bool) {
        if register != NONE {
            let value = if signed { integer::signed(value, bits as u8) as u64 } else { value };
            self.write(register, value & self.code.types[register as usize].mask());
        }
    }

    /// Whether an instruction's guard lets it run.
    #[inline(always)]
    pub(crate) fn guarded(&self, instruction: &Instruction) -> Result<bool, Halt> {
        let guard = instruction.guard;
        if guard.register == NONE {
            return Ok(true);
        }
        Ok((self.read(Source::register(guard.register))? != 0) == guard.when)
    }

    /// Runs at most `limit` instructions, as long as they need registers alone. Counts down what ran; stops at the
    /// first that needs more, its guard not yet looked at.
    pub(crate) fn run(&mut self, pc: &mut u32, limit: &mut u32) -> Result<(), Halt> {
        let code = self.code;
        while *limit > 0 {
            let instruction = &code.instructions[*pc as usize];
            let runs = self.guarded(instruction)?;
            let mut next = *pc + 1;
            if runs {
                let [a, b, c, d] = instruction.sources;
                match &instruction.op {
                    Op::Unary(f, flags) => {
                        let value = f(self.read(a)?, *flags);
                        self.write(instruction.destination, value);
                    }
                    Op::Binary(f, flags) => {
                        let value = f(self.read(a)?, self.read(b)?, *flags);
                        self.write(instruction.destination, value);
                    }
                    Op::Ternary(f, flags) => {
                        let value = f(self.read(a)?, self.read(b)?, self.read(c)?, *flags);
                        self.write(instruction.destination, value);
                    }
                    Op::Quaternary(f, flags) => {
                        let value = f(self.read(a)?, self.read(b)?, self.read(c)?, self.read(d)?, *flags);
                        self.write(instruction.destination, value);
                    }
                    Op::Move => {
                        let value = self.read(a)?;
                        self.write(instruction.destination, value);
                    }
                    Op::Compare { test, flags, combine } => {
                        let holds = test(self.read(a)?, self.read(b)?, *flags) != 0;
                        self.compared(instruction, *combine, holds, !holds)?;
                    }
                    Op::Branch(target) => next = *target,
                    op => {
                        if !self.rare(instruction, op)? {
                            return Ok(());
                        }
                    }
                }
            }
            *pc = next;
            *limit -= 1;
        }
        Ok(())
    }

    /// Writes a comparison's results, each combined with a predicate.
    fn compared(
        &mut self,
        instruction: &Instruction,
        combine: Combine,
        first: bool,
        second: bool,
    ) -> Result<(), Halt> {
        let (mut first, mut second) = (first, second);
        if combine != Combine::None {
            let with = (self.read(instruction.sources[2])? != 0) != (instruction.offset & 1 == 1);
            let combined = |value: bool| match combine {
                Combine::And => value && with,
                Combine::Or => value || with,
                Combine::Xor | Combine::None => value != with,
            };
            (first, second) = (combined(first), combined(second));
        }
        // `set` writes all ones or 1.0 instead of a predicate.
        let value = match instruction.offset & 6 {
            2 => u64::from(first) * u64::from(u32::MAX),
            4 => u64::from(first) * u64::from(1f32.to_bits()),
            _ => u64::from(first),
        };
        self.write(instruction.destination, value);
        if let Some(register) = instruction.more_destinations.first() {
            self.write(*register, u64::from(second));
        }
        Ok(())
    }

    /// The less frequent ones; false for those that need more than registers.
    fn rare(&mut self, instruction: &Instruction, op: &Op) -> Result<bool, Halt> {
        let [a, b, c, _] = instruction.sources;
        match op {
            Op::Cvt(conversion) => {
                let value = conversion.apply(self.read(a)?);
                let to = conversion.to;
                self.write_extended(instruction.destination, value, to.bits(), to.signed());
            }
            Op::CvtPair(conversion) => {
                let (high, low) = (conversion.apply(self.read(a)?), conversion.apply(self.read(b)?));
                let bits = conversion.to.bits();
                let above = if bits == 8 { self.read(c)? << 16 & 0xffff_0000 } else { 0 };
                self.write(instruction.destination, above | high << bits | low);
            }
            Op::ComparePair { flags, combine } => {
                let (a, b) = (self.read(a)?, self.read(b)?);
                let low = float::compare(a & 0xffff, b & 0xffff, *flags) != 0;
                let high = float::compare(a >> 16, b >> 16, *flags) != 0;
                self.compared(instruction, *combine, low, high)?;
            }
            Op::Carry { reads, writes, subtracts, flags } => {
                let carry = *reads && *self.carry;
                let (value, out) =
                    integer::with_carry(self.read(a)?, self.read(b)?, carry, *subtracts, *flags);
                self.write(instruction.destination, value);
                if *writes {
                    *self.carry = out;
                }
            }
            Op::MadCarry { high, reads, writes, flags } => {
                let multiply = if *high { integer::multiply_high } else { integer::multiply_low };
                let product = multiply(self.read(a)?, self.read(b)?, *flags);
                let (value, out) =
                    integer::with_carry(product, self.read(c)?, *reads && *self.carry, false, *flags);
                self.write(instruction.destination, value);
                if *writes {
                    *self.carry = out;
                }
            }
            Op::Pack(bits) => {
                let mut value = 0;
                for (at, source) in instruction.more_sources.iter().enumerate() {
                    value |= self.read(*source)? << (usize::from(*bits) * at);
                }
                self.write(instruction.destination, value);
            }
            Op::Unpack(bits) => {
                let value = self.read(a)?;
                for (at, register) in instruction.more_destinations.iter().enumerate() {
                    self.write(*register, value >> (usize::from(*bits) * at) & (u64::MAX >> (64 - bits)));
                }
            }
            Op::Nothing => {}
            Op::Unsupported(why) => return halt(FaultKind::Unsupported, *why),
            Op::ActiveMask => {
                return halt(FaultKind::Unsupported, "activemask: which lanes run together is not defined");
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[cold]
fn unset(code: &Code, register: u32) -> Halt {
    let name = code.names.iter().find_map(|(name, first, count)| {
        let at = register.checked_sub(*first)?;
        match count {
            0 if at == 0 => Some(name.clone()),
            count if at < *count => Some(format!("{name}{at}")),
            _ => None,
        }
    });
    let kind = code.types.get(register as usize).copied().unwrap_or(Type::B64);
    let name = name.unwrap_or_else(|| format!("of type .{}", kind.name()));
    Box::new((FaultKind::Uninitialized, format!("reads register {name}, which was never written")))
}
