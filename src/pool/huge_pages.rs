//! A global allocator that asks for huge pages.
//!
//! With pages of 4 KiB, the processor walks the page table for most rows of a large matrix, and each page is
//! a page fault when it is first used. Linux uses pages of 2 MiB where a process asks for them. NumPy asks
//! for the same for arrays of 4 MiB or more.

#![allow(unsafe_code)] // an allocator works with raw pointers

use std::alloc::{GlobalAlloc, Layout};

use crate::kernels::tuning::memory::HUGE_PAGES_BYTES;

/// An allocator whose large allocations are on huge pages where the system has them.
#[derive(Debug, Clone, Copy)]
pub struct HugePages<A>(A);

impl<A> HugePages<A> {
    /// Uses the memory of `allocator`.
    pub const fn new(allocator: A) -> Self {
        Self(allocator)
    }
}

// SAFETY: all memory comes from `A`, with the layouts of the requests, and is returned to it. Advice about
// pages changes no memory. Nothing here unwinds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for HugePages<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller upholds the contract of `alloc`.
        advised(unsafe { self.0.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller upholds the contract of `alloc_zeroed`.
        advised(unsafe { self.0.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `A`; the caller upholds the contract of `dealloc`.
        unsafe { self.0.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: `pointer` came from `A`; the caller upholds the contract of `realloc`.
        advised(unsafe { self.0.realloc(pointer, layout, size) }, size)
    }
}

/// `pointer`, after the request for huge pages in its `size` bytes if these are many.
fn advised(pointer: *mut u8, size: usize) -> *mut u8 {
    if size >= HUGE_PAGES_BYTES && !pointer.is_null() {
        advise(pointer, size);
    }
    pointer
}

/// Without effect where the kernel has no huge pages or refuses the request.
#[cfg(all(target_os = "linux", not(miri)))]
fn advise(pointer: *mut u8, size: usize) {
    /// The bytes of a huge page on x86-64, and on AArch64 with pages of 4 KiB.
    const HUGE_PAGE: usize = 2 << 20;
    let before = pointer.addr().wrapping_neg() % HUGE_PAGE;
    let length = size.saturating_sub(before) / HUGE_PAGE * HUGE_PAGE;
    if length > 0 {
        // SAFETY: the range is in the allocation, and `MADV_HUGEPAGE` leaves its contents.
        unsafe { libc::madvise(pointer.add(before).cast(), length, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn advise(_: *mut u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::alloc::System;

    #[test]
    fn large_allocations_keep_their_contents_and_sizes() {
        let allocator = HugePages::new(System);
        for size in [
            1,
            HUGE_PAGES_BYTES - 1,
            HUGE_PAGES_BYTES,
            3 * HUGE_PAGES_BYTES + 5,
        ] {
            let layout = |size| Layout::from_size_align(size, 8).expect("a layout");
            // SAFETY: each allocation is used within its size, and freed once with its layout.
            unsafe {
                let zeros = allocator.alloc_zeroed(layout(size));
                assert_eq!((zeros.read(), zeros.add(size - 1).read()), (0, 0));
                let pointer = allocator.alloc(layout(size));
                pointer.write_bytes(7, size);
                let longer = allocator.realloc(pointer, layout(size), size + HUGE_PAGES_BYTES);
                assert_eq!((longer.read(), longer.add(size - 1).read()), (7, 7));
                allocator.dealloc(longer, layout(size + HUGE_PAGES_BYTES));
                allocator.dealloc(zeros, layout(size));
            }
        }
    }

    /// The kernel lists the advice as the flag "hg" of a mapping.
    #[cfg(all(target_os = "linux", not(miri)))]
    #[test]
    fn a_large_allocation_is_advised() {
        let allocator = HugePages::new(System);
        let layout = Layout::from_size_align(4 * HUGE_PAGES_BYTES, 8).expect("a layout");
        // SAFETY: the allocation is freed once with its layout.
        let pointer = unsafe { allocator.alloc(layout) };
        let maps = std::fs::read_to_string("/proc/self/smaps").expect("a list of mappings");
        let middle = pointer.addr() + layout.size() / 2;
        let mut covers = false;
        let flags = maps.lines().find_map(|line| {
            let range = line
                .split(' ')
                .next()
                .and_then(|range| range.split_once('-'));
            let bound = |text| usize::from_str_radix(text, 16).ok();
            if let Some((Some(from), Some(to))) = range.map(|(from, to)| (bound(from), bound(to))) {
                covers = (from..to).contains(&middle);
            }
            line.strip_prefix("VmFlags:")
                .filter(|_| covers)
                .map(str::to_owned)
        });
        // SAFETY: as above.
        unsafe { allocator.dealloc(pointer, layout) };
        // Kernels without huge pages have no such flag.
        if std::fs::exists("/sys/kernel/mm/transparent_hugepage").unwrap_or(false) {
            let flags = flags.expect("the flags of the mapping");
            assert!(flags.split(' ').any(|flag| flag == "hg"), "{flags}");
        }
    }
}
