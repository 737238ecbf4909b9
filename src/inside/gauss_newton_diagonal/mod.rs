//! The diagonal of the Gauss–Newton matrix Σ_x f_x Jᵀ H J: Σ_c Σ_x (√f_x Jᵀ S_c)², with S_c the columns of the
//! root S of H = S Sᵀ, and squares element by element.
//!
//! Each S_c is an error δ_c^L of the output, from which BP2 computes δ_c^l. As (√f_x Jᵀ S_c)² of w^l_jk is
//! (δ_cj^l a_k^(l−1))², the diagonal is Σ_x (r_j^l a_k^(l−1))² with r^l = √Σ_c (δ_c^l)²: one sum of squares over
//! the examples, whatever the number of columns.

mod squares;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::base::cancel::cancellable;
use crate::base::error::Result;
use crate::base::sum::extended::Extended;
use crate::data::Targets;
use crate::engine::backward::hidden_error;
use crate::engine::batch::pass::{Chunk, Pass};
use crate::engine::batch::{Call, Scratch};
use crate::engine::workspace::{BufferConfig, LayerBuffers};
use crate::inside::gauss_newton::output;
use crate::inside::gauss_newton_diagonal::squares::{
    Extremes, Scale, add_squares, power_of_two, write_roots,
};
use crate::inside::moments::write;
use crate::inside::stored::{self, StoredForward};
use crate::kernels::real::Real;

/// The pass that computes r^l, in place of δ^l.
struct RootPass<'a, T> {
    /// y, and √f_x as factors.
    targets: &'a Targets<'a, T>,
    stored: Option<StoredForward<'a, T>>,
    /// A factor of r^l, a power of two.
    unit: f64,
    /// Whether an r^l is infinite.
    overflows: AtomicBool,
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
        let mut pass = RootPass {
            targets,
            stored,
            unit: 1.0,
            overflows: AtomicBool::new(false),
        };
        self.diagonal_of(&pass, scratch, out)?;
        if pass.overflows.load(Relaxed) {
            // r^l is at most √n_L times as large as the largest |δ_c^l|, and r^l a^(l−1) may be in range.
            let exponent = self.network.architecture.n_outputs().ilog2() / 2 + 1;
            pass.unit = power_of_two(-i64::from(exponent));
            self.diagonal_of(&pass, scratch, out)?;
        }
        Ok(())
    }

    fn diagonal_of(
        &self,
        pass: &RootPass<'_, T>,
        scratch: &mut Scratch<T>,
        out: &mut [T],
    ) -> Result<()> {
        let (_, squares) = self.moments(pass, scratch, false)?;
        let value = |square: f64| T::from_f64(square / pass.unit / pass.unit);
        cancellable(self.should_cancel, |cancel| {
            write(out, squares, value, cancel);
            Ok(())
        })
    }
}

impl<T: Real> RootPass<'_, T> {
    /// δ_c^L of a chunk.
    fn output_error(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, column: usize) {
        let (rows, Some(layer)) = (chunk.rows.clone(), chunk.layers.last_mut()) else {
            return;
        };
        let LayerBuffers {
            z, a, delta, width, ..
        } = layer;
        let examples = rows.zip(delta.chunks_exact_mut(*width));
        for (row, (x, out)) in examples.enumerate() {
            let numbers = row * *width..(row + 1) * *width;
            output(call, self.targets, x, (z, a), numbers).root_column(column, out);
            let factor = self.targets.factor(x);
            for out in out {
                *out *= factor;
            }
        }
    }

    /// Writes Σ_c (δ_c^l)² of all layers at `scale` to `sums`, one layer after the other.
    fn sum_squares(
        &self,
        call: &Call<'_, T>,
        chunk: &mut Chunk<'_, '_, T>,
        scale: Scale,
        sums: &mut [f64],
    ) -> Extremes {
        sums.fill(0.0);
        let mut found = Extremes::default();
        for column in 0..call.network.architecture.n_outputs() {
            let mut end = sums.len();
            for index in (0..chunk.layers.len()).rev() {
                if index + 1 == chunk.layers.len() {
                    self.output_error(call, chunk, column);
                } else {
                    hidden_error(call.network, chunk.layers, index, &mut chunk.context);
                }
                let delta = &chunk.layers[index].delta;
                let start = end - delta.len();
                found = found | add_squares(delta, scale, &mut sums[start..end]);
                if chunk.context.cancel.poll_after(delta.len()) {
                    return Extremes::default();
                }
                end = start;
            }
        }
        found
    }
}

impl<T: Real> Pass<T> for RootPass<'_, T> {
    fn config(&self) -> BufferConfig {
        BufferConfig {
            float64_sums: 2,
            ..BufferConfig::TRACE_ERRORS
        }
    }

    fn forward(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, _costs: &mut [Extended]) {
        stored::forward(call, self.stored, chunk);
    }

    /// r^l in place of δ^l. The first call, for l = L, computes those of all layers.
    fn error(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, index: usize) {
        let float64_sums = std::mem::take(&mut chunk.float64_sums);
        let numbers = chunk.rows.len() * call.network.architecture.n_neurons();
        let (sums, roots) = float64_sums[..2 * numbers].split_at_mut(numbers);
        if index + 1 == chunk.layers.len() {
            let found = self.sum_squares(call, chunk, Scale::One, sums);
            write_roots(sums, Scale::One, self.unit, roots);
            for (needed, scale) in [(found.small, Scale::Up), (found.large, Scale::Down)] {
                if needed {
                    self.sum_squares(call, chunk, scale, sums);
                    write_roots(sums, scale, self.unit, roots);
                }
            }
        }
        let before = chunk.layers[..index].iter().map(|layer| layer.delta.len());
        let start = before.sum::<usize>();
        let delta = &mut chunk.layers[index].delta;
        for (delta, &root) in delta.iter_mut().zip(&roots[start..]) {
            *delta = T::from_f64(root);
            if delta.to_f64() == f64::INFINITY {
                self.overflows.store(true, Relaxed);
            }
        }
        chunk.float64_sums = float64_sums;
    }
}
