//! Derivatives of a function of the outputs by the parameters and by x: the vector-Jacobian product.
//!
//! δ^L = v ⊙ σ'(z^L) for v = ∂C/∂a^L, and BP2 to BP4 from there; ∂C/∂x = δ^2 W^2.

use crate::base::error::Result;
use crate::base::sum::extended::Extended;
use crate::data::Targets;
use crate::engine::backward::{error, hidden_error};
use crate::engine::batch::pass::{Chunk, Pass};
use crate::engine::batch::{Call, Scratch};
use crate::engine::rows_out::RowsOut;
use crate::engine::workspace::{BufferConfig, LayerBuffers};
use crate::inside::stored::{self, StoredForward};
use crate::kernels::gemm::{self, MatrixMut};
use crate::kernels::real::Real;

/// Where the errors of a backward pass begin.
#[derive(Clone, Copy)]
pub enum Seed<'a, T> {
    /// The cost of the network.
    Cost(&'a Targets<'a, T>),
    /// ∂C/∂a^L, (n, n_L).
    Output(&'a [T]),
    /// ∂C/∂z^L = δ^L, (n, n_L).
    WeightedInput(&'a [T]),
}

/// What to differentiate.
#[derive(Clone, Copy)]
pub struct Derivatives<'a, T> {
    /// Where the errors begin.
    pub seed: Seed<'a, T>,
    /// The forward pass, if it is known.
    pub stored: Option<StoredForward<'a, T>>,
}

impl<T: Real> Call<'_, T> {
    /// Writes the derivatives by the parameters, summed over the batch, to `gradient`, and those by x, (n,
    /// n_1), to `dx`, each if given.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn derivatives(
        &self,
        derivatives: Derivatives<'_, T>,
        scratch: &mut Scratch<T>,
        gradient: Option<&mut [T]>,
        dx: Option<&mut [T]>,
    ) -> Result<()> {
        let Some(dx) = dx else {
            return self.derivatives_of(&derivatives, scratch, gradient);
        };
        let width = self.network.architecture.n_inputs();
        let dx = RowsOut::new(dx, width, self.plan.rows, &mut scratch.rows_out)?;
        let pass = WithInputs { derivatives, dx };
        let outcome = self.derivatives_of(&pass, scratch, gradient);
        pass.dx.give_back(&mut scratch.rows_out);
        outcome
    }

    /// Backpropagation from a forward pass that is known: writes the gradient of the cost to `gradient`.
    /// Returns C.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn backprop_stored(
        &self,
        targets: &Targets<'_, T>,
        stored: StoredForward<'_, T>,
        scratch: &mut Scratch<T>,
        gradient: &mut [T],
    ) -> Result<f64> {
        let derivatives = Derivatives {
            seed: Seed::Cost(targets),
            stored: Some(stored),
        };
        self.gradient(&derivatives, scratch, gradient)?;
        Ok(self.total(targets, scratch))
    }

    fn derivatives_of(
        &self,
        pass: &dyn Pass<T>,
        scratch: &mut Scratch<T>,
        gradient: Option<&mut [T]>,
    ) -> Result<()> {
        if let Some(gradient) = gradient {
            return self.gradient(pass, scratch, gradient);
        }
        let chunks = (0..self.plan.chunks).map(|chunk| (chunk, ()));
        self.each_chunk(scratch, pass.config(), chunks, |chunk, ()| {
            self.errors_chunk(pass, chunk, &mut []);
        })
    }
}

impl<T: Real> Pass<T> for Derivatives<'_, T> {
    fn config(&self) -> BufferConfig {
        match self.stored {
            Some(_) => BufferConfig::TRACE_ERRORS,
            None => BufferConfig::BACKPROP,
        }
    }

    fn forward(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, costs: &mut [Extended]) {
        stored::forward(call, self.stored, chunk);
        if let Seed::Cost(targets) = self.seed
            && !costs.is_empty()
        {
            call.group_costs(targets, chunk, costs);
        }
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
        let (v, at_z) = match self.seed {
            Seed::Cost(targets) => {
                return error(call.network, targets, rows.clone(), layers, index, context);
            }
            Seed::Output(v) => (v, false),
            Seed::WeightedInput(v) => (v, true),
        };
        let LayerBuffers {
            z, a, delta, width, ..
        } = &mut layers[index];
        delta.copy_from_slice(&v[rows.start * *width..rows.end * *width]);
        if !at_z {
            let activation = call.network.architecture.output();
            activation.vjp(delta, a, z, *width, context.cancel);
        }
    }
}

/// A pass that also writes ∂C/∂x.
struct WithInputs<'a, T> {
    derivatives: Derivatives<'a, T>,
    /// ∂C/∂x, (n, n_1).
    dx: RowsOut<'a, T>,
}

impl<T: Real> Pass<T> for WithInputs<'_, T> {
    fn config(&self) -> BufferConfig {
        self.derivatives.config()
    }

    fn forward(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, costs: &mut [Extended]) {
        self.derivatives.forward(call, chunk, costs);
    }

    fn error(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, index: usize) {
        self.derivatives.error(call, chunk, index);
        if index > 0 {
            return;
        }
        let delta = chunk.layers[0].errors();
        let (weights, width) = (
            call.network.weights(0),
            call.network.architecture.n_inputs(),
        );
        self.dx.write(&chunk.rows, |dx| {
            let dx = MatrixMut::by_rows(dx, chunk.rows.len(), width);
            gemm::errors(delta, weights, dx, &mut chunk.context);
        });
    }
}
