//! The buffers z^l, a^l and δ^l of some examples. Sized once and reused; they never grow while a call runs.

mod layer;

pub use layer::{LayerBuffers, Part};

use crate::base::alloc::try_reserve;
use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::engine::dropout::Dropout;
use crate::kernels::real::Real;
use crate::model::architecture::Architecture;

/// Which tangents are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tangents {
    None,
    /// Those of a^l.
    Activations,
    /// Those of a^l and δ^l, and the errors before σ' where σ'' needs them.
    ActivationsAndErrors,
}

/// Which buffers are stored besides a^l.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferConfig {
    /// Every z^l, not only those that σ' or the cost reads.
    pub all_z: bool,
    /// δ^l.
    pub delta: bool,
    /// Tangents.
    pub tangents: Tangents,
    /// The number of directional derivatives of which z^l, a^l and δ^l are stored too.
    pub derivatives: usize,
    /// The float64 numbers that a chunk has for sums, for each neuron and example. Only for a block of which
    /// moments are computed.
    pub float64_sums: usize,
    /// The number of leading layers that must be row-major: all if users see them, one if x is CSR or
    /// gathered in place.
    pub row_major_layers: usize,
}

impl BufferConfig {
    /// For the forward pass and the cost.
    pub const FORWARD: Self = Self {
        all_z: false,
        delta: false,
        tangents: Tangents::None,
        derivatives: 0,
        float64_sums: 0,
        row_major_layers: 0,
    };
    /// For backpropagation.
    pub const BACKPROP: Self = Self {
        delta: true,
        ..Self::FORWARD
    };
    /// For a trace.
    pub const TRACE: Self = Self {
        all_z: true,
        row_major_layers: usize::MAX,
        ..Self::FORWARD
    };
    /// For a forward pass that is stored.
    pub const STORED: Self = Self {
        row_major_layers: usize::MAX,
        ..Self::FORWARD
    };
    /// For the errors only.
    pub const TRACE_ERRORS: Self = Self {
        delta: true,
        row_major_layers: usize::MAX,
        ..Self::FORWARD
    };
}

/// The buffers of one chunk or several.
#[derive(Debug, Default)]
pub struct Workspace<T: 'static> {
    /// One entry per layer of weights; then the same for each directional derivative.
    pub layers: Vec<LayerBuffers<Vec<T>>>,
    /// The number of layers of weights.
    pub depth: usize,
    /// A reusable list for [`Self::with_chunks`]; empty between calls.
    chunks: Vec<LayerBuffers<&'static mut [T]>>,
}

impl<T: Real> Workspace<T> {
    /// Allocates buffers for `n` examples of `architecture`, in chunks of `rows`. Buffers that are large
    /// enough are reused.
    ///
    /// # Errors
    /// Memory runs out.
    pub fn prepare(
        &mut self,
        architecture: &Architecture,
        (n, rows): (usize, usize),
        config: BufferConfig,
        dropout: Option<&Dropout<'_>>,
        cancel: &CancelToken<'_>,
    ) -> Result<()> {
        let layers = architecture.layers();
        self.depth = layers.len();
        let count = layers.len().saturating_mul(1 + config.derivatives);
        let missing = count.saturating_sub(self.layers.len());
        try_reserve("workspace", &mut self.layers, missing)?;
        self.layers.resize_with(count, LayerBuffers::default);
        let chunks = if n <= rows { 1 } else { n.div_ceil(rows) }; // divisions slow short calls
        try_reserve("workspace", &mut self.chunks, count.saturating_mul(chunks))?;
        for (part, buffers) in self.layers.chunks_mut(layers.len()).enumerate() {
            for (index, buffers) in buffers.iter_mut().enumerate() {
                let (place, config) = ((index, part > 0), (config, dropout));
                buffers.prepare(architecture, place, (n, rows), config, cancel)?;
            }
        }
        Ok(())
    }

    /// The buffers of the layer at `index`, or those of its directional derivative `derivative`.
    pub fn layer(&self, index: usize, derivative: Option<usize>) -> &LayerBuffers<Vec<T>> {
        let part = derivative.map_or(0, |derivative| derivative + 1);
        &self.layers[part * self.depth + index]
    }

    /// Calls `work` with the first `n` examples in chunks of `rows`; the last may have fewer. The layers of
    /// the first chunk come first, then those of the second, and so on.
    pub fn with_chunks<R>(
        &mut self,
        n: usize,
        rows: usize,
        work: impl FnOnce(&mut [LayerBuffers<&mut [T]>]) -> R,
    ) -> R {
        let layers = self.layers.len();
        let mut chunks = reuse_allocation(std::mem::take(&mut self.chunks));
        chunks.extend(self.layers.iter_mut().map(|layer| layer.first(n)));
        let mut remaining = n; // rows of the last chunk
        while remaining > rows {
            remaining -= rows;
            for _ in 0..layers {
                let last = chunks.len() - layers;
                let behind = chunks[last].split_off(rows);
                chunks.push(behind);
            }
        }
        let result = work(&mut chunks);
        self.chunks = reuse_allocation(chunks);
        result
    }
}

/// The memory of an emptied list, for slices of another lifetime: `collect` reuses it in place.
fn reuse_allocation<'b, T>(
    mut list: Vec<LayerBuffers<&mut [T]>>,
) -> Vec<LayerBuffers<&'b mut [T]>> {
    list.clear();
    list.into_iter()
        .map(|_| unreachable!("nothing is left"))
        .collect()
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // exact values that were stored
mod tests {
    use super::*;
    use crate::model::activation::Activation;
    use crate::model::cost::Cost;

    #[test]
    fn chunks_are_contiguous() {
        let hidden = [Activation::Gelu];
        let architecture =
            Architecture::new(&[2, 3, 1], &hidden, Activation::Identity, Cost::Quadratic);
        let architecture = architecture.expect("a network");
        let mut workspace = Workspace::<f64>::default();
        for (n, rows) in [(10, 4), (8, 4), (3, 3), (1, 4)] {
            let shape = (n, rows);
            let prepared = workspace.prepare(
                &architecture,
                shape,
                BufferConfig::BACKPROP,
                None,
                &CancelToken::none(),
            );
            prepared.expect("memory");
            workspace.with_chunks(n, rows, |chunks| {
                assert_eq!(chunks.len(), 2 * n.div_ceil(rows));
                for layer in &chunks[..2] {
                    for first in [layer.a.as_ptr(), layer.delta.as_ptr()] {
                        assert_eq!(first.addr() % 64, 0, "the first chunk begins a line");
                    }
                }
                for (chunk, layers) in (0_u8..).zip(chunks.chunks_mut(2)) {
                    let rows = rows.min(n - usize::from(chunk) * rows);
                    for (layer, width) in layers.iter_mut().zip([3, 1]) {
                        layer.a.fill(f64::from(chunk));
                        assert_eq!(layer.a.len(), rows * width);
                        assert_eq!(layer.delta.len(), rows * width);
                    }
                    // GELU reads z; the identity does not.
                    assert_eq!([layers[0].z.len(), layers[1].z.len()], [rows * 3, 0]);
                    assert!(layers[0].mask.is_empty());
                }
            });
            for layer in &workspace.layers {
                for (x, chunk) in
                    (0..n).map(|x| (x, u32::try_from(x / rows).expect("a small number")))
                {
                    let a = layer.activations(&(x..x + 1)).numbers;
                    assert_eq!(a[0], f64::from(chunk));
                }
            }
            assert!(workspace.chunks.is_empty());
            assert!(
                workspace.chunks.capacity() >= 6,
                "the vector keeps its allocation"
            );
        }
    }
}
