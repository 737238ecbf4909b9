//! A network: an architecture and its parameters.

use crate::kernels::gemm::Matrix;
use crate::kernels::real::Real;
use crate::model::architecture::Architecture;

/// An architecture, and the flat vector of its parameters.
#[derive(Debug, Clone, Copy)]
pub struct Network<'a, T> {
    /// Sizes, activations and cost.
    pub architecture: &'a Architecture,
    /// For each layer (W^l)ᵀ, then b^l.
    pub params: &'a [T],
}

impl<'a, T: Real> Network<'a, T> {
    /// A network with these parameters.
    ///
    /// # Panics
    /// `params` does not have the length of the architecture's flat vector.
    pub fn new(architecture: &'a Architecture, params: &'a [T]) -> Self {
        assert_eq!(
            params.len(),
            architecture.params_len(),
            "the length of params"
        );
        Self {
            architecture,
            params,
        }
    }

    /// (W^l)ᵀ of the layer at `index`, (n_(l−1), n_l); its rows must be contiguous.
    pub(crate) fn weights(self, index: usize) -> Matrix<'a, T> {
        let layer = &self.architecture.layers()[index];
        Matrix::by_rows(
            &self.params[layer.weights.clone()],
            layer.n_in,
            layer.row_stride,
        )
    }

    /// b^l of the layer at `index`; empty if it has none.
    pub(crate) fn biases(self, index: usize) -> &'a [T] {
        &self.params[self.architecture.layers()[index].biases.clone()]
    }
}
