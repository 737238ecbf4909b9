//! The three matrix products of backpropagation: the safe interface of the microkernels.
//!
//! Every element of a product adds its terms serially along k, each with one fused multiply-add where the
//! machine has it. Layouts, tiles and blocks change the order in which elements are computed, never that of
//! the terms. So a row has the same bits alone and in any batch, and a product has the same bits at any
//! register width.

mod accumulate;
mod blocking;
mod context;
mod driver;
mod macrokernel;
mod matrix;
mod pack;
mod product;
mod shapes;
mod split;
mod tiles;

pub use accumulate::Accumulate;
pub use blocking::{pack_buffer, rows_at_once};
pub use context::Context;
pub use matrix::{Matrix, MatrixMut, Order};
use product::Product;
use shapes::few_columns;
pub use shapes::few_columns::cost_per_term;

use crate::kernels::gemm::shapes::gemv::add_rows;
use crate::kernels::gemm::tiles::microkernels;
use crate::kernels::simd::level::{Level, Registers, current, multiplies_in_halves};
pub use crate::kernels::tuning::gemm::ONE_BLOCK;
use crate::kernels::tuning::gemm::{MAX_LANES, STREAMS};

#[cfg(test)]
mod tests;

/// The lanes of a register at the level in use.
pub fn lanes<T: Registers>() -> usize {
    microkernels::<T>(current()).lanes
}

/// The elements that the machine multiplies at once at the level in use.
pub fn multiplied_at_once<T: Registers>() -> usize {
    let halves = current() == Level::Avx512 && multiplies_in_halves();
    lanes::<T>() >> u32::from(halves)
}

/// z = 1 bᵀ + a W.
///
/// `a`: (rows, n_in); `w`: (n_in, n_out), row-major, or a range of its columns; `b`: (n_out,); `z`: (rows,
/// n_out), overwritten.
pub fn forward<T: Registers>(
    a: Matrix<'_, T>,
    w: Matrix<'_, T>,
    b: &[T],
    z: MatrixMut<'_, T>,
    context: &mut Context<'_, T>,
) {
    if z.order == Order::RowMajor && few_columns::is_better_forward(&a, z.columns) {
        return few_columns::forward(a, w, Accumulate::Column(b), z.numbers, context);
    }
    let product = match z.order {
        Order::RowMajor => Product {
            a,
            b: w,
            accumulate: Accumulate::Row(b),
            ones: false,
        },
        Order::ColumnMajor => Product {
            a: w.transposed(),
            b: a.transposed(),
            accumulate: Accumulate::Column(b),
            ones: false,
        },
    };
    product.run(z.numbers, context);
}

/// δ Wᵀ: the errors propagated back through the weights.
///
/// `delta`: (rows, n_out); `w`: (n_in, n_out), row-major; `out`: (rows, n_in), overwritten.
pub fn errors<T: Registers>(
    delta: Matrix<'_, T>,
    w: Matrix<'_, T>,
    out: MatrixMut<'_, T>,
    context: &mut Context<'_, T>,
) {
    product(delta, w.transposed(), out, Accumulate::Overwrite, context);
}

/// z = a W, without biases; arguments as in [`forward`].
pub fn linear<T: Registers>(
    a: Matrix<'_, T>,
    w: Matrix<'_, T>,
    z: MatrixMut<'_, T>,
    context: &mut Context<'_, T>,
) {
    if z.order == Order::RowMajor && few_columns::is_better_forward(&a, z.columns) {
        return few_columns::forward(a, w, Accumulate::Overwrite, z.numbers, context);
    }
    product(a, w, z, Accumulate::Overwrite, context);
}

/// z ← z + a W, with the terms added one by one; arguments as in [`forward`].
pub fn add_forward<T: Registers>(
    a: Matrix<'_, T>,
    w: Matrix<'_, T>,
    z: MatrixMut<'_, T>,
    context: &mut Context<'_, T>,
) {
    product(a, w, z, Accumulate::Terms, context);
}

/// out ← out + δ Wᵀ, with the terms added one by one; arguments as in [`errors`].
pub fn add_errors<T: Registers>(
    delta: Matrix<'_, T>,
    w: Matrix<'_, T>,
    out: MatrixMut<'_, T>,
    context: &mut Context<'_, T>,
) {
    product(delta, w.transposed(), out, Accumulate::Terms, context);
}

/// C ← … + A B, in either order of C.
fn product<T: Registers>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    c: MatrixMut<'_, T>,
    accumulate: Accumulate,
    context: &mut Context<'_, T>,
) {
    let (a, b) = match c.order {
        Order::RowMajor => (a, b),
        Order::ColumnMajor => (b.transposed(), a.transposed()),
    };
    let product = Product {
        a,
        b,
        accumulate: accumulate.with_vector(),
        ones: false,
    };
    product.run(c.numbers, context);
}

/// aᵀ δ: the weight gradient. With `biases`, it is followed by 1ᵀ δ, the bias gradient.
///
/// `a`: (rows, n_in); `delta`: (rows, n_out); `out`: (n_in, n_out) row-major, plus one row with `biases`.
///
/// # Panics
/// The shapes do not match, or the finished sum of more than [`ONE_BLOCK`] rows is to be added.
pub fn gradients<T: Registers>(
    a: Matrix<'_, T>,
    delta: Matrix<'_, T>,
    out: &mut [T],
    biases: bool,
    accumulate: Accumulate,
    context: &mut Context<'_, T>,
) {
    assert!(
        accumulate != Accumulate::Sum || delta.rows <= ONE_BLOCK,
        "a sum of several blocks"
    );
    if few_columns::are_better_gradients(&a, delta.columns) {
        let (weights, bias) = out.split_at_mut(a.columns * delta.columns);
        few_columns::gradients(a, delta, weights, accumulate, context);
        if biases {
            bias_gradient(delta, bias, accumulate, context);
        }
        return;
    }
    let product = Product {
        a: a.transposed(),
        b: delta,
        accumulate: accumulate.with_vector(),
        ones: biases,
    };
    product.run(out, context);
}

/// 1ᵀ δ, combined with `out`, (n_out,), as `accumulate` says.
fn bias_gradient<T: Registers>(
    delta: Matrix<'_, T>,
    out: &mut [T],
    accumulate: Accumulate,
    context: &mut Context<'_, T>,
) {
    match accumulate {
        Accumulate::Overwrite => {
            out.fill(T::default());
            sums(delta, out, context);
        }
        Accumulate::Sum => {
            let mut sum = [T::default(); MAX_LANES];
            let sum = &mut sum[..out.len()];
            sums(delta, sum, context);
            for (total, &mut sum) in out.iter_mut().zip(sum) {
                *total = *total + sum;
            }
        }
        _ => sums(delta, out, context),
    }
}

/// 1ᵀ δ, added to `out`: the bias gradient.
///
/// `delta`: (rows, n_out); `out`: (n_out,). Nothing is packed if `delta` is row-major.
///
/// # Panics
/// `delta` is row-major with a gap between its rows.
pub fn sums<T: Registers>(delta: Matrix<'_, T>, out: &mut [T], context: &mut Context<'_, T>) {
    let n_out = out.len();
    if !delta.has_contiguous_rows() && n_out > 1 {
        let product = Product {
            a: Matrix::empty(delta.rows),
            b: delta,
            accumulate: Accumulate::Terms,
            ones: true,
        };
        product.run(out, context);
        return;
    }
    assert!(
        delta.rows == 1 || n_out == 1 || delta.row_stride == n_out,
        "rows without a gap"
    );
    for rows in delta.numbers[..delta.rows * n_out].chunks(STREAMS * n_out) {
        if context.cancel.poll_after(rows.len()) {
            return;
        }
        let ones = &[T::from(1); STREAMS][..rows.len() / n_out];
        add_rows(current(), ones, rows, n_out, out);
    }
}
