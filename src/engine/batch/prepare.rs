//! Allocates the buffers of a call, and runs a function for each chunk.

use std::ops::Range;

use crate::base::alloc::{grow_workspace, try_reserve};
use crate::base::cancel::{CancelToken, cancellable};
use crate::base::error::Result;
use crate::engine::batch::{Call, Scratch, ThreadBuffers};
use crate::engine::workspace::{BufferConfig, LayerBuffers, Workspace};
use crate::kernels::gemm::{self, Context};
use crate::kernels::real::Real;

impl<T: Real> Call<'_, T> {
    /// Calls `work` for every chunk, with its rows, its buffers, its items and the context of a product.
    pub(super) fn each_chunk<P: Send>(
        &self,
        scratch: &mut Scratch<T>,
        config: BufferConfig,
        chunks: impl Iterator<Item = (usize, P)> + Send,
        work: impl Fn(Range<usize>, &mut [LayerBuffers<&mut [T]>], P, &mut Context<'_, T>) + Sync,
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
            |worker, (chunk, slice), cancel| {
                let ThreadBuffers {
                    workspace,
                    pack_buffer,
                    ..
                } = worker;
                let rows = self.plan.rows_of(chunk);
                workspace.with_chunks(rows.len(), rows.len(), |buffers| {
                    let context = &mut Context::new(pack_buffer, cancel);
                    work(rows, buffers, slice, context);
                });
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
        let weights = self
            .network
            .architecture
            .layers()
            .iter()
            .map(|layer| layer.weights.len());
        let pack_buffer = gemm::pack_buffer::<T>(weights.max().unwrap_or(0));
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
