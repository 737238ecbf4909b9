//! The sum of gradients that are clipped example by example (Abadi et al., *Deep Learning with Differential
//! Privacy*, 2016), without forming them: δ^l of an example is scaled by min(1, c / ‖∂C_x‖).

use crate::base::error::Result;
use crate::engine::batch::pass::{Chunk, Pass};
use crate::engine::batch::{Call, Scratch};
use crate::engine::rows_out::RowsOut;
use crate::engine::workspace::BufferConfig;
use crate::inside::derivatives::Derivatives;
use crate::inside::per_example::{each_norms, joined_norm};
use crate::kernels::real::Real;

/// Derivatives whose errors are clipped.
struct Clipped<'a, T> {
    derivatives: Derivatives<'a, T>,
    /// c.
    max_norm: f64,
    /// ‖∂C_x‖ before clipping, (n,).
    norms: RowsOut<'a, f64>,
}

impl<T: Real> Call<'_, T> {
    /// Writes the sum of the clipped gradients to `gradient`, and ‖∂C_x‖ before clipping to `norms`, (n,).
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn clipped(
        &self,
        derivatives: Derivatives<'_, T>,
        max_norm: f64,
        scratch: &mut Scratch<T>,
        gradient: &mut [T],
        norms: &mut [f64],
    ) -> Result<()> {
        let pass = Clipped {
            derivatives,
            max_norm,
            norms: RowsOut::new(norms, 1, self.plan.rows, &mut scratch.numbers_out)?,
        };
        let outcome = self.gradient(&pass, scratch, gradient);
        pass.norms.give_back(&mut scratch.numbers_out);
        outcome
    }
}

impl<T: Real> Pass<T> for Clipped<'_, T> {
    fn config(&self) -> BufferConfig {
        BufferConfig::TRACE_ERRORS
    }

    fn forward(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, costs: &mut [f64]) {
        self.derivatives.forward(call, chunk, costs);
    }

    fn error(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, index: usize) {
        self.derivatives.error(call, chunk, index);
    }

    fn finishes(&self) -> bool {
        true
    }

    fn finish(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>) {
        let rows = chunk.rows.clone();
        self.norms.write(&rows, |norms| {
            norms.fill(0.0);
            each_norms(call, chunk, |first, _, of_layer| {
                for (norm, of_layer) in norms[first..].iter_mut().zip(of_layer) {
                    *norm = joined_norm(*norm, *of_layer);
                }
            });
            for (row, norm) in norms.iter().enumerate() {
                if *norm <= self.max_norm {
                    continue;
                }
                // A gradient that is not finite makes the sum NaN; max_norm / inf would drop it in silence.
                let factor = if norm.is_finite() {
                    self.max_norm / norm
                } else {
                    f64::NAN
                };
                let loses_digits = factor < T::MIN_POSITIVE.to_f64();
                for layer in chunk.layers.iter_mut() {
                    let numbers = row * layer.width..(row + 1) * layer.width;
                    let errors = layer.delta[numbers].iter_mut();
                    if loses_digits {
                        errors.for_each(|error| {
                            *error = T::from_f64(error.to_f64() / norm * self.max_norm);
                        });
                    } else {
                        let factor = T::from_f64(factor);
                        errors.for_each(|error| *error *= factor);
                    }
                }
            }
        });
    }
}
