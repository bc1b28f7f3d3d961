//! The variables of a form: where each is in a worker's memory, and loops over their lanes.
//!
//! A lane is a word of 32 bits, or of 64 for scalars that need them; unused high bits are zero. Varying variables are
//! read, computed and written [`BLOCK`] lanes at a time, as arrays that a compiler keeps in vector registers. A gang of
//! fewer lanes has room for a whole block, of which the rest is computed and never looked at.

use crate::form::{Form, Var};
use std::array::from_fn;
use vyre_ir::lane::Lane;

/// Lanes that are computed at once.
const BLOCK: usize = 8;

/// Where a variable is.
#[derive(Copy, Clone)]
pub struct Home {
    /// Of its first lane, among words of its size.
    at: u32,
    varying: bool,
    /// Whether its words have 64 bits.
    wide: bool,
}

/// Where all variables of a form are.
pub struct Layout {
    homes: Vec<Home>,
    narrow: usize,
    wide: usize,
    width: usize,
}

/// The variables' memory.
pub struct Lanes<'a> {
    homes: &'a [Home],
    narrow: &'a mut [u32],
    wide: &'a mut [u64],
    pub width: usize,
    blocks: usize,
}

/// A word of a variable.
pub trait Word: Copy + Default {
    fn words<'a>(lanes: &'a Lanes<'_>) -> &'a [Self];
    fn words_mut<'a>(lanes: &'a mut Lanes<'_>) -> &'a mut [Self];
    fn bits(self) -> u64;
    fn of(bits: u64) -> Self;
}

/// A scalar with a word of its own size, or a bool.
pub trait Element: Lane {
    type Word: Word;
}

impl Word for u32 {
    fn words<'a>(lanes: &'a Lanes<'_>) -> &'a [u32] {
        lanes.narrow
    }
    fn words_mut<'a>(lanes: &'a mut Lanes<'_>) -> &'a mut [u32] {
        lanes.narrow
    }
    fn bits(self) -> u64 {
        self as u64
    }
    fn of(bits: u64) -> u32 {
        bits as u32
    }
}

impl Word for u64 {
    fn words<'a>(lanes: &'a Lanes<'_>) -> &'a [u64] {
        lanes.wide
    }
    fn words_mut<'a>(lanes: &'a mut Lanes<'_>) -> &'a mut [u64] {
        lanes.wide
    }
    fn bits(self) -> u64 {
        self
    }
    fn of(bits: u64) -> u64 {
        bits
    }
}

macro_rules! elements {
    ($($t:ident $word:ident),*) => { $(impl Element for $t { type Word = $word; })* };
}
elements!(bool u32, i32 u32, u32 u32, f32 u32, i64 u64, u64 u64, f64 u64);

impl Layout {
    /// Places for all variables of a form, and `staged` more varying ones of each size, the last ones.
    pub fn new(form: &Form, staged: usize) -> Layout {
        let width = form.width as usize;
        let mut layout = Layout { homes: Vec::with_capacity(form.types.len()), narrow: 0, wide: 0, width };
        for ty in &form.types {
            layout.push(ty.varying, ty.scalar.bytes() > 4);
        }
        for i in 0..2 * staged {
            layout.push(width > 1, i >= staged);
        }
        layout
    }

    fn push(&mut self, varying: bool, wide: bool) {
        let end = if wide { &mut self.wide } else { &mut self.narrow };
        let at = *end as u32;
        *end += if varying { self.width.next_multiple_of(BLOCK) } else { 1 };
        self.homes.push(Home { at, varying, wide });
    }

    /// Bytes of the variables' memory.
    pub fn bytes(&self) -> u64 {
        8 * self.wide as u64 + 4 * self.narrow as u64
    }

    /// # Safety
    /// `memory` must be aligned to 8 bytes and the start of [`Layout::bytes`] initialized bytes that nothing else
    /// uses as long as the result lives.
    pub unsafe fn at<'a>(&'a self, memory: *mut u8) -> Lanes<'a> {
        let wide = memory.cast::<u64>();
        // SAFETY: the caller's promise; words of 64 bits come first, so that all are aligned.
        let (narrow, wide) = unsafe {
            let narrow = wide.add(self.wide).cast::<u32>();
            (
                std::slice::from_raw_parts_mut(narrow, self.narrow),
                std::slice::from_raw_parts_mut(wide, self.wide),
            )
        };
        Lanes { homes: &self.homes, narrow, wide, width: self.width, blocks: self.width.div_ceil(BLOCK) }
    }
}

impl Lanes<'_> {
    fn home(&self, var: Var) -> Home {
        self.homes[var.0 as usize]
    }

    /// Which variable stages the `i`th of moves whose target is `to`.
    fn staging(&self, to: Var, staged: usize, i: usize) -> Var {
        let first = self.homes.len() - 2 * staged;
        Var((first + i + if self.home(to).wide { staged } else { 0 }) as u32)
    }

    pub fn is_varying(&self, var: Var) -> bool {
        self.home(var).varying
    }

    // ---- one lane

    /// The bits of a lane; those of a uniform variable for any lane.
    pub fn get(&self, var: Var, lane: usize) -> u64 {
        let home = self.home(var);
        let at = home.at as usize + if home.varying { lane } else { 0 };
        if home.wide { self.wide[at] } else { self.narrow[at] as u64 }
    }

    /// A uniform 32-bit number, or that of the first lane.
    pub fn first(&self, var: Var) -> u32 {
        self.narrow[self.home(var).at as usize]
    }

    /// Sets a lane; that of a uniform variable for any lane.
    pub fn set(&mut self, var: Var, lane: usize, bits: u64) {
        let home = self.home(var);
        let at = home.at as usize + if home.varying { lane } else { 0 };
        if home.wide {
            self.wide[at] = bits;
        } else {
            self.narrow[at] = bits as u32;
        }
    }

    /// Whether a lane is in a mask.
    pub fn is_active(&self, mask: Option<Var>, lane: usize) -> bool {
        mask.is_none_or(|mask| self.get(mask, lane) != 0)
    }

    // ---- all lanes

    /// The words of the gang's lanes, one if the variable is uniform.
    pub fn all<W: Word>(&self, var: Var) -> &[W] {
        let home = self.home(var);
        let count = if home.varying { self.width } else { 1 };
        &W::words(self)[home.at as usize..][..count]
    }

    pub fn all_mut<W: Word>(&mut self, var: Var) -> &mut [W] {
        let home = self.home(var);
        let count = if home.varying { self.width } else { 1 };
        &mut W::words_mut(self)[home.at as usize..][..count]
    }

    #[inline(always)]
    fn block<W: Word>(&self, var: Var, block: usize) -> [W; BLOCK] {
        let home = self.home(var);
        let words = &W::words(self)[home.at as usize..];
        match home.varying {
            true => words[block * BLOCK..][..BLOCK].try_into().expect("a block"),
            false => [words[0]; BLOCK],
        }
    }

    #[inline(always)]
    fn set_block<W: Word>(&mut self, var: Var, block: usize, words: [W; BLOCK]) {
        let at = self.home(var).at as usize + block * BLOCK;
        W::words_mut(self)[at..][..BLOCK].copy_from_slice(&words);
    }

    #[inline(always)]
    fn scalar<A: Element>(&self, var: Var) -> A {
        A::of(A::Word::words(self)[self.home(var).at as usize].bits())
    }

    #[inline(always)]
    pub fn map1<A: Element, R: Element>(&mut self, out: Var, a: Var, f: impl Fn(A) -> R) {
        self.map3(out, [a, a, a], |a: A, _: A, _: A| f(a));
    }

    #[inline(always)]
    pub fn map2<A: Element, B: Element, R: Element>(
        &mut self,
        out: Var,
        a: Var,
        b: Var,
        f: impl Fn(A, B) -> R,
    ) {
        self.map3(out, [a, b, b], |a: A, b: B, _: B| f(a, b));
    }

    /// Sets each lane of `out` to what the function gives for those of the arguments; once if `out` is uniform.
    #[inline(always)]
    pub fn map3<A: Element, B: Element, C: Element, R: Element>(
        &mut self,
        out: Var,
        [a, b, c]: [Var; 3],
        f: impl Fn(A, B, C) -> R,
    ) {
        if !self.is_varying(out) {
            let r = f(self.scalar(a), self.scalar(b), self.scalar(c)).bits();
            let at = self.home(out).at as usize;
            R::Word::words_mut(self)[at] = R::Word::of(r);
            return;
        }
        for block in 0..self.blocks {
            let a: [A::Word; BLOCK] = self.block(a, block);
            let b: [B::Word; BLOCK] = self.block(b, block);
            let c: [C::Word; BLOCK] = self.block(c, block);
            let r = from_fn(|i| {
                R::Word::of(f(A::of(a[i].bits()), B::of(b[i].bits()), C::of(c[i].bits())).bits())
            });
            self.set_block(out, block, r);
        }
    }

    /// `to` becomes what `from` is, in each lane.
    pub fn copy(&mut self, to: Var, from: Var) {
        if self.home(to).wide {
            self.map1(to, from, |x: u64| x);
        } else {
            self.map1(to, from, |x: u32| x);
        }
    }

    /// `to` become what `from` are, all at once; there is room for `staged`.
    pub fn copy_all(&mut self, to: &[Var], from: &[Var], staged: usize) {
        // Whether one that is set is read after that.
        let clash = to.len() > 16 || (1..from.len()).any(|i| to[..i].contains(&from[i]));
        if !clash {
            to.iter().zip(from).for_each(|(&to, &from)| self.copy(to, from));
            return;
        }
        for (i, (&to, &from)) in to.iter().zip(from).enumerate() {
            self.copy(self.staging(to, staged, i), from);
        }
        for (i, &to) in to.iter().enumerate() {
            self.copy(to, self.staging(to, staged, i));
        }
    }
}
