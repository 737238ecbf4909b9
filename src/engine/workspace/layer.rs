//! The buffers of one layer.

use std::ops::Range;

use crate::base::alloc::try_grow_padded;
use crate::base::cache_line;
use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::engine::dropout::Dropout;
use crate::engine::layout::layout;
use crate::engine::workspace::{BufferConfig, Tangents};
use crate::kernels::gemm::{Matrix, Order, cost_per_term, lanes};
use crate::kernels::real::Real;
use crate::model::activation::Activation;
use crate::model::architecture::Architecture;

/// z^l, a^l and δ^l of one layer, in vectors or slices that start at a cache line. Chunks of examples
/// follow each other, each (rows, n_l), or (n_l, rows) in column-major order. Buffers that are not stored
/// are empty.
#[derive(Debug, Default)]
pub struct LayerBuffers<S> {
    /// z^l.
    pub z: S,
    /// a^l.
    pub a: S,
    /// δ^l.
    pub delta: S,
    /// The tangent of a^l: its derivative along a direction.
    pub tangent_a: S,
    /// The tangent of δ^l.
    pub tangent_delta: S,
    /// ∇_a C = δ^(l+1) W^(l+1), where σ'' may not vanish with σ'.
    pub nabla_a: S,
    /// The tangent of σ'(z^l), or its ratio to σ'(z^l) where σ'' vanishes with σ'.
    pub derivative_tangent: S,
    /// m of dropout; empty without dropout.
    pub mask: S,
    /// a^l before dropout; empty without dropout.
    pub a_before_dropout: S,
    /// The memory order of all buffers.
    pub order: Order,
    /// n_l.
    pub width: usize,
    /// The examples of a chunk.
    pub rows: usize,
}

impl<S> LayerBuffers<S> {
    /// Applies `cut` to each buffer.
    pub(super) fn cut<'a, R>(&'a mut self, cut: impl Fn(&'a mut S) -> R) -> LayerBuffers<R> {
        LayerBuffers {
            z: cut(&mut self.z),
            a: cut(&mut self.a),
            delta: cut(&mut self.delta),
            tangent_a: cut(&mut self.tangent_a),
            tangent_delta: cut(&mut self.tangent_delta),
            nabla_a: cut(&mut self.nabla_a),
            derivative_tangent: cut(&mut self.derivative_tangent),
            mask: cut(&mut self.mask),
            a_before_dropout: cut(&mut self.a_before_dropout),
            order: self.order,
            width: self.width,
            rows: self.rows,
        }
    }
}

/// A quantity, or its derivative along a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The quantity itself.
    Primal,
    /// Its derivative along a direction.
    Tangent,
}

impl<T> LayerBuffers<&mut [T]> {
    /// a^l of a chunk.
    pub fn activations(&self) -> Matrix<'_, T> {
        self.activations_of(Part::Primal)
    }

    /// a^l of a chunk, or its tangent.
    pub fn activations_of(&self, part: Part) -> Matrix<'_, T> {
        let numbers = match part {
            Part::Primal => &self.a,
            Part::Tangent => &self.tangent_a,
        };
        Matrix::new(numbers, self.rows, self.width, self.order)
    }

    /// δ^l of a chunk.
    pub fn errors(&self) -> Matrix<'_, T> {
        self.errors_of(Part::Primal)
    }

    /// δ^l of a chunk, or its tangent.
    pub fn errors_of(&self, part: Part) -> Matrix<'_, T> {
        let numbers = match part {
            Part::Primal => &self.delta,
            Part::Tangent => &self.tangent_delta,
        };
        Matrix::new(numbers, self.rows, self.width, self.order)
    }

    /// Keeps the first `rows`; returns the others.
    pub(super) fn split_off(&mut self, rows: usize) -> Self {
        let length = rows * self.width;
        let behind = self.rows - rows;
        self.rows = rows;
        let others = self.cut(|buffer| buffer.split_off_mut(length..).unwrap_or_default());
        Self {
            rows: behind,
            ..others
        }
    }
}

impl<T> LayerBuffers<Vec<T>> {
    /// Allocates what is needed of the layer at `index`, or of a directional derivative of it, for `n` examples
    /// in chunks of `rows`.
    ///
    /// # Errors
    /// Memory runs out.
    pub(super) fn prepare(
        &mut self,
        architecture: &Architecture,
        (index, is_derivative): (usize, bool),
        (n, rows): (usize, usize),
        (config, dropout): (BufferConfig, Option<&Dropout<'_>>),
        cancel: &CancelToken<'_>,
    ) -> Result<()>
    where
        T: Real,
    {
        let layer = &architecture.layers()[index];
        self.width = layer.n_out;
        self.order = if index < config.row_major_layers {
            Order::RowMajor
        } else {
            layout(
                architecture,
                index,
                (rows, lanes::<T>()),
                config.delta,
                cost_per_term::<T>,
            )
        };
        let grow = |buffer: &mut _| {
            let padding = cache_line::numbers::<T>();
            try_grow_padded("workspace", buffer, (n, layer.n_out), padding, cancel)
        };
        grow(&mut self.a)?;
        let needs_z = if is_derivative {
            layer.activation != Activation::Identity
        } else {
            config.all_z || architecture.needs_z(index)
        };
        let drops = dropout.is_some_and(|dropout| dropout.rate(index).is_some());
        let tangent_delta = config.tangents == Tangents::ActivationsAndErrors;
        let derivative_tangent = tangent_delta && !layer.activation.is_piecewise_linear();
        let nabla_a = derivative_tangent && layer.activation.derivative_needs_z();
        let keep = |buffer: &mut Vec<T>, needed: bool| {
            if needed {
                return grow(buffer);
            }
            buffer.clear();
            Ok(())
        };
        keep(&mut self.z, needs_z)?;
        keep(&mut self.delta, config.delta)?;
        keep(&mut self.tangent_a, config.tangents != Tangents::None)?;
        keep(&mut self.tangent_delta, tangent_delta)?;
        keep(&mut self.nabla_a, nabla_a)?;
        keep(&mut self.derivative_tangent, derivative_tangent)?;
        keep(&mut self.mask, drops)?;
        keep(&mut self.a_before_dropout, drops)?;
        Ok(())
    }

    /// a^l of the examples `rows`: those of a chunk, or any range if they are row-major.
    pub fn activations(&self, rows: &Range<usize>) -> Matrix<'_, T> {
        self.rows_of(&self.a, rows)
    }

    /// The same, or its tangent.
    pub fn activations_of(&self, part: Part, rows: &Range<usize>) -> Matrix<'_, T> {
        match part {
            Part::Primal => self.rows_of(&self.a, rows),
            Part::Tangent => self.rows_of(&self.tangent_a, rows),
        }
    }

    /// δ^l of the examples `rows`, or its tangent, likewise.
    pub fn errors_of(&self, part: Part, rows: &Range<usize>) -> Matrix<'_, T> {
        match part {
            Part::Primal => self.rows_of(&self.delta, rows),
            Part::Tangent => self.rows_of(&self.tangent_delta, rows),
        }
    }

    fn rows_of<'b>(&self, buffer: &'b [T], rows: &Range<usize>) -> Matrix<'b, T> {
        let before = cache_line::before(buffer);
        let numbers = &buffer[before + rows.start * self.width..before + rows.end * self.width];
        Matrix::new(numbers, rows.len(), self.width, self.order)
    }

    /// The first `rows`.
    pub fn first(&mut self, rows: usize) -> LayerBuffers<&mut [T]> {
        let length = rows * self.width;
        self.rows = rows;
        self.cut(|buffer| {
            if buffer.is_empty() {
                return <&mut [T]>::default();
            }
            let before = cache_line::before(buffer);
            buffer.get_mut(before..before + length).unwrap_or_default()
        })
    }
}
