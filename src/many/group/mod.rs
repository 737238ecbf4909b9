//! Epochs of networks of one architecture, which may do their steps together.

mod divide;
#[cfg(test)]
mod tests;

use std::time::Instant;

use crate::base::alloc::{try_collect, try_reserve};
use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::kernels::real::Real;
use crate::many::epochs::{Epochs, EpochsScratch, Progress};
use crate::many::schedule::Job;
use crate::pool::Team;
use crate::train::lockstep::{self, Lane, LockstepScratch};

pub use divide::{AnyGroup, groups};

/// Networks, each with its index in the list of a call.
pub struct Group<'a, T> {
    /// The indices and the networks. If there are several, they have one architecture, and steps of equally many
    /// examples.
    pub members: Vec<(usize, Epochs<'a, T>)>,
}

/// The buffers of a thread.
#[derive(Debug, Default)]
pub struct GroupScratch<T: 'static> {
    epochs: EpochsScratch<T>,
    lockstep: LockstepScratch<T>,
}

impl<T: Real> Job for Group<'_, T> {
    type Scratch = GroupScratch<T>;

    fn threads(&self, _: usize) -> usize {
        1
    }

    /// Does the epochs of all networks, as [`Epochs::run`] does those of one.
    fn run(
        &mut self,
        scratch: &mut GroupScratch<T>,
        _: &Team,
        cancel: &CancelToken<'_>,
    ) -> Result<()> {
        let mut active = Vec::new();
        try_reserve("nets", &mut active, self.members.len())?;
        active.extend(self.members.iter_mut().map(|(_, epochs)| epochs));
        loop {
            active.retain(|epochs| !epochs.is_done());
            if !is_faster_together(&active) {
                break;
            }
            epoch(&mut active, scratch, cancel)?;
            if cancel.poll_after(0) {
                return Ok(());
            }
        }
        active
            .into_iter()
            .try_for_each(|epochs| epochs.run(&mut scratch.epochs, cancel))
    }
}

fn is_faster_together<T: Real>(active: &[&mut Epochs<'_, T>]) -> bool {
    active.first().is_some_and(|epochs| {
        let n = epochs.settings.batch_size.min(epochs.order.len());
        lockstep::is_faster::<T>(epochs.architecture, n, active.len())
    })
}

/// Does the next epoch of each network. If the call is cancelled, it ends after a whole step of all.
fn epoch<T: Real>(
    active: &mut [&mut Epochs<'_, T>],
    scratch: &mut GroupScratch<T>,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    let (start, networks) = (Instant::now(), active.len());
    let mut progress = try_collect("nets", active.iter().map(|_| Progress::default()))?;
    for epochs in &mut *active {
        epochs.begin(cancel);
    }
    let mut done = 0;
    while done < active[0].steps_per_epoch() && !cancel.poll() {
        let counts = active
            .iter()
            .map(|epochs| epochs.steps_at_once(done, networks));
        let count = counts.min().unwrap_or(1);
        let mut lanes = Vec::new();
        try_reserve("nets", &mut lanes, networks)?;
        lanes.extend(
            active
                .iter_mut()
                .zip(&mut progress)
                .map(|(epochs, progress)| {
                    let (series, params_and_state) = epochs.series(done, count);
                    Lane {
                        series,
                        params_and_state,
                        report: &mut progress.report,
                    }
                }),
        );
        let outcome = lockstep::run(&mut lanes, &mut scratch.lockstep, cancel);
        drop(lanes);
        for (epochs, progress) in active.iter_mut().zip(&mut progress) {
            epochs.count(progress);
        }
        done = progress[0].done;
        if !outcome? {
            // The numbers of one are not finite: each by itself, up to the last step that leaves them finite.
            for (epochs, progress) in active.iter_mut().zip(&mut progress) {
                epochs.do_steps(progress, &mut scratch.epochs, cancel)?;
            }
            break;
        }
    }
    #[allow(clippy::cast_precision_loss)] // below 2^53
    let seconds = start.elapsed().as_secs_f64() / networks as f64;
    for (epochs, progress) in active.iter_mut().zip(&progress) {
        epochs.finish(progress, seconds, &mut scratch.epochs, cancel)?;
    }
    Ok(())
}
