//! The buffers of one chunk: z^l, a^l and δ^l. Sized once, reused, never grown while work runs.

use crate::dropout::Dropout;
use crate::error::{Error, Result};
use crate::interrupt::Pulse;
use crate::kernels::product::{Layout, Values, lanes};
use crate::layout::layout;
use crate::network::Network;
use crate::scalar::Real;

/// What a chunk needs beside a^l.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Every z^l, and not only those that σ' or the cost reads.
    pub every_z: bool,
    /// δ^l.
    pub delta: bool,
    /// How many layers, from the first, lie example by example whatever is cheaper: all where users
    /// see them, one where x is sparse, or read where it lies.
    pub by_example: usize,
}

impl Keep {
    /// For the forward pass and the cost.
    pub const ACTIVATIONS: Self = Self {
        every_z: false,
        delta: false,
        by_example: 0,
    };
    /// For backpropagation.
    pub const ERRORS: Self = Self {
        every_z: false,
        delta: true,
        by_example: 0,
    };
    /// For a trace.
    pub const SHOWN_TRACE: Self = Self {
        every_z: true,
        delta: false,
        by_example: usize::MAX,
    };
    /// For the errors alone.
    pub const SHOWN_ERRORS: Self = Self {
        every_z: false,
        delta: true,
        by_example: usize::MAX,
    };
}

/// z^l, a^l and δ^l of one layer, (rows, n_l), or (n_l, rows) where `layout` says so; what is not
/// kept is empty.
#[derive(Debug, Default)]
pub struct Buffers<T> {
    /// z^l.
    pub z: Vec<T>,
    /// a^l.
    pub a: Vec<T>,
    /// δ^l.
    pub delta: Vec<T>,
    /// How they all lie.
    pub layout: Layout,
    /// What a^l is multiplied with, where neurons are dropped.
    pub mask: Vec<T>,
    /// a^l as σ made it, where neurons are dropped from `a`.
    pub whole: Vec<T>,
}

impl<T> Buffers<T> {
    /// The first `length` numbers of a^l.
    pub fn activations(&self, length: usize) -> Values<'_, T> {
        Values::new(&self.a[..length], self.layout)
    }

    /// The first `length` numbers of δ^l.
    pub fn errors(&self, length: usize) -> Values<'_, T> {
        Values::new(&self.delta[..length], self.layout)
    }
}

/// The buffers of a chunk.
#[derive(Debug, Default)]
pub struct Workspace<T> {
    /// One entry a layer of weights.
    pub layers: Vec<Buffers<T>>,
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
        dropout: Option<&Dropout<'_>>,
        pulse: &Pulse<'_>,
    ) -> Result<()> {
        let layers = network.layers();
        self.layers.resize_with(layers.len(), Buffers::default);
        for (index, (buffers, layer)) in self.layers.iter_mut().zip(layers).enumerate() {
            buffers.layout = if index < keep.by_example {
                Layout::Examples
            } else {
                layout(network, index, rows, lanes::<T>(), keep.delta)
            };
            reserve(&mut buffers.a, rows, layer.n_out, pulse)?;
            if keep.every_z || network.needs_z(index) {
                reserve(&mut buffers.z, rows, layer.n_out, pulse)?;
            } else {
                buffers.z.clear();
            }
            if dropout.is_some_and(|dropout| dropout.rate(index).is_some()) {
                reserve(&mut buffers.mask, rows, layer.n_out, pulse)?;
                reserve(&mut buffers.whole, rows, layer.n_out, pulse)?;
            } else {
                buffers.mask.clear();
                buffers.whole.clear();
            }
            if keep.delta {
                reserve(&mut buffers.delta, rows, layer.n_out, pulse)?;
            }
        }
        Ok(())
    }
}

/// [`reserve_for`] what a call works in.
///
/// # Errors
/// The memory cannot be had.
pub fn reserve<T: Real>(
    buffer: &mut Vec<T>,
    rows: usize,
    columns: usize,
    pulse: &Pulse<'_>,
) -> Result<()> {
    reserve_for("workspace", buffer, rows, columns, pulse)
}

/// Makes `buffer` at least rows · columns long; less where `pulse` says stop. `what` names it.
///
/// # Errors
/// The memory cannot be had.
pub fn reserve_for<T: Real>(
    what: &str,
    buffer: &mut Vec<T>,
    rows: usize,
    columns: usize,
    pulse: &Pulse<'_>,
) -> Result<()> {
    /// Few enough to be had from the system and set to 0 within a few milliseconds.
    const STEP: usize = 1 << 20;
    let refuse = || {
        let numbers = match columns {
            1 => format!("{rows} numbers"),
            _ => format!("{rows} x {columns} numbers"),
        };
        Error::memory(what, format_args!("cannot allocate {numbers}"))
    };
    let length = rows.checked_mul(columns).ok_or_else(refuse)?;
    let missing = length.saturating_sub(buffer.len());
    buffer.try_reserve_exact(missing).map_err(|_| refuse())?;
    while buffer.len() < length && !pulse.stopped_after(STEP) {
        buffer.resize(length.min(buffer.len() + STEP), T::ZERO);
    }
    Ok(())
}
