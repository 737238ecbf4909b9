//! The pool, with real threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use crate::base::cancel::INTERVAL;
use crate::pool::*;

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
fn many_callers_share_few_workers() {
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
fn a_panic_propagates_and_leaves_the_pool_working() {
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
fn workers_are_used_if_a_cpu_is_idle() {
    let pool = |teams| Pool {
        process: Process::current().expect("forks are counted"),
        workers: Vec::new(),
        cpus: cpus(),
        teams: Arc::new(AtomicUsize::new(teams)),
    };
    let team = |threads| Team {
        threads,
        pool: None,
    };
    let all = cpus();
    assert_eq!(team(all).idle_cpus(&pool(1)), all - 1);
    assert_eq!(team(all).idle_cpus(&pool(all)), 0);
    assert_eq!(team(all).idle_cpus(&pool(all + 7)), 0);
    // Users who ask for more threads than CPUs get them.
    assert_eq!(team(all + 2).idle_cpus(&pool(1)), all + 1);
}

/// If a team stayed counted, workers would never join again.
#[test]
fn teams_are_counted_until_dropped() {
    let pool = Arc::new(Pool {
        process: Process::current().expect("forks are counted"),
        workers: Vec::new(),
        cpus: cpus(),
        teams: Arc::default(),
    });
    let count = || pool.teams.load(Ordering::Relaxed);
    let team = || Team::of(Arc::clone(&pool), 1);
    let (one, two) = (team(), team());
    assert_eq!(count(), 2);
    drop(one);
    let interrupted = two.run(&mut [()], 0..3, &|| true, |(), _, cancel| {
        std::thread::sleep(2 * INTERVAL);
        cancel.poll();
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
fn cancellation_skips_the_remaining_tasks() {
    let done = AtomicUsize::new(0);
    let outcome = Team::alone().run(&mut [()], 0..1000, &|| true, |(), _, cancel| {
        done.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(INTERVAL);
        cancel.poll_after(1 << 22);
    });
    assert_eq!(outcome, Err(Error::interrupted()));
    assert!(done.into_inner() < 10);
}

/// A panic of the task iterator on either thread, or of `should_cancel` while the caller waits.
#[test]
fn a_panic_propagates_after_every_thread_has_stopped() {
    let here = std::thread::current().id();
    let is_here = || std::thread::current().id() == here;
    for bad in ["a task here", "a task of a worker", "should_cancel"] {
        // Sometimes no worker starts in time, so try several times.
        let came_out = (0..100).any(|_| {
            let (came, working) = (AtomicBool::new(false), AtomicUsize::new(0));
            let tasks = (0..100).inspect(|_| {
                let caller = ["a task of a worker", "a task here"][usize::from(is_here())];
                came.fetch_or(!is_here(), Ordering::SeqCst);
                assert_ne!(bad, caller, "on purpose");
            });
            let should_cancel = || {
                assert_ne!(bad, "should_cancel", "on purpose");
                false
            };
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                Team::assemble(8).run(&mut [(); 8], tasks, &should_cancel, |(), _, _| {
                    working.fetch_add(1, Ordering::SeqCst);
                    let since = Instant::now();
                    while is_here() && !came.load(Ordering::SeqCst) && since.elapsed() < INTERVAL {
                        std::thread::yield_now();
                    }
                    if !is_here() {
                        std::thread::sleep(4 * INTERVAL);
                    }
                    working.fetch_sub(1, Ordering::SeqCst);
                })
            }));
            outcome.is_err() && working.into_inner() == 0
        });
        assert!(came_out, "{bad}");
    }
}
