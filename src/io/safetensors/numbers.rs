//! The elements of a tensor, which a file stores contiguously in little-endian order.

use std::borrow::Cow;

use crate::io::safetensors::Dtype;

/// An element type that a file may have.
pub trait TensorElement: Copy + Send + Sync + 'static {
    /// Its dtype in the header.
    const DTYPE: Dtype;

    /// Writes its bytes to `bytes`, which has exactly its size.
    fn put(self, bytes: &mut [u8]);

    /// The value with these bytes; every bit pattern is valid.
    fn get(bytes: &[u8]) -> Self;

    /// Borrows `numbers` for writing.
    fn borrow(numbers: &[Self]) -> TensorData<'_>;
}

macro_rules! number {
    ($($number:ty: $dtype:ident, $variant:ident;)*) => {$(
        impl TensorElement for $number {
            const DTYPE: Dtype = Dtype::$dtype;

            fn put(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_le_bytes());
            }

            fn get(bytes: &[u8]) -> Self {
                let mut own = [0; size_of::<Self>()];
                own.copy_from_slice(bytes);
                Self::from_le_bytes(own)
            }

            fn borrow(numbers: &[Self]) -> TensorData<'_> {
                TensorData::$variant(Cow::Borrowed(numbers))
            }
        }
    )*};
}

number! {
    f32: F32, Float32;
    f64: F64, Float64;
    i64: I64, Int64;
    u64: U64, UInt64;
    u8: U8, UInt8;
}

/// The elements of a tensor in C order: borrowed for writing, or owned after reading.
#[derive(Debug, Clone, PartialEq)]
pub enum TensorData<'a> {
    /// f32
    Float32(Cow<'a, [f32]>),
    /// f64
    Float64(Cow<'a, [f64]>),
    /// i64
    Int64(Cow<'a, [i64]>),
    /// u64
    UInt64(Cow<'a, [u64]>),
    /// u8
    UInt8(Cow<'a, [u8]>),
    /// 0 for false; anything else is true, and is written as 1.
    Bool(Cow<'a, [u8]>),
}

impl TensorData<'_> {
    /// The dtype in the header.
    pub fn dtype(&self) -> Dtype {
        match self {
            Self::Float32(_) => Dtype::F32,
            Self::Float64(_) => Dtype::F64,
            Self::Int64(_) => Dtype::I64,
            Self::UInt64(_) => Dtype::U64,
            Self::UInt8(_) => Dtype::U8,
            Self::Bool(_) => Dtype::BOOL,
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::Float32(numbers) => numbers.len(),
            Self::Float64(numbers) => numbers.len(),
            Self::Int64(numbers) => numbers.len(),
            Self::UInt64(numbers) => numbers.len(),
            Self::UInt8(numbers) | Self::Bool(numbers) => numbers.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
