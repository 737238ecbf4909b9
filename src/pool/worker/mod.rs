//! A worker thread: it waits for a job, runs it, and waits again.
//!
//! A caller offers a borrowed closure to workers, does its own share, and takes the closure back before it
//! returns: at once from a worker that has not started, else when the worker has finished. So nobody waits
//! for a worker that the system has not woken yet.

#![allow(unsafe_code)] // a thread that outlives the call runs a closure that the call borrows

use std::cell::Cell;
use std::sync::OnceLock;

use crate::base::alloc::check_available;
use crate::pool::affinity::Affinity;
use crate::pool::process::Process;
use crate::pool::spin::SpinWait;
use crate::pool::sync::{
    Arc, AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Builder, JoinHandle, Mutex, MutexGuard,
    Ordering, PoisonError, Thread, current, park, park_timeout, wake,
};

/// More bytes than the start of a thread takes, including its stack: the C library aborts the process if an
/// allocation there fails. Also more than the C library keeps of freed memory, so that the check asks the
/// system.
const THREAD_START_BYTES: usize = 40 << 20;

/// A job: called by each worker that starts in time.
pub type Work<'a> = dyn Fn() + Sync + 'a;

/// The phases of a slot.
const FREE: u32 = 0;
const OFFERED: u32 = 1;
const RUNNING: u32 = 2;
/// Like RUNNING, with the caller asleep until the job is done.
const AWAITED: u32 = 3;

/// The number that means no job.
const NO_JOB: u64 = 0;

/// A worker thread.
#[derive(Clone)]
pub struct Worker {
    state: Arc<WorkerState>,
    thread: Thread,
}

struct WorkerState {
    slot: Slot,
    /// The number of the job that holds the worker, or [`NO_JOB`]; used by callers only.
    holder: AtomicU64,
    /// The caller in phase AWAITED; meaningless in other phases.
    waiter: Mutex<Option<Thread>>,
    /// Set when the thread has started.
    affinity: OnceLock<Affinity>,
    asleep: AtomicBool,
}

/// What caller and worker exchange. On a cache line of its own, as each transfer between cores takes a
/// tenth of a microsecond or more.
#[repr(align(64))]
struct Slot {
    phase: AtomicU32,
    /// Points to a `&Work`, in all phases but FREE.
    work: AtomicPtr<()>,
}

/// Whether the calling thread can wait for workers. It needs a thread handle to be woken; without enough
/// memory none is created, since the C library would abort the process.
pub fn can_wait() -> bool {
    thread_local! {
        static HAS_HANDLE: Cell<bool> = const { Cell::new(false) };
    }
    if !HAS_HANDLE.get() && check_available("threads", THREAD_START_BYTES).is_ok() {
        let _ = std::thread::current();
        HAS_HANDLE.set(true);
    }
    HAS_HANDLE.get()
}

impl Worker {
    /// Starts a worker called `name`; None if the system refuses.
    pub fn start(name: String) -> Option<Self> {
        Self::spawn(name, || true).map(|(worker, _)| worker)
    }

    /// The same, for a worker that ends when `goes_on` returns false; it is called before each check for a
    /// job.
    pub(super) fn spawn(
        name: String,
        goes_on: impl Fn() -> bool + Send + 'static,
    ) -> Option<(Self, JoinHandle<()>)> {
        let state = Arc::new(WorkerState {
            slot: Slot {
                phase: AtomicU32::new(FREE),
                work: AtomicPtr::default(),
            },
            holder: AtomicU64::new(NO_JOB),
            waiter: Mutex::default(),
            affinity: OnceLock::new(),
            asleep: AtomicBool::new(false),
        });
        let thread_state = Arc::clone(&state);
        check_available("threads", THREAD_START_BYTES).ok()?;
        let run_jobs = move || thread_state.run_jobs(goes_on);
        let handle = Builder::new().name(name).spawn(run_jobs).ok()?;
        let thread = handle.thread().clone();
        Some((Self { state, thread }, handle))
    }

    /// Offers `work` as the job `number`; false if another caller holds the worker.
    ///
    /// # Safety
    /// `work` must stay alive until [`Self::withdraw`] of this number has returned, and no other job may
    /// have the number.
    unsafe fn offer(&self, number: u64, work: &&Work<'_>) -> bool {
        let WorkerState { slot, holder, .. } = &*self.state;
        if holder
            .compare_exchange(NO_JOB, number, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            return false;
        }
        let work = std::ptr::from_ref(work).cast_mut().cast();
        slot.work.store(work, Ordering::Relaxed);
        slot.phase.store(OFFERED, Ordering::Release);
        let is_asleep = self.state.asleep.load(Ordering::Relaxed);
        if let Some(affinity) = self.state.affinity.get() {
            affinity.avoid_callers_cpu(is_asleep);
        }
        self.thread.unpark();
        true
    }

    /// Returns once the worker does not hold the job `number` (any more). Calls `waiting` in between, and
    /// returns at once in a child of `process` that `waiting` has forked.
    fn withdraw(&self, process: Process, number: u64, waiting: &dyn Fn()) {
        let WorkerState { slot, holder, .. } = &*self.state;
        if holder.load(Ordering::Relaxed) != number {
            return;
        }
        if slot.change(OFFERED, FREE).is_err() {
            self.state.wait(process, waiting);
        }
        holder.store(NO_JOB, Ordering::Release);
    }
}

impl Slot {
    fn change(&self, from: u32, to: u32) -> Result<u32, u32> {
        self.phase
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
    }
}

impl WorkerState {
    fn run_jobs(&self, goes_on: impl Fn() -> bool) {
        if !cfg!(loom) {
            self.affinity.get_or_init(Affinity::current);
        }
        let mut spin = SpinWait::default();
        while goes_on() {
            let offered = self.slot.phase.load(Ordering::Relaxed) == OFFERED;
            if offered && self.slot.change(OFFERED, RUNNING).is_ok() {
                self.work();
                spin = SpinWait::default();
            } else if spin.is_over() {
                self.asleep.store(true, Ordering::Relaxed);
                park();
                self.asleep.store(false, Ordering::Relaxed);
                spin = SpinWait::default();
            }
        }
    }

    fn work(&self) {
        let end = AbortOnPanic;
        let work = self.slot.work.load(Ordering::Relaxed).cast::<&Work<'_>>();
        // SAFETY: the caller keeps the work alive until the phase is FREE.
        unsafe { (*work)() };
        std::mem::forget(end);
        if self.slot.change(RUNNING, FREE).is_err() {
            let waiter = self.waiter().take();
            self.slot.phase.store(FREE, Ordering::Release);
            if let Some(waiter) = waiter {
                wake(&waiter);
            }
        }
    }

    /// Returns once the worker has finished, or in a forked child of `process`, where the worker does not
    /// exist. A panic in `waiting` aborts the process: the worker still uses what unwinding would free.
    fn wait(&self, process: Process, waiting: &dyn Fn()) {
        let mut spin = SpinWait::default();
        while self.slot.phase.load(Ordering::Acquire) != FREE {
            if spin.is_over() {
                *self.waiter() = Some(current());
                if self.slot.change(RUNNING, AWAITED) == Err(FREE) {
                    // It finished in the meantime, and will not wake the caller.
                    return;
                }
                let end = AbortOnPanic;
                waiting();
                std::mem::forget(end);
                if !process.is_current() {
                    return;
                }
                park_timeout(crate::base::cancel::INTERVAL);
            }
        }
    }

    fn waiter(&self) -> MutexGuard<'_, Option<Thread>> {
        self.waiter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Aborts instead of unwinding: two threads wait for each other, and one would be gone.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        std::process::abort();
    }
}

/// Offers `work` to up to `count` free workers of `workers`, runs `own`, and takes the work back. Calls
/// `waiting` from time to time while a worker is still working.
///
/// `own` and `waiting` may fork. In the child, where the workers of `process` do not exist, this returns
/// without them, and takes no lock that a worker may hold.
///
/// A panic in `work` on a worker aborts the process, as the worker could not give the work back. So does a
/// panic in `waiting`.
pub fn run_on(
    process: Process,
    workers: &[Worker],
    count: usize,
    work: &Work<'_>,
    own: impl FnOnce(),
    waiting: &dyn Fn(),
) {
    struct OfferedJob<'a> {
        process: Process,
        workers: &'a [Worker],
        number: u64,
        waiting: &'a dyn Fn(),
    }
    impl Drop for OfferedJob<'_> {
        fn drop(&mut self) {
            for worker in self.workers {
                if !self.process.is_current() {
                    return;
                }
                worker.withdraw(self.process, self.number, self.waiting);
            }
        }
    }
    // Loom's atomics cannot be static; the numbers need no memory ordering.
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(NO_JOB + 1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let offered = OfferedJob {
        process,
        workers,
        number,
        waiting,
    };
    // SAFETY: `offered` takes the work back before `work` ends, even if `own` panics, and its drop cannot
    // unwind; no other job has this number. In a forked child no worker runs.
    let accept = |worker: &&Worker| unsafe { worker.offer(number, &work) };
    workers.iter().filter(accept).take(count).for_each(|_| ());
    own();
    drop(offered);
}

#[cfg(all(test, not(loom)))]
mod tests;
