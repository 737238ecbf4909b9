//! The jobs of a call, one for each network, and the threads that run them.

use std::mem::{forget, take};

use crate::base::alloc::try_collect;
use crate::base::cancel::{CancelToken, ShouldCancel, cancellable};
use crate::base::error::Result;
use crate::pool::Team;

/// What a call does for one network.
pub trait Job: Send {
    /// The buffers of a thread, which does one job after another.
    type Scratch: Default + Send;

    /// The number of threads that are worth using for this job alone, at most `allowed`.
    fn threads(&self, allowed: usize) -> usize;

    /// Does the job on the threads of `team`: the calling one alone, unless `threads` asked for more.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    fn run(
        &mut self,
        scratch: &mut Self::Scratch,
        team: &Team,
        cancel: &CancelToken<'_>,
    ) -> Result<()>;
}

/// A value in the dtype of its network.
#[derive(Debug)]
pub enum ByDtype<A, B> {
    /// For a network of float32.
    Float32(A),
    /// For a network of float64.
    Float64(B),
}

impl<A: Job, B: Job> Job for ByDtype<A, B> {
    type Scratch = (A::Scratch, B::Scratch);

    fn threads(&self, allowed: usize) -> usize {
        match self {
            Self::Float32(job) => job.threads(allowed),
            Self::Float64(job) => job.threads(allowed),
        }
    }

    fn run(
        &mut self,
        scratch: &mut Self::Scratch,
        team: &Team,
        cancel: &CancelToken<'_>,
    ) -> Result<()> {
        match self {
            Self::Float32(job) => job.run(&mut scratch.0, team, cancel),
            Self::Float64(job) => job.run(&mut scratch.1, team, cancel),
        }
    }
}

/// The jobs of a call and the threads that run them.
///
/// Each thread takes one job after another. If one job can use more threads than there are jobs, the jobs run
/// sequentially instead, each on all threads.
pub struct JobSet<J: Job> {
    jobs: Vec<J>,
    outcomes: Vec<Result<()>>,
    scratch: Vec<J::Scratch>,
    team: Team,
    sequential: bool,
}

impl<J: Job> JobSet<J> {
    /// At most `allowed` threads for `jobs`.
    ///
    /// # Errors
    /// Memory runs out.
    pub fn new(jobs: Vec<J>, allowed: usize) -> Result<Self> {
        let widest = jobs.iter().map(|job| job.threads(allowed)).max();
        let widest = widest.unwrap_or(1);
        let sequential = widest > jobs.len();
        let team = Team::assemble(if sequential {
            widest
        } else {
            allowed.min(jobs.len())
        });
        let states = if sequential { 1 } else { team.threads() };
        Ok(Self {
            outcomes: try_collect("nets", jobs.iter().map(|_| Ok(())))?,
            scratch: try_collect("threads", (0..states).map(|_| J::Scratch::default()))?,
            jobs,
            team,
            sequential,
        })
    }

    /// Does the jobs.
    ///
    /// # Errors
    /// Some jobs are not done: `should_cancel` returned true, or it forked the process and this is the child.
    /// Memory runs out for a job that has the threads for itself.
    pub fn run(&mut self, should_cancel: ShouldCancel<'_>) -> Result<()> {
        let outcome = if self.sequential {
            self.run_sequential(should_cancel)
        } else {
            self.run_parallel(should_cancel)
        };
        if outcome.is_err() && self.team.is_forked_child() {
            // Memory that the parent's threads were writing must not be freed here.
            forget((
                take(&mut self.jobs),
                take(&mut self.outcomes),
                take(&mut self.scratch),
            ));
        }
        outcome
    }

    fn run_parallel(&mut self, should_cancel: ShouldCancel<'_>) -> Result<()> {
        let alone = Team::alone();
        let jobs = self.jobs.iter_mut().zip(&mut self.outcomes);
        let each = |scratch: &mut J::Scratch,
                    (job, outcome): (&mut J, &mut Result<()>),
                    cancel: &CancelToken<'_>| {
            *outcome = job.run(scratch, &alone, cancel);
        };
        self.team.run(&mut self.scratch, jobs, should_cancel, each)
    }

    fn run_sequential(&mut self, should_cancel: ShouldCancel<'_>) -> Result<()> {
        let (jobs, scratch) = (&mut self.jobs, &mut self.scratch[0]);
        cancellable(should_cancel, |cancel| {
            jobs.iter_mut()
                .try_for_each(|job| job.run(scratch, &self.team, cancel))
        })
    }

    /// The jobs and how each ended, in their order; an interrupted one has done a part. None in a forked child
    /// that cannot finish the call.
    pub fn into_outcomes(self) -> impl ExactSizeIterator<Item = (J, Result<()>)> {
        self.jobs.into_iter().zip(self.outcomes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread::{ThreadId, current};

    use super::*;
    use crate::base::error::{Error, ErrorKind};

    /// Records the threads of its team, and fails if asked to.
    #[derive(Clone, Default)]
    struct Recorded {
        can_use: usize,
        fails: bool,
        seen: Option<(usize, ThreadId)>,
    }

    impl Job for Recorded {
        type Scratch = usize;

        fn threads(&self, allowed: usize) -> usize {
            self.can_use.min(allowed)
        }

        fn run(&mut self, jobs: &mut usize, team: &Team, _: &CancelToken<'_>) -> Result<()> {
            *jobs += 1;
            self.seen = Some((team.threads(), current().id()));
            if self.fails {
                return Err(Error::memory("x", "none"));
            }
            Ok(())
        }
    }

    fn jobs(count: usize, can_use: usize) -> Vec<Recorded> {
        let job = Recorded {
            can_use,
            ..Recorded::default()
        };
        vec![job; count]
    }

    #[test]
    fn jobs_that_fill_the_threads_have_one_each() -> Result<()> {
        for (count, can_use) in [(5, 1), (5, 3), (3, 3)] {
            let mut set = JobSet::new(jobs(count, can_use), 3)?;
            set.run(&|| false)?;
            assert_eq!(set.scratch.iter().sum::<usize>(), count);
            for (job, outcome) in set.into_outcomes() {
                assert_eq!(job.seen.map(|seen| seen.0), Some(1));
                assert!(outcome.is_ok());
            }
        }
        Ok(())
    }

    #[test]
    fn few_jobs_that_can_use_more_threads_run_sequentially() -> Result<()> {
        let mut set = JobSet::new(jobs(2, 3), 3)?;
        let threads = set.team.threads();
        set.run(&|| false)?;
        for (job, _) in set.into_outcomes() {
            assert_eq!(job.seen, Some((threads, current().id())));
        }
        Ok(())
    }

    #[test]
    fn a_job_that_fails_leaves_the_others_alone() -> Result<()> {
        let mut failing = jobs(4, 1);
        failing[1].fails = true;
        let mut set = JobSet::new(failing, 2)?;
        set.run(&|| false)?;
        let outcomes: Vec<_> = set.into_outcomes().collect();
        let failed: Vec<_> = outcomes.iter().map(|(_, o)| o.is_err()).collect();
        assert_eq!(failed, [false, true, false, false]);
        assert!(outcomes.iter().all(|(job, _)| job.seen.is_some()));
        Ok(())
    }

    /// Cancels after the first job.
    struct Waiting<'a>(&'a AtomicUsize);

    impl Job for Waiting<'_> {
        type Scratch = ();

        fn threads(&self, _: usize) -> usize {
            1
        }

        fn run(&mut self, (): &mut (), _: &Team, cancel: &CancelToken<'_>) -> Result<()> {
            self.0.fetch_add(1, Ordering::Relaxed);
            while !cancel.poll() {}
            Ok(())
        }
    }

    #[test]
    fn a_cancelled_call_begins_no_other_job() -> Result<()> {
        let begun = AtomicUsize::new(0);
        let jobs: Vec<_> = (0..3).map(|_| Waiting(&begun)).collect();
        let mut set = JobSet::new(jobs, 1)?;
        let error = set.run(&|| true).err();
        assert_eq!(
            error.map(|error| error.kind()),
            Some(ErrorKind::Interrupted)
        );
        assert_eq!(set.into_outcomes().len(), 3);
        assert_eq!(begun.into_inner(), 1);
        Ok(())
    }
}
