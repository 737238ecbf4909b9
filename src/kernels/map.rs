//! A function of each number of a slice, in place.
//!
//! Every element goes through the same operations wherever it stands: the last register is filled
//! up with zeros, and its other lanes are dropped.

use super::level::{self, Job, Level};
use super::vector::Arithmetic;
use crate::scalar::Real;

/// A function of one number, lane by lane. Its formula has the same bits in every register type
/// with fused multiply-add.
pub trait Function<T: Real>: Copy {
    /// f(x).
    fn of<V: Arithmetic<Scalar = T>>(self, x: V) -> V;
}

/// x ← f(x). `plain` is f without fused multiply-add.
pub fn map<T: Real>(values: &mut [T], function: impl Function<T>, plain: impl Fn(T) -> T) {
    match fused_level() {
        // SAFETY: it is the machine's level.
        Some(level) => unsafe { level::run(level, Map { values, function }) },
        None => values.iter_mut().for_each(|x| *x = plain(*x)),
    }
}

/// y ← y f(x), as far as both go. `plain` is f without fused multiply-add.
pub fn scale<T: Real>(
    values: &mut [T],
    by: &[T],
    function: impl Function<T>,
    plain: impl Fn(T) -> T,
) {
    match fused_level() {
        // SAFETY: it is the machine's level.
        Some(level) => unsafe {
            level::run(
                level,
                Scale {
                    values,
                    by,
                    function,
                },
            )
        },
        None => values.iter_mut().zip(by).for_each(|(y, &x)| *y *= plain(x)),
    }
}

/// The level in use, unless it lacks fused multiply-add.
pub(super) fn fused_level() -> Option<Level> {
    Some(level::current()).filter(|level| level.is_fused())
}

/// x ← f(x).
pub(super) struct Map<'a, T, F> {
    pub values: &'a mut [T],
    pub function: F,
}

impl<T: Real, F: Function<T>> Job<T> for Map<'_, T, F> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let values = self.values.as_mut_ptr();
        let last = self.values.len() % V::LANES;
        let whole = self.values.len() - last;
        for at in (0..whole).step_by(V::LANES) {
            // SAFETY: a whole register lies in the slice; the caller proves the instructions.
            unsafe {
                self.function
                    .of(V::load(values.add(at)))
                    .store(values.add(at))
            }
        }
        if last > 0 {
            // SAFETY: `last` numbers are left of the slice; the caller proves the instructions.
            unsafe {
                let value = self.function.of(V::load_first(values.add(whole), last));
                value.store_first(values.add(whole), last);
            }
        }
    }
}

/// y ← y f(x).
pub(super) struct Scale<'a, T, F> {
    pub values: &'a mut [T],
    pub by: &'a [T],
    pub function: F,
}

impl<T: Real, F: Function<T>> Job<T> for Scale<'_, T, F> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let (values, by) = (self.values.as_mut_ptr(), self.by.as_ptr());
        let length = self.values.len().min(self.by.len());
        let last = length % V::LANES;
        let whole = length - last;
        for at in (0..whole).step_by(V::LANES) {
            // SAFETY: a whole register lies in both slices; the caller proves the instructions.
            unsafe {
                let factor = self.function.of(V::load(by.add(at)));
                (V::load(values.add(at)) * factor).store(values.add(at));
            }
        }
        if last > 0 {
            // SAFETY: `last` numbers are left of both; the caller proves the instructions.
            unsafe {
                let factor = self.function.of(V::load_first(by.add(whole), last));
                let value = V::load_first(values.add(whole), last) * factor;
                value.store_first(values.add(whole), last);
            }
        }
    }
}
