//! The operation table: one row says everything the compiler knows about an operation.
//!
//! From a row come its text form, type rule, verification, constant folding, interpretation, commutation, dead-code
//! and motion rules, documentation, and its random tests. What a row cannot say is how a target spells it: that is
//! one line in the target's own table, or nothing if the row has an `expand`.

use crate::build::Builder;
use crate::lane::{Float, Int, Num, any, bits, float, int, lane_body, lanes, num};
use crate::program::Value;
use crate::types::*;

/// How operands determine the result.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Rule {
    /// `n` operands of one type in the class; the result has that type.
    Same(Class, u8),
    /// Two operands of one type in the class; the result is bool of the same lanes.
    Compare(Class),
    /// `(T, u32) -> T` lane by lane, T in the class.
    Shift(Class),
    /// `(bool, T, T) -> T` lane by lane.
    Select,
    /// One operand; the result has the same lanes of any other type.
    Convert,
    /// One operand; the result has the same lanes of another number type of the same width.
    Bitcast,
    /// No operands; the attribute is the value, the result type is given.
    Const,
    /// `n` scalars of one type make a vector of `n` lanes.
    Compose,
    /// A vector; the attribute names the lane.
    Extract,
    /// No operands; the attribute is an axis 0 to 2; the result is u32.
    Axis,
    /// No operands, no attribute; the result is u32.
    Index,
    /// The attribute is a buffer; the result is u32.
    Length,
    /// The attribute is a buffer, the operand an index; the result type is given.
    Load,
    /// The attribute is a buffer, the operands index and value.
    Store,
    /// Attribute buffer, index and value (of one type in the class); the result has the value's type.
    Atomic(Class),
    /// Attribute buffer, index, expected and new value; the results are the old value and whether it was exchanged.
    CompareExchange(Class),
    /// One operand in the class and a u32 lane index; the result has the operand's type.
    Lane(Class),
    /// `bool -> u32x4`.
    Ballot,
    /// The attribute names an operation of a dialect, whose signature says the rest.
    Call,
    /// A scalar of the class and a bool; the result has the scalar's type.
    Agree(Class),
    /// No operands; the result type, of the class, is given.
    Item(Class),
    /// One operand of the class; no results.
    Push(Class),
    /// No operands, no results.
    Nothing,
    /// Control flow and terminators, checked by the verifier.
    Structure,
}

/// What an operation does beside giving results.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing; may be moved, repeated and dropped.
    Pure,
    /// Reads memory; may be dropped.
    Reads,
    /// Writes memory, or reads and writes it as one step.
    Writes,
    /// Exchanges values with other invocations of the subgroup; stays where it is relative to control flow.
    Converges,
    /// Waits for other invocations and orders memory.
    Syncs,
    /// Has regions or ends one.
    Control,
}

/// The types an evaluation is for: of the value operands (not a select's condition), and of the result.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sig {
    /// The operand type: that of the second operand of a select, of the first one elsewhere.
    pub operand: Scalar,
    /// The result type.
    pub result: Scalar,
}

/// Reference semantics of one lane, on raw bits.
pub type Eval = fn(Sig, &[u64]) -> u64;

/// A definition by other operations: the same for every lane, straight-line, ending in one value of the result type.
pub type Expand = fn(&mut Builder, &[Value]) -> Value;

/// A row of the table.
pub struct Info {
    /// The operation itself.
    pub op: Op,
    /// Its name in text form.
    pub name: &'static str,
    /// What it computes, for people.
    pub doc: &'static str,
    /// Types.
    pub rule: Rule,
    /// Effects.
    pub effect: Effect,
    /// Whether the first two operands may be exchanged.
    pub commutes: bool,
    /// Semantics of one lane. A row without one that has an `expand` means what the expansion means.
    pub eval: Option<Eval>,
    /// A definition by other operations.
    pub expand: Option<Expand>,
    /// For an f32 result that is not the correctly rounded one: the largest error in units in the last place.
    pub ulp: Option<f32>,
    /// For an atomic operation that makes the new value of the old one and its operand: by which operation.
    pub update: Option<Op>,
}

macro_rules! ops {
    ($($(#[doc = $doc:literal])+ $op:ident $name:literal $rule:expr, $effect:ident $(, commutes $c:tt)?
       $(, eval $eval:expr)? $(, ulp $ulp:literal)? $(, expand $expand:expr)? $(, update $update:ident)?;)*) => {
        /// An operation; its row is [`Op::info`].
        #[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Op { $($(#[doc = $doc])+ $op),* }
        /// Every row, in the order of the enumeration.
        pub const OPS: &[Info] = &[$(Info {
            op: Op::$op,
            name: $name,
            doc: concat!($($doc),+),
            rule: $rule,
            effect: Effect::$effect,
            commutes: false $(|| $c)?,
            eval: { #[allow(unused)] let e: Option<Eval> = None; $(let e: Option<Eval> = Some($eval);)? e },
            expand: { #[allow(unused)] let e: Option<Expand> = None; $(let e: Option<Expand> = Some($expand);)? e },
            update: { #[allow(unused)] let o: Option<Op> = None; $(let o: Option<Op> = Some(Op::$update);)? o },
            ulp: { #[allow(unused)] let u: Option<f32> = None; $(let u: Option<f32> = Some($ulp);)? u },
        }),*];
    };
}

use Rule::*;
ops! {
    // ---- arithmetic
    /// Sum. Integers wrap; floats round to nearest even.
    Add "add" Same(NUM, 2), Pure, commutes true, eval num!(|a, b| Num::add(a, b));
    /// Difference. Integers wrap.
    Sub "sub" Same(NUM, 2), Pure, eval num!(|a, b| Num::sub(a, b));
    /// Product. Integers wrap.
    Mul "mul" Same(NUM, 2), Pure, commutes true, eval num!(|a, b| Num::mul(a, b));
    /// Quotient. Integers: towards zero, `x / 0 = x`, `MIN / -1 = MIN`.
    Div "div" Same(NUM, 2), Pure, eval num!(|a, b| Num::div(a, b));
    /// Remainder. Integers: sign of the dividend, `x % 0 = 0`, `MIN % -1 = 0`. Floats: `x - y * trunc(x / y)`, each step rounded.
    Rem "rem" Same(NUM, 2), Pure, eval num!(|a, b| Num::rem(a, b));
    /// High half of the product of two integers of full width.
    MulHi "mul_hi" Same(INT, 2), Pure, commutes true, eval int!(|a, b| Int::mul_hi(a, b));
    /// Smaller of two. Floats: a NaN gives way to a number; -0 is smaller than +0.
    Min "min" Same(NUM, 2), Pure, commutes true, eval num!(|a, b| Num::min(a, b));
    /// Larger of two. Floats: a NaN gives way to a number; +0 is larger than -0.
    Max "max" Same(NUM, 2), Pure, commutes true, eval num!(|a, b| Num::max(a, b));
    /// Negation. Integers wrap; floats flip the sign, also of NaN and zero.
    Neg "neg" Same(NEGATABLE, 1), Pure, eval num!(|a| Num::neg(a));
    /// Magnitude. Integers wrap at MIN; floats clear the sign.
    Abs "abs" Same(NEGATABLE, 1), Pure, eval num!(|a| Num::abs(a));
    /// `a * b + c` rounded once.
    Fma "fma" Same(FLOAT, 3), Pure, commutes true, eval float!(|a, b, c| Float::fma(a, b, c));
    /// Square root, correctly rounded; NaN below -0.
    Sqrt "sqrt" Same(FLOAT, 1), Pure, eval float!(|a| Float::sqrt(a));
    /// Largest integer not above.
    Floor "floor" Same(FLOAT, 1), Pure, eval float!(|a| Float::floor(a));
    /// Smallest integer not below.
    Ceil "ceil" Same(FLOAT, 1), Pure, eval float!(|a| Float::ceil(a));
    /// Integer part, towards zero.
    Trunc "trunc" Same(FLOAT, 1), Pure, eval float!(|a| Float::trunc(a));
    /// Nearest integer, halves to even.
    Round "round" Same(FLOAT, 1), Pure, eval float!(|a| Float::round(a));

    // ---- bits
    /// Bitwise and; for bool the logical one.
    And "and" Same(BITS, 2), Pure, commutes true, eval bits!(|a, b| a & b);
    /// Bitwise or.
    Or "or" Same(BITS, 2), Pure, commutes true, eval bits!(|a, b| a | b);
    /// Bitwise exclusive or.
    Xor "xor" Same(BITS, 2), Pure, commutes true, eval bits!(|a, b| a ^ b);
    /// Bitwise complement; for bool the negation.
    Not "not" Same(BITS, 1), Pure, eval bits!(|a| !a);
    /// Shift left by an amount taken modulo the width.
    Shl "shl" Shift(INT), Pure, eval |sig, v| shift(sig, v, true);
    /// Shift right by an amount taken modulo the width; signed integers keep their sign.
    Shr "shr" Shift(INT), Pure, eval |sig, v| shift(sig, v, false);
    /// Number of one bits.
    CountOnes "count_ones" Same(INT, 1), Pure, eval int!(|a| Int::ones(a));
    /// Number of zero bits above the highest one; the width for 0.
    LeadingZeros "leading_zeros" Same(INT, 1), Pure, eval int!(|a| Int::leading(a));
    /// Number of zero bits below the lowest one; the width for 0.
    TrailingZeros "trailing_zeros" Same(INT, 1), Pure, eval int!(|a| Int::trailing(a));
    /// Bits in opposite order.
    ReverseBits "reverse_bits" Same(INT, 1), Pure, eval int!(|a| Int::reverse(a));

    // ---- comparison and choice
    /// Equal. NaN equals nothing.
    Eq "eq" Compare(ANY), Pure, commutes true, eval any!(|a, b| a == b);
    /// Not equal. NaN differs from everything.
    Ne "ne" Compare(ANY), Pure, commutes true, eval any!(|a, b| a != b);
    /// Less.
    Lt "lt" Compare(NUM), Pure, eval num!(|a, b| a < b);
    /// Less or equal.
    Le "le" Compare(NUM), Pure, eval num!(|a, b| a <= b);
    /// The second operand where the first is true, else the third.
    Select "select" Select, Pure, eval |_, v| if v[0] & 1 == 1 { v[1] } else { v[2] };

    // ---- types
    /// The number in another type: integers truncate or extend, floats round to nearest even, float to integer saturates and takes NaN to 0.
    Convert "convert" Convert, Pure, eval |sig, v| crate::lane::convert(sig.operand, sig.result, v[0]);
    /// The same bits as another type of the same width.
    Bitcast "bitcast" Bitcast, Pure, eval |_, v| v[0];
    /// A constant.
    Const "const" Const, Pure;
    /// A vector of scalars.
    Compose "compose" Compose, Pure;
    /// One lane of a vector.
    Extract "extract" Extract, Pure;

    // ---- mathematical functions, expanded into the operations above (f16 by way of f32)
    /// Sine of an angle in radians.
    Sin "sin" Same(MATH, 1), Pure, ulp 1.54, expand crate::math::sin;
    /// Cosine of an angle in radians.
    Cos "cos" Same(MATH, 1), Pure, ulp 1.54, expand crate::math::cos;
    /// Tangent of an angle in radians.
    Tan "tan" Same(MATH, 1), Pure, ulp 3.15, expand crate::math::tan;
    /// Inverse sine, NaN outside -1 to 1.
    Asin "asin" Same(MATH, 1), Pure, ulp 2.36, expand crate::math::asin;
    /// Inverse cosine, NaN outside -1 to 1.
    Acos "acos" Same(MATH, 1), Pure, ulp 1.27, expand crate::math::acos;
    /// Inverse tangent.
    Atan "atan" Same(MATH, 1), Pure, ulp 1.81, expand crate::math::atan;
    /// Angle of the point (second operand, first operand).
    Atan2 "atan2" Same(MATH, 2), Pure, ulp 2.0, expand crate::math::atan2;
    /// Hyperbolic sine.
    Sinh "sinh" Same(MATH, 1), Pure, ulp 2.39, expand crate::math::sinh;
    /// Hyperbolic cosine.
    Cosh "cosh" Same(MATH, 1), Pure, ulp 1.68, expand crate::math::cosh;
    /// Hyperbolic tangent.
    Tanh "tanh" Same(MATH, 1), Pure, ulp 1.48, expand crate::math::tanh;
    /// Inverse hyperbolic sine.
    Asinh "asinh" Same(MATH, 1), Pure, ulp 1.86, expand crate::math::asinh;
    /// Inverse hyperbolic cosine, NaN below 1.
    Acosh "acosh" Same(MATH, 1), Pure, ulp 2.03, expand crate::math::acosh;
    /// Inverse hyperbolic tangent, NaN outside -1 to 1.
    Atanh "atanh" Same(MATH, 1), Pure, ulp 2.14, expand crate::math::atanh;
    /// e to the power of the operand.
    Exp "exp" Same(MATH, 1), Pure, ulp 1.48, expand crate::math::exp;
    /// 2 to the power of the operand.
    Exp2 "exp2" Same(MATH, 1), Pure, ulp 1.16, expand crate::math::exp2;
    /// Natural logarithm, NaN below -0.
    Log "log" Same(MATH, 1), Pure, ulp 0.95, expand crate::math::log;
    /// Logarithm to base 2, NaN below -0.
    Log2 "log2" Same(MATH, 1), Pure, ulp 1.47, expand crate::math::log2;
    /// First operand to the power of the second, with the special cases of IEEE 754.
    Pow "pow" Same(MATH, 2), Pure, ulp 2.0, expand crate::math::pow;
    /// 1 divided by the square root.
    InverseSqrt "inverse_sqrt" Same(MATH, 1), Pure, ulp 1.5, expand crate::math::inverse_sqrt;

    // ---- operations of dialects
    /// What the operation of a dialect gives that the attribute names.
    Call "call" Call, Pure;

    // ---- where an invocation is
    /// Position in the grid along an axis.
    GlobalId "global_id" Axis, Pure;
    /// Position in the workgroup along an axis.
    LocalId "local_id" Axis, Pure;
    /// Position of the workgroup in the grid along an axis.
    WorkgroupId "workgroup_id" Axis, Pure;
    /// Number of workgroups along an axis.
    NumWorkgroups "num_workgroups" Axis, Pure;
    /// Position in the workgroup, x fastest.
    LocalIndex "local_index" Index, Pure;
    /// Invocations in a subgroup.
    SubgroupSize "subgroup_size" Index, Pure;
    /// Position in the subgroup.
    SubgroupLane "subgroup_lane" Index, Pure;
    /// Position of the subgroup in the workgroup.
    SubgroupId "subgroup_id" Index, Pure;
    /// Number of subgroups in the workgroup.
    NumSubgroups "num_subgroups" Index, Pure;

    // ---- memory. An index counts scalars of the accessed type from the start of the buffer; see `docs/semantics.md`.
    /// Number of elements of a buffer, in its declared element type.
    Length "length" Length, Pure;
    /// Reads consecutive scalars; 0 when any of them is out of bounds.
    Load "load" Load, Reads;
    /// Writes consecutive scalars; nothing when any of them is out of bounds.
    Store "store" Store, Writes;
    /// Reads a scalar as one step.
    AtomicLoad "atomic_load" Load, Reads;
    /// Writes a scalar as one step.
    AtomicStore "atomic_store" Store, Writes;
    /// Adds and gives the old value.
    AtomicAdd "atomic_add" Atomic(ATOMIC), Writes, update Add;
    /// Subtracts and gives the old value.
    AtomicSub "atomic_sub" Atomic(ATOMIC_INT), Writes, update Sub;
    /// Ands and gives the old value.
    AtomicAnd "atomic_and" Atomic(ATOMIC_INT), Writes, update And;
    /// Ors and gives the old value.
    AtomicOr "atomic_or" Atomic(ATOMIC_INT), Writes, update Or;
    /// Exclusive-ors and gives the old value.
    AtomicXor "atomic_xor" Atomic(ATOMIC_INT), Writes, update Xor;
    /// Stores the smaller and gives the old value.
    AtomicMin "atomic_min" Atomic(ATOMIC), Writes, update Min;
    /// Stores the larger and gives the old value.
    AtomicMax "atomic_max" Atomic(ATOMIC), Writes, update Max;
    /// Stores and gives the old value.
    AtomicExchange "atomic_exchange" Atomic(ATOMIC), Writes;
    /// Stores the new value if the old one has the bits of the expected one; gives the old value and whether it stored.
    AtomicCompareExchange "atomic_compare_exchange" CompareExchange(ATOMIC), Writes;

    // ---- subgroups
    /// Bit mask of the active invocations whose operand is true.
    SubgroupBallot "subgroup_ballot" Ballot, Converges;
    /// Whether the operand is true in all active invocations.
    SubgroupAll "subgroup_all" Same(BOOL, 1), Converges;
    /// Whether the operand is true in any active invocation.
    SubgroupAny "subgroup_any" Same(BOOL, 1), Converges;
    /// Sum over the active invocations, in order of their lanes.
    SubgroupAdd "subgroup_add" Same(NUM, 1), Converges;
    /// Product over the active invocations, in order of their lanes.
    SubgroupMul "subgroup_mul" Same(NUM, 1), Converges;
    /// Smallest of the active invocations.
    SubgroupMin "subgroup_min" Same(NUM, 1), Converges;
    /// Largest of the active invocations.
    SubgroupMax "subgroup_max" Same(NUM, 1), Converges;
    /// And over the active invocations.
    SubgroupAnd "subgroup_and" Same(INT, 1), Converges;
    /// Or over the active invocations.
    SubgroupOr "subgroup_or" Same(INT, 1), Converges;
    /// Exclusive or over the active invocations.
    SubgroupXor "subgroup_xor" Same(INT, 1), Converges;
    /// Sum of the active invocations up to this one.
    SubgroupInclusiveAdd "subgroup_inclusive_add" Same(NUM, 1), Converges;
    /// Product of the active invocations up to this one.
    SubgroupInclusiveMul "subgroup_inclusive_mul" Same(NUM, 1), Converges;
    /// Sum of the active invocations before this one; 0 for the first.
    SubgroupExclusiveAdd "subgroup_exclusive_add" Same(NUM, 1), Converges;
    /// Product of the active invocations before this one; 1 for the first.
    SubgroupExclusiveMul "subgroup_exclusive_mul" Same(NUM, 1), Converges;
    /// The first active invocation's value.
    SubgroupBroadcastFirst "subgroup_broadcast_first" Same(NUM, 1), Converges;
    /// The value of the lane given by the second operand; 0 when that lane is not active.
    SubgroupShuffle "subgroup_shuffle" Lane(NUM), Converges;
    /// The value of the lane whose index is this one's exclusive-or the second operand; 0 when it is not active.
    SubgroupShuffleXor "subgroup_shuffle_xor" Lane(NUM), Converges;
    /// The value of the lane that is the second operand below; 0 when it is not active.
    SubgroupShuffleUp "subgroup_shuffle_up" Lane(NUM), Converges;
    /// The value of the lane that is the second operand above; 0 when it is not active.
    SubgroupShuffleDown "subgroup_shuffle_down" Lane(NUM), Converges;

    // ---- synchronization
    /// Waits for the workgroup; orders its accesses to workgroup memory.
    WorkgroupBarrier "workgroup_barrier" Nothing, Syncs;
    /// Waits for the workgroup; orders its accesses to storage memory.
    StorageBarrier "storage_barrier" Nothing, Syncs;
    /// Waits for the subgroup; orders its accesses to memory.
    SubgroupBarrier "subgroup_barrier" Nothing, Syncs;
    /// Barrier, load of workgroup memory, barrier: every invocation of the workgroup gets the same value.
    UniformLoad "uniform_load" Load, Syncs;

    /// Waits for the grid; orders its accesses to memory.
    GridSync "grid_sync" Nothing, Syncs;
    /// Waits for the grid, and gives every invocation the first operand of the grid's first invocation. The others must pass the same, apart from those whose second operand is false.
    GridUniform "grid_uniform" Agree(WORD.or(BOOL)), Syncs;

    // ---- work queues: what an invocation that handles an item of a queue does with the queue
    /// The item that this invocation handles.
    QueueItem "queue_item" Item(WORD), Pure;
    /// Puts an item into the queue.
    QueuePush "queue_push" Push(WORD), Writes;

    // ---- control flow: regions with one entry and one exit
    /// `if c { then } { otherwise }`: the results are what the taken region yields.
    If "if" Structure, Control;
    /// `loop init { params: body }`: runs the body with the initial values, then again with what it yields after its first operand, while that one is true; the results are the last such values.
    Loop "loop" Structure, Control;
    /// `switch x cases { case } ... { default }`: runs the region whose case has the value, else the last.
    Switch "switch" Structure, Control;
    /// Ends a region and gives its values.
    Yield "yield" Structure, Control;
}

/// The amount is a u32 whatever the operand is, so it does not go through the operand's type.
fn shift(sig: Sig, v: &[u64], left: bool) -> u64 {
    let (width, mask) = (sig.operand.bits(), sig.operand.mask());
    let (x, n) = (v[0], (v[1] % width as u64) as u32);
    if left {
        return (x << n) & mask;
    }
    if !sig.operand.is_signed() {
        return x >> n;
    }
    let extended = (x << (64 - width)) as i64 >> (64 - width);
    (extended >> n) as u64 & mask
}

impl Op {
    /// The operation's row.
    pub fn info(self) -> &'static Info {
        &OPS[self as usize]
    }
    /// Whether it waits for the whole workgroup, or for more.
    pub fn syncs_workgroup(self) -> bool {
        self.info().effect == Effect::Syncs && self != Op::SubgroupBarrier
    }
    /// Whether it waits for the whole grid.
    pub fn syncs_grid(self) -> bool {
        matches!(self, Op::GridSync | Op::GridUniform)
    }
    /// Whether it takes an item from a work queue or puts one there.
    pub fn uses_queue(self) -> bool {
        matches!(self, Op::QueueItem | Op::QueuePush)
    }
    /// The name in text form.
    pub fn name(self) -> &'static str {
        self.info().name
    }
    /// The operation of that name.
    pub fn parse(name: &str) -> Option<Op> {
        OPS.iter().find(|i| i.name == name).map(|i| i.op)
    }
}
