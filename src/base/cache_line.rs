//! Cache lines: the unit of memory transfers. A load or store of a register that spans two lines takes
//! twice as long.

/// The bytes of a cache line.
pub const BYTES: usize = 64;

/// The elements per cache line.
pub const fn numbers<T>() -> usize {
    BYTES / size_of::<T>()
}

/// The elements to skip in `buffer` to reach 64-byte alignment; fewer than a line holds.
pub fn before<T>(buffer: &[T]) -> usize {
    // A vector's address is a multiple of the element size, unless the vector is empty.
    buffer.as_ptr().align_offset(BYTES).min(buffer.len())
}
