//! Limits on norms: of a gradient, and of a neuron's incoming weights.

use crate::base::alloc::try_reserve;
use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::base::sum::compensated::add_compensated;
use crate::kernels::elementwise::norms::norm;
use crate::kernels::real::Real;
use crate::kernels::tuning::max_norm::BLOCK_WEIGHTS;
use crate::model::architecture::Architecture;

/// The factor that scales a vector of norm `norm` to at most `longest`.
pub fn clip_factor(norm: f64, longest: f64) -> f64 {
    if norm > longest { longest / norm } else { 1.0 }
}

/// Buffers of [`apply_max_norm`].
#[derive(Debug, Default)]
pub struct MaxNormBuffers<T> {
    /// The squared norms of a layer, their rounding errors, and the squared norms of some rows.
    squares: Vec<f64>,
    compensation: Vec<f64>,
    partial: Vec<f64>,
    /// The incoming weights of a neuron.
    column: Vec<T>,
}

impl<T> MaxNormBuffers<T> {
    /// Grows the buffers for the layers of `architecture`.
    ///
    /// # Errors
    /// Memory runs out.
    pub fn reserve(&mut self, architecture: &Architecture) -> Result<()> {
        let Self {
            squares,
            compensation,
            partial,
            column,
        } = self;
        for numbers in [squares, compensation, partial] {
            numbers.clear();
            try_reserve("max_norm", numbers, architecture.widest())?;
        }
        column.clear();
        try_reserve("max_norm", column, architecture.widest())
    }
}

/// Scales each neuron's incoming weights to a norm of at most `longest`, layer by layer.
pub fn apply_max_norm<T: Real>(
    architecture: &Architecture,
    params: &mut [T],
    longest: f64,
    buffers: &mut MaxNormBuffers<T>,
) {
    let MaxNormBuffers {
        squares,
        compensation,
        partial,
        column,
    } = buffers;
    for layer in architecture.layers() {
        let weights = &mut params[layer.weights.clone()];
        for numbers in [&mut *squares, &mut *compensation, &mut *partial] {
            numbers.clear();
            numbers.resize(layer.n_out, 0.0);
        }
        for rows in weights.chunks(BLOCK_WEIGHTS * layer.row_stride) {
            partial.fill(0.0);
            for row in rows.chunks_exact(layer.row_stride) {
                for (square, &w) in partial.iter_mut().zip(row) {
                    *square += w.to_f64() * w.to_f64();
                }
            }
            add_compensated(squares, compensation, partial, &CancelToken::none());
        }
        for (neuron, square) in squares.iter_mut().enumerate() {
            let mut length = square.sqrt();
            if !length.is_finite() {
                column.clear();
                column.extend(weights.iter().skip(neuron).step_by(layer.row_stride));
                length = norm(column);
            }
            *square = clip_factor(length, longest);
        }
        if squares.iter().all(|&clip_factor| clip_factor >= 1.0) {
            continue;
        }
        for row in weights.chunks_exact_mut(layer.row_stride) {
            for (w, &clip_factor) in row.iter_mut().zip(&*squares) {
                *w *= T::from_f64(clip_factor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::activation::Activation;
    use crate::model::cost::Cost;

    #[test]
    fn the_error_of_a_norm_does_not_grow_with_the_number_of_weights() {
        // All additions round in the same direction.
        let n = 1 << 21;
        let architecture =
            Architecture::new(&[1 << 21, 1], &[], Activation::Identity, Cost::Quadratic);
        let architecture = architecture.expect("a good network");
        let mut params = vec![0.1; (1 << 21) + 1];
        apply_max_norm(
            &architecture,
            &mut params,
            1.0,
            &mut MaxNormBuffers::default(),
        );
        let expected = 1.0 / f64::from(n).sqrt();
        assert!((params[0] / expected - 1.0).abs() < 64.0 * f64::EPSILON);
    }

    #[test]
    fn only_neurons_with_longer_weights_change() {
        let architecture = Architecture::new(&[2, 2], &[], Activation::Identity, Cost::Quadratic);
        let architecture = architecture.expect("a good network");
        let mut params = [3.0, 0.3, 4.0, 0.4, 9.0, 9.0]; // neurons: (3, 4), (0.3, 0.4); biases
        apply_max_norm(
            &architecture,
            &mut params,
            1.0,
            &mut MaxNormBuffers::default(),
        );
        for (got, expected) in params.iter().zip([0.6, 0.3, 0.8, 0.4, 9.0, 9.0]) {
            assert!((got - expected).abs() < 1e-15, "{params:?}");
        }
    }
}
