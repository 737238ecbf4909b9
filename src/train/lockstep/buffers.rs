//! The buffers of steps in lanes.

use std::ops::Range;

use crate::base::alloc::{try_grow, try_grow_padded, try_reserve};
use crate::base::cache_line;
use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::engine::optimizer::MAX_STATES;
use crate::kernels::interleaved::networks;
use crate::kernels::real::Real;
use crate::model::architecture::Architecture;
use crate::train::gather::TargetBuffers;

/// Buffers that are reused by later series.
#[derive(Debug, Default)]
pub struct LockstepScratch<T> {
    /// x, the parameters and their gradient, interleaved.
    pub(super) x: Lines<T>,
    pub(super) params: Lines<T>,
    pub(super) gradient: Lines<T>,
    pub(super) layers: Vec<LayerLanes<T>>,
    pub(super) network: NetworkBuffers<T>,
    /// The parameters and state of each network from before the series.
    pub(super) before: Vec<Vec<T>>,
}

/// z^l (if it is read after a^l), a^l and δ^l, interleaved, (n, n_l).
#[derive(Debug, Default)]
pub(super) struct LayerLanes<T> {
    pub z: Lines<T>,
    pub a: Lines<T>,
    pub delta: Lines<T>,
}

/// Whole cache lines, each with an element of every network.
#[derive(Debug, Default)]
pub(super) struct Lines<T>(Vec<T>);

impl<T: Real> Lines<T> {
    /// Grows to at least rows · columns lines.
    fn grow(&mut self, rows: usize, columns: usize) -> Result<()> {
        let (line, cancel) = (networks::<T>(), &CancelToken::none());
        let rows = rows.saturating_mul(line);
        try_grow_padded("workspace", &mut self.0, (rows, columns), line, cancel)
    }

    /// The lines in `range`.
    pub fn get(&self, range: Range<usize>) -> &[T] {
        let (first, line) = (cache_line::before(&self.0), networks::<T>());
        &self.0[first + range.start * line..first + range.end * line]
    }

    /// The same, mutable.
    pub fn get_mut(&mut self, range: Range<usize>) -> &mut [T] {
        let (first, line) = (cache_line::before(&self.0), networks::<T>());
        &mut self.0[first + range.start * line..first + range.end * line]
    }
}

/// Of one network: its targets, z^L, a^L, δ^L and gradient.
#[derive(Debug, Default)]
pub(super) struct NetworkBuffers<T> {
    pub targets: TargetBuffers<T>,
    pub z: Vec<T>,
    pub a: Vec<T>,
    pub delta: Vec<T>,
    pub gradient: Vec<T>,
}

impl<T: Real> LockstepScratch<T> {
    /// Allocates all buffers, for `n` examples and some networks.
    pub(super) fn prepare(
        &mut self,
        architecture: &Architecture,
        n: usize,
        networks: usize,
    ) -> Result<()> {
        let length = architecture.n_params();
        let layers = architecture.layers();
        self.x.grow(n, architecture.n_inputs())?;
        self.params.grow(length, 1)?;
        self.gradient.grow(length, 1)?;
        try_reserve("workspace", &mut self.layers, layers.len())?;
        self.layers.resize_with(layers.len(), LayerLanes::default);
        for (index, (buffers, layer)) in self.layers.iter_mut().zip(layers).enumerate() {
            buffers.a.grow(n, layer.n_out)?;
            buffers.delta.grow(n, layer.n_out)?;
            if architecture.needs_z(index) {
                buffers.z.grow(n, layer.n_out)?;
            }
        }
        let grow = |buffer: &mut Vec<T>, rows, columns| {
            try_grow("workspace", buffer, rows, columns, &CancelToken::none())
        };
        let network = &mut self.network;
        for buffer in [&mut network.z, &mut network.a, &mut network.delta] {
            grow(buffer, n, architecture.n_outputs())?;
        }
        grow(&mut network.gradient, length, 1)?;
        try_reserve("workspace", &mut self.before, networks)?;
        self.before.resize_with(networks, Vec::new);
        for before in &mut self.before {
            grow(before, 1 + MAX_STATES, length)?;
        }
        Ok(())
    }
}
