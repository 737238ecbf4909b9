//! For tests: memory behind which no byte may be touched. A kernel that reads or writes past its
//! last number ends the process.

use std::slice::from_raw_parts_mut;

/// Numbers, the last right before a page that the system denies. (Where there is no `mmap`, the
/// last of an allocation.)
pub struct Guarded<T: 'static>(&'static mut [T]);

impl<T: Copy> Guarded<T> {
    /// The last `length` numbers, and those before them.
    pub fn last(&mut self, length: usize) -> (&mut [T], &mut [T]) {
        self.0.split_at_mut(self.0.len() - length)
    }

    /// Room for `length` numbers, never given back: a test ends with its process.
    #[cfg(unix)]
    pub fn new(length: usize) -> Self {
        // SAFETY: no pointer is asked for anything but what `mmap` has given.
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

    /// Room for `length` numbers.
    #[cfg(not(unix))]
    pub fn new(length: usize) -> Self {
        let numbers = Box::leak(vec![0_u64; length].into_boxed_slice());
        let last = numbers.len() * (size_of::<u64>() / size_of::<T>());
        // SAFETY: the bits of a u64 are those of one f64 or of two f32.
        Self(unsafe { from_raw_parts_mut(numbers.as_mut_ptr().cast(), last) })
    }
}
