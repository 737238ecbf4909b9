//! Allocates the buffers of a call, and runs a function for each chunk.

use std::ops::Range;

use crate::base::alloc::{grow_workspace, try_reserve};
use crate::base::cancel::{CancelToken, cancellable};
use crate::base::error::Result;
use crate::engine::batch::pass::Chunk;
use crate::engine::batch::scratch::ThreadBuffers;
use crate::engine::batch::{Call, Scratch};
use crate::engine::workspace::{BufferConfig, Workspace};
use crate::kernels::gemm::{self, Context};
use crate::kernels::real::Real;

impl<T: Real> ThreadBuffers<T> {
    /// Calls `work` with buffers for the examples `rows`.
    pub(super) fn with_chunk(
        &mut self,
        rows: Range<usize>,
        cancel: &CancelToken<'_>,
        work: impl FnOnce(&mut Chunk<'_, '_, T>),
    ) {
        let Self {
            workspace,
            pack_buffer,
            ..
        } = self;
        let depth = workspace.depth;
        workspace.with_chunks(rows.len(), rows.len(), |layers| {
            let (layers, derivatives) = layers.split_at_mut(depth);
            let context = Context::new(pack_buffer, cancel);
            work(&mut Chunk {
                rows,
                layers,
                derivatives,
                float64_sums: &mut [],
                context,
            });
        });
    }
}

impl<T: Real> Call<'_, T> {
    /// Calls `work` for every chunk, with its items.
    pub(crate) fn each_chunk<P: Send>(
        &self,
        scratch: &mut Scratch<T>,
        config: BufferConfig,
        chunks: impl Iterator<Item = (usize, P)> + Send,
        work: impl Fn(&mut Chunk<'_, '_, T>, P) + Sync,
    ) -> Result<()> {
        cancellable(self.should_cancel, |cancel| {
            self.prepare_workers(scratch)?;
            self.prepare_chunks(scratch, config, cancel)
        })?;
        let workers = &mut scratch.workers[..self.team.threads()];
        self.team.run(
            workers,
            chunks,
            self.should_cancel,
            |worker, (chunk, items), cancel| {
                worker.with_chunk(self.plan.rows_of(chunk), cancel, |chunk| work(chunk, items));
            },
        )
    }

    /// Creates a worker for every thread, with its pack buffer.
    pub(super) fn prepare_workers(&self, scratch: &mut Scratch<T>) -> Result<()> {
        let threads = self.team.threads();
        if let Some(missing) = threads.checked_sub(scratch.workers.len()) {
            try_reserve("workspace", &mut scratch.workers, missing)?;
            scratch.workers.resize_with(threads, ThreadBuffers::default);
        }
        let layers = self.network.architecture.layers().iter();
        let sizes = layers.map(|layer| (layer.n_in, layer.row_stride));
        let lengths = sizes.map(|size| gemm::pack_buffer::<T>(size, self.inputs.n));
        let pack_buffer = lengths.max().unwrap_or(0);
        let mut workers = scratch.workers[..threads].iter_mut();
        workers.try_for_each(|worker| {
            grow_workspace(
                &mut worker.pack_buffer,
                pack_buffer,
                1,
                &CancelToken::none(),
            )
        })
    }

    /// Allocates the buffers of a chunk in each worker.
    pub(super) fn prepare_chunks(
        &self,
        scratch: &mut Scratch<T>,
        config: BufferConfig,
        cancel: &CancelToken<'_>,
    ) -> Result<()> {
        let rows = self.plan.rows.min(self.inputs.n);
        let mut workers = scratch.workers[..self.team.threads()].iter_mut();
        workers.try_for_each(|worker| self.prepare(&mut worker.workspace, rows, config, cancel))
    }

    /// Allocates the buffers for chunks of `n` examples.
    pub(super) fn prepare(
        &self,
        workspace: &mut Workspace<T>,
        n: usize,
        config: BufferConfig,
        cancel: &CancelToken<'_>,
    ) -> Result<()> {
        let rows = self.plan.rows.min(self.inputs.n);
        let config = BufferConfig {
            row_major_layers: config
                .row_major_layers
                .max(usize::from(self.inputs.needs_row_major())),
            ..config
        };
        let dropout = self.dropout.as_ref();
        workspace.prepare(
            self.network.architecture,
            (n, rows),
            config,
            dropout,
            cancel,
        )
    }
}
