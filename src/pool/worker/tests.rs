//! A worker thread and its caller wake each other.

use std::time::Instant;

use crate::base::cancel::INTERVAL;
use crate::pool::spin::SPIN_TIME;
use crate::pool::worker::*;

fn run_with(worker: &Worker, work: &Work<'_>, own: impl FnOnce()) {
    let process = Process::current().expect("forks are counted");
    run_on(process, std::slice::from_ref(worker), 1, work, own, &|| ());
}

/// A worker of its own: the pool's may be awake from other tests, or may just have started.
#[test]
fn a_worker_that_sleeps_is_woken() {
    let worker = Worker::start("alone".to_owned()).expect("a thread");
    // The system may be busy, so try several times.
    let woken = (1..=100).any(|_| {
        std::thread::sleep(INTERVAL.max(10 * SPIN_TIME));
        let (came, since) = (AtomicBool::new(false), Instant::now());
        let own = || {
            while !came.load(Ordering::Relaxed) && since.elapsed() < INTERVAL {
                std::thread::yield_now();
            }
        };
        let work = || came.store(true, Ordering::Relaxed);
        run_with(&worker, &work, own);
        came.into_inner()
    });
    assert!(woken, "the worker never came");
}

/// Unless the worker wakes it, it sleeps for the whole INTERVAL.
#[test]
fn a_caller_that_sleeps_is_woken() {
    let worker = Worker::start("alone".to_owned()).expect("a thread");
    let woken = (1..=100).any(|_| {
        let (came, since) = (AtomicBool::new(false), Instant::now());
        let own = || {
            while !came.load(Ordering::Relaxed) && since.elapsed() < INTERVAL {
                std::thread::yield_now();
            }
        };
        let work = || {
            came.store(true, Ordering::Relaxed);
            std::thread::sleep(10 * SPIN_TIME);
        };
        run_with(&worker, &work, own);
        came.into_inner() && since.elapsed() < INTERVAL
    });
    assert!(woken, "the caller slept on");
}
