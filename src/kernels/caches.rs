//! The data caches of the processor, from which block sizes follow.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use crate::base::cache_line;

/// A set-associative cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cache {
    /// The number of sets; the address of a cache line determines its set.
    pub sets: usize,
    /// The cache lines of a set.
    pub ways: usize,
}

impl Cache {
    /// Its size in bytes.
    pub const fn bytes(self) -> usize {
        self.sets * self.ways * cache_line::BYTES
    }

    /// The most cache lines, `stride` bytes apart, that it holds: with a stride that is a multiple of a
    /// large power of two, they compete for few sets.
    #[inline]
    pub fn lines_apart(self, stride: usize) -> usize {
        // Addresses count up to multiples of a way. If its size is a power of two, which it nearly always is,
        // multiples of the stride reach as many of them as the way has multiples of the stride's largest
        // power of two.
        let way = self.sets * cache_line::BYTES;
        let sets = (way >> stride.trailing_zeros().min(way.trailing_zeros())).min(self.sets);
        sets * self.ways
    }
}

/// The caches that a core uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caches {
    /// The core's L1 data cache.
    pub l1: Cache,
    /// The core's L2 cache.
    pub l2: Cache,
    /// The L3 cache, which it shares with other cores.
    pub l3: Cache,
}

/// For a processor that does not say: the smallest L1 and L2 caches of processors with AVX2, and 32 MiB of L3.
const USUAL: Caches = Caches {
    l1: Cache { sets: 64, ways: 8 },
    l2: Cache { sets: 512, ways: 8 },
    l3: Cache {
        sets: 1 << 15,
        ways: 16,
    },
};

/// A hypervisor may report what no processor has: the sizes that are believed, of L1 and L2 and of L3.
const BELIEVED: [RangeInclusive<usize>; 2] = [1 << 14..=1 << 24, 1 << 20..=1 << 31];

/// The caches of this machine.
pub fn caches() -> Caches {
    static CACHES: OnceLock<Caches> = OnceLock::new();
    #[cfg(test)]
    if let Some(caches) = forced::CACHES.get() {
        return caches;
    }
    *CACHES.get_or_init(|| Caches {
        l1: described(1).unwrap_or(USUAL.l1),
        l2: described(2).unwrap_or(USUAL.l2),
        l3: described(3).unwrap_or(USUAL.l3),
    })
}

/// The leaves of CPUID that describe caches.
#[cfg(target_arch = "x86_64")]
const INTEL: u32 = 4;
#[cfg(target_arch = "x86_64")]
const AMD: u32 = 0x8000_001d;

/// The data or unified cache of a level, as the CPUID instruction describes it.
#[cfg(target_arch = "x86_64")]
fn described(level: u32) -> Option<Cache> {
    use std::arch::x86_64::{__cpuid, __cpuid_count, CpuidResult};
    #[allow(unused_unsafe)] // newer compilers declare it safe
    // SAFETY: every x86-64 has the instruction; a leaf is read only if the processor says that it has it.
    let (most, most_extended) = unsafe { (__cpuid(0).eax, __cpuid(0x8000_0000).eax) };
    let leaf = |leaf: u32, most: u32, index: u32| {
        #[allow(unused_unsafe)]
        // SAFETY: as above.
        (leaf <= most).then(|| unsafe { __cpuid_count(leaf, index) })
    };
    let is_wanted = |cache: &CpuidResult| {
        let (kind, level_of_it) = (cache.eax & 0x1f, (cache.eax >> 5) & 0x7);
        matches!(kind, 1 | 3) && level_of_it == level // data or unified
    };
    let found = (0..8).find_map(|index| {
        let caches = [leaf(AMD, most_extended, index), leaf(INTEL, most, index)];
        caches.into_iter().flatten().find(is_wanted)
    })?;
    let (ways, line) = ((found.ebx >> 22) + 1, (found.ebx & 0xfff) + 1);
    let cache = Cache {
        sets: found.ecx as usize + 1,
        ways: ways as usize,
    };
    let is_believed = BELIEVED[usize::from(level == 3)].contains(&cache.bytes());
    (line as usize == cache_line::BYTES && is_believed).then_some(cache)
}

#[cfg(not(target_arch = "x86_64"))]
fn described(_level: u32) -> Option<Cache> {
    None
}

/// The caches that a test has set for its thread.
#[cfg(test)]
pub(in crate::kernels) mod forced {
    use std::cell::Cell;

    use super::Caches;

    thread_local! {
        pub(super) static CACHES: Cell<Option<Caches>> = const { Cell::new(None) };
    }

    /// Runs `work` as if the machine had these caches.
    pub(in crate::kernels) fn with<R>(caches: Caches, work: impl FnOnce() -> R) -> R {
        CACHES.set(Some(caches));
        let result = work();
        CACHES.set(None);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_a_power_of_two_apart_compete_for_few_sets() {
        let l1 = Cache { sets: 64, ways: 8 };
        assert_eq!(l1.bytes(), 32 << 10);
        for (stride, lines) in [
            (64, 512),
            (128, 256),
            (1024, 32),
            (2048, 16),
            (4096, 8),
            (8192, 8),
            (4096 + 64, 512),
            (2048 + 8, 512),
            (4, 512),
        ] {
            assert_eq!(l1.lines_apart(stride), lines, "{stride} bytes apart");
        }
    }

    #[test]
    fn the_caches_have_sizes_that_are_believed() {
        let Caches { l1, l2, l3 } = caches();
        for (cache, believed) in [(l1, 0), (l2, 0), (l3, 1)] {
            assert!(BELIEVED[believed].contains(&cache.bytes()), "{cache:?}");
        }
    }
}
