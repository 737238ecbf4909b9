//! The buffers of one chunk: z^l, a^l and δ^l. Sized once, reused, never grown while work runs.

use crate::error::{Error, Result};
use crate::network::Network;
use crate::scalar::Real;

/// Which z^l are kept once a^l is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Those that σ' or the cost reads.
    NeededZ,
    /// All of them.
    EveryZ,
}

/// z^l and a^l of one layer; z is empty where it is not kept.
#[derive(Debug, Default)]
pub struct Activations<T> {
    /// z^l, (rows, n_l).
    pub z: Vec<T>,
    /// a^l, (rows, n_l).
    pub a: Vec<T>,
}

/// The buffers of one thread.
#[derive(Debug, Default)]
pub struct Workspace<T> {
    /// One entry a layer of weights.
    pub layers: Vec<Activations<T>>,
    /// δ^(l+1) and δ^l in turn, each wide enough for the widest layer.
    pub delta: [Vec<T>; 2],
}

impl<T: Real> Workspace<T> {
    /// Makes room for `rows` examples of `network`. Allocates nothing where there is room already.
    ///
    /// # Errors
    /// The memory cannot be had.
    pub fn prepare(&mut self, network: &Network, rows: usize, keep: Keep) -> Result<()> {
        let layers = network.layers();
        self.layers.resize_with(layers.len(), Activations::default);
        for (index, (buffers, layer)) in self.layers.iter_mut().zip(layers).enumerate() {
            reserve(&mut buffers.a, rows, layer.n_out)?;
            if keep == Keep::EveryZ || network.needs_z(index) {
                reserve(&mut buffers.z, rows, layer.n_out)?;
            } else {
                buffers.z.clear();
            }
        }
        let widest = layers.iter().map(|layer| layer.n_out).max().unwrap_or(0);
        self.delta
            .iter_mut()
            .try_for_each(|delta| reserve(delta, rows, widest))
    }
}

/// Makes `buffer` at least rows · columns long.
///
/// # Errors
/// The memory cannot be had.
pub fn reserve<T: Real>(buffer: &mut Vec<T>, rows: usize, columns: usize) -> Result<()> {
    let refuse = || {
        Error::memory(
            "workspace",
            format_args!("cannot allocate {rows} x {columns} numbers"),
        )
    };
    let length = rows.checked_mul(columns).ok_or_else(refuse)?;
    if buffer.len() < length {
        buffer
            .try_reserve_exact(length - buffer.len())
            .map_err(|_| refuse())?;
        buffer.resize(length, T::ZERO);
    }
    Ok(())
}
