//! Products for a layer of few neurons, computed as their transposes.
//!
//! A row of z or of the weight gradient is then shorter than a register, or leaves most of its lanes idle. The
//! rows of the transpose are long, and its terms are added in the same order.

use crate::kernels::gemm::accumulate::Accumulate;
use crate::kernels::gemm::context::Context;
use crate::kernels::gemm::matrix::Matrix;
use crate::kernels::gemm::product::Product;
use crate::kernels::gemm::split::blocks;
use crate::kernels::gemm::tiles::{Microkernels, microkernels};
use crate::kernels::simd::level::{Registers, current};
use crate::kernels::tuning::gemm::{MAX_LANES, TRANSPOSED, TRANSPOSED_COPY};
use crate::kernels::tuning::layout::COPIED;

/// Whether the transpose of a product (m, n) of k terms takes less time, in multiply-adds of a register.
/// `copied` elements are transposed for its factor B.
fn is_better_transposed<T: Registers>((m, n, k): (usize, usize, usize), copied: usize) -> bool {
    if n > MAX_LANES {
        return false;
    }
    let kernels = microkernels::<T>(current());
    let usual = cost(kernels, m, n);
    let transposed = cost(kernels, n, m);
    k * transposed + copied / COPIED + TRANSPOSED_COPY * m * n < k * usual
}

/// The registers multiplied per term of a product (m, n). A single wide register across is limited by the
/// broadcasts of A.
fn cost<T>(kernels: &Microkernels<T>, m: usize, n: usize) -> usize {
    let registers = kernels.registers(n);
    let slowness = if registers == 1 && !kernels.fits_cache_line() {
        2
    } else {
        registers
    };
    m.saturating_mul(slowness)
}

/// The cost per term of a product (m, n), in multiply-adds of a register at the level in use.
pub fn cost_per_term<T: Registers>(m: usize, n: usize) -> usize {
    cost(microkernels::<T>(current()), m, n)
}

/// Whether [`forward`] is better than the usual product.
#[inline]
pub(in crate::kernels::gemm) fn is_better_forward<T: Registers>(
    a: &Matrix<'_, T>,
    n_out: usize,
) -> bool {
    let shape = (a.rows, n_out, a.columns);
    let copied = if a.has_contiguous_rows() {
        a.rows * a.columns
    } else {
        0
    };
    a.rows > n_out && !a.is_gathered() && is_better_transposed::<T>(shape, copied)
}

/// z = a W, (rows, n_out), row-major, with the initial values of `accumulate` for zᵀ.
#[inline(never)] // keeps the code of other products short
pub(in crate::kernels::gemm) fn forward<T: Registers>(
    a: Matrix<'_, T>,
    w: Matrix<'_, T>,
    accumulate: Accumulate<&[T]>,
    z: &mut [T],
    context: &mut Context<'_, T>,
) {
    let n_out = w.columns;
    let product = |a: Matrix<'_, T>, z: &mut [T], context: &mut Context<'_, T>| {
        let product = Product {
            a: w.transposed(),
            b: a.transposed(),
            accumulate,
            ones: false,
        };
        product.run(z, context);
    };
    if n_out == 1 {
        // A single column is contiguous like a row.
        return product(a, z, context);
    }
    let (place, pack_buffer) = split(context.pack_buffer, a.rows * n_out);
    let (most, context) = (
        place.len() / n_out,
        &mut Context::new(pack_buffer, context.cancel),
    );
    for rows in blocks(a.rows, most) {
        let place = &mut place[..rows.len() * n_out];
        product(a.row_range(&rows), place, context);
        let z = &mut z[rows.start * n_out..rows.end * n_out];
        transpose(place, z, n_out, |_, sum| sum);
    }
}

/// Whether [`gradients`] is better than the usual product.
#[inline]
pub(in crate::kernels::gemm) fn are_better_gradients<T: Registers>(
    a: &Matrix<'_, T>,
    n_out: usize,
) -> bool {
    let shape = (a.columns, n_out, a.rows);
    let copied = if a.has_contiguous_rows() {
        0
    } else {
        a.rows * a.columns
    };
    !a.is_gathered() && (n_out == 1 || is_better_transposed::<T>(shape, copied))
}

/// aᵀ δ, combined with `out`, (n_in, n_out), as `accumulate` says.
#[inline(never)] // as `forward`
pub(in crate::kernels::gemm) fn gradients<T: Registers>(
    a: Matrix<'_, T>,
    delta: Matrix<'_, T>,
    out: &mut [T],
    accumulate: Accumulate,
    context: &mut Context<'_, T>,
) {
    let n_out = delta.columns;
    let product =
        |a: Matrix<'_, T>, accumulate: Accumulate, out: &mut [T], context: &mut Context<'_, T>| {
            let product = Product {
                a: delta.transposed(),
                b: a,
                accumulate: accumulate.with_vector(),
                ones: false,
            };
            product.run(out, context);
        };
    if n_out == 1 {
        return product(a, accumulate, out, context);
    }
    let (place, pack_buffer) = split(context.pack_buffer, a.columns * n_out);
    let (most, context) = (
        place.len() / n_out,
        &mut Context::new(pack_buffer, context.cancel),
    );
    for neurons in blocks(a.columns, most) {
        let place = &mut place[..neurons.len() * n_out];
        let out = &mut out[neurons.start * n_out..neurons.end * n_out];
        let of_range = if accumulate == Accumulate::Terms {
            transpose(out, place, neurons.len(), |_, element| element);
            Accumulate::Terms
        } else {
            Accumulate::Overwrite
        };
        product(a.column_range(&neurons), of_range, place, context);
        if accumulate == Accumulate::Sum {
            transpose(place, out, n_out, |before, sum| before + sum);
        } else {
            transpose(place, out, n_out, |_, sum| sum);
        }
    }
}

/// Combines `to`, of rows of `columns` elements, with the transpose of `from`.
#[inline(always)]
fn transpose<T: Copy>(from: &[T], to: &mut [T], columns: usize, combine: impl Fn(T, T) -> T) {
    let rows = to.len() / columns;
    for (i, row) in to.chunks_exact_mut(columns).enumerate() {
        for (element, from) in row.iter_mut().zip(from[i..].iter().step_by(rows)) {
            *element = combine(*element, *from);
        }
    }
}

/// A place for up to `wanted` elements of a transpose, and what is left of the buffer.
fn split<T>(pack_buffer: &mut [T], wanted: usize) -> (&mut [T], &mut [T]) {
    let most = TRANSPOSED.min(pack_buffer.len() / 2);
    pack_buffer.split_at_mut(wanted.min(most))
}
