//! σ of a layer in Taylor mode, and the way back, on all elements of a chunk.

use std::ops::Range;

use crate::base::cancel::{CancelToken, ELEMENT_WORK};
use crate::engine::workspace::LayerBuffers;
use crate::kernels::elementwise::activations::taylor;
use crate::kernels::real::Real;
use crate::kernels::tuning::taylor::BLOCK_ELEMENTS;
use crate::model::activation::Activation;

/// A layer of a chunk, with its directional derivatives.
pub(super) struct TaylorLayer<'a, 'b, T> {
    pub activation: Activation,
    pub values: &'a mut LayerBuffers<&'b mut [T]>,
    /// The first derivatives of all layers, of which this layer's are those at `index`, `index` + `depth`, ….
    pub firsts: &'a mut [LayerBuffers<&'b mut [T]>],
    /// The second derivatives likewise; empty if only the first are computed.
    pub seconds: &'a mut [LayerBuffers<&'b mut [T]>],
    pub index: usize,
    pub depth: usize,
}

impl<T: Real> TaylorLayer<'_, '_, T> {
    /// Computes ȧ and ä of each direction from ż and z̈.
    pub fn forward(self, cancel: &CancelToken<'_>) {
        let mut buffers = [[T::ZERO; BLOCK_ELEMENTS]; 3];
        for range in blocks(self.values.a.len()) {
            let derivatives =
                activation_derivatives(self.activation, self.values, &range, &mut buffers);
            for at in (self.index..self.firsts.len()).step_by(self.depth) {
                let first = &mut self.firsts[at];
                let (z, a) = (&first.z[range.clone()], &mut first.a[range.clone()]);
                match self.seconds.get_mut(at) {
                    None => taylor::first(derivatives, z, a),
                    Some(second) => {
                        let z = [z, &second.z[range.clone()]];
                        taylor::second(derivatives, z, [a, &mut second.a[range.clone()]]);
                    }
                }
            }
            if cancel.poll_after(self.work(range.len())) {
                return;
            }
        }
    }

    /// Replaces ∂C/∂a, ∂C/∂ȧ and ∂C/∂ä in the buffers of δ by ∂C/∂z, ∂C/∂ż and ∂C/∂z̈.
    pub fn backward(self, cancel: &CancelToken<'_>) {
        let mut buffers = [[T::ZERO; BLOCK_ELEMENTS]; 3];
        for range in blocks(self.values.a.len()) {
            let derivatives =
                activation_derivatives(self.activation, self.values, &range, &mut buffers);
            let value = &mut self.values.delta[range.clone()];
            taylor::value_back(derivatives, value);
            for at in (self.index..self.firsts.len()).step_by(self.depth) {
                let first = &mut self.firsts[at];
                let (z, delta) = (&first.z[range.clone()], &mut first.delta[range.clone()]);
                match self.seconds.get_mut(at) {
                    None => taylor::first_back(derivatives, z, [value, delta]),
                    Some(second) => {
                        let z = [z, &second.z[range.clone()]];
                        let delta = [&mut *value, delta, &mut second.delta[range.clone()]];
                        taylor::second_back(derivatives, z, delta);
                    }
                }
            }
            if cancel.poll_after(self.work(range.len())) {
                return;
            }
        }
    }

    /// The work on `length` elements and their derivatives.
    fn work(&self, length: usize) -> usize {
        let derivatives = (self.firsts.len() + self.seconds.len()) / self.depth;
        length * (ELEMENT_WORK + 8 * derivatives)
    }
}

/// Ranges of at most [`BLOCK_ELEMENTS`] elements.
fn blocks(length: usize) -> impl Iterator<Item = Range<usize>> {
    let starts = (0..length).step_by(BLOCK_ELEMENTS);
    starts.map(move |start| start..length.min(start + BLOCK_ELEMENTS))
}

/// σ', σ'' and σ''' of the elements in `range`, in `buffers`.
fn activation_derivatives<'r, T: Real>(
    activation: Activation,
    values: &LayerBuffers<&mut [T]>,
    range: &Range<usize>,
    buffers: &'r mut [[T; BLOCK_ELEMENTS]; 3],
) -> [&'r [T]; 3] {
    let from: &[T] = if activation.derivative_needs_z() {
        values.z
    } else {
        values.a
    };
    let mut out = buffers.each_mut().map(|buffer| &mut buffer[..range.len()]);
    activation.three_derivatives(&from[range.clone()], out.each_mut().map(|out| &mut **out));
    out.map(|out| &*out)
}
