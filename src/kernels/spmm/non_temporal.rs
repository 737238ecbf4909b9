//! A weight gradient that exceeds the caches. Blocks of its rows are summed in a buffer, which fits the L1 cache
//! unless a row exceeds it, one after the other, and written with non-temporal stores, which bypass the caches.
//! Otherwise its memory is set to zero, and then read and written again where terms are added.

use std::mem::replace;

use crate::base::alloc::try_defaults;
use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::kernels::caches::caches;
use crate::kernels::csr::CsrMatrix;
use crate::kernels::simd::level::{Computation, Registers, current, run};
use crate::kernels::simd::vector::Arithmetic;
use crate::kernels::spmm::GradientRows;
use crate::kernels::tuning::spmm::{
    NON_TEMPORAL_BLOCK_BYTES, NON_TEMPORAL_ELEMENTS, NON_TEMPORAL_SHARE_OF_L3,
    NON_TEMPORAL_SLICE_BYTES,
};

/// Whether this pays off for `out`: the gradient of all columns of x is large, `out` is no small part of it,
/// and the stored elements take little memory beside it.
pub fn pays_off<T>(x: &CsrMatrix<'_, T>, out: &GradientRows<'_, T>) -> bool {
    let all = x.width().saturating_mul(out.stride * size_of::<T>());
    // Counted last: this reads where each row of x begins and ends.
    let elements = || x.nnz().saturating_mul(size_of::<Element<T>>());
    all >= caches().l3.bytes() / NON_TEMPORAL_SHARE_OF_L3
        && size_of_val(out.numbers) >= NON_TEMPORAL_SLICE_BYTES
        && u32::try_from(x.len()).is_ok()
        && elements() <= all / NON_TEMPORAL_ELEMENTS
}

/// Computes `out`. `delta`: (n, n_out).
///
/// # Errors
/// Memory runs out. `out` is unchanged.
///
/// # Panics
/// δ has another number of rows than x, or `out` has fewer columns than δ.
pub fn gradients<T: Registers>(
    x: &CsrMatrix<'_, T>,
    (delta, n_out): (&[T], usize),
    out: &mut GradientRows<'_, T>,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    assert_eq!(delta.len(), x.len() * n_out, "the rows of x");
    assert!(n_out <= out.stride, "the columns of a product");
    let rows_of_block = NON_TEMPORAL_BLOCK_BYTES / (out.stride * size_of::<T>());
    let shift = rows_of_block.max(1).ilog2();
    let sorted = Sorted::new(x, out, shift, cancel)?;
    let gradients = NonTemporalGradients {
        sums: try_defaults("gradient", out.stride << shift)?,
        sorted,
        delta,
        n_out,
        stride: out.stride,
        out: out.numbers,
        cancel,
    };
    // SAFETY: `current` is a level of this machine. The elements have rows of x, so their δ are in bounds, and
    // inputs below 1 << shift, so their sums are.
    unsafe { run(current(), gradients) };
    Ok(())
}

/// The stored elements of x for some rows of a weight gradient, sorted by the blocks of these rows; those of a
/// block keep their order.
struct Sorted<T> {
    /// The index after the last element of each block.
    ends: Vec<usize>,
    elements: Vec<Element<T>>,
}

/// A stored element of x.
#[derive(Clone, Copy, Default)]
struct Element<T> {
    row: u32,
    /// Its column, from the first one of the block on.
    input: u32,
    value: T,
}

impl<T: Registers> Sorted<T> {
    /// The elements for blocks of 2^`shift` rows of `out`. Some may be missing if the call is cancelled.
    ///
    /// # Errors
    /// Memory runs out.
    fn new(
        x: &CsrMatrix<'_, T>,
        out: &GradientRows<'_, T>,
        shift: u32,
        cancel: &CancelToken<'_>,
    ) -> Result<Self> {
        let inputs = out.numbers.len() / out.stride;
        // Each row of x, with the inputs and values of its elements; inputs from the first one of `out` on.
        let rows = || {
            let rows = (0..).zip((0..x.len()).map(|row| x.row(row)));
            rows.map(|(row, (columns, values)): (u32, _)| {
                let elements = columns.iter().zip(values);
                let elements = elements.filter_map(|(&column, &value)| {
                    let input = (column as usize).wrapping_sub(out.first);
                    (input < inputs).then_some((input, value))
                });
                (row, columns.len(), elements)
            })
            .take_while(|&(_, count, _)| !cancel.poll_after(count))
        };
        // The number of each block's elements; then the index of the next one; in the end that after the last.
        let mut ends: Vec<usize> = try_defaults("x", inputs.div_ceil(1 << shift))?;
        for (input, _) in rows().flat_map(|(_, _, elements)| elements) {
            ends[input >> shift] += 1;
        }
        let mut count = 0;
        for end in &mut ends {
            count += replace(end, count);
        }
        let mut sorted = try_defaults("x", count)?;
        for (row, _, elements) in rows() {
            for (input, value) in elements {
                let end = &mut ends[input >> shift];
                #[allow(clippy::cast_possible_truncation)] // below the rows of a block
                let input = (input & ((1 << shift) - 1)) as u32;
                sorted[*end] = Element { row, input, value };
                *end += 1;
            }
        }
        Ok(Self {
            ends,
            elements: sorted,
        })
    }
}

struct NonTemporalGradients<'a, T> {
    sorted: Sorted<T>,
    /// The gradient of a block.
    sums: Vec<T>,
    delta: &'a [T],
    n_out: usize,
    out: &'a mut [T],
    stride: usize,
    cancel: &'a CancelToken<'a>,
}

impl<T: Registers> Computation<T> for NonTemporalGradients<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(mut self) {
        let Sorted { ends, elements } = self.sorted;
        let mut start = 0;
        for (out, end) in self.out.chunks_mut(self.sums.len()).zip(ends) {
            let elements = &elements[start..end];
            if (self.cancel).poll_after(out.len() + elements.len() * self.n_out) {
                break;
            }
            start = end;
            self.sums.fill(T::default());
            let sums = self.sums.as_mut_ptr();
            for element in elements {
                // SAFETY: the caller guarantees the instructions, the rows of x and the inputs of a block.
                unsafe {
                    let delta = self.delta.as_ptr().add(element.row as usize * self.n_out);
                    let sums = sums.add(element.input as usize * self.stride);
                    add_term::<V>(element.value, delta, sums, self.n_out);
                }
            }
            // SAFETY: the caller guarantees the instructions. `out` is not used before the end of the loop.
            unsafe { copy_non_temporal::<V>(&self.sums[..out.len()], out) };
        }
        // Not for each block: this waits for the memory.
        V::store_fence();
    }
}

/// sums(j) ← value · delta(j) + sums(j) for `count` elements.
///
/// # Safety
/// The machine has the instructions; the elements are readable and writable.
#[inline(always)]
unsafe fn add_term<V: Arithmetic>(
    value: V::Scalar,
    delta: *const V::Scalar,
    sums: *mut V::Scalar,
    count: usize,
) {
    // SAFETY: the caller guarantees the instructions and the elements.
    unsafe {
        let (factor, mut j) = (V::broadcast(value), 0);
        while j + V::LANES <= count {
            let sum = factor.mul_add(V::load(delta.add(j)), V::load(sums.add(j)));
            sum.store(sums.add(j));
            j += V::LANES;
        }
        if j < count {
            let delta = V::load_first(delta.add(j), count - j);
            let sum = factor.mul_add(delta, V::load_first(sums.add(j), count - j));
            sum.store_first(sums.add(j), count - j);
        }
    }
}

/// Copies `from` to `to` with non-temporal stores.
///
/// # Safety
/// The machine has the instructions. Before anything else accesses `to`, this thread calls
/// [`store_fence`](crate::kernels::simd::vector::Vector::store_fence).
///
/// # Panics
/// The lengths differ.
#[inline(always)]
unsafe fn copy_non_temporal<V: Arithmetic>(from: &[V::Scalar], to: &mut [V::Scalar]) {
    assert_eq!(from.len(), to.len(), "a copy");
    let aligned = to.as_ptr().align_offset(V::LANES * size_of::<V::Scalar>());
    let before = aligned.min(to.len());
    to[..before].copy_from_slice(&from[..before]);
    let mut j = before;
    while j + V::LANES <= to.len() {
        // SAFETY: the caller guarantees the instructions and the order. Both have LANES elements from `j` on, and
        // those of `to` start at a multiple of their size.
        unsafe { V::load(from[j..].as_ptr()).store_non_temporal(to[j..].as_mut_ptr()) };
        j += V::LANES;
    }
    to[j..].copy_from_slice(&from[j..]);
}
