//! What a chunk computes before its gradient is summed: a forward pass, and the factors of BP3 and BP4.

use std::ops::Range;

use crate::base::sum::extended::Extended;
use crate::data::{Inputs, Targets};
use crate::engine::backward::error;
use crate::engine::batch::Call;
use crate::engine::workspace::{BufferConfig, LayerBuffers, Part};
use crate::kernels::gemm::Context;
use crate::kernels::real::Real;

/// Some examples of a batch, and what one thread computes them with.
pub(crate) struct Chunk<'a, 'b, T> {
    /// The examples.
    pub rows: Range<usize>,
    /// One entry per layer of weights.
    pub layers: &'a mut [LayerBuffers<&'b mut [T]>],
    /// The directional derivatives one after the other, each with one entry per layer of weights.
    pub derivatives: &'a mut [LayerBuffers<&'b mut [T]>],
    /// At least [`BufferConfig::float64_sums`] numbers for each neuron and example.
    pub float64_sums: &'a mut [f64],
    pub context: Context<'a, T>,
}

/// The factors of a BP4: δ^l and a^(l−1), or their tangents.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Factors {
    pub delta: Part,
    pub a: Part,
    /// Of which directional derivative; None for the quantities themselves.
    pub derivative: Option<usize>,
}

impl Factors {
    /// (δ^l)ᵀ a^(l−1).
    pub const GRADIENT: &'static [Self] = &[Self::new(Part::Primal, Part::Primal)];

    /// Of the quantities themselves.
    pub const fn new(delta: Part, a: Part) -> Self {
        Self {
            delta,
            a,
            derivative: None,
        }
    }

    /// The same of a directional derivative.
    pub const fn of_derivative(derivative: usize) -> Self {
        Self {
            derivative: Some(derivative),
            ..Self::new(Part::Primal, Part::Primal)
        }
    }

    /// The buffers of these factors among those of the layer at `index`.
    pub fn buffers<'b, S>(
        &self,
        layers: &'b [LayerBuffers<S>],
        derivatives: &'b [LayerBuffers<S>],
        index: usize,
    ) -> &'b LayerBuffers<S> {
        match self.derivative {
            None => &layers[index],
            Some(derivative) => &derivatives[derivative * layers.len() + index],
        }
    }

    /// The factor a of the first layer for the examples `rows`: `x`, which has those, or a derivative of x by
    /// `pass`; None if that is 0.
    pub fn first_input<'b, T: Real>(
        &self,
        pass: Option<&'b dyn Pass<T>>,
        x: Inputs<'b, T>,
        rows: &Range<usize>,
    ) -> Option<Inputs<'b, T>> {
        if self.a == Part::Primal && self.derivative.is_none() {
            return Some(x);
        }
        Some(pass?.derivative_of_x(self)?.row_range(rows))
    }
}

/// A forward and a backward pass, chunk by chunk. What it computes for an example depends on that example
/// alone, so that no division into chunks affects it.
pub(crate) trait Pass<T: Real>: Sync {
    /// The buffers it uses.
    fn config(&self) -> BufferConfig {
        BufferConfig::BACKPROP
    }

    /// The forward pass, and the costs of the cost groups, if it has any.
    fn forward(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, costs: &mut [Extended]);

    /// δ^l of the layer at `index`, given those of the layers above.
    fn error(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, index: usize);

    /// Whether [`Self::finish`] has something to do, so that the gradient has to wait for it.
    fn has_finish(&self) -> bool {
        false
    }

    /// What follows when the errors of all layers are known.
    fn finish(&self, _call: &Call<'_, T>, _chunk: &mut Chunk<'_, '_, T>) {}

    /// The products whose sum is the gradient of the weights; the δ of the first gives that of the biases.
    fn products(&self) -> &[Factors] {
        Factors::GRADIENT
    }

    /// The tangent or directional derivative of x that is the factor a of the first layer in `products`; None
    /// if it is 0.
    fn derivative_of_x(&self, _factors: &Factors) -> Option<Inputs<'_, T>> {
        None
    }
}

/// Looks at each chunk once its activations and errors are known, on the thread that has computed them.
pub(crate) trait Observer<T: Real>: Sync {
    fn observe(&self, call: &Call<'_, T>, targets: &Targets<'_, T>, chunk: &Chunk<'_, '_, T>);
}

/// Backpropagation of a cost: BP1 and BP2.
pub(crate) struct Backprop<'a, T> {
    pub targets: &'a Targets<'a, T>,
    /// Whether the buffers hold the forward pass already.
    pub forward_is_known: bool,
    pub observer: Option<&'a dyn Observer<T>>,
}

impl<'a, T> Backprop<'a, T> {
    pub fn new(targets: &'a Targets<'a, T>) -> Self {
        Self {
            targets,
            forward_is_known: false,
            observer: None,
        }
    }
}

impl<T: Real> Pass<T> for Backprop<'_, T> {
    fn forward(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, costs: &mut [Extended]) {
        if self.forward_is_known {
            call.group_costs(self.targets, chunk, costs);
        } else {
            call.forward_and_group_costs(self.targets, chunk, costs);
        }
    }

    fn error(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, index: usize) {
        let rows = chunk.rows.clone();
        error(
            call.network,
            self.targets,
            rows,
            chunk.layers,
            index,
            &mut chunk.context,
        );
    }

    fn has_finish(&self) -> bool {
        self.observer.is_some()
    }

    fn finish(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>) {
        if let Some(observer) = self.observer {
            observer.observe(call, self.targets, chunk);
        }
    }
}
