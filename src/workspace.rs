//! The buffers of one chunk: z^l, a^l and δ^l. Sized once, reused, never grown while work runs.

use crate::error::{Error, Result};
use crate::interrupt::Pulse;
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
    pub fn prepare(
        &mut self,
        network: &Network,
        rows: usize,
        keep: Keep,
        pulse: &Pulse<'_>,
    ) -> Result<()> {
        let layers = network.layers();
        self.layers.resize_with(layers.len(), Activations::default);
        for (index, (buffers, layer)) in self.layers.iter_mut().zip(layers).enumerate() {
            reserve(&mut buffers.a, rows, layer.n_out, pulse)?;
            if keep == Keep::EveryZ || network.needs_z(index) {
                reserve(&mut buffers.z, rows, layer.n_out, pulse)?;
            } else {
                buffers.z.clear();
            }
        }
        let widest = layers.iter().map(|layer| layer.n_out).max().unwrap_or(0);
        self.delta
            .iter_mut()
            .try_for_each(|delta| reserve(delta, rows, widest, pulse))
    }
}

/// Makes `buffer` at least rows · columns long; less where `pulse` says stop.
///
/// # Errors
/// The memory cannot be had.
pub fn reserve<T: Real>(
    buffer: &mut Vec<T>,
    rows: usize,
    columns: usize,
    pulse: &Pulse<'_>,
) -> Result<()> {
    /// Few enough to be had from the system and set to 0 within a few milliseconds.
    const STEP: usize = 1 << 20;
    let refuse = || {
        Error::memory(
            "workspace",
            format_args!("cannot allocate {rows} x {columns} numbers"),
        )
    };
    let length = rows.checked_mul(columns).ok_or_else(refuse)?;
    let missing = length.saturating_sub(buffer.len());
    buffer.try_reserve_exact(missing).map_err(|_| refuse())?;
    while buffer.len() < length && !pulse.stopped_after(STEP) {
        buffer.resize(length.min(buffer.len() + STEP), T::ZERO);
    }
    Ok(())
}

/// The weights from which a product packs blocks of megabytes.
pub const PACKED: usize = 1 << 14;

/// Makes sure that the products of `threads` threads find room for their packed blocks: the crate
/// that multiplies allocates these itself, and ends the process where it cannot. Products with
/// fewer than [`PACKED`] weights need none to speak of.
///
/// # Errors
/// The memory cannot be had.
pub fn reserve_packing(threads: usize) -> Result<()> {
    /// What a product packs at the most, with room for what the allocator adds, in bytes.
    const BYTES: usize = 1 << 23;
    let bytes = threads.saturating_mul(BYTES);
    let mut room: Vec<u8> = Vec::new();
    room.try_reserve_exact(bytes)
        .map_err(|_| Error::memory("workspace", "cannot allocate the blocks of a product"))?;
    // Without a look at it, the compiler leaves the allocation out.
    std::hint::black_box(&room);
    Ok(())
}
