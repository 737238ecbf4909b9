//! Threads: how many, and the one pool that holds them.
//!
//! The pool starts with the first call that needs it. It belongs to the process that started it:
//! a forked child, in which the parent's threads do not exist, leaves the parent's pool where it
//! is and starts its own. [`Team::assemble`] is the only entry. The Python border calls it before
//! it releases the GIL, so no `os.fork` can find the lock below held by another thread.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use rayon_core::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};
use crate::interrupt::{INTERVAL, Pulse, Question, Stop};

/// The most threads that can be asked for.
pub const MAX_THREADS: usize = 1024;

/// The environment variables that cap the threads, the first that is set wins.
const VARIABLES: [&str; 3] = ["BPFAST_NUM_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS"];

/// How many threads the environment allows: the first of `BPFAST_NUM_THREADS`,
/// `RAYON_NUM_THREADS` and `OMP_NUM_THREADS` that is set, else the CPUs this process may use
/// (affinity and cgroup quota). Read once.
///
/// # Errors
/// `BPFAST_NUM_THREADS` is set to something that is not a number of threads. The other two are
/// not ours to judge: what cannot be read there is passed over.
pub fn default_threads() -> Result<usize> {
    static DEFAULT: OnceLock<Result<usize>> = OnceLock::new();
    DEFAULT
        .get_or_init(|| from_environment(|name| std::env::var(name).ok()))
        .clone()
}

fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<usize> {
    for name in VARIABLES {
        let Some(text) = variable(name).filter(|text| !text.trim().is_empty()) else {
            continue;
        };
        // OpenMP allows a list, one entry a nesting level; the first is the outermost.
        let first = if name == VARIABLES[2] {
            text.split(',').next()
        } else {
            None
        };
        match first.unwrap_or(&text).trim().parse::<usize>() {
            Ok(threads) if threads > 0 => return Ok(threads.min(MAX_THREADS)),
            _ if name == VARIABLES[0] => {
                return Err(Error::value(
                    name,
                    "a positive integer",
                    format_args!("'{text}'"),
                ));
            }
            _ => {}
        }
    }
    let cpus = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Ok(cpus.min(MAX_THREADS))
}

/// The process's threads beside its own, and how many of them wait for work.
struct Pool {
    process: u32,
    size: usize,
    free: AtomicUsize,
    threads: ThreadPool,
}

static POOL: Mutex<Option<Arc<Pool>>> = Mutex::new(None);

/// This process's pool, with `size` threads, or those there are where the system refuses more.
fn pool(size: usize) -> Option<Arc<Pool>> {
    let mut slot = lock(&POOL);
    let process = std::process::id();
    if let Some(parents) = slot.take_if(|pool| pool.process != process) {
        // Its threads were not copied by the fork: to end them would wait for ever.
        std::mem::forget(parents);
    }
    if slot.as_ref().is_none_or(|pool| pool.size < size) {
        let builder = ThreadPoolBuilder::new().num_threads(size);
        let named = builder.thread_name(|index| format!("bpfast-{}", index + 1));
        if let Ok(threads) = named.build() {
            *slot = Some(Arc::new(Pool {
                process,
                size,
                free: AtomicUsize::new(size),
                threads,
            }));
        }
    }
    slot.clone()
}

/// The threads of one call: the calling thread, and helpers that are its own until it is dropped.
pub struct Team {
    helpers: usize,
    pool: Option<Arc<Pool>>,
}

impl Team {
    /// The calling thread alone.
    pub fn alone() -> Self {
        Self {
            helpers: 0,
            pool: None,
        }
    }

    /// A team of `threads`, the calling thread among them; fewer where helpers are busy with
    /// another call or the system refuses them. Fewer threads are slower, with the same bits.
    pub fn assemble(threads: usize) -> Self {
        let wanted = threads.clamp(1, MAX_THREADS) - 1;
        if wanted == 0 {
            return Self::alone();
        }
        let Some(pool) = pool(wanted) else {
            return Self::alone();
        };
        let take = |free: usize| Some(free - wanted.min(free));
        let free = pool
            .free
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, take)
            .unwrap_or_default();
        Self {
            helpers: wanted.min(free),
            pool: Some(pool),
        }
    }

    /// How many threads work.
    pub fn threads(&self) -> usize {
        self.helpers + 1
    }

    /// Gives every task to one of the threads, in the order of `tasks`, each thread with its own
    /// state from `states`: no more threads work than there are states.
    ///
    /// # Errors
    /// The answer to `question` was yes: some tasks are not done.
    ///
    /// # Panics
    /// A panic in `work` comes out here once every thread has stopped; the pool stays whole.
    pub fn run<S: Send, I: Iterator<Item: Send> + Send>(
        &self,
        states: &mut [S],
        tasks: I,
        question: Question<'_>,
        work: impl Fn(&mut S, I::Item, &Pulse<'_>) + Sync,
    ) -> Result<()> {
        let stop = Stop::default();
        let tasks = Mutex::new(tasks);
        let share = |state: &mut S, pulse: &Pulse<'_>| {
            while !pulse.stopped() {
                let Some(task) = lock(&tasks).next() else {
                    break;
                };
                work(state, task, pulse);
            }
        };
        let Some((own, others)) = states.split_first_mut() else {
            return Ok(());
        };
        let helpers = self.helpers.min(others.len());
        let caller = Pulse::caller(&stop, question);
        match &self.pool {
            Some(pool) if helpers > 0 => pool.threads.in_place_scope(|scope| {
                let busy = Busy::new(helpers);
                for state in &mut others[..helpers] {
                    let (share, stop, leave) = (&share, &stop, busy.enter());
                    scope.spawn(move |_| {
                        let _leave = leave;
                        share(state, &Pulse::helper(stop));
                    });
                }
                share(own, &caller);
                busy.wait(&caller);
            }),
            _ => share(own, &caller),
        }
        if stop.is_set() {
            return Err(Error::interrupted());
        }
        Ok(())
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        if let Some(pool) = &self.pool {
            pool.free.fetch_add(self.helpers, Ordering::AcqRel);
        }
    }
}

/// How many helpers are still at work, so that the caller can wait for them and yet be interrupted.
struct Busy(Arc<(Mutex<usize>, Condvar)>);

impl Busy {
    fn new(helpers: usize) -> Self {
        Self(Arc::new((Mutex::new(helpers), Condvar::new())))
    }

    fn enter(&self) -> Leave {
        Leave(Arc::clone(&self.0))
    }

    fn wait(&self, caller: &Pulse<'_>) {
        let (count, bell) = &*self.0;
        let mut left = lock(count);
        while *left > 0 {
            let waited = bell.wait_timeout(left, INTERVAL);
            left = waited.unwrap_or_else(PoisonError::into_inner).0;
            caller.stopped();
        }
    }
}

/// Counts a helper out when it is dropped, be it by a panic.
struct Leave(Arc<(Mutex<usize>, Condvar)>);

impl Drop for Leave {
    fn drop(&mut self) {
        *lock(&self.0.0) -= 1;
        self.0.1.notify_one();
    }
}

/// Nothing behind these locks is left half-changed by a panic, so poison means nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_done_once_by_any_team() {
        for threads in [1, 2, 3, 8] {
            let mut done = vec![0; 100];
            let mut states = vec![(); threads];
            Team::assemble(threads)
                .run(&mut states, done.iter_mut(), &|| false, |(), slot, _| {
                    *slot += 1;
                })
                .expect("nobody interrupts");
            assert!(done.iter().all(|&count| count == 1));
        }
    }

    #[test]
    fn a_panic_comes_out_and_leaves_the_pool_working() {
        let count = |bad: Option<usize>| {
            let sum = AtomicUsize::new(0);
            let team = Team::assemble(2);
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                team.run(&mut [(), ()], 0..10, &|| false, |(), task, _| {
                    assert_ne!(Some(task), bad, "on purpose");
                    sum.fetch_add(1, Ordering::Relaxed);
                })
            }));
            (outcome.is_err(), sum.into_inner())
        };
        assert!(count(Some(3)).0);
        assert_eq!(count(None), (false, 10));
    }

    #[test]
    fn an_interrupt_stops_the_rest() {
        let done = AtomicUsize::new(0);
        let outcome = Team::alone().run(&mut [()], 0..1000, &|| true, |(), _, _| {
            done.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(INTERVAL);
        });
        assert_eq!(outcome, Err(Error::interrupted()));
        assert!(done.into_inner() < 10);
    }

    #[test]
    fn the_environment_caps_the_threads() {
        let with = |name: &'static str, value: &'static str| {
            from_environment(move |asked| (asked == name).then(|| value.to_owned()))
        };
        assert_eq!(with("BPFAST_NUM_THREADS", "3"), Ok(3));
        assert_eq!(with("RAYON_NUM_THREADS", " 5 "), Ok(5));
        assert_eq!(with("OMP_NUM_THREADS", "4,2"), Ok(4));
        assert!(with("OMP_NUM_THREADS", "many").is_ok());
        let error = with("BPFAST_NUM_THREADS", "0").expect_err("0 threads cannot work");
        assert_eq!(
            error.to_string(),
            "BPFAST_NUM_THREADS: expected a positive integer, got '0'"
        );
    }
}
