//! Loads and stores.
//!
//! An access that may be out of bounds runs under a condition; a load's registers are 0 before. A vector is accessed by
//! as few instructions as its place is known to be aligned for, of at most 16 bytes each; so are scalars that are
//! [`neighbors`]. What no store or atomic of the program touches is loaded by way of the read-only cache (`.nc`).
//!
//! [`neighbors`]: super::neighbors

use super::address::{Address, Bounds};
use super::code::{Class, Code, Guard, Operand, Reg};
use super::{Emitter, Lanes};
use smallvec::SmallVec;
use vyre_ir::{Buffer, Inst, InstData, Op, Scalar, Type, Value};

/// The type of memory that holds a scalar.
pub fn memory_type(s: Scalar) -> &'static str {
    match s {
        Scalar::I8 => "s8",
        Scalar::U8 | Scalar::Bool => "u8",
        Scalar::I16 => "s16",
        Scalar::U16 => "u16",
        Scalar::I32 | Scalar::U32 => "u32",
        Scalar::I64 | Scalar::U64 => "u64",
        Scalar::F16 | Scalar::BF16 => "b16",
        Scalar::F32 => "f32",
        Scalar::F64 => "f64",
    }
}

/// Stores of 16 bytes that a kernel does one after the other to clear private memory; beyond that it loops.
const UNROLLED: u32 = 32;

impl Emitter<'_> {
    pub fn buffer(&self, data: &InstData) -> Buffer {
        self.p.buffer_of(data).expect("an access names a buffer")
    }

    pub fn load(&mut self, inst: Inst, data: &InstData) {
        if self.grouped(inst, data) {
            return;
        }
        let buffer = self.buffer(data);
        let ty = self.p.ty(data.results[0]);
        let guard = match self.bounds(inst, data, buffer, ty) {
            Bounds::In(guard) => guard,
            Bounds::Out => {
                let zeros = (0..ty.lanes).map(|_| Operand::constant(ty.scalar, 0)).collect();
                self.values[data.results[0]] = zeros;
                return;
            }
        };
        let address = self.address(buffer, data.args[0], ty.scalar.bytes());
        let class = Class::of(ty.scalar);
        let lanes: SmallVec<[Reg; 4]> = (0..ty.lanes).map(|_| self.code.reg(class)).collect();
        if guard != Guard::ALWAYS {
            lanes.iter().for_each(|&lane| self.code.mov(lane, Operand::constant(ty.scalar, 0)));
        }
        let kind = self.kind(data, &address);
        let mut at = 0;
        for count in self.parts(ty, data.args[0]) {
            let regs: Lanes = lanes[at as usize..][..count as usize].iter().map(|&r| r.into()).collect();
            let (vector, list) = (vector(count), list(&regs));
            let place = address.plus(at * ty.scalar.bytes());
            let memory = memory_type(ty.scalar);
            self.code.line(format_args!("{guard}ld.{kind}{vector}.{memory} {list}, {place}"));
            at += count;
        }
        self.values[data.results[0]] = lanes.into_iter().map(Operand::from).collect();
    }

    pub fn store(&mut self, inst: Inst, data: &InstData) {
        if self.grouped(inst, data) {
            return;
        }
        let buffer = self.buffer(data);
        let ty = self.p.ty(data.args[1]);
        let Bounds::In(guard) = self.bounds(inst, data, buffer, ty) else { return };
        let address = self.address(buffer, data.args[0], ty.scalar.bytes());
        let kind = self.kind(data, &address);
        let lanes = stored(&mut self.code, &self.values[data.args[1]]);
        let mut at = 0;
        for count in self.parts(ty, data.args[0]) {
            let list = list(&lanes[at as usize..][..count as usize]);
            let (vector, memory) = (vector(count), memory_type(ty.scalar));
            let place = address.plus(at * ty.scalar.bytes());
            self.code.line(format_args!("{guard}st.{kind}{vector}.{memory} {place}, {list}"));
            at += count;
        }
    }

    /// How a load or store accesses memory.
    pub fn kind(&self, data: &InstData, address: &Address) -> String {
        match data.op {
            Op::AtomicLoad | Op::AtomicStore => format!("relaxed.{}.{}", scope(address), address.space),
            _ if address.space == "global" && !self.known.needs.written[self.buffer(data)] => {
                "global.nc".into()
            }
            _ => address.space.into(),
        }
    }

    /// How many lanes each instruction of an access takes.
    fn parts(&self, ty: Type, index: Value) -> SmallVec<[u32; 4]> {
        let size = ty.scalar.bytes();
        // Buffers begin at multiples of 16.
        let known = match self.p.splat_constant(index) {
            Some(0) => 4,
            Some(n) => (n as u32).trailing_zeros(),
            None => self.known.alignment.exponent(index),
        };
        let aligned = u32::min(16, size << known.min(4));
        let (mut parts, mut at) = (SmallVec::new(), 0);
        while at < ty.lanes as u32 {
            let rest = ty.lanes as u32 - at;
            let fits = |n: &u32| *n <= rest && n * size <= aligned && (at * size).is_multiple_of(n * size);
            let count = [4, 2].into_iter().find(fits).unwrap_or(1);
            parts.push(count);
            at += count;
        }
        parts
    }

    /// Zeros what the program may read before it writes it.
    pub fn clear_memory(&mut self) {
        self.clear_private();
        self.clear_workgroup();
    }

    fn clear_private(&mut self) {
        let bytes = self.known.layout.local;
        if bytes == 0 {
            return;
        }
        let base = self.local();
        if bytes / 16 <= UNROLLED {
            for at in (0..bytes).step_by(16) {
                self.code.line(format_args!("st.local.v4.u32 [{base}+{at}], {{0, 0, 0, 0}}"));
            }
            return;
        }
        let at = self.code.reg(Class::Word);
        self.code.mov(at, base);
        let end = self.code.op(Class::Word, "add.u32", &[base, Operand::word(bytes)]);
        self.clear_to(at, end, 16, "local");
    }

    fn clear_workgroup(&mut self) {
        let bytes = self.known.layout.zeroed;
        if bytes == 0 {
            return;
        }
        let threads = self.p.workgroup_invocations() as u32;
        let (base, index) = (self.shared(), self.local_index());
        let at = self.code.reg(Class::Word);
        self.code.op_to(at, "mad.lo.u32", &[index, Operand::word(16), base]);
        let end = self.code.op(Class::Word, "add.u32", &[base, Operand::word(bytes)]);
        if bytes <= 16 * threads {
            let inside = self.code.op(Class::Pred, "setp.lt.u32", &[at.into(), end]);
            self.code.line(format_args!("@{inside} st.shared.v4.u32 [{at}], {{0, 0, 0, 0}}"));
        } else {
            self.clear_to(at, end, 16 * threads, "shared");
        }
        self.code.line(format_args!("bar.sync 0"));
    }

    /// Stores zeros from an address on, in steps, as long as it is below an end; at least once.
    fn clear_to(&mut self, at: Reg, end: Operand, step: u32, space: &str) {
        let again = self.code.label();
        self.code.place(again);
        self.code.line(format_args!("st.{space}.v4.u32 [{at}], {{0, 0, 0, 0}}"));
        self.code.op_to(at, "add.u32", &[at.into(), Operand::word(step)]);
        let below = self.code.op(Class::Pred, "setp.lt.u32", &[at.into(), end]);
        self.code.line(format_args!("@{below} bra {again}"));
    }
}

/// Who has to see an atomic access as one.
pub fn scope(address: &Address) -> &'static str {
    if address.space == "shared" { "cta" } else { "gpu" }
}

/// What a store takes: f16 only from registers.
pub fn stored(code: &mut Code, lanes: &[Operand]) -> Lanes {
    let half = |x: &Operand| x.class() == Class::Half;
    lanes.iter().map(|x| if half(x) { code.in_register(*x).into() } else { *x }).collect()
}

pub fn vector(count: u32) -> &'static str {
    match count {
        1 => "",
        2 => ".v2",
        _ => ".v4",
    }
}

pub fn list(lanes: &[Operand]) -> String {
    match lanes {
        [one] => one.to_string(),
        _ => {
            let lanes: SmallVec<[String; 4]> = lanes.iter().map(ToString::to_string).collect();
            format!("{{{}}}", lanes.join(", "))
        }
    }
}
