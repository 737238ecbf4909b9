//! Threads: how many, and the one pool that holds them.
//!
//! The pool starts with the first call that needs it. It belongs to the process that started it:
//! a forked child, in which the parent's threads do not exist, leaves the parent's pool where it
//! is and starts its own. [`Team::assemble`] is the only entry. The Python border calls it before
//! it releases the GIL, so no `os.fork` can find the lock below held by another thread.

mod helper;
mod limit;
mod place;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::interrupt::{Pulse, Question, Stop};

use helper::{Helper, lend};
use limit::cpus;
pub use limit::{MAX_THREADS, default_threads};

/// The process's threads beside its own.
struct Pool {
    process: u32,
    helpers: Vec<Helper>,
    /// The teams that are more than their caller: each has a thread of its own beside the helpers.
    teams: Arc<AtomicUsize>,
}

static POOL: Mutex<Option<Arc<Pool>>> = Mutex::new(None);

/// This process's pool, with `size` threads, or those there are where the system refuses more.
fn pool(size: usize) -> Arc<Pool> {
    let mut slot = lock(&POOL);
    let process = std::process::id();
    if let Some(parents) = slot.take_if(|pool| pool.process != process) {
        // Its threads were not copied by the fork.
        std::mem::forget(parents);
    }
    let there = slot.as_ref().map_or(0, |pool| pool.helpers.len());
    if there < size || slot.is_none() {
        let old = slot.as_ref().map_or(&[][..], |pool| &pool.helpers);
        let named = |index| format!("bpfast-{}", index + 1);
        let new = (there..size).map_while(|index| Helper::start(named(index)));
        let helpers = old.iter().cloned().chain(new).collect();
        let teams = slot.as_ref().map(|pool| Arc::clone(&pool.teams));
        *slot = Some(Arc::new(Pool {
            process,
            helpers,
            teams: teams.unwrap_or_default(),
        }));
    }
    Arc::clone(slot.as_ref().expect("just made"))
}

/// The threads of one call: the calling thread, and helpers that come if they are free.
pub struct Team {
    threads: usize,
    pool: Option<Arc<Pool>>,
}

impl Team {
    /// The calling thread alone.
    pub fn alone() -> Self {
        Self {
            threads: 1,
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
        let pool = pool(wanted);
        let threads = wanted.min(pool.helpers.len()) + 1;
        Self::of(pool, threads)
    }

    fn of(pool: Arc<Pool>, threads: usize) -> Self {
        pool.teams.fetch_add(1, Ordering::Relaxed);
        let pool = Some(pool);
        Self { threads, pool }
    }

    /// How many threads work at the most.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The helpers that find a CPU of their own, as far as teams tell: callers that work alone are
    /// not counted. Where callers keep the CPUs busy, a helper would take the time of one from
    /// another.
    fn welcome(&self, pool: &Pool) -> usize {
        let seats = cpus().max(self.threads);
        seats.saturating_sub(pool.teams.load(Ordering::Relaxed))
    }

    /// Gives every task to one of the threads, in the order of `tasks`, each thread with its own
    /// state from `states`: no more threads work than there are states. `work` tells its pulse how
    /// much it has done.
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
        let left = tasks.size_hint().1.unwrap_or(usize::MAX);
        let Some((own, others)) = states.split_first_mut() else {
            return Ok(());
        };
        let count = others.len().min(left.saturating_sub(1));
        let rest = Mutex::new((others.iter_mut(), tasks));
        let share = |state: &mut S, first: Option<I::Item>, pulse: &Pulse<'_>| {
            let _guard = StopOnPanic(&stop);
            let mut next = first;
            while let Some(task) = next
                && !pulse.stopped_after(1)
            {
                work(state, task, pulse);
                next = lock(&rest).1.next();
            }
        };
        let caller = Pulse::caller(&stop, question);
        let mut own = || {
            let first = lock(&rest).1.next();
            share(own, first, &caller);
        };
        let welcome = self.pool.as_ref().map(|pool| (pool, self.welcome(pool)));
        match welcome {
            Some((pool, welcome)) if count.min(welcome) > 0 => {
                let panic: Mutex<Option<Box<dyn Any + Send>>> = Mutex::new(None);
                let help = || {
                    let taken = {
                        let (others, tasks) = &mut *lock(&rest);
                        others.next().map(|state| (state, tasks.next()))
                    };
                    let Some((state, first)) = taken else {
                        return;
                    };
                    let pulse = Pulse::helper(&stop);
                    let shared = catch_unwind(AssertUnwindSafe(|| share(state, first, &pulse)));
                    if let Err(payload) = shared {
                        lock(&panic).get_or_insert(payload);
                    }
                };
                let waiting = || {
                    // A question may panic; a second panic would end the process.
                    if !std::thread::panicking() {
                        caller.stopped();
                    }
                };
                let count = count.min(welcome).min(self.threads - 1);
                lend(&pool.helpers, count, &help, own, &waiting);
                if let Some(payload) = panic.into_inner().unwrap_or_else(PoisonError::into_inner) {
                    resume_unwind(payload);
                }
            }
            _ => own(),
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
            pool.teams.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Stops all threads of a call when one of them panics.
struct StopOnPanic<'a>(&'a Stop);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set();
        }
    }
}

/// Nothing behind these locks is left half-changed by a panic, so poison means nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::interrupt::INTERVAL;

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
    fn many_callers_share_few_helpers() {
        let calls = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for round in 0..2000_usize {
                        let mut done = [0_usize; 5];
                        Team::assemble(3)
                            .run(&mut [0; 3], done.iter_mut(), &|| false, |_, slot, _| {
                                *slot += round;
                            })
                            .expect("nobody interrupts");
                        assert_eq!(done, [round; 5]);
                        calls.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(calls.into_inner(), 16_000);
    }

    #[test]
    fn a_panic_comes_out_and_leaves_the_pool_working() {
        let count = |bad: Option<usize>| {
            let sum = AtomicUsize::new(0);
            let team = Team::assemble(2);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
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
    fn helpers_are_welcome_where_a_cpu_is_left() {
        let pool = |teams| Pool {
            process: 0,
            helpers: Vec::new(),
            teams: Arc::new(AtomicUsize::new(teams)),
        };
        let team = |threads| Team {
            threads,
            pool: None,
        };
        let all = cpus();
        assert_eq!(team(all).welcome(&pool(1)), all - 1);
        assert_eq!(team(all).welcome(&pool(all)), 0);
        assert_eq!(team(all).welcome(&pool(all + 7)), 0);
        // Whoever asks for more threads than there are CPUs has them.
        assert_eq!(team(all + 2).welcome(&pool(1)), all + 1);
    }

    /// A team that stayed counted would keep helpers away for ever.
    #[test]
    fn a_team_is_counted_while_it_lives() {
        let pool = Arc::new(Pool {
            process: 0,
            helpers: Vec::new(),
            teams: Arc::default(),
        });
        let count = || pool.teams.load(Ordering::Relaxed);
        let team = || Team::of(Arc::clone(&pool), 1);
        let (one, two) = (team(), team());
        assert_eq!(count(), 2);
        drop(one);
        let interrupted = two.run(&mut [()], 0..3, &|| true, |(), _, pulse| {
            std::thread::sleep(2 * INTERVAL);
            pulse.stopped();
        });
        assert_eq!(interrupted, Err(Error::interrupted()));
        let panics = AssertUnwindSafe(|| {
            let team = two;
            team.run(&mut [()], 0..3, &|| false, |(), _, _| panic!("on purpose"))
        });
        assert!(catch_unwind(panics).is_err());
        assert_eq!(count(), 0);
    }

    #[test]
    fn an_interrupt_stops_the_rest() {
        let done = AtomicUsize::new(0);
        let outcome = Team::alone().run(&mut [()], 0..1000, &|| true, |(), _, pulse| {
            done.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(INTERVAL);
            pulse.stopped_after(1 << 22);
        });
        assert_eq!(outcome, Err(Error::interrupted()));
        assert!(done.into_inner() < 10);
    }
}
