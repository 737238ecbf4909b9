//! Loom models of the protocol between callers and workers. Loom runs every interleaving of their steps,
//! with every value that a load may return: `make test-loom`.
//!
//! Data that callers and workers share is accessed with relaxed ordering here: a missing synchronization
//! makes some interleaving read an old value.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize as Counter;
use std::sync::atomic::Ordering::Relaxed;

use loom::sync::atomic::{AtomicBool, AtomicUsize};
use loom::sync::{Arc, Mutex};
use loom::thread::{self, JoinHandle};

use crate::pool::process::Process;
use crate::pool::sync::TIMES_OUT;
use crate::pool::worker::{Work, Worker, run_on};

/// Workers that end with the model.
struct Workers {
    workers: Vec<Worker>,
    threads: Vec<JoinHandle<()>>,
    are_over: Arc<AtomicBool>,
}

impl Workers {
    fn start(count: usize) -> Self {
        let are_over = Arc::new(AtomicBool::new(false));
        let start = |_| {
            let is_over = Arc::clone(&are_over);
            let goes_on = move || !is_over.load(Relaxed);
            Worker::spawn("modelled".to_owned(), goes_on).expect("a thread")
        };
        let (workers, threads) = (0..count).map(start).unzip();
        Self {
            workers,
            threads,
            are_over,
        }
    }

    fn end(self) {
        self.are_over.store(true, Relaxed);
        for thread in self.threads {
            thread.thread().unpark();
            thread.join().expect("no worker panics");
        }
    }
}

/// Offers work to all of them; never forks.
fn run_with(workers: &[Worker], work: &Work<'_>, own: impl FnOnce(), waiting: &dyn Fn()) {
    static PROCESS: OnceLock<Process> = OnceLock::new();
    let process = *PROCESS.get_or_init(|| Process::current().expect("forks are counted"));
    run_on(process, workers, workers.len(), work, own, waiting);
}

/// One job: what the caller stored before is visible to each worker, and what the workers stored is visible
/// when the job is over, and nothing is stored after that. Returns how many workers joined; `waited` counts
/// how often the caller had to sleep.
fn run_job(workers: &[Worker], input: &AtomicUsize, value: usize, waited: &Counter) -> usize {
    let came = AtomicUsize::new(0);
    input.store(value, Relaxed);
    let work = || {
        assert_eq!(input.load(Relaxed), value, "what the caller has stored");
        came.fetch_add(1, Relaxed);
    };
    let waiting = || {
        waited.fetch_add(1, Relaxed);
    };
    run_with(workers, &work, || (), &waiting);
    let count = came.load(Relaxed);
    // Nobody changes this any more, so a relaxed load must return the last value.
    assert_eq!(
        came.fetch_add(0, Relaxed),
        count,
        "what the workers have stored"
    );
    count
}

/// Runs a model twice: a sleeping caller must be woken, or its sleep times out. Checks that in some
/// interleaving a worker joined, in some none did, and in some the caller slept until it had finished.
fn check(model: impl Fn(&Counter, &Counter) + Sync + Send + 'static) {
    static LOCK: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one_at_a_time = LOCK.lock();
    let model = std::sync::Arc::new(model);
    for times_out in [false, true] {
        TIMES_OUT.store(times_out, Relaxed);
        let counts: std::sync::Arc<[Counter; 4]> = std::sync::Arc::default();
        let (model, counting) = (model.clone(), counts.clone());
        loom::model(move || {
            let (came, waited) = (Counter::new(0), Counter::new(0));
            model(&came, &waited);
            let [runs, helped, alone, slept] = &*counting;
            runs.fetch_add(1, Relaxed);
            let count = if came.into_inner() > 0 { helped } else { alone };
            count.fetch_add(1, Relaxed);
            slept.fetch_add(usize::from(waited.into_inner() > 0), Relaxed);
        });
        let [runs, helped, alone, slept] = counts.each_ref().map(|count| count.load(Relaxed));
        println!("{runs} orders: {helped} with help, {alone} without, {slept} with sleep");
        assert!(helped > 0 && alone > 0 && slept > 0, "orders are missing");
    }
}

#[test]
fn a_worker_runs_an_offer_or_the_caller_withdraws_it() {
    check(|came, waited| {
        let workers = Workers::start(1);
        let input = AtomicUsize::new(0);
        came.store(run_job(&workers.workers, &input, 1, waited), Relaxed);
        workers.end();
    });
}

#[test]
fn consecutive_offers() {
    check(|came, waited| {
        let workers = Workers::start(1);
        let input = AtomicUsize::new(0);
        for value in 1..=2 {
            came.fetch_add(run_job(&workers.workers, &input, value, waited), Relaxed);
        }
        workers.end();
    });
}

#[test]
fn two_workers_help_one_caller() {
    check(|came, waited| {
        let workers = Workers::start(2);
        let input = AtomicUsize::new(0);
        came.store(run_job(&workers.workers, &input, 1, waited), Relaxed);
        workers.end();
    });
}

#[test]
fn two_callers_compete_for_one_worker() {
    check(|came, waited| {
        let workers = Workers::start(1);
        let same = workers.workers.clone();
        let other = thread::spawn(move || {
            let waited = Counter::new(0);
            let count = run_job(&same, &AtomicUsize::new(0), 1, &waited);
            (count, waited.into_inner())
        });
        let count = run_job(&workers.workers, &AtomicUsize::new(0), 2, waited);
        let (its_count, its_waited) = other.join().expect("a caller");
        assert!(count <= 1 && its_count <= 1, "one worker came twice");
        came.store(count + its_count, Relaxed);
        waited.fetch_add(its_waited, Relaxed);
        workers.end();
    });
}

/// As in `Team::run`: the worker stores the panic, and the caller resumes it.
#[test]
fn a_panic_of_a_worker_propagates() {
    check(|came, waited| {
        let workers = Workers::start(1);
        let stored = Mutex::new(None);
        let work = || {
            let outcome = catch_unwind(|| resume_unwind(Box::new("on purpose")));
            *stored.lock().expect("no poison") = outcome.err();
        };
        let waiting = || {
            waited.fetch_add(1, Relaxed);
        };
        run_with(&workers.workers, &work, || (), &waiting);
        let stored = stored.into_inner().expect("no poison");
        came.store(usize::from(stored.is_some()), Relaxed);
        workers.end();
    });
}

/// The work is taken back before the caller's panic can free what it uses.
#[test]
fn a_panic_of_the_caller_propagates() {
    check(|came, waited| {
        let workers = Workers::start(1);
        let count = AtomicUsize::new(0);
        let work = || {
            count.fetch_add(1, Relaxed);
        };
        let waiting = || {
            waited.fetch_add(1, Relaxed);
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let own = || resume_unwind(Box::new("on purpose"));
            run_with(&workers.workers, &work, own, &waiting);
        }));
        assert!(outcome.is_err());
        let seen = count.load(Relaxed);
        assert_eq!(
            count.fetch_add(0, Relaxed),
            seen,
            "what the worker has stored"
        );
        came.store(seen, Relaxed);
        workers.end();
    });
}

/// The caller sleeps until the worker has joined.
#[test]
fn a_worker_that_sleeps_is_woken() {
    loom::model(|| {
        let workers = Workers::start(1);
        let caller = thread::current();
        let work = || caller.unpark();
        run_with(&workers.workers, &work, thread::park, &|| ());
        workers.end();
    });
}
