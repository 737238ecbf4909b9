//! Prefetching of memory that is about to be read.

use crate::base::cache_line;
use crate::kernels::simd::level::{Computation, current, run};
use crate::kernels::simd::vector::Arithmetic;

/// Prefetches elements that will be read soon into the L2 cache.
pub fn prefetch<N>(numbers: &[N]) {
    // SAFETY: the machine has the level in use; the computation reads no memory.
    unsafe { run::<f32>(current(), Prefetch(numbers)) }
}

struct Prefetch<'a, N>(&'a [N]);

impl<N> Computation<f32> for Prefetch<'_, N> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = f32>>(self) {
        for line in self.0.chunks(cache_line::numbers::<N>().max(1)) {
            V::prefetch_far(line.as_ptr().cast());
        }
    }
}
