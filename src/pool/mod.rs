//! What a process has once: its thread pool, the number of threads, and its reserve of memory.
//!
//! The pool starts with the first call that needs it. It belongs to the process that started it: a forked
//! child, in which the parent's threads do not exist, leaks its copy of the parent's pool and starts its
//! own. [`Team::assemble`] is the only entry. `python` calls it before it releases the GIL, so no `os.fork`
//! can happen while another thread holds the lock below.
//!
//! `should_cancel` may fork while workers work on the call. The child then ends the call with an error,
//! since the workers' tasks are not done there. From then on it does not wait for workers and takes no lock
//! that they share. It neither reads nor frees memory that they write: the child has a copy of it from an
//! arbitrary moment.

mod affinity;
pub mod huge_pages;
mod limit;
#[cfg(all(test, loom))]
mod loom_models;
mod process;
pub mod reserve_allocator;
mod spin;
mod sync;
mod worker;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::slice::IterMut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use limit::cpus;
pub use limit::{MAX_THREADS, default_threads};
use process::Process;
use worker::{Worker, run_on};

use crate::base::alloc::try_reserve;
use crate::base::cancel::{CancelFlag, CancelToken, ShouldCancel, cancellable};
use crate::base::error::{Error, Result};

/// The worker threads of a process.
struct Pool {
    process: Process,
    workers: Vec<Worker>,
    /// The number of CPUs that this process may use.
    cpus: usize,
    /// The number of teams with more than one thread; the caller of each occupies a CPU besides the
    /// workers.
    teams: Arc<AtomicUsize>,
}

static POOL: Mutex<Option<Arc<Pool>>> = Mutex::new(None);

/// This process's pool with at least `size` workers, or fewer if the system refuses more. None if forks
/// cannot be detected, as a child could not tell that the pool is its parent's.
fn pool(size: usize) -> Option<Arc<Pool>> {
    let process = Process::current()?;
    let mut slot = lock(&POOL);
    if let Some(parents) = slot.take_if(|pool| pool.process != process) {
        // The fork did not copy its threads.
        std::mem::forget(parents);
    }
    let there = slot.as_ref().map_or(0, |pool| pool.workers.len());
    if there < size || slot.is_none() {
        let old = slot.as_ref().map_or(&[][..], |pool| &pool.workers);
        let mut workers = Vec::new();
        // If memory for more runs out, the existing workers are used.
        if try_reserve("threads", &mut workers, size).is_ok() {
            workers.extend_from_slice(old);
            let named = |index| format!("bpfast-{}", index + 1);
            workers.extend((there..size).map_while(|index| Worker::start(named(index))));
        }
        if workers.len() > there || slot.is_none() {
            let teams = slot.as_ref().map(|pool| Arc::clone(&pool.teams));
            *slot = Some(Arc::new(Pool {
                process,
                workers,
                cpus: cpus(),
                teams: teams.unwrap_or_default(),
            }));
        }
    }
    slot.clone()
}

/// The threads of a call: the calling thread, and workers that join if they are free.
pub struct Team {
    threads: usize,
    pool: Option<Arc<Pool>>,
}

impl Team {
    /// The calling thread only.
    pub const fn alone() -> Self {
        Self {
            threads: 1,
            pool: None,
        }
    }

    /// A team of `threads` threads including the calling one; fewer if the system refuses to start workers.
    /// Workers that are busy with another call do not join. Fewer threads are slower but give the
    /// same bits.
    pub fn assemble(threads: usize) -> Self {
        let workers = threads.clamp(1, MAX_THREADS) - 1;
        if workers == 0 || !worker::can_wait() {
            return Self::alone();
        }
        let Some(pool) = pool(workers) else {
            return Self::alone();
        };
        let threads = workers.min(pool.workers.len()) + 1;
        Self::of(pool, threads)
    }

    fn of(pool: Arc<Pool>, threads: usize) -> Self {
        pool.teams.fetch_add(1, Ordering::Relaxed);
        let pool = Some(pool);
        Self { threads, pool }
    }

    /// The largest number of threads that work.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Whether this is a forked child of the process that has the workers: what they were working on may be
    /// inconsistent here.
    pub fn is_forked_child(&self) -> bool {
        let pool = self.pool.as_ref();
        pool.is_some_and(|pool| !pool.process.is_current())
    }

    /// The number of workers that have a CPU to themselves, as far as teams show; callers that work alone
    /// are not counted. If callers occupy all CPUs, a worker would only take time from one of them. 0 in a
    /// forked child.
    fn idle_cpus(&self, pool: &Pool) -> usize {
        if self.is_forked_child() {
            return 0;
        }
        let cpus_available = pool.cpus.max(self.threads);
        cpus_available.saturating_sub(pool.teams.load(Ordering::Relaxed))
    }

    /// Runs `work` for every task, in the order of `tasks`, on the team's threads. Each thread has its own
    /// state from `states`, so at most that many threads work. `work` reports its progress to its
    /// cancellation token.
    ///
    /// # Errors
    /// Some tasks are not done: `should_cancel` returned true, or it forked while workers were working and
    /// this is the child, where `states` must not be freed.
    ///
    /// # Panics
    /// A panic in `work` is resumed here once every thread has stopped; the pool stays intact.
    pub fn run<S: Send, I: Iterator<Item: Send> + Send>(
        &self,
        states: &mut [S],
        tasks: I,
        should_cancel: ShouldCancel<'_>,
        work: impl Fn(&mut S, I::Item, &CancelToken<'_>) + Sync,
    ) -> Result<()> {
        let count = tasks.size_hint().1.unwrap_or(usize::MAX);
        let Some((own, others)) = states.split_first_mut() else {
            return Ok(());
        };
        let count = others.len().min(count.saturating_sub(1));
        let idle_cpus = self.pool.as_ref().map(|pool| (pool, self.idle_cpus(pool)));
        let Some((pool, idle_cpus)) = idle_cpus.filter(|(_, idle)| count.min(*idle) > 0) else {
            // Without locks, which are noticeable in short calls.
            return cancellable(should_cancel, |cancel| {
                for task in tasks {
                    if cancel.poll_after(1) {
                        break;
                    }
                    work(own, task, cancel);
                }
                Ok(())
            });
        };
        let flag = CancelFlag::default();
        let queue = Mutex::new(TaskQueue {
            states: others.iter_mut(),
            tasks,
        });
        let share = |own: Option<&mut S>, cancel: &CancelToken<'_>| {
            let _guard = CancelOnPanic(&flag);
            let first = cancel.lock(&queue).and_then(|mut queue| queue.first(own));
            let Some((state, mut next)) = first else {
                return;
            };
            while let Some(task) = next
                && !cancel.poll_after(1)
            {
                work(state, task, cancel);
                next = cancel.lock(&queue).and_then(|mut queue| queue.tasks.next());
            }
        };
        let is_child = || !pool.process.is_current();
        let should_cancel = || should_cancel() || is_child();
        let caller = CancelToken::caller(&flag, &should_cancel);
        let panic: Mutex<Option<Box<dyn Any + Send>>> = Mutex::new(None);
        let keep = |outcome: std::thread::Result<()>| {
            if let Err(payload) = outcome
                && !is_child()
            {
                lock(&panic).get_or_insert(payload);
            }
        };
        let help = || {
            let cancel = CancelToken::worker(&flag);
            keep(catch_unwind(AssertUnwindSafe(|| share(None, &cancel))));
        };
        let waiting = || {
            // `should_cancel` may panic: then the workers stop, and are still waited for.
            keep(catch_unwind(AssertUnwindSafe(|| {
                let _guard = CancelOnPanic(&flag);
                caller.poll();
            })));
        };
        let own = || {
            keep(catch_unwind(AssertUnwindSafe(|| {
                share(Some(own), &caller);
            })));
        };
        let count = count.min(idle_cpus).min(self.threads - 1);
        run_on(pool.process, &pool.workers, count, &help, own, &waiting);
        if is_child() {
            std::mem::forget((queue, panic));
            return Err(Error::forked());
        }
        if let Some(payload) = panic.into_inner().unwrap_or_else(PoisonError::into_inner) {
            resume_unwind(payload);
        }
        if flag.is_cancelled() {
            return Err(Error::interrupted());
        }
        Ok(())
    }
}

/// The states and tasks that no thread has taken yet.
struct TaskQueue<'a, S, I> {
    states: IterMut<'a, S>,
    tasks: I,
}

impl<'a, S, I: Iterator> TaskQueue<'a, S, I> {
    /// A thread's state, `own` or the next one, with its first task, if there is one. Both under one lock,
    /// as memory that another core has written is slow to read.
    fn first<'b>(&mut self, own: Option<&'b mut S>) -> Option<(&'b mut S, Option<I::Item>)>
    where
        'a: 'b,
    {
        let state = own.or_else(|| self.states.next())?;
        Some((state, self.tasks.next()))
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        if let Some(pool) = &self.pool {
            pool.teams.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Cancels the call when a thread panics, so that the others stop.
struct CancelOnPanic<'a>(&'a CancelFlag);

impl Drop for CancelOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.cancel();
        }
    }
}

/// A panic leaves no data inconsistent under these locks, so poisoning is ignored.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, not(loom)))]
mod tests;
