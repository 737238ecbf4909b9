//! Products with the Gauss–Newton and the empirical Fisher matrix.
//!
//! Gauss–Newton: Σ_x f_x Jᵀ H J v, with J = ∂z^L/∂(W, b), H the curvature of `C_x` by z^L and `f_x` the factor
//! of the example in C (Schraudolph, 2002). Fisher: Σ_x f_x ∂C_x (∂C_xᵀ v).

use std::ops::Range;

use crate::base::error::Result;
use crate::base::sum::extended::Extended;
use crate::data::Targets;
use crate::engine::backward::{error, hidden_error};
use crate::engine::batch::pass::{Chunk, Pass};
use crate::engine::batch::{Call, Scratch};
use crate::engine::workspace::{BufferConfig, LayerBuffers, Part, Tangents};
use crate::inside::stored::StoredForward;
use crate::inside::tangent::{Direction, forward_with_tangents};
use crate::kernels::real::Real;
use crate::model::network::Network;
use crate::model::output_curvature::{Output, OutputCurvature};

/// A positive semidefinite matrix of second derivatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CurvatureMatrix {
    /// Σ_x f_x Jᵀ H J.
    GaussNewton,
    /// Σ_x f_x ∂C_x ∂C_xᵀ.
    EmpiricalFisher,
}

/// The pass of a product with it.
pub struct CurvatureProduct<'a, T> {
    /// Which of them.
    pub matrix: CurvatureMatrix,
    /// y and the weights.
    pub targets: &'a Targets<'a, T>,
    /// v, in the layout of the parameters.
    pub direction: Network<'a, T>,
    /// The forward pass, if it is known.
    pub stored: Option<StoredForward<'a, T>>,
}

impl<T: Real> Call<'_, T> {
    /// Writes the product to `out`, in the layout of the parameters.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn curvature_product(
        &self,
        product: &CurvatureProduct<'_, T>,
        scratch: &mut Scratch<T>,
        out: &mut [T],
    ) -> Result<()> {
        self.gradient(product, scratch, out)
    }
}

impl<T: Real> Pass<T> for CurvatureProduct<'_, T> {
    fn config(&self) -> BufferConfig {
        BufferConfig {
            tangents: Tangents::Activations,
            row_major_layers: if self.stored.is_some() { usize::MAX } else { 0 },
            ..BufferConfig::BACKPROP
        }
    }

    fn forward(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, _costs: &mut [Extended]) {
        let direction = Direction::of_params(self.direction);
        forward_with_tangents(call, self.stored, direction, chunk);
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
        match self.matrix {
            CurvatureMatrix::GaussNewton => {
                let (layer, curvature) = (&mut layers[index], OutputCurvature::GaussNewton);
                output_product(call, self.targets, rows, layer, curvature, Part::Primal);
            }
            CurvatureMatrix::EmpiricalFisher => {
                let alone = self.targets.of_single_examples();
                error(call.network, &alone, rows.clone(), layers, index, context);
                let LayerBuffers {
                    delta,
                    tangent_a,
                    width,
                    ..
                } = &mut layers[index];
                let examples = delta
                    .chunks_exact_mut(*width)
                    .zip(tangent_a.chunks_exact(*width));
                for (x, (delta, tangent_z)) in rows.clone().zip(examples) {
                    // ∂C_xᵀ v = δ^L · ż^L.
                    let terms = delta.iter().zip(tangent_z);
                    let dot: f64 = terms.map(|(d, t)| d.to_f64() * t.to_f64()).sum();
                    let factor = dot * self.targets.factor(x).to_f64();
                    for delta in delta.iter_mut() {
                        *delta = T::from_f64(delta.to_f64() * factor);
                    }
                }
            }
        }
    }
}

/// Writes the product of the output's curvature with ż^L, times the factor of each example, to δ^L or its
/// tangent.
pub(crate) fn output_product<T: Real>(
    call: &Call<'_, T>,
    targets: &Targets<'_, T>,
    rows: &Range<usize>,
    layer: &mut LayerBuffers<&mut [T]>,
    curvature: OutputCurvature,
    to: Part,
) {
    let LayerBuffers {
        z,
        a,
        delta,
        tangent_a,
        tangent_delta,
        width,
        ..
    } = layer;
    let width = *width;
    let out = match to {
        Part::Primal => delta,
        Part::Tangent => tangent_delta,
    };
    let examples = rows.clone().zip(out.chunks_exact_mut(width));
    for (row, (x, out)) in examples.enumerate() {
        let numbers = row * width..(row + 1) * width;
        let output = output(call, targets, x, (z, a), numbers.clone());
        output.product(curvature, &tangent_a[numbers], out);
        let factor = targets.factor(x);
        for out in out {
            *out *= factor;
        }
    }
}

/// Example x at the output: the given numbers of z^L, if it is stored, and of a^L.
pub(crate) fn output<'a, T: Real>(
    call: &Call<'_, T>,
    targets: &'a Targets<'_, T>,
    x: usize,
    (z, a): (&'a [T], &'a [T]),
    numbers: Range<usize>,
) -> Output<'a, T, impl Fn(usize) -> f64> {
    let architecture = call.network.architecture;
    let target = targets.example(x);
    Output {
        cost: architecture.cost(),
        activation: architecture.output(),
        z: z.get(numbers.clone()).unwrap_or_default(),
        a: &a[numbers],
        y: move |j: usize| target.value(j),
    }
}
