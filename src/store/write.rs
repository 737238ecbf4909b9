//! Tensors into a file.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process;

use super::replace::replace;
use super::{BLOCK, Header, Number, Numbers, Result, go_on};
use crate::error::Error;
use crate::interrupt::Pulse;

/// An array with a name.
pub struct Tensor<'a> {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers in C order.
    pub numbers: Numbers<'a>,
}

/// Writes `tensors` and `metadata` to a new file, which then takes the place of the one at `path`.
/// The same arguments make the same bytes.
///
/// # Errors
/// Names or shapes that cannot be, and what the system says; in a child that the pulse's question has
/// forked, that it cannot go on. The old file is as it was.
pub fn write(
    path: &Path,
    tensors: &[Tensor<'_>],
    metadata: BTreeMap<String, String>,
    pulse: &Pulse<'_>,
) -> Result<()> {
    // Wide numbers first: then each tensor starts at a multiple of its numbers' size.
    let mut ordered: Vec<_> = tensors.iter().collect();
    ordered.sort_by_key(|tensor| Reverse(tensor.numbers.dtype().bitsize()));
    let header = Header::of(&ordered, metadata)?.to_bytes()?;
    // A forked child shares the open file with its parent, which goes on with it.
    let parent = process::id();
    let go_on = || {
        go_on(pulse)?;
        if process::id() != parent {
            return Err(Error::forked().into());
        }
        Ok(())
    };
    replace(path, |file| {
        // Without a BufWriter: dropped in a child, it would write what it holds.
        file.write_all(&header)?;
        for tensor in ordered {
            match &tensor.numbers {
                Numbers::Float32(numbers) => put(numbers, file, &go_on),
                Numbers::Float64(numbers) => put(numbers, file, &go_on),
                Numbers::Int64(numbers) => put(numbers, file, &go_on),
                Numbers::UInt64(numbers) => put(numbers, file, &go_on),
                Numbers::UInt8(numbers) => put(numbers, file, &go_on),
                Numbers::Bool(bytes) => bytes.chunks(BLOCK).try_for_each(|bytes| {
                    let bits = bytes.iter().map(|&byte| u8::from(byte != 0));
                    put(&bits.collect::<Vec<_>>(), file, &go_on)
                }),
            }?;
        }
        Ok(())
    })
}

fn put<T: Number>(numbers: &[T], file: &mut File, go_on: &impl Fn() -> Result<()>) -> Result<()> {
    let size = size_of::<T>();
    let mut bytes = vec![0; size_of_val(numbers).min(BLOCK)];
    for block in numbers.chunks(BLOCK / size) {
        go_on()?;
        let bytes = &mut bytes[..size_of_val(block)];
        for (place, &number) in bytes.chunks_exact_mut(size).zip(block) {
            number.put(place);
        }
        file.write_all(bytes)?;
    }
    Ok(())
}
