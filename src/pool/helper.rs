//! A thread that helps: it waits, works on what a caller lends it, and waits again.
//!
//! A caller lends a borrowed closure, takes part in the work itself, and takes the closure back
//! before it returns: from a helper that has not begun at once, from one at work when it has
//! finished. So nobody waits for a helper that the system has not woken yet.

#![allow(unsafe_code)] // a thread that outlives the call works on what the call has borrowed

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{Builder, Thread};
use std::time::{Duration, Instant};

use super::place::Place;

/// How long a helper looks for work before it sleeps: to wake it takes a caller some microseconds,
/// and calls often come one after the other.
const AWAKE: Duration = Duration::from_micros(200);
/// The looks between two at the clock, and before it lets others run in between.
const LOOKS: usize = 64;

/// What is lent: called by each helper that comes in time.
pub type Work<'a> = dyn Fn() + Sync + 'a;

/// The phases of a helper, in the low bits of its state; above them stands the loan's number.
const FREE: u64 = 0;
const CLAIMED: u64 = 1;
const OFFERED: u64 = 2;
const WORKING: u64 = 3;
const PHASE: u64 = 3;

/// A helper.
#[derive(Clone)]
pub struct Helper {
    desk: Arc<Desk>,
    thread: Thread,
}

struct Desk {
    state: AtomicU64,
    /// Written in phase CLAIMED, taken in phase WORKING: nobody ever waits for it.
    loan: Mutex<Option<Loan>>,
    /// Known once the thread runs.
    place: OnceLock<Place>,
    asleep: AtomicBool,
}

struct Loan {
    work: *const Work<'static>,
    caller: Thread,
}

// SAFETY: what it points to may be shared between threads.
unsafe impl Send for Loan {}

impl Helper {
    /// Starts a helper called `name`; None where the system refuses.
    pub fn start(name: String) -> Option<Self> {
        let desk = Arc::new(Desk {
            state: AtomicU64::new(FREE),
            loan: Mutex::default(),
            place: OnceLock::new(),
            asleep: AtomicBool::new(false),
        });
        let its_desk = Arc::clone(&desk);
        let handle = Builder::new().name(name).spawn(move || its_desk.attend());
        let thread = handle.ok()?.thread().clone();
        Some(Self { desk, thread })
    }

    /// Offers `work` under `number`; false where the helper is at work for another caller.
    ///
    /// # Safety
    /// `work` lives until [`Self::take_back`] of this number has returned; no other loan has the
    /// number.
    unsafe fn offer(&self, number: u64, work: &Work<'_>, caller: &Thread) -> bool {
        let state = &self.desk.state;
        let claimed = (number << 2) | CLAIMED;
        if state
            .compare_exchange(FREE, claimed, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            return false;
        }
        let caller = caller.clone();
        // SAFETY: only the lifetime changes, and the caller proves that it is long enough.
        let work = unsafe { std::mem::transmute::<&Work<'_>, &Work<'static>>(work) };
        self.desk.put(Some(Loan { work, caller }));
        state.store((number << 2) | OFFERED, Ordering::Release);
        if let Some(place) = self.desk.place.get() {
            place.keep_apart(self.desk.asleep.load(Ordering::Relaxed));
        }
        self.thread.unpark();
        true
    }

    /// Returns once the helper does not have the loan `number`, or no longer; asks `waiting` in
    /// between.
    fn take_back(&self, number: u64, waiting: &dyn Fn()) {
        let state = &self.desk.state;
        let (offered, working) = ((number << 2) | OFFERED, (number << 2) | WORKING);
        if state
            .compare_exchange(offered, FREE, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
        {
            return;
        }
        let mut rest = Rest::default();
        while state.load(Ordering::Acquire) == working {
            if rest.is_over() {
                waiting();
                std::thread::park_timeout(crate::interrupt::INTERVAL);
            }
        }
    }
}

impl Desk {
    fn attend(&self) {
        self.place.get_or_init(Place::current);
        let mut rest = Rest::default();
        loop {
            let state = self.state.load(Ordering::Acquire);
            if state & PHASE == OFFERED && self.begin(state) {
                self.work();
                rest = Rest::default();
            } else if rest.is_over() {
                self.asleep.store(true, Ordering::Relaxed);
                std::thread::park();
                self.asleep.store(false, Ordering::Relaxed);
                rest = Rest::default();
            }
        }
    }

    fn begin(&self, offered: u64) -> bool {
        let working = (offered & !PHASE) | WORKING;
        let began =
            self.state
                .compare_exchange(offered, working, Ordering::AcqRel, Ordering::Relaxed);
        began.is_ok()
    }

    /// Puts `loan` on the desk and takes what lay there.
    fn put(&self, loan: Option<Loan>) -> Option<Loan> {
        std::mem::replace(
            &mut *self.loan.lock().unwrap_or_else(PoisonError::into_inner),
            loan,
        )
    }

    fn work(&self) {
        if let Some(Loan { work, caller }) = self.put(None) {
            let end = AbortOnPanic;
            // SAFETY: the caller keeps the work alive until the state is FREE.
            unsafe { (*work)() };
            std::mem::forget(end);
            self.state.store(FREE, Ordering::Release);
            caller.unpark();
        }
    }
}

/// The caller would wait for ever for a helper that is gone.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        std::process::abort();
    }
}

/// Looks without sleep, for [`AWAKE`]; after the first few it lets other threads run.
#[derive(Default)]
struct Rest {
    looks: usize,
    since: Option<Instant>,
}

impl Rest {
    fn is_over(&mut self) -> bool {
        self.looks += 1;
        if !self.looks.is_multiple_of(LOOKS) {
            std::hint::spin_loop();
            return false;
        }
        std::thread::yield_now();
        self.since.get_or_insert_with(Instant::now).elapsed() > AWAKE
    }
}

/// Lends `work` to `count` of `helpers`, if so many are free, does `own`, and takes the work back. Asks
/// `waiting` now and then while a helper is still at work.
///
/// A panic in `work` on a helper ends the process: the helper could not give it back.
pub fn lend(
    helpers: &[Helper],
    count: usize,
    work: &Work<'_>,
    own: impl FnOnce(),
    waiting: &dyn Fn(),
) {
    struct Lent<'a>(&'a [Helper], u64, &'a dyn Fn());
    impl Drop for Lent<'_> {
        fn drop(&mut self) {
            self.0
                .iter()
                .for_each(|helper| helper.take_back(self.1, self.2));
        }
    }
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let lent = Lent(helpers, number, waiting);
    let caller = std::thread::current();
    // SAFETY: `lent` takes the work back before `work` can end, be it by a panic of `own`; the
    // number is this loan's alone.
    let accept = |helper: &&Helper| unsafe { helper.offer(number, work, &caller) };
    helpers.iter().filter(accept).take(count).for_each(|_| ());
    own();
    drop(lent);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::interrupt::INTERVAL;

    /// A helper of its own: those of the pool are kept awake by other tests, or have just started.
    #[test]
    fn a_helper_that_sleeps_is_woken() {
        let helper = Helper::start("alone".to_owned()).expect("a thread");
        // The system may be busy for once.
        let woken = (1..=100).any(|number| {
            std::thread::sleep(INTERVAL.max(10 * AWAKE));
            let (came, since) = (AtomicBool::new(false), Instant::now());
            let own = || {
                while !came.load(Ordering::Relaxed) && since.elapsed() < INTERVAL {
                    std::thread::yield_now();
                }
            };
            let work = || came.store(true, Ordering::Relaxed);
            lend(std::slice::from_ref(&helper), number, &work, own, &|| ());
            came.into_inner()
        });
        assert!(woken, "the helper never came");
    }
}
