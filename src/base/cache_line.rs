//! Lines of the cache: what comes from memory together. A register that lies in two of them is read,
//! and written, twice.

/// The bytes of a line.
const BYTES: usize = 64;

/// The numbers of a line.
pub const fn numbers<T>() -> usize {
    BYTES / size_of::<T>()
}

/// The numbers of `buffer` before the first line that begins in it, less than a line.
pub fn before<T>(buffer: &[T]) -> usize {
    // A vector lies at a multiple of its numbers' size, or it has none.
    buffer.as_ptr().align_offset(BYTES).min(buffer.len())
}
