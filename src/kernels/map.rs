//! A function of each number of a slice, in place.
//!
//! Every element goes through the same operations wherever it stands: the last register is filled
//! up with zeros, and its other lanes are dropped.

use super::level::{self, Job, Level};
use super::vector::Arithmetic;
use crate::scalar::Real;

/// A function of one number, lane by lane. Its formula has the same bits in every register type
/// with fused multiply-add.
pub trait Function: Copy {
    /// f(x).
    fn of<V: Arithmetic>(x: V) -> V
    where
        V::Scalar: Real;
}

/// x ← f(x). `plain` is f without fused multiply-add.
pub fn map<T: Real, F: Function>(values: &mut [T], function: F, plain: impl Fn(T) -> T) {
    let level = level::current();
    if level.is_fused() {
        map_at(level, values, function);
    } else {
        values.iter_mut().for_each(|x| *x = plain(*x));
    }
}

/// y ← y f(x), for as many as there are of both. `plain` is f without fused multiply-add.
pub fn scale<T: Real, F: Function>(
    values: &mut [T],
    by: &[T],
    function: F,
    plain: impl Fn(T) -> T,
) {
    let level = level::current();
    if level.is_fused() {
        scale_at(level, values, by, function);
    } else {
        values.iter_mut().zip(by).for_each(|(y, &x)| *y *= plain(x));
    }
}

/// [`map`] at a level that the machine has.
pub(super) fn map_at<T: Real, F: Function>(level: Level, values: &mut [T], _: F) {
    debug_assert!(level.is_available());
    // SAFETY: the level is that of the machine.
    unsafe { level::run(level, Map::<T, F>(values, PhantomData)) }
}

/// [`scale`] at a level that the machine has.
pub(super) fn scale_at<T: Real, F: Function>(level: Level, values: &mut [T], by: &[T], _: F) {
    debug_assert!(level.is_available());
    // SAFETY: the level is that of the machine.
    unsafe { level::run(level, Scale::<T, F>(values, by, PhantomData)) }
}

use std::marker::PhantomData;

pub(super) struct Map<'a, T, F>(pub &'a mut [T], pub PhantomData<F>);

impl<T: Real, F: Function> Job<T> for Map<'_, T, F> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let values = self.0.as_mut_ptr();
        let last = self.0.len() % V::LANES;
        let whole = self.0.len() - last;
        for at in (0..whole).step_by(V::LANES) {
            // SAFETY: a whole register lies in the slice; the caller proves the instructions.
            unsafe { F::of(V::load(values.add(at))).store(values.add(at)) }
        }
        if last > 0 {
            // SAFETY: `last` numbers are left of the slice; the caller proves the instructions.
            unsafe {
                F::of(V::load_first(values.add(whole), last)).store_first(values.add(whole), last)
            }
        }
    }
}

pub(super) struct Scale<'a, T, F>(pub &'a mut [T], pub &'a [T], pub PhantomData<F>);

impl<T: Real, F: Function> Job<T> for Scale<'_, T, F> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let length = self.0.len().min(self.1.len());
        let (values, by) = (self.0.as_mut_ptr(), self.1.as_ptr());
        let last = length % V::LANES;
        let whole = length - last;
        for at in (0..whole).step_by(V::LANES) {
            // SAFETY: a whole register lies in both slices; the caller proves the instructions.
            unsafe {
                let value = V::load(values.add(at)) * F::of(V::load(by.add(at)));
                value.store(values.add(at));
            }
        }
        if last > 0 {
            // SAFETY: `last` numbers are left of both; the caller proves the instructions.
            unsafe {
                let by = F::of(V::load_first(by.add(whole), last));
                let value = V::load_first(values.add(whole), last) * by;
                value.store_first(values.add(whole), last);
            }
        }
    }
}
