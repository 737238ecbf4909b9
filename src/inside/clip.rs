//! The sum of gradients that are clipped example by example (Abadi et al., *Deep Learning with Differential
//! Privacy*, 2016), without forming them: δ^l of an example is scaled by min(1, c / ‖∂C_x‖).

use std::ops::Range;

use crate::base::cancel::{COMPUTED_PER_POLL, CancelToken, ELEMENT_WORK, cancellable};
use crate::base::error::Result;
use crate::base::random::add_noise;
use crate::base::sum::extended::Extended;
use crate::engine::batch::pass::{Chunk, Pass};
use crate::engine::batch::{Call, Scratch};
use crate::engine::workspace::{BufferConfig, LayerBuffers};
use crate::inside::derivatives::Derivatives;
use crate::inside::example_norms::{groups, norms};
use crate::kernels::elementwise::norms::MAX_ROWS_PER_CALL;
use crate::kernels::elementwise::scale_rows;
use crate::kernels::gemm::Order;
use crate::kernels::real::Real;
use crate::kernels::tuning::squares::MAX_SCALED_ROWS;

/// What is computed of the clipped gradients.
#[derive(Debug, Clone, Copy)]
pub struct ClippedSum {
    /// c.
    pub max_norm: f64,
    /// Whether the examples are only validated, and the sum is 0.
    pub is_empty: bool,
    /// The seed and the standard deviation of the noise that is added to the sum.
    pub noise: Option<(u64, f64)>,
    /// What the sum is divided by: the number of examples if None.
    pub divisor: Option<f64>,
}

/// The divisors that the errors δ include: so far from the limits of float32 that no factor of them loses digits.
const USUAL_DIVISORS: Range<f64> = 1e-6..1e12;

impl<T: Real> Call<'_, T> {
    /// Writes the sum of the clipped gradients, with noise and divided, to `gradient`.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    #[allow(clippy::cast_precision_loss)] // fewer than 2^53 examples
    pub fn clipped(
        &self,
        derivatives: Derivatives<'_, T>,
        sum: ClippedSum,
        scratch: &mut Scratch<T>,
        gradient: &mut [T],
    ) -> Result<()> {
        let divisor = sum.divisor.unwrap_or(self.inputs.len() as f64);
        let is_usual = USUAL_DIVISORS.contains(&divisor);
        let pass = Clipped {
            derivatives,
            max_norm: sum.max_norm,
            unit: if is_usual { 1.0 / divisor } else { 1.0 },
        };
        self.gradient(&pass, scratch, gradient)?;
        cancellable(self.should_cancel, |cancel| {
            if sum.is_empty {
                gradient.fill(T::ZERO);
            }
            if let Some((seed, deviation)) = sum.noise {
                let deviation = deviation * pass.unit;
                let add = |x: &mut T, noise: f64| *x = T::from_f64(x.to_f64() + noise);
                add_noise(seed, deviation, gradient, add, cancel);
            }
            if !is_usual {
                divide(gradient, divisor, cancel);
            }
            Ok(())
        })
    }
}

/// In float64: the divisor may be 0 or infinite in float32.
fn divide<T: Real>(numbers: &mut [T], divisor: f64, cancel: &CancelToken<'_>) {
    for numbers in numbers.chunks_mut(COMPUTED_PER_POLL) {
        for x in &mut *numbers {
            *x = T::from_f64(x.to_f64() / divisor);
        }
        if cancel.poll_after(numbers.len() * ELEMENT_WORK) {
            return;
        }
    }
}

/// Derivatives whose errors are clipped and divided.
struct Clipped<'a, T> {
    derivatives: Derivatives<'a, T>,
    /// c.
    max_norm: f64,
    /// The reciprocal of the divisor.
    unit: f64,
}

impl<T: Real> Clipped<'_, T> {
    /// The factor of the errors of an example whose gradient has this norm. NaN if it is not finite: c / ∞ would
    /// drop the example in silence.
    fn factor(&self, norm: f64) -> f64 {
        let clipped = if norm < f64::INFINITY {
            self.max_norm / norm * self.unit
        } else {
            f64::NAN
        };
        if norm <= self.max_norm {
            self.unit
        } else {
            clipped
        }
    }

    /// The factors of at most [`MAX_ROWS_PER_CALL`] rows. Rows whose factor has lost digits are scaled, and keep 1.
    fn factors(
        &self,
        call: &Call<'_, T>,
        chunk: &mut Chunk<'_, '_, T>,
        rows: &Range<usize>,
        factors: &mut [T],
    ) {
        let (mut of_rows, mut exact) = ([0.0; MAX_ROWS_PER_CALL], [0.0; MAX_ROWS_PER_CALL]);
        let (of_rows, exact) = (&mut of_rows[..rows.len()], &mut exact[..rows.len()]);
        norms(call, chunk, rows, of_rows);
        for (factor, &norm) in exact.iter_mut().zip(&*of_rows) {
            *factor = self.factor(norm);
        }
        for (row, (factor, &exact)) in factors.iter_mut().zip(&*exact).enumerate() {
            if exact >= T::MIN_POSITIVE.to_f64() || exact.is_nan() {
                *factor = T::from_f64(exact);
                continue;
            }
            for layer in chunk.layers.iter_mut() {
                self.scale_row(layer, rows.start + row, of_rows[row]);
            }
        }
    }

    /// Scales the errors of one example. In float64, whose factor has all its digits.
    fn scale_row(&self, layer: &mut LayerBuffers<&mut [T]>, row: usize, norm: f64) {
        let (first, step) = match layer.order {
            Order::RowMajor => (row * layer.width, 1),
            Order::ColumnMajor => (row, layer.rows),
        };
        let errors = layer.delta[first..].iter_mut().step_by(step);
        for error in errors.take(layer.width) {
            *error = T::from_f64(error.to_f64() / norm * self.max_norm * self.unit);
        }
    }
}

impl<T: Real> Pass<T> for Clipped<'_, T> {
    fn config(&self) -> BufferConfig {
        self.derivatives.config()
    }

    fn forward(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, costs: &mut [Extended]) {
        self.derivatives.forward(call, chunk, costs);
    }

    fn error(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, index: usize) {
        self.derivatives.error(call, chunk, index);
    }

    fn has_finish(&self) -> bool {
        true
    }

    fn finish(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>) {
        for rows in groups(0..chunk.rows.len(), MAX_SCALED_ROWS) {
            let mut factors = [T::ONE; MAX_SCALED_ROWS];
            let factors = &mut factors[..rows.len()];
            let few = groups(rows.clone(), MAX_ROWS_PER_CALL);
            for (few, factors) in few.zip(factors.chunks_mut(MAX_ROWS_PER_CALL)) {
                self.factors(call, chunk, &few, factors);
            }
            if factors.iter().any(|&factor| factor != T::ONE) {
                for layer in chunk.layers.iter_mut() {
                    let shape = (layer.rows, layer.order);
                    scale_rows(layer.delta, shape, rows.clone(), factors);
                }
            }
        }
    }
}
