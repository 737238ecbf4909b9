//! Writing tensors to a file.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::base::alloc::{check_available, try_reserve};
use crate::base::cancel::CancelToken;
use crate::io::safetensors::replace::{may_continue, replace};
use crate::io::safetensors::{BLOCK, Header, Result, TensorData, TensorElement};

/// A named array.
pub struct Tensor<'a> {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its elements in C order.
    pub numbers: TensorData<'a>,
}

/// More bytes than a tensor's entries in our lists and in those of the crate safetensors.
const PER_TENSOR: usize = 1 << 11;

/// Writes `tensors` and `metadata` to a new file, which then replaces the one at `path`. The same arguments
/// give the same bytes.
///
/// # Errors
/// Invalid names or shapes, no memory, or system errors; and in a child that `should_cancel` has forked,
/// that it cannot continue. Then the old file is unchanged.
pub fn write(
    path: &Path,
    tensors: &[Tensor<'_>],
    metadata: BTreeMap<String, String>,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    // Wide elements first: then each tensor starts at a multiple of its element size.
    check_available("tensors", tensors.len().saturating_mul(PER_TENSOR))?;
    let mut ordered: Vec<_> = tensors.iter().collect();
    ordered.sort_by_key(|tensor| Reverse(tensor.numbers.dtype().bitsize()));
    let header = Header::of(&ordered, metadata)?;
    let mut block = Vec::new();
    try_reserve("tensors", &mut block, BLOCK.min(header.end()))?;
    let header = header.to_bytes()?;
    let may_continue = may_continue(cancel);
    replace(path, |file| {
        // Without a BufWriter: dropping it in a child would write its buffer.
        file.write_all(&header)?;
        let mut file = Blocks {
            file,
            block,
            may_continue: &may_continue,
        };
        for tensor in ordered {
            match &tensor.numbers {
                TensorData::Float32(numbers) => file.put(numbers, TensorElement::put),
                TensorData::Float64(numbers) => file.put(numbers, TensorElement::put),
                TensorData::Int64(numbers) => file.put(numbers, TensorElement::put),
                TensorData::UInt64(numbers) => file.put(numbers, TensorElement::put),
                TensorData::UInt8(numbers) => file.put(numbers, TensorElement::put),
                TensorData::Bool(bytes) => file.put(bytes, |byte: u8, out: &mut [u8]| {
                    u8::from(byte != 0).put(out);
                }),
            }?;
        }
        file.write()
    })
}

/// A file that is written block by block.
struct Blocks<'a> {
    file: &'a mut File,
    /// Bytes not written yet. The capacity is [`BLOCK`], or the total if that is less.
    block: Vec<u8>,
    may_continue: &'a dyn Fn() -> Result<()>,
}

impl Blocks<'_> {
    fn put<T: TensorElement>(&mut self, numbers: &[T], put: impl Fn(T, &mut [u8])) -> Result<()> {
        let size = size_of::<T>();
        for piece in numbers.chunks(BLOCK / size) {
            (self.may_continue)()?;
            let start = self.block.len();
            let start = if start + size_of_val(piece) > BLOCK {
                self.write()?;
                0
            } else {
                start
            };
            self.block.resize(start + size_of_val(piece), 0);
            let elements = self.block[start..].chunks_exact_mut(size);
            elements
                .zip(piece)
                .for_each(|(out, &number)| put(number, out));
        }
        Ok(())
    }

    fn write(&mut self) -> Result<()> {
        self.file.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }
}
