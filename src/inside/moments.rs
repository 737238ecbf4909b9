//! Mean, variance and sum of squares of ∂C_x over the examples, parameter by parameter, without storing ∂C_x.

use crate::base::cancel::{COMPUTED_PER_POLL, CancelToken, ELEMENT_WORK, cancellable};
use crate::base::error::Result;
use crate::engine::batch::{Call, Scratch};
use crate::inside::derivatives::{Derivatives, Seed};
use crate::kernels::moments::number;
use crate::kernels::real::Real;

/// Where the statistics are written, each in the layout of the parameters.
pub struct Statistics<'a, T> {
    /// The mean of ∂C_x.
    pub mean: &'a mut [T],
    /// Its variance, with the divisor n − 1.
    pub variance: &'a mut [T],
    /// The root of the variance, which is in range where the variance is not.
    pub deviation: &'a mut [T],
}

impl<T: Real> Call<'_, T> {
    /// Writes Σ_x (∂C_x/∂p)² of each parameter to `out`.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn squared_gradients(
        &self,
        derivatives: Derivatives<'_, T>,
        scratch: &mut Scratch<T>,
        out: &mut [T],
    ) -> Result<()> {
        let (_, squares) = self.moments(&derivatives, scratch, false)?;
        cancellable(self.should_cancel, |cancel| {
            write(out, squares, T::from_f64, cancel);
            Ok(())
        })
    }

    /// Writes mean and variance of ∂C_x, at least two of them, to `out`. Returns Σ `C_x`; 0 without a cost.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn gradient_statistics(
        &self,
        derivatives: Derivatives<'_, T>,
        scratch: &mut Scratch<T>,
        out: Statistics<'_, T>,
    ) -> Result<f64> {
        let seed = derivatives.seed;
        let (mean, squares) = self.moments(&derivatives, scratch, true)?;
        let divisor = number(self.inputs.len() - 1);
        cancellable(self.should_cancel, |cancel| {
            let variance = |squares: f64| T::from_f64(squares / divisor);
            let deviation = |squares: f64| T::from_f64((squares / divisor).sqrt());
            write(out.mean, mean, T::from_f64, cancel);
            write(out.variance, squares, variance, cancel);
            write(out.deviation, squares, deviation, cancel);
            Ok(())
        })?;
        Ok(match seed {
            Seed::Cost(targets) => self.total(targets, scratch),
            _ => 0.0,
        })
    }
}

/// out ← f(values).
pub(crate) fn write<T: Copy>(
    out: &mut [T],
    values: &[f64],
    f: impl Fn(f64) -> T,
    cancel: &CancelToken<'_>,
) {
    let pieces = out
        .chunks_mut(COMPUTED_PER_POLL)
        .zip(values.chunks(COMPUTED_PER_POLL));
    for (out, values) in pieces {
        for (out, &value) in out.iter_mut().zip(values) {
            *out = f(value);
        }
        if cancel.poll_after(out.len() * ELEMENT_WORK) {
            return;
        }
    }
}
