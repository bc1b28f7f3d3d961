//! Pure operations: naga's spelling where its meaning is the row's, other operations where it is not.
//!
//! What naga lacks or leaves open, and what stands here instead: high half of a product; bit counts of 16 and 64 bits
//! (SPIR-V for Vulkan has them for 32); conversion from float to integer (naga keeps to what f32 can represent, a row
//! saturates and takes NaN to 0); remainder of floats (SPIR-V and Metal compute the exact one, the row rounds each
//! step); `!=` of floats; shift amounts (taken modulo the width here, unless known to be smaller); division by a constant zero.
//! What is done on a type that naga lacks is in `narrow`.

use super::code::{Code, Node, Val};
use super::types;
use naga::{BinaryOperator as Bin, Expression, MathFunction as Fun, UnaryOperator};
use vyre_ir::eval::{evaluate, is_evaluable};
use vyre_ir::{Op, Scalar, Sig, Type};

/// Whether the exporter spells the operation, on any scalar; what it does not must be expanded before.
pub fn native(op: Op, _: Scalar) -> bool {
    op.info().expand.is_none()
}

/// How an operation on one scalar type is said in naga.
enum Spelling {
    Unary(UnaryOperator),
    Binary(Bin),
    Math(Fun),
    Other,
}

fn spelling(op: Op, scalar: Scalar) -> Spelling {
    use Spelling::*;
    let narrow_or_wide = scalar.bits() != 32;
    match op {
        Op::Add => Binary(Bin::Add),
        Op::Sub => Binary(Bin::Subtract),
        Op::Mul => Binary(Bin::Multiply),
        Op::Div => Binary(Bin::Divide),
        Op::Rem if scalar.is_int() => Binary(Bin::Modulo),
        Op::Min => Math(Fun::Min),
        Op::Max => Math(Fun::Max),
        Op::Neg => Unary(UnaryOperator::Negate),
        Op::Abs => Math(Fun::Abs),
        Op::Fma => Math(Fun::Fma),
        Op::Sqrt => Math(Fun::Sqrt),
        Op::Floor => Math(Fun::Floor),
        Op::Ceil => Math(Fun::Ceil),
        Op::Trunc => Math(Fun::Trunc),
        Op::Round => Math(Fun::Round),
        Op::And => Binary(Bin::And),
        Op::Or => Binary(Bin::InclusiveOr),
        Op::Xor if scalar == Scalar::Bool => Binary(Bin::NotEqual),
        Op::Xor => Binary(Bin::ExclusiveOr),
        Op::Not if scalar == Scalar::Bool => Unary(UnaryOperator::LogicalNot),
        Op::Not => Unary(UnaryOperator::BitwiseNot),
        Op::Shl => Binary(Bin::ShiftLeft),
        Op::Shr => Binary(Bin::ShiftRight),
        Op::CountOnes | Op::LeadingZeros | Op::TrailingZeros | Op::ReverseBits if narrow_or_wide => Other,
        Op::CountOnes => Math(Fun::CountOneBits),
        Op::LeadingZeros => Math(Fun::CountLeadingZeros),
        Op::TrailingZeros => Math(Fun::CountTrailingZeros),
        Op::ReverseBits => Math(Fun::ReverseBits),
        Op::Eq => Binary(Bin::Equal),
        // Not naga's `!=`: in SPIR-V that is the ordered one, false for NaN.
        Op::Ne if scalar.is_float() => Other,
        Op::Ne => Binary(Bin::NotEqual),
        Op::Lt => Binary(Bin::Less),
        Op::Le => Binary(Bin::LessEqual),
        _ => Other,
    }
}

impl Code {
    /// An operation whose operands determine its type.
    pub fn op(&mut self, op: Op, args: &[Val]) -> Val {
        let types: smallvec::SmallVec<[Type; 4]> = args.iter().map(|v| v.ty).collect();
        match vyre_ir::build::result_type(op, &types) {
            Ok(ty) => self.apply(op, ty, args),
            Err(why) => panic!("{why}"),
        }
    }

    /// A pure operation with operands, folded when they are constants.
    pub fn apply(&mut self, op: Op, ty: Type, args: &[Val]) -> Val {
        fold(op, ty, args).or_else(|| simpler(op, args)).unwrap_or_else(|| match bound(op, ty, args) {
            0 => Val::splat(ty, 0),
            max => self.spell(op, ty, args).at_most(max),
        })
    }

    fn spell(&mut self, op: Op, ty: Type, args: &[Val]) -> Val {
        match self.exactly(op, args) {
            Some(value) => value,
            None => self.spelled(op, ty, args),
        }
    }

    /// The operation as the languages have it.
    pub fn spelled(&mut self, op: Op, ty: Type, args: &[Val]) -> Val {
        let scalar = args[if op == Op::Select { 1 } else { 0 }].ty.scalar;
        if let Some((op, constant)) = by_power_of_two(op, scalar, args) {
            return self.op(op, &[args[0], constant]);
        }
        if let Some(infinity) = by_zero(scalar, args) {
            match op {
                Op::Div => return self.op(Op::Mul, &[args[0], infinity]),
                // NaN for every dividend: a multiple of an infinity times zero is taken from it.
                Op::Rem => return self.op(Op::Mul, &[args[1], infinity]),
                _ => {}
            }
        }
        let shown = match (op, args) {
            (Op::Div | Op::Rem, &[x, by]) if scalar.is_int() => vec![x, self.never_zero(by)],
            (Op::Shl | Op::Shr, &[x, by]) => vec![x, self.modulo_width(by, scalar.bits())],
            _ => args.to_vec(),
        };
        if types::is_carried(scalar)
            && let Some(value) = self.on_carriers(op, scalar, &shown)
        {
            return value;
        }
        match spelling(op, scalar) {
            Spelling::Unary(op) => {
                let expr = self.get(shown[0]);
                self.value(ty, Expression::Unary { op, expr })
            }
            Spelling::Binary(op) => {
                let (left, right) = (self.get(shown[0]), self.get(shown[1]));
                self.value(ty, Expression::Binary { op, left, right })
            }
            Spelling::Math(fun) => {
                let arg = self.get(shown[0]);
                let [arg1, arg2] = [1, 2].map(|i| shown.get(i).map(|v| self.get(*v)));
                self.value(ty, Expression::Math { fun, arg, arg1, arg2, arg3: None })
            }
            Spelling::Other => match (op, args) {
                (Op::Select, &[condition, accept, reject]) => {
                    let (condition, accept, reject) =
                        (self.get(condition), self.get(accept), self.get(reject));
                    self.value(ty, Expression::Select { condition, accept, reject })
                }
                (Op::Ne, _) => {
                    let equal = self.op(Op::Eq, args);
                    self.op(Op::Not, &[equal])
                }
                (Op::Compose, _) => self.compose(ty, args),
                (Op::Convert, &[x]) => self.convert(x, ty.scalar),
                (Op::Bitcast, &[x]) => self.bitcast(x, ty.scalar),
                (Op::Rem, &[x, y]) => {
                    let quotient = self.op(Op::Div, &[x, y]);
                    let whole = self.op(Op::Trunc, &[quotient]);
                    let product = self.op(Op::Mul, &[y, whole]);
                    self.op(Op::Sub, &[x, product])
                }
                (Op::MulHi, &[x, y]) => self.mul_hi(x, y),
                (Op::CountOnes | Op::LeadingZeros | Op::TrailingZeros | Op::ReverseBits, &[x]) => {
                    if scalar.bits() == 64 { self.count_64(op, x) } else { self.count_narrow(op, x) }
                }
                _ => unreachable!("`{}` is not an operation with operands that naga can spell", op.name()),
            },
        }
    }

    /// One lane.
    pub fn extract(&mut self, vector: Val, lane: u8) -> Val {
        match vector.node {
            _ if vector.ty.lanes == 1 => vector,
            Node::Const(bits) => Val::splat(vector.ty.scalar, bits[lane as usize]),
            Node::Expr(base) => self
                .value(vector.ty.scalar, Expression::AccessIndex { base, index: lane as u32 })
                .at_most(vector.max),
        }
    }

    /// A vector of scalars; one scalar is itself.
    pub fn compose(&mut self, ty: Type, scalars: &[Val]) -> Val {
        let max = scalars.iter().map(|v| v.max).max().expect("a vector has lanes");
        if let [one] = scalars {
            return *one;
        }
        if let Some(bits) = scalars.iter().map(|v| Some(v.bits()?[0])).collect::<Option<Vec<u64>>>() {
            let mut lanes = [0; 4];
            lanes[..bits.len()].copy_from_slice(&bits);
            return Val::constant(ty, lanes);
        }
        let components: Vec<_> = scalars.iter().map(|v| self.get(*v)).collect();
        let expression = match types::lanes(ty.lanes) {
            Some(size) if components.iter().all(|c| *c == components[0]) => {
                Expression::Splat { size, value: components[0] }
            }
            _ => Expression::Compose { ty: self.ty(ty), components },
        };
        self.value(ty, expression).at_most(max)
    }

    /// The same bits as another type of the same width.
    pub fn bitcast(&mut self, x: Val, to: Scalar) -> Val {
        let ty = x.ty.with(to);
        match x.node {
            _ if x.ty.scalar == to => x,
            Node::Const(bits) => Val::constant(ty, bits),
            // naga's HLSL writer converts the number between 16-bit types; packing has the bits everywhere.
            _ if [x.ty.scalar, to].iter().any(|s| *s == Scalar::F16 || types::is_carried(*s)) => {
                let word = self.word_of(x);
                self.value_in_word(word, to)
            }
            Node::Expr(expr) => {
                self.value(ty, Expression::As { expr, kind: types::scalar(to).kind, convert: None })
            }
        }
    }

    /// The number in another type.
    pub fn convert(&mut self, x: Val, to: Scalar) -> Val {
        let from = x.ty.scalar;
        if from == to {
            return x;
        }
        if let Some(folded) = fold(Op::Convert, x.ty.with(to), &[x]) {
            return folded;
        }
        let zero = Val::splat(x.ty, 0);
        match (from, to) {
            (_, Scalar::Bool) => self.op(Op::Ne, &[x, zero]),
            (Scalar::Bool, _) => self.cast(x, to).at_most(1),
            (a, _) if types::is_carried(a) => {
                let carrier = self.carrier(x);
                self.convert(carrier, to)
            }
            (_, Scalar::BF16) => self.bf16_of(x),
            (a, b) if a.is_int() && types::is_carried(b) => {
                let wide = self.convert(x, types::carrier(b));
                self.in_range(wide, b)
            }
            (a, b) if a.is_int() && b.is_int() => {
                // Change the width first, within the sign of the source: then nothing is left open.
                let resized = with_width(a, b.bits());
                let resized = if resized == a { x } else { self.cast(x, resized) };
                let max = x.max;
                let value = self.bitcast(resized, to);
                if a.is_signed() { value } else { value.at_most(max) }
            }
            (a, b) if a.is_float() && b.is_int() => self.float_to_int(x, to),
            (Scalar::U32, Scalar::F32) if !self.has.rounds_u32 && x.max >= 1 << 24 => self.u32_to_f32(x),
            _ => self.cast(x, to),
        }
    }

    /// By halves, which are exact, as are the product and one of the sum's operands: so it is rounded once.
    fn u32_to_f32(&mut self, x: Val) -> Val {
        let sixteen = Val::splat(x.ty, 16);
        let high = self.op(Op::Shr, &[x, sixteen]);
        let low = self.op(Op::And, &[x, Val::splat(x.ty, 0xffff)]);
        let [high, low] = [high, low].map(|half| self.convert(half, Scalar::F32));
        let scale = Val::splat(high.ty, 65536f32.to_bits().into());
        let high = self.op(Op::Mul, &[high, scale]);
        self.op(Op::Add, &[high, low])
    }

    /// naga's own conversion.
    pub fn cast(&mut self, x: Val, to: Scalar) -> Val {
        let scalar = types::scalar(to);
        let expr = self.get(x);
        self.value(x.ty.with(to), Expression::As { expr, kind: scalar.kind, convert: Some(scalar.width) })
    }

    fn float_to_int(&mut self, x: Val, to: Scalar) -> Val {
        if x.ty.scalar == Scalar::F16 {
            let wide = self.convert(x, Scalar::F32);
            return self.float_to_int(wide, to);
        }
        if to.bits() < 32 {
            let wide = self.float_to_int(x, with_width(to, 32));
            let most = to.mask() >> to.is_signed() as u32;
            let [low, high] = [if to.is_signed() { !most & 0xffff_ffff } else { 0 }, most];
            let wide = self.op(Op::Max, &[wide, Val::splat(wide.ty, low)]);
            let wide = self.op(Op::Min, &[wide, Val::splat(wide.ty, high)]);
            return if types::is_carried(to) { self.carried(wide, to) } else { self.convert(wide, to) };
        }
        // The writers keep the operand in the range that its type and the integer type share; the upper end of that
        // falls short of the integer's own.
        let inside = self.cast(x, to);
        let (limit, largest) = match to.is_signed() {
            true => (2f64.powi(to.bits() as i32 - 1), to.mask() >> 1),
            false => (2f64.powi(to.bits() as i32), to.mask()),
        };
        let limit = Val::splat(x.ty, vyre_ir::program::number_bits(x.ty.scalar, limit));
        let above = self.op(Op::Le, &[limit, x]);
        let saturated = self.op(Op::Select, &[above, Val::splat(inside.ty, largest), inside]);
        let is_nan = self.is_nan(x);
        self.op(Op::Select, &[is_nan, Val::splat(inside.ty, 0), saturated])
    }

    /// By the bits where that is cheap: WGSL and Metal's fast math may take `x != x` for false.
    pub fn is_nan(&mut self, x: Val) -> Val {
        if x.ty.scalar != Scalar::F32 {
            return self.op(Op::Ne, &[x, x]);
        }
        let bits = self.bitcast(x, Scalar::U32);
        let magnitude = self.op(Op::And, &[bits, Val::splat(bits.ty, 0x7fff_ffff)]);
        self.op(Op::Lt, &[Val::splat(bits.ty, 0x7f80_0000), magnitude])
    }

    /// A divisor without constant zeros, which naga and WGSL reject, in any lane: `x / 0 = x / 1`, `x % 0 = x % 1`.
    fn never_zero(&mut self, divisor: Val) -> Val {
        let expr = match divisor.node {
            Node::Const(bits) => return Val::constant(divisor.ty, bits.map(|b| b.max(1))),
            Node::Expr(expr) => expr,
        };
        let Expression::Compose { ty, components } = &self.function.expressions[expr] else { return divisor };
        let (ty, mut components) = (*ty, components.clone());
        let scalar = Type::from(divisor.ty.scalar);
        let (zero, one) = (self.get(Val::splat(scalar, 0)), self.get(Val::splat(scalar, 1)));
        if !components.contains(&zero) {
            return divisor;
        }
        components.iter_mut().filter(|c| **c == zero).for_each(|c| *c = one);
        self.value(divisor.ty, Expression::Compose { ty, components })
    }

    fn modulo_width(&mut self, amount: Val, width: u32) -> Val {
        match amount.node {
            Node::Const(bits) => Val::constant(amount.ty, bits.map(|b| b % width as u64)),
            _ if amount.max < width as u64 => amount,
            _ => self.op(Op::And, &[amount, Val::splat(amount.ty, width as u64 - 1)]),
        }
    }

    /// Long multiplication in halves; a wider type where there surely is one.
    fn mul_hi(&mut self, x: Val, y: Val) -> Val {
        let scalar = x.ty.scalar;
        if scalar.bits() < 32 {
            let wide = with_width(scalar, 32);
            let (a, b) = (self.convert(x, wide), self.convert(y, wide));
            let product = self.op(Op::Mul, &[a, b]);
            let high = self.op(Op::Shr, &[product, Val::splat(x.ty.with(Scalar::U32), scalar.bits() as u64)]);
            return self.convert(high, scalar);
        }
        let unsigned = types::bits_type(scalar);
        let half = scalar.bits() / 2;
        let amount = Val::splat(x.ty.with(Scalar::U32), half as u64);
        let mask = Val::splat(x.ty.with(unsigned), unsigned.mask() >> half);
        let mut halves = |v: Val| {
            let v = self.bitcast(v, unsigned);
            [self.op(Op::And, &[v, mask]), self.op(Op::Shr, &[v, amount])]
        };
        let ([a0, a1], [b0, b1]) = (halves(x), halves(y));
        let low = self.op(Op::Mul, &[a0, b0]);
        let carry = self.op(Op::Shr, &[low, amount]);
        let cross = self.op(Op::Mul, &[a1, b0]);
        let cross = self.op(Op::Add, &[cross, carry]);
        let cross_low = self.op(Op::And, &[cross, mask]);
        let cross_high = self.op(Op::Shr, &[cross, amount]);
        let other = self.op(Op::Mul, &[a0, b1]);
        let other = self.op(Op::Add, &[other, cross_low]);
        let other = self.op(Op::Shr, &[other, amount]);
        let high = self.op(Op::Mul, &[a1, b1]);
        let high = self.op(Op::Add, &[high, cross_high]);
        let high = self.op(Op::Add, &[high, other]);
        if !scalar.is_signed() {
            return high;
        }
        // The unsigned product counts a negative factor as 2^width too much.
        let mut high = self.bitcast(high, scalar);
        let zero = Val::splat(x.ty, 0);
        for (factor, other) in [(x, y), (y, x)] {
            let negative = self.op(Op::Lt, &[factor, zero]);
            let excess = self.op(Op::Select, &[negative, other, zero]);
            high = self.op(Op::Sub, &[high, excess]);
        }
        high
    }

    /// Bit counts of 64 bits from those of the two halves.
    fn count_64(&mut self, op: Op, x: Val) -> Val {
        let bits = self.bitcast(x, Scalar::U64);
        let [low, high] = self.words(bits);
        let zero = Val::splat(low.ty, 0);
        let narrow = match op {
            Op::ReverseBits => {
                let [low, high] = [low, high].map(|half| self.op(op, &[half]));
                let reversed = self.join_words(high, low);
                return self.bitcast(reversed, x.ty.scalar);
            }
            Op::CountOnes => {
                let [low, high] = [low, high].map(|half| self.op(op, &[half]));
                self.op(Op::Add, &[low, high])
            }
            _ => {
                let (near, far) = if op == Op::LeadingZeros { (high, low) } else { (low, high) };
                let is_zero = self.op(Op::Eq, &[near, zero]);
                let beyond = self.op(op, &[far]);
                let beyond = self.op(Op::Add, &[beyond, Val::splat(far.ty, 32)]);
                let near = self.op(op, &[near]);
                self.op(Op::Select, &[is_zero, beyond, near])
            }
        };
        self.convert(narrow, x.ty.scalar)
    }

    /// Bit counts of 8 and 16 bits from those of 32.
    fn count_narrow(&mut self, op: Op, x: Val) -> Val {
        let bits = x.ty.scalar.bits() as u64;
        let wide = self.word_of(x);
        let others = Val::splat(wide.ty, 32 - bits);
        let result = match op {
            Op::CountOnes => self.op(op, &[wide]),
            Op::LeadingZeros => {
                let zeros = self.op(op, &[wide]);
                self.op(Op::Sub, &[zeros, others])
            }
            Op::TrailingZeros => {
                let stopped = self.op(Op::Or, &[wide, Val::splat(wide.ty, 1 << bits)]);
                self.op(op, &[stopped])
            }
            _ => {
                let reversed = self.op(op, &[wide]);
                self.op(Op::Shr, &[reversed, others])
            }
        };
        self.convert(result, x.ty.scalar)
    }

    /// The low and high words of a u64.
    pub fn words(&mut self, x: Val) -> [Val; 2] {
        let high = self.op(Op::Shr, &[x, Val::splat(x.ty.with(Scalar::U32), 32)]);
        [x, high].map(|half| self.convert(half, Scalar::U32))
    }

    /// A u64 from its low and high words.
    pub fn join_words(&mut self, low: Val, high: Val) -> Val {
        let [low, high] = [low, high].map(|word| self.convert(word, Scalar::U64));
        let high = self.op(Op::Shl, &[high, Val::splat(high.ty.with(Scalar::U32), 32)]);
        self.op(Op::Or, &[low, high])
    }
}

/// The integer of the same sign and another width.
fn with_width(scalar: Scalar, bits: u32) -> Scalar {
    Scalar::ALL
        .into_iter()
        .find(|s| s.is_int() && s.bits() == bits && s.is_signed() == scalar.is_signed())
        .expect("integers come in 8, 16, 32 and 64 bits")
}

/// The reciprocal of a divisor that is the constant 0 of a float: a product with it is the quotient, and leaves unsaid
/// what drivers take for undefined (Mesa drops the store of such a quotient).
fn by_zero(scalar: Scalar, args: &[Val]) -> Option<Val> {
    let divisor = args.get(1).filter(|_| scalar.is_float())?;
    let sign = divisor.same_bits().filter(|bits| bits & scalar.mask() >> 1 == 0)?;
    let infinity = vyre_ir::lane::convert(Scalar::F64, scalar, f64::INFINITY.to_bits());
    Some(Val::splat(divisor.ty, infinity | sign))
}

/// Unsigned division by a power of two, which the writers would wrap in a function that checks the divisor.
fn by_power_of_two(op: Op, scalar: Scalar, args: &[Val]) -> Option<(Op, Val)> {
    if !matches!(op, Op::Div | Op::Rem) || !scalar.is_int() || scalar.is_signed() {
        return None;
    }
    let divisor = args[1].same_bits().filter(|d| d.is_power_of_two())?;
    Some(match op {
        Op::Div => (Op::Shr, Val::splat(args[0].ty.with(Scalar::U32), divisor.trailing_zeros() as u64)),
        _ => (Op::And, Val::splat(args[0].ty, divisor - 1)),
    })
}

/// The operand that is the result, or the constant that is it by the operands' bounds: index arithmetic and checks
/// made here often come to nothing.
fn simpler(op: Op, args: &[Val]) -> Option<Val> {
    let &[a, b] = args else { return None };
    let (left, right) = (a.same_bits(), b.same_bits());
    let scalar = a.ty.scalar;
    if scalar == Scalar::Bool {
        return match (op, left, right) {
            (Op::And, Some(1), _) | (Op::Or, Some(0), _) => Some(b),
            (Op::And, _, Some(1)) | (Op::Or, _, Some(0)) => Some(a),
            _ => None,
        };
    }
    if !scalar.is_int() || scalar.is_signed() {
        return None;
    }
    let truth = |holds| Some(Val::splat(a.ty.with(Scalar::Bool), holds as u64));
    match (op, left, right) {
        (Op::Add | Op::Sub | Op::Or | Op::Xor | Op::Shl | Op::Shr, _, Some(0)) => Some(a),
        (Op::Add | Op::Or | Op::Xor, Some(0), _) => Some(b),
        (Op::Mul | Op::Div, _, Some(1)) => Some(a),
        (Op::Mul, Some(1), _) => Some(b),
        (Op::And, _, Some(mask)) if mask & mask.wrapping_add(1) == 0 && a.max <= mask => Some(a),
        (Op::Min, _, Some(most)) if a.max <= most => Some(a),
        (Op::Min, _, Some(0)) => Some(b),
        (Op::Rem, _, Some(n)) if a.max < n => Some(a),
        (Op::Lt, _, Some(limit)) if a.max < limit => truth(true),
        (Op::Le, _, Some(most)) if a.max <= most => truth(true),
        (Op::Lt, Some(least), _) if b.max <= least => truth(false),
        _ => None,
    }
}

/// The operation on constants.
fn fold(op: Op, ty: Type, args: &[Val]) -> Option<Val> {
    if !is_evaluable(op) {
        return None;
    }
    let bits: smallvec::SmallVec<[[u64; 4]; 3]> = args.iter().map(Val::bits).collect::<Option<_>>()?;
    let operand = args[if op == Op::Select { 1 } else { 0 }].ty.scalar;
    let sig = Sig { operand, result: ty.scalar };
    let mut lanes = [0; 4];
    for (i, lane) in lanes[..ty.lanes as usize].iter_mut().enumerate() {
        let operands: smallvec::SmallVec<[u64; 3]> = bits.iter().map(|b| b[i]).collect();
        *lane = evaluate(op, sig, &operands)?;
    }
    Some(Val::constant(ty, lanes))
}

/// An upper bound of an unsigned result from those of the operands: enough to see that an index made of a local
/// index, a mask or a remainder stays in its buffer.
fn bound(op: Op, ty: Type, args: &[Val]) -> u64 {
    let top = ty.scalar.mask();
    if !ty.scalar.is_int() || ty.scalar.is_signed() {
        return u64::MAX;
    }
    let exact = |max: Option<u64>| max.filter(|m| *m <= top).unwrap_or(top);
    match (op, args) {
        (Op::Add, [a, b]) => exact(a.max.checked_add(b.max)),
        (Op::Mul, [a, b]) => exact(a.max.checked_mul(b.max)),
        (Op::And | Op::Min, [a, b]) => a.max.min(b.max),
        (Op::Max, [a, b]) => a.max.max(b.max),
        (Op::Or | Op::Xor, [a, b]) => match a.max | b.max {
            0 => 0,
            most => u64::MAX >> most.leading_zeros(),
        },
        (Op::Rem, [a, b]) => match b.same_bits() {
            Some(0) => 0,
            Some(n) => a.max.min(n - 1),
            None => a.max,
        },
        (Op::Div, [a, b]) => a.max / b.same_bits().unwrap_or(1).max(1),
        (Op::Shr, [a, b]) => a.max >> (b.same_bits().unwrap_or(0) % ty.scalar.bits() as u64),
        (Op::Shl, [a, b]) => match b.same_bits() {
            Some(n) => exact(a.max.checked_mul(1 << (n % ty.scalar.bits() as u64))),
            None => top,
        },
        (Op::Select, [_, a, b]) => a.max.max(b.max),
        (Op::CountOnes | Op::LeadingZeros | Op::TrailingZeros, _) => ty.scalar.bits() as u64,
        (Op::Convert | Op::Bitcast | Op::Compose, _) => u64::MAX, // set where they are made
        _ => top,
    }
}
