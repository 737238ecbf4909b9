//! Sums of squares: Σ_x (∂C_x/∂p)² for each parameter p, without forming ∂C_x.
//!
//! As ∂C_x/∂w_jk = δ_j a_k, it is (δ²)ᵀ a² for the weights of a layer and Σ_x δ² for its biases.

use crate::base::error::Result;
use crate::data::Inputs;
use crate::engine::batch::pass::{Chunk, Factors, Pass};
use crate::engine::batch::{Call, Scratch};
use crate::engine::workspace::{BufferConfig, Part, Tangents};
use crate::inside::derivatives::Derivatives;
use crate::kernels::real::Real;

/// The pass of the sums of squares.
struct Squares<'a, T> {
    derivatives: Derivatives<'a, T>,
    /// x², of the shape of x.
    squared_x: Inputs<'a, T>,
}

impl<T: Real> Call<'_, T> {
    /// Writes Σ_x (∂C_x/∂p)² of each parameter to `out`. `squared_x`: the squares of x.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn squared_gradients(
        &self,
        derivatives: Derivatives<'_, T>,
        squared_x: Inputs<'_, T>,
        scratch: &mut Scratch<T>,
        out: &mut [T],
    ) -> Result<()> {
        let pass = &Squares {
            derivatives,
            squared_x,
        };
        self.gradient(pass, scratch, out)
    }
}

impl<T: Real> Pass<T> for Squares<'_, T> {
    fn config(&self) -> BufferConfig {
        BufferConfig {
            tangents: Tangents::ActivationsAndErrors,
            ..self.derivatives.config()
        }
    }

    fn forward(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, costs: &mut [f64]) {
        self.derivatives.forward(call, chunk, costs);
        for layer in chunk.layers.iter_mut() {
            square(layer.tangent_a, layer.a);
        }
    }

    fn error(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, index: usize) {
        self.derivatives.error(call, chunk, index);
        let layer = &mut chunk.layers[index];
        square(layer.tangent_delta, layer.delta);
    }

    fn products(&self) -> &[Factors] {
        const { &[Factors::new(Part::Tangent, Part::Tangent)] }
    }

    fn derivative_of_x(&self, _factors: &Factors) -> Option<Inputs<'_, T>> {
        Some(self.squared_x)
    }
}

/// out ← values².
fn square<T: Real>(out: &mut [T], values: &[T]) {
    for (out, &value) in out.iter_mut().zip(values) {
        *out = value * value;
    }
}
