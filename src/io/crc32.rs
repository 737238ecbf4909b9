//! CRC-32 as zlib computes it: a checksum of a file's contents, which detects damage.

use crc32fast::Hasher;

use crate::base::cancel::CancelToken;
use crate::io::safetensors::{Result, TensorElement, check_cancelled};

/// The bytes that are added between two polls for cancellation.
const BLOCK: usize = 1 << 20;
/// The numbers whose bytes are added together.
const NUMBERS_TOGETHER: usize = 512;

/// A running CRC-32.
#[derive(Debug, Clone, Default)]
pub struct Crc32(Hasher);

impl Crc32 {
    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Adds a tensor: its name and shape, and the bytes of its numbers as in a file.
    ///
    /// # Errors
    /// The call is cancelled.
    pub fn add_tensor<T: TensorElement>(
        &mut self,
        name: &str,
        shape: &[usize],
        numbers: &[T],
        cancel: &CancelToken<'_>,
    ) -> Result<()> {
        self.add(format!("{name} {:?} {shape:?}", T::DTYPE).as_bytes());
        let (size, mut bytes) = (size_of::<T>(), [0; 8 * NUMBERS_TOGETHER]);
        for block in numbers.chunks(BLOCK / size) {
            check_cancelled(cancel)?;
            for numbers in block.chunks(NUMBERS_TOGETHER) {
                let bytes = &mut bytes[..size_of_val(numbers)];
                let each = bytes.chunks_exact_mut(size).zip(numbers);
                each.for_each(|(bytes, &number)| number.put(bytes));
                self.add(bytes);
            }
        }
        Ok(())
    }

    /// The checksum as eight hexadecimal digits.
    pub fn text(&self) -> String {
        format!("{:08x}", self.0.clone().finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_added_as_in_a_file() {
        let numbers: Vec<f32> = (0..1000_u16).map(f32::from).collect();
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        let (mut found, mut expected) = (Crc32::default(), Crc32::default());
        let none = CancelToken::none();
        found
            .add_tensor("w", &[10, 100], &numbers, &none)
            .expect("nobody cancels");
        expected.add(b"w F32 [10, 100]");
        expected.add(&bytes);
        assert_eq!(found.text(), expected.text());
    }

    #[test]
    fn the_checksum_of_zlib() {
        let mut found = Crc32::default();
        found.add(b"1234");
        found.add(b"56789");
        assert_eq!(found.text(), "cbf43926");
    }
}
