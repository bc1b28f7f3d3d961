//! Inputs and outputs as slices of numbers, checked against what the program's buffers hold.

use crate::binding::bind_error;
use crate::codes;
use crate::compiled::Compiled;
use crate::config::DispatchConfig;
use crate::error::BackendError;
use crate::outputs::Outputs;
use bytemuck::Pod;
use half::{bf16, f16};
use smallvec::SmallVec;
use vyre_ir::{Scalar, Type};

/// A number, or an array of 2 to 4 of them, that is an element of a buffer.
pub trait Element: Pod {
    /// The type in programs.
    const TYPE: Type;
}

macro_rules! elements {
    ($($number:ty, $scalar:ident;)*) => {
        $(
            impl Element for $number {
                const TYPE: Type = Type { scalar: Scalar::$scalar, lanes: 1 };
            }
            impl Element for [$number; 2] {
                const TYPE: Type = Type { scalar: Scalar::$scalar, lanes: 2 };
            }
            impl Element for [$number; 3] {
                const TYPE: Type = Type { scalar: Scalar::$scalar, lanes: 3 };
            }
            impl Element for [$number; 4] {
                const TYPE: Type = Type { scalar: Scalar::$scalar, lanes: 4 };
            }
        )*
    };
}

elements! {
    i8, I8; i16, I16; i32, I32; i64, I64;
    u8, U8; u16, U16; u32, U32; u64, U64;
    f16, F16; bf16, BF16; f32, F32; f64, F64;
}

/// A slice of elements of some type.
#[derive(Copy, Clone)]
pub struct Typed<'a> {
    ty: Type,
    bytes: &'a [u8],
}

/// A slice of numbers as an input of [`Compiled::dispatch_typed`].
pub fn typed<T: Element>(numbers: &[T]) -> Typed<'_> {
    Typed { ty: T::TYPE, bytes: bytemuck::cast_slice(numbers) }
}

impl Compiled {
    /// As [`Compiled::dispatch`], with inputs that are slices of numbers.
    ///
    /// # Errors
    /// `D032` for numbers of another type than the buffer's; as [`Compiled::dispatch`].
    pub fn dispatch_typed(
        &self,
        inputs: &[Typed<'_>],
        config: &DispatchConfig,
    ) -> Result<Outputs, BackendError> {
        for (input, b) in inputs.iter().zip(self.plan().inputs()) {
            check(input.ty, self.kernel.decl(b).element, &format!("the input of buffer `{}`", b.name))?;
        }
        let bytes: SmallVec<[&[u8]; 16]> = inputs.iter().map(|input| input.bytes).collect();
        self.dispatch(&bytes, config)
    }
}

impl Outputs {
    /// An output as numbers. A buffer of vectors can be had as arrays or as single numbers.
    ///
    /// # Errors
    /// `B008` when there is no such output, `D032` when it holds numbers of another type.
    pub fn get<T: Element>(&self, output: usize) -> Result<Vec<T>, BackendError> {
        let none = || format!("there is no output {output}; the program has {}", self.buffers.len());
        let (Some(bytes), Some(&ty)) = (self.buffers.get(output), self.types.get(output)) else {
            return Err(bind_error(codes::B008, none(), "Count outputs from 0."));
        };
        check(T::TYPE, ty, &format!("output {output}"))?;
        Ok(bytes.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned).collect())
    }
}

/// That elements of a buffer can be seen as that type: the same, or its numbers one by one.
fn check(given: Type, element: Type, what: &str) -> Result<(), BackendError> {
    if given.scalar == element.scalar && (given.lanes == 1 || given.lanes == element.lanes) {
        return Ok(());
    }
    let message = format!("{what} is taken as {given}, but its elements are {element}");
    Err(bind_error(codes::D032, message, "Use the element type that the program declares."))
}
