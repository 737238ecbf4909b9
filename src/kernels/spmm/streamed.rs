//! A weight gradient that exceeds the caches. Blocks of its rows are computed in a buffer that fits the L1
//! cache, one after the other, and stored past the caches. Otherwise its memory is set to zero, and then read
//! and written again where terms are added.

use std::mem::replace;

use crate::base::alloc::try_defaults;
use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::kernels::csr::CsrMatrix;
use crate::kernels::simd::level::{Computation, Registers, current, run};
use crate::kernels::simd::vector::Arithmetic;
use crate::kernels::spmm::gradients::GradientRows;
use crate::kernels::tuning::spmm::{STREAMED_BLOCK_BYTES, STREAMED_BYTES};

/// The stored elements of x for some rows of a weight gradient, sorted by the blocks of these rows; those of a
/// block keep their order.
pub struct Blocks<T> {
    /// The number of rows of x.
    n: usize,
    /// The inputs of a block.
    inputs: usize,
    /// The index after the last element of each block.
    ends: Vec<usize>,
    elements: Vec<Element<T>>,
    /// The gradient of a block.
    sums: Vec<T>,
}

/// A stored element of x.
#[derive(Clone, Copy, Default)]
struct Element<T> {
    row: u32,
    /// Its column, from the first one of the block on.
    input: u32,
    value: T,
}

impl<T: Registers> Blocks<T> {
    /// The blocks of `out`; None if they do not pay off: it is small, or the elements take as much memory.
    ///
    /// # Errors
    /// Memory runs out.
    pub fn new(x: &CsrMatrix<'_, T>, out: &GradientRows<'_, T>) -> Result<Option<Self>> {
        let bytes = size_of_val(out.numbers);
        let bytes_of_elements = x.nnz().saturating_mul(size_of::<Element<T>>());
        if bytes < STREAMED_BYTES || bytes_of_elements > bytes {
            return Ok(None);
        }
        let Ok(n) = u32::try_from(x.len()) else {
            return Ok(None);
        };
        let most = STREAMED_BLOCK_BYTES / (out.stride * size_of::<T>());
        let shift = most.max(1).ilog2();
        let (all, inputs) = (out.numbers.len() / out.stride, 1 << shift);
        // The input of each stored element, from the first one of `out` on.
        let elements = || {
            (0..n).flat_map(|row| {
                let (columns, values) = x.row(row as usize);
                let elements = columns.iter().zip(values);
                elements.filter_map(move |(&column, &value)| {
                    let input = (column as usize).wrapping_sub(out.first);
                    (input < all).then_some((row, input, value))
                })
            })
        };
        // The number of each block's elements; then the index of the next one; in the end that after the last.
        let mut ends = try_defaults("x", all.div_ceil(inputs))?;
        for (_, input, _) in elements() {
            ends[input >> shift] += 1;
        }
        let mut count = 0;
        for end in &mut ends {
            count += replace(end, count);
        }
        let mut sorted = try_defaults("x", count)?;
        for (row, input, value) in elements() {
            let end = &mut ends[input >> shift];
            #[allow(clippy::cast_possible_truncation)] // columns are u32
            let input = (input & (inputs - 1)) as u32;
            sorted[*end] = Element { row, input, value };
            *end += 1;
        }
        Ok(Some(Self {
            n: x.len(),
            inputs,
            ends,
            elements: sorted,
            sums: try_defaults("gradient", inputs * out.stride)?,
        }))
    }

    /// Computes `out`, whose blocks these are. `delta`: (n, n_out).
    ///
    /// # Panics
    /// δ has another number of rows than x, or `out` has fewer columns than δ.
    pub fn compute(
        self,
        delta: &[T],
        n_out: usize,
        out: GradientRows<'_, T>,
        cancel: &CancelToken<'_>,
    ) {
        assert_eq!(delta.len(), self.n * n_out, "the rows of x");
        assert!(n_out <= out.stride, "the columns of a product");
        assert_eq!(self.sums.len(), self.inputs * out.stride, "a block");
        let gradients = StreamedGradients {
            blocks: self,
            delta,
            n_out,
            stride: out.stride,
            out: out.numbers,
            cancel,
        };
        // SAFETY: `current` is a level of this machine. Elements have rows of x and inputs of a block, as `new`
        // made them; the assertions prove that their δ and their sums are in bounds.
        unsafe { run(current(), gradients) };
    }
}

struct StreamedGradients<'a, T> {
    blocks: Blocks<T>,
    delta: &'a [T],
    n_out: usize,
    out: &'a mut [T],
    stride: usize,
    cancel: &'a CancelToken<'a>,
}

impl<T: Registers> Computation<T> for StreamedGradients<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(mut self) {
        let mut start = 0;
        let of_block = self.blocks.sums.len();
        let outs = std::mem::take(&mut self.out).chunks_mut(of_block);
        for (index, out) in outs.enumerate() {
            let elements = start..self.blocks.ends[index];
            if (self.cancel).poll_after(out.len() + elements.len() * self.n_out) {
                break;
            }
            start = elements.end;
            self.blocks.sums.fill(T::default());
            let sums = self.blocks.sums.as_mut_ptr();
            for element in &self.blocks.elements[elements] {
                // SAFETY: the caller guarantees the instructions, the rows of x and the inputs of a block.
                unsafe {
                    let delta = self.delta.as_ptr().add(element.row as usize * self.n_out);
                    let sums = sums.add(element.input as usize * self.stride);
                    add_term::<V>(element.value, delta, sums, self.n_out);
                }
            }
            // SAFETY: the caller guarantees the instructions.
            unsafe { copy_past_caches::<V>(&self.blocks.sums[..out.len()], out) };
        }
        V::await_stores_past_caches();
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

/// Copies `from` to `to`, which is as long, past the caches.
///
/// # Safety
/// The machine has the instructions.
#[inline(always)]
unsafe fn copy_past_caches<V: Arithmetic>(from: &[V::Scalar], to: &mut [V::Scalar]) {
    let aligned = to.as_ptr().align_offset(V::LANES * size_of::<V::Scalar>());
    let before = aligned.min(to.len());
    to[..before].copy_from_slice(&from[..before]);
    let mut j = before;
    while j + V::LANES <= to.len() {
        // SAFETY: the caller guarantees the instructions. Both have LANES elements from `j` on, and those of
        // `to` start at a multiple of their size.
        unsafe { V::load(from[j..].as_ptr()).store_past_caches(to[j..].as_mut_ptr()) };
        j += V::LANES;
    }
    to[j..].copy_from_slice(&from[j..]);
}
