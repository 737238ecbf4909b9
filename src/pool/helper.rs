//! A thread that helps: it waits, works on what a caller lends it, and waits again.
//!
//! A caller lends a borrowed closure, takes part in the work itself, and takes the closure back
//! before it returns: from a helper that has not begun at once, from one at work when it has
//! finished. So nobody waits for a helper that the system has not woken yet.

#![allow(unsafe_code)] // a thread that outlives the call works on what the call has borrowed

use std::cell::Cell;
use std::sync::OnceLock;

use crate::base::alloc::check_room;
use crate::pool::affinity::Affinity;
use crate::pool::idle::Idle;
use crate::pool::process::Process;
use crate::pool::sync::{
    Arc, AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Builder, JoinHandle, Mutex, MutexGuard,
    Ordering, PoisonError, Thread, current, park, park_timeout, wake,
};

/// More bytes than a thread takes where it begins, its stack among them: the C library ends the process
/// where it lacks some of them. More also than it has ever kept of what was freed, so that it asks the
/// system.
const BEGINNING: usize = 40 << 20;

/// What is lent: called by each helper that comes in time.
pub type Work<'a> = dyn Fn() + Sync + 'a;

/// The phases of a helper.
const FREE: u32 = 0;
const OFFERED: u32 = 1;
const WORKING: u32 = 2;
/// The same, and its caller sleeps until it has finished.
const AWAITED: u32 = 3;

/// The number of no loan.
const NOBODY: u64 = 0;

/// A helper.
#[derive(Clone)]
pub struct Helper {
    worker: Arc<Worker>,
    thread: Thread,
}

struct Worker {
    slot: Slot,
    /// The number of the loan that has the helper, or [`NOBODY`]: callers alone look at it.
    holder: AtomicU64,
    /// The caller in phase AWAITED; in others it tells nothing.
    waiter: Mutex<Option<Thread>>,
    /// Known once the thread runs.
    affinity: OnceLock<Affinity>,
    asleep: AtomicBool,
}

/// What goes to and fro between two threads: a line of the cache of its own, which takes a tenth of a
/// microsecond and more each way.
#[repr(align(64))]
struct Slot {
    phase: AtomicU32,
    /// Points to a `&Work`, in all phases but FREE.
    work: AtomicPtr<()>,
}

/// Whether the calling thread may wait for helpers: it has a handle by which it is woken. Where memory is
/// short it cannot have one: the C library would end the process.
pub fn may_wait() -> bool {
    thread_local! {
        static HAS_HANDLE: Cell<bool> = const { Cell::new(false) };
    }
    if !HAS_HANDLE.get() && check_room("threads", BEGINNING).is_ok() {
        let _ = std::thread::current();
        HAS_HANDLE.set(true);
    }
    HAS_HANDLE.get()
}

impl Helper {
    /// Starts a helper called `name`; None where the system refuses.
    pub fn start(name: String) -> Option<Self> {
        Self::spawn(name, || true).map(|(helper, _)| helper)
    }

    /// The same for one that ends when `goes_on` says so, which it is asked before each look for work.
    pub(super) fn spawn(
        name: String,
        goes_on: impl Fn() -> bool + Send + 'static,
    ) -> Option<(Self, JoinHandle<()>)> {
        let worker = Arc::new(Worker {
            slot: Slot {
                phase: AtomicU32::new(FREE),
                work: AtomicPtr::default(),
            },
            holder: AtomicU64::new(NOBODY),
            waiter: Mutex::default(),
            affinity: OnceLock::new(),
            asleep: AtomicBool::new(false),
        });
        let its_worker = Arc::clone(&worker);
        check_room("threads", BEGINNING).ok()?;
        let attend = move || its_worker.attend(goes_on);
        let handle = Builder::new().name(name).spawn(attend).ok()?;
        let thread = handle.thread().clone();
        Some((Self { worker, thread }, handle))
    }

    /// Offers `work` under `number`; false where another caller has the helper.
    ///
    /// # Safety
    /// `work` lives until [`Self::take_back`] of this number has returned; no other loan has the
    /// number.
    unsafe fn offer(&self, number: u64, work: &&Work<'_>) -> bool {
        let Worker { slot, holder, .. } = &*self.worker;
        if holder
            .compare_exchange(NOBODY, number, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            return false;
        }
        let work = std::ptr::from_ref(work).cast_mut().cast();
        slot.work.store(work, Ordering::Relaxed);
        slot.phase.store(OFFERED, Ordering::Release);
        let is_asleep = self.worker.asleep.load(Ordering::Relaxed);
        if let Some(affinity) = self.worker.affinity.get() {
            affinity.keep_apart(is_asleep);
        }
        self.thread.unpark();
        true
    }

    /// Returns once the helper does not have the loan `number`, or no longer; asks `waiting` in
    /// between, and returns at once where that has left `process` for a child.
    fn take_back(&self, process: Process, number: u64, waiting: &dyn Fn()) {
        let Worker { slot, holder, .. } = &*self.worker;
        if holder.load(Ordering::Relaxed) != number {
            return;
        }
        if slot.change(OFFERED, FREE).is_err() {
            self.worker.wait(process, waiting);
        }
        holder.store(NOBODY, Ordering::Release);
    }
}

impl Slot {
    fn change(&self, from: u32, to: u32) -> Result<u32, u32> {
        self.phase
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
    }
}

impl Worker {
    fn attend(&self, goes_on: impl Fn() -> bool) {
        if !cfg!(loom) {
            self.affinity.get_or_init(Affinity::current);
        }
        let mut rest = Idle::default();
        while goes_on() {
            let offered = self.slot.phase.load(Ordering::Relaxed) == OFFERED;
            if offered && self.slot.change(OFFERED, WORKING).is_ok() {
                self.work();
                rest = Idle::default();
            } else if rest.is_over() {
                self.asleep.store(true, Ordering::Relaxed);
                park();
                self.asleep.store(false, Ordering::Relaxed);
                rest = Idle::default();
            }
        }
    }

    fn work(&self) {
        let end = AbortOnPanic;
        let work = self.slot.work.load(Ordering::Relaxed).cast::<&Work<'_>>();
        // SAFETY: the caller keeps the work alive until the phase is FREE.
        unsafe { (*work)() };
        std::mem::forget(end);
        if self.slot.change(WORKING, FREE).is_err() {
            let waiter = self.waiter().take();
            self.slot.phase.store(FREE, Ordering::Release);
            if let Some(waiter) = waiter {
                wake(&waiter);
            }
        }
    }

    /// Returns once the helper has finished, or where `process` has been left for a child: the helper
    /// is not there. A panic in `waiting` ends the process: the helper works on what the caller would
    /// take with it.
    fn wait(&self, process: Process, waiting: &dyn Fn()) {
        let mut rest = Idle::default();
        while self.slot.phase.load(Ordering::Acquire) != FREE {
            if rest.is_over() {
                *self.waiter() = Some(current());
                if self.slot.change(WORKING, AWAITED) == Err(FREE) {
                    // It has finished meanwhile, and will wake nobody.
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

/// One of two threads that wait for each other would be gone.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        std::process::abort();
    }
}

/// Lends `work` to `count` of `helpers`, if so many are free, does `own`, and takes the work back. Asks
/// `waiting` now and then while a helper is still at work.
///
/// `own` and `waiting` may fork. In the child, which does not have the helpers of `process`, this
/// returns without them; no lock that a helper may have had is taken.
///
/// A panic in `work` on a helper ends the process: the helper could not give it back. So does one in
/// `waiting`.
pub fn run_on(
    process: Process,
    helpers: &[Helper],
    count: usize,
    work: &Work<'_>,
    own: impl FnOnce(),
    waiting: &dyn Fn(),
) {
    struct Lent<'a> {
        process: Process,
        helpers: &'a [Helper],
        number: u64,
        waiting: &'a dyn Fn(),
    }
    impl Drop for Lent<'_> {
        fn drop(&mut self) {
            for helper in self.helpers {
                if !self.process.is_current() {
                    return;
                }
                helper.take_back(self.process, self.number, self.waiting);
            }
        }
    }
    // Loom's cannot be static; the numbers need no order.
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(NOBODY + 1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let lent = Lent {
        process,
        helpers,
        number,
        waiting,
    };
    // SAFETY: `lent` takes the work back before `work` can end, be it by a panic of `own`, and nothing
    // can unwind out of that; the number is this loan's alone. In a forked child no helper runs.
    let accept = |helper: &&Helper| unsafe { helper.offer(number, &work) };
    helpers.iter().filter(accept).take(count).for_each(|_| ());
    own();
    drop(lent);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::base::cancel::INTERVAL;
    use crate::pool::idle::AWAKE;

    fn lend_to(helper: &Helper, work: &Work<'_>, own: impl FnOnce()) {
        let process = Process::current().expect("forks are counted");
        run_on(process, std::slice::from_ref(helper), 1, work, own, &|| ());
    }

    /// A helper of its own: those of the pool are kept awake by other tests, or have just started.
    #[test]
    fn a_helper_that_sleeps_is_woken() {
        let helper = Helper::start("alone".to_owned()).expect("a thread");
        // The system may be busy for once.
        let woken = (1..=100).any(|_| {
            std::thread::sleep(INTERVAL.max(10 * AWAKE));
            let (came, since) = (AtomicBool::new(false), Instant::now());
            let own = || {
                while !came.load(Ordering::Relaxed) && since.elapsed() < INTERVAL {
                    std::thread::yield_now();
                }
            };
            let work = || came.store(true, Ordering::Relaxed);
            lend_to(&helper, &work, own);
            came.into_inner()
        });
        assert!(woken, "the helper never came");
    }

    /// Without a word from the helper it would sleep for all of INTERVAL.
    #[test]
    fn a_caller_that_sleeps_is_woken() {
        let helper = Helper::start("alone".to_owned()).expect("a thread");
        let woken = (1..=100).any(|_| {
            let (came, since) = (AtomicBool::new(false), Instant::now());
            let own = || {
                while !came.load(Ordering::Relaxed) && since.elapsed() < INTERVAL {
                    std::thread::yield_now();
                }
            };
            let work = || {
                came.store(true, Ordering::Relaxed);
                std::thread::sleep(10 * AWAKE);
            };
            lend_to(&helper, &work, own);
            came.into_inner() && since.elapsed() < INTERVAL
        });
        assert!(woken, "the caller slept on");
    }
}
