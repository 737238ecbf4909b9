//! Test memory that ends at a protected page. A kernel that accesses memory past the last element crashes
//! the process.

use std::slice::from_raw_parts_mut;

/// Elements of which the last ends right before a protected page. (Without `mmap`, at the end of an
/// allocation.)
pub struct Guarded<T: 'static>(&'static mut [T]);

impl<T: Copy> Guarded<T> {
    /// The last `length` elements, and those before them.
    pub fn last(&mut self, length: usize) -> (&mut [T], &mut [T]) {
        self.0.split_at_mut(self.0.len() - length)
    }

    /// Memory for `length` elements, never freed: a test ends with its process.
    #[cfg(unix)]
    pub fn new(length: usize) -> Self {
        // SAFETY: pointers are derived from what `mmap` returned, and stay within it.
        unsafe {
            let page = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).expect("a page");
            let bytes = (length * size_of::<T>()).next_multiple_of(page);
            let open = libc::PROT_READ | libc::PROT_WRITE;
            let private = libc::MAP_PRIVATE | libc::MAP_ANON;
            let start = libc::mmap(std::ptr::null_mut(), bytes + page, open, private, -1, 0);
            assert!(start != libc::MAP_FAILED, "no memory");
            let denied = libc::mprotect(start.byte_add(bytes), page, libc::PROT_NONE);
            assert_eq!(denied, 0, "the page stays open");
            Self(from_raw_parts_mut(start.cast(), bytes / size_of::<T>()))
        }
    }

    /// Memory for `length` elements.
    #[cfg(not(unix))]
    pub fn new(length: usize) -> Self {
        let numbers = Box::leak(vec![0_u64; length].into_boxed_slice());
        let last = numbers.len() * (size_of::<u64>() / size_of::<T>());
        // SAFETY: the bits of a u64 are those of one f64 or of two f32.
        Self(unsafe { from_raw_parts_mut(numbers.as_mut_ptr().cast(), last) })
    }
}
