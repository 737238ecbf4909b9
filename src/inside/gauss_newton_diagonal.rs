//! The diagonal of the Gauss–Newton matrix Σ_x f_x Jᵀ H J: Σ_c Σ_x (√f_x Jᵀ S_c)², with S_c the columns of the
//! root S of H = S Sᵀ, and squares element by element.

use crate::base::alloc::grow_workspace;
use crate::base::cancel::{COPIED_PER_POLL, CancelToken, ELEMENT_WORK, cancellable};
use crate::base::error::Result;
use crate::data::Targets;
use crate::engine::backward::hidden_error;
use crate::engine::batch::pass::{Chunk, Pass};
use crate::engine::batch::{Call, Scratch};
use crate::engine::workspace::{BufferConfig, LayerBuffers};
use crate::inside::gauss_newton::output;
use crate::inside::moments::write;
use crate::inside::stored::{self, StoredForward};
use crate::kernels::real::Real;

/// Backpropagation of a column of S.
struct RootColumn<'a, T> {
    /// y, and √f_x as factors.
    targets: &'a Targets<'a, T>,
    stored: Option<StoredForward<'a, T>>,
    column: usize,
}

impl<T: Real> Call<'_, T> {
    /// Writes the diagonal to `out`, in the layout of the parameters. The factor of each example in `targets` is
    /// √f_x. NaN where H is not positive semidefinite.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn gauss_newton_diagonal(
        &self,
        targets: &Targets<'_, T>,
        stored: Option<StoredForward<'_, T>>,
        scratch: &mut Scratch<T>,
        out: &mut [T],
    ) -> Result<()> {
        let architecture = self.network.architecture;
        let mut total = Vec::new();
        cancellable(self.should_cancel, |cancel| {
            grow_workspace(&mut total, architecture.n_params(), 1, cancel)
        })?;
        for column in 0..architecture.n_outputs() {
            let pass = RootColumn {
                targets,
                stored,
                column,
            };
            let (_, squares) = self.moments(&pass, scratch, false)?;
            cancellable(self.should_cancel, |cancel| {
                add(&mut total, squares, cancel);
                Ok(())
            })?;
        }
        cancellable(self.should_cancel, |cancel| {
            write(out, &total, T::from_f64, cancel);
            Ok(())
        })
    }
}

/// total ← total + values.
fn add(total: &mut [f64], values: &[f64], cancel: &CancelToken<'_>) {
    for (total, values) in total
        .chunks_mut(COPIED_PER_POLL)
        .zip(values.chunks(COPIED_PER_POLL))
    {
        for (total, value) in total.iter_mut().zip(values) {
            *total += value;
        }
        if cancel.poll_after(total.len() * ELEMENT_WORK / 4) {
            return;
        }
    }
}

impl<T: Real> Pass<T> for RootColumn<'_, T> {
    fn config(&self) -> BufferConfig {
        BufferConfig::TRACE_ERRORS
    }

    fn forward(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, _costs: &mut [f64]) {
        stored::forward(call, self.stored, chunk);
    }

    fn error(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, index: usize) {
        let Chunk {
            rows,
            layers,
            context,
            ..
        } = chunk;
        if index + 1 < layers.len() {
            return hidden_error(call.network, layers, index, context);
        }
        let LayerBuffers {
            z, a, delta, width, ..
        } = &mut layers[index];
        let examples = rows.clone().zip(delta.chunks_exact_mut(*width));
        for (row, (x, out)) in examples.enumerate() {
            let numbers = row * *width..(row + 1) * *width;
            output(call, self.targets, x, (z, a), numbers).root_column(self.column, out);
            let factor = self.targets.factor(x);
            for out in out {
                *out *= factor;
            }
        }
    }
}
