//! BP2, BP3 and BP4 as separate functions of a whole batch. Its rows are divided into chunks of fixed size,
//! whose sums are added pairwise, as in [`crate::base::sum::pairwise`].

use crate::base::alloc::grow_workspace;
use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::base::sum::pairwise::{reserve_each, sum_pairwise};
use crate::data::LayerInput;
use crate::engine::backward;
use crate::kernels::gemm::{self, Accumulate, Context, Matrix, MatrixMut};
use crate::kernels::real::Real;
use crate::kernels::tuning::plan::{MAX_CHUNK_ROWS, ROWS_PER_BP4_SUM};
use crate::model::activation::Activation;

/// The finished sum of a chunk is added in one block.
const _: () = assert!(ROWS_PER_BP4_SUM <= gemm::ONE_BLOCK);

/// BP2: δ^l = (δ^(l+1) W^(l+1)) ⊙ σ'(z^l). `delta_next`: (n, n_(l+1)); `weights`: (W^(l+1))ᵀ, (n_l,
/// n_(l+1)); `z`, `a` and `delta`: (n, n_l).
///
/// # Errors
/// The pack buffer cannot be allocated.
pub fn bp2<T: Real>(
    delta_next: &[T],
    weights: Matrix<'_, T>,
    activation: Activation,
    (z, a): (&[T], &[T]),
    delta: &mut [T],
    cancel: &CancelToken<'_>,
) -> Result<()> {
    let (width, width_next) = (weights.rows, weights.columns);
    let mut pack_buffer = pack_buffer((width, width_next), cancel)?;
    if cancel.poll_after(0) {
        return Ok(()); // cancelled: the buffer may be too short
    }
    let (step, step_next) = (MAX_CHUNK_ROWS * width, MAX_CHUNK_ROWS * width_next);
    let chunks = delta_next
        .chunks(step_next)
        .zip(z.chunks(step).zip(a.chunks(step)));
    for ((delta_next, (z, a)), delta) in chunks.zip(delta.chunks_mut(step)) {
        let rows = delta.len() / width;
        backward::bp2(
            Matrix::by_rows(delta_next, rows, width_next),
            weights,
            activation,
            (z, a),
            MatrixMut::by_rows(delta, rows, width),
            &mut Context::new(&mut pack_buffer, cancel),
        );
    }
    Ok(())
}

/// BP3: ∂C/∂b^l = Σ_x δ^l. `delta`: (n, n_l); `nabla_b`: (n_l,), overwritten.
///
/// # Errors
/// The partial sums cannot be allocated.
pub fn bp3<T: Real>(delta: &[T], nabla_b: &mut [T], cancel: &CancelToken<'_>) -> Result<()> {
    let width = nabla_b.len();
    let chunks = delta.chunks(MAX_CHUNK_ROWS * width);
    let mut stack = stack(chunks.len(), width, cancel)?;
    if cancel.poll_after(0) {
        return Ok(()); // cancelled: the stack may be too short
    }
    sum_pairwise(
        chunks,
        nabla_b,
        &mut stack,
        false,
        cancel,
        |delta, out, _| {
            if !cancel.poll_after(delta.len()) {
                out.fill(T::ZERO);
                let delta = Matrix::by_rows(delta, delta.len() / width, width);
                backward::bp3(delta, out, &mut Context::new(&mut [], cancel));
            }
        },
    );
    Ok(())
}

/// BP4: (∂C/∂W^l)ᵀ = (a^(l−1))ᵀ δ^l. `delta`: (n, n_l); `a`: (n, n_(l−1)); `nabla_w`:
/// (n_(l−1), n_l), overwritten.
///
/// # Errors
/// The partial sums cannot be allocated.
pub fn bp4<T: Real>(
    delta: &[T],
    a: &[T],
    nabla_w: &mut [T],
    n: usize,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    let (n_out, n_in) = (delta.len() / n, a.len() / n);
    let chunks = delta
        .chunks(ROWS_PER_BP4_SUM * n_out)
        .zip(a.chunks(ROWS_PER_BP4_SUM * n_in));
    let mut stack = stack(n.div_ceil(ROWS_PER_BP4_SUM), nabla_w.len(), cancel)?;
    let mut pack_buffer = pack_buffer((n_in, n_out), cancel)?;
    if cancel.poll_after(0) {
        return Ok(()); // cancelled: the stack may be too short
    }
    sum_pairwise(
        chunks,
        nabla_w,
        &mut stack,
        true,
        cancel,
        |(delta, a), out, add| {
            if !cancel.poll() {
                let rows = delta.len() / n_out;
                let delta = Matrix::by_rows(delta, rows, n_out);
                let a = LayerInput::Dense(Matrix::by_rows(a, rows, n_in));
                let accumulate = if add {
                    Accumulate::Sum
                } else {
                    Accumulate::Overwrite
                };
                let context = &mut Context::new(&mut pack_buffer, cancel);
                backward::bp4(delta, a, (0..n_in, n_out), out, accumulate, context);
            }
        },
    );
    Ok(())
}

/// The buffers of a pairwise sum of `chunks` chunks, except the lowest.
fn stack<T: Real>(chunks: usize, length: usize, cancel: &CancelToken<'_>) -> Result<Vec<Vec<T>>> {
    let mut stack = Vec::new();
    reserve_each(&mut stack, chunks.ilog2() as usize, length, cancel)?;
    Ok(stack)
}

/// The pack buffer for products with weights of this shape.
fn pack_buffer<T: Real>(weights: (usize, usize), cancel: &CancelToken<'_>) -> Result<Vec<T>> {
    let (mut pack_buffer, length) = (
        Vec::new(),
        gemm::pack_buffer::<T>(weights, ROWS_PER_BP4_SUM),
    );
    grow_workspace(&mut pack_buffer, length, 1, cancel)?;
    Ok(pack_buffer)
}
