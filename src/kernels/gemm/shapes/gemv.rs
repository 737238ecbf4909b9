//! The product of a single row with a B that is streamed from memory once: several rows of B are read
//! concurrently from end to end, with software prefetch. The hardware prefetcher stops at the end of each 4
//! kB page: without software prefetch, three matrices of 8 MB took 1.5 times as long. Prefetching into L2
//! alone is not enough where B is already in L2 or L3: 2.6 MB took 1.3 times as long.

use crate::base::cache_line;
use crate::kernels::simd::level::{Computation, Level, Registers, run};
use crate::kernels::simd::vector::{Arithmetic, Vector};
use crate::kernels::tuning::gemm::STREAMS;

/// c(j) ← c(j) + Σ_k a(k) B(k, j), one term after the other.
///
/// `a`: at most [`STREAMS`] elements; `b`: as many rows, `stride` apart; `c`: one element per column used.
pub fn add_rows<T: Registers>(level: Level, a: &[T], b: &[T], stride: usize, c: &mut [T]) {
    if c.is_empty() || a.is_empty() {
        return;
    }
    assert!(
        a.len() <= STREAMS && b.len() >= (a.len() - 1) * stride + c.len(),
        "the rows of a factor"
    );
    let computation = AddRows {
        a,
        b: b.as_ptr(),
        stride,
        columns: c.len(),
        c: c.as_mut_ptr(),
    };
    // SAFETY: `level` is a level of this machine; rows and columns were asserted to be in bounds.
    unsafe { run(level, computation) };
}

struct AddRows<'a, T> {
    a: &'a [T],
    b: *const T,
    stride: usize,
    c: *mut T,
    columns: usize,
}

impl<T: Registers> Computation<T> for AddRows<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        // SAFETY: the caller guarantees the instructions, and that the rows are in bounds.
        unsafe {
            if self.a.len() == STREAMS {
                self.add::<V, STREAMS>(0);
            } else {
                for row in 0..self.a.len() {
                    self.add::<V, 1>(row);
                }
            }
        }
    }
}

impl<T: Copy> AddRows<'_, T> {
    /// Adds COUNT rows of B, starting with `first`.
    ///
    /// # Safety
    /// The machine has the instructions; the rows are in bounds.
    #[inline(always)]
    unsafe fn add<V: Vector<Scalar = T>, const COUNT: usize>(&self, first: usize) {
        // SAFETY: the caller guarantees the instructions and the elements.
        unsafe {
            let mut factors = [V::broadcast(self.a[first]); COUNT];
            for (factor, &a) in factors.iter_mut().zip(&self.a[first..]) {
                *factor = V::broadcast(a);
            }
            let b = self.b.add(first * self.stride);
            let whole = self.columns - self.columns % V::LANES;
            let (line, mut column) = (cache_line::numbers::<T>(), 0);
            while column < whole {
                let end = whole.min(column + line);
                for k in 0..COUNT {
                    V::prefetch(b.wrapping_add((STREAMS + k) * self.stride + column));
                }
                while column < end {
                    let mut sum = V::load(self.c.add(column));
                    for (k, factor) in factors.iter().enumerate() {
                        sum = factor.mul_add(V::load(b.add(k * self.stride + column)), sum);
                    }
                    sum.store(self.c.add(column));
                    column += V::LANES;
                }
            }
            let rest = self.columns - whole;
            if rest > 0 {
                let mut sum = V::load_first(self.c.add(column), rest);
                for (k, factor) in factors.iter().enumerate() {
                    let b = V::load_first(b.add(k * self.stride + column), rest);
                    sum = factor.mul_add(b, sum);
                }
                sum.store_first(self.c.add(column), rest);
            }
        }
    }
}
