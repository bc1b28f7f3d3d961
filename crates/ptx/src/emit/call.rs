//! Operations of dialects that have code in PTX of their own.
//!
//! In that code `$0` and so on are registers: first those of the results, then of the attributes, then of the operands.
//! Integers of 8 and 16 bits are in registers of 32, extended as their type says, and the code gives them as such. It stands
//! in braces, so that what it declares is its own.

use super::Emitter;
use super::code::{Class, Operand, Reg};
use vyre_ir::InstData;
use vyre_ir::dialect::LoweringCode;
use vyre_ir::dialect::{Call, Target};

/// The code in PTX of what is called.
pub(crate) fn text_of(call: &Call) -> Option<&str> {
    match &call.def.as_ref()?.lowering(Target::Ptx)?.code {
        LoweringCode::Text(text) => Some(text),
        LoweringCode::Function(_) => None,
    }
}

impl Emitter<'_> {
    pub fn call(&mut self, data: &InstData) {
        let call = self.p.call(data).expect("a call names an operation");
        let text = text_of(call).expect("calls without code were refused");
        let mut registers: Vec<Reg> = Vec::new();
        for &result in &data.results {
            let reg = self.code.reg(Class::of(self.p.ty(result).scalar));
            self.set(result, reg.into());
            registers.push(reg);
        }
        let def = call.def.as_ref().expect("calls are linked");
        for declared in &def.attributes {
            let given = call.attribute(&declared.name).map(|given| Operand::constant(given.ty, given.bits));
            let bits = given.or(declared.default.map(|bits| Operand::constant(declared.ty, bits)));
            registers.push(self.code.in_register(bits.expect("linking gives every attribute")));
        }
        for &arg in &data.args {
            let x = self.get(arg);
            registers.push(self.code.in_register(x));
        }
        self.code.remark(format_args!("{{"));
        self.code.remark(format_args!("{}", filled(text, &registers)));
        self.code.remark(format_args!("}}"));
    }
}

/// Code with registers in the place of `$0` and so on.
fn filled(text: &str, registers: &[Reg]) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        let number = &rest[at + 1..];
        let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        match number[..digits].parse::<usize>().ok().and_then(|i| registers.get(i)) {
            Some(reg) => filled.push_str(&reg.to_string()),
            None => filled.push_str(&rest[at..at + 1 + digits]),
        }
        rest = &number[digits..];
    }
    filled + rest
}
