//! Applies a function to each element of a slice, in place.
//!
//! All elements go through the same operations, wherever they are in the slice: the last register is padded
//! with zeros, and its unused lanes are dropped.

use crate::kernels::real::Real;
use crate::kernels::simd::level::{self, Computation, Level};
use crate::kernels::simd::unrolled::Unrolled;
use crate::kernels::simd::vector::{Arithmetic, Vector};
use crate::kernels::tuning::elementwise::REGISTERS_AT_ONCE;

/// A function of one variable, lane by lane. It gives the same bits in every register type that has fused
/// multiply-add.
pub trait UnaryFunction<T: Real>: Copy {
    /// f(x).
    fn of<V: Arithmetic<Scalar = T>>(self, x: V) -> V;
}

/// A function of two variables, lane by lane.
pub(in crate::kernels) trait BinaryFunction<T: Real>: Copy {
    /// f(y, x).
    fn of<V: Arithmetic<Scalar = T>>(self, y: V, x: V) -> V;
}

/// x ← f(x). `scalar` is f for machines without fused multiply-add.
pub fn map<T: Real>(values: &mut [T], function: impl UnaryFunction<T>, scalar: impl Fn(T) -> T) {
    match fused_level() {
        // SAFETY: the machine has the level; the computation has slices and needs no more.
        Some(level) => unsafe { level::run(level, Map(values, function)) },
        None => values.iter_mut().for_each(|x| *x = scalar(*x)),
    }
}

/// y ← y f(x), up to the shorter length. `scalar` is f for machines without fused multiply-add.
pub fn scale<T: Real>(
    values: &mut [T],
    by: &[T],
    function: impl UnaryFunction<T>,
    scalar: impl Fn(T) -> T,
) {
    let function = MultiplyBy(function);
    match fused_level() {
        // SAFETY: the machine has the level; the computation has slices and needs no more.
        Some(level) => unsafe { level::run(level, Combine(values, by, function)) },
        None => values
            .iter_mut()
            .zip(by)
            .for_each(|(y, &x)| *y *= scalar(x)),
    }
}

/// The level in use, or None if it has no fused multiply-add.
pub(in crate::kernels) fn fused_level() -> Option<Level> {
    Some(level::current()).filter(|level| level.is_fused())
}

/// The registers whose function is computed at once.
type AtOnce<V> = Unrolled<V, REGISTERS_AT_ONCE>;

/// x ← f(x).
pub(in crate::kernels) struct Map<'a, T, F>(pub &'a mut [T], pub F);

impl<T: Real, F: UnaryFunction<T>> Computation<T> for Map<'_, T, F> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let Self(values, function) = self;
        let (start, last) = (values.as_mut_ptr(), values.len() % V::LANES);
        let whole = values.len() - last;
        let unrolled = whole - whole % AtOnce::<V>::LANES;
        for at in (0..unrolled).step_by(AtOnce::<V>::LANES) {
            // SAFETY: these registers are in bounds; the caller guarantees the instructions.
            unsafe {
                let pointer = start.add(at);
                function.of(AtOnce::<V>::load(pointer)).store(pointer);
            }
        }
        for at in (unrolled..whole).step_by(V::LANES) {
            // SAFETY: a whole register is in bounds; the caller guarantees the instructions.
            unsafe {
                let pointer = start.add(at);
                function.of(V::load(pointer)).store(pointer);
            }
        }
        if last > 0 {
            // SAFETY: `last` elements are left in the slice; the caller guarantees the instructions.
            unsafe {
                let pointer = start.add(whole);
                function
                    .of(V::load_first(pointer, last))
                    .store_first(pointer, last);
            }
        }
    }
}

/// y ← f(y, x), up to the shorter length.
pub(in crate::kernels) struct Combine<'a, T, F>(pub &'a mut [T], pub &'a [T], pub F);

impl<T: Real, F: BinaryFunction<T>> Computation<T> for Combine<'_, T, F> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let Self(values, by, function) = self;
        let length = values.len().min(by.len());
        let (start, by, last) = (values.as_mut_ptr(), by.as_ptr(), length % V::LANES);
        let whole = length - last;
        let unrolled = whole - whole % AtOnce::<V>::LANES;
        for at in (0..unrolled).step_by(AtOnce::<V>::LANES) {
            // SAFETY: these registers are in bounds in both slices; the caller guarantees the instructions.
            unsafe {
                let pointer = start.add(at);
                function
                    .of(AtOnce::<V>::load(pointer), AtOnce::<V>::load(by.add(at)))
                    .store(pointer);
            }
        }
        for at in (unrolled..whole).step_by(V::LANES) {
            // SAFETY: a whole register is in bounds in both slices; the caller guarantees the instructions.
            unsafe {
                let pointer = start.add(at);
                function
                    .of(V::load(pointer), V::load(by.add(at)))
                    .store(pointer);
            }
        }
        if last > 0 {
            // SAFETY: `last` elements are left in both slices; the caller guarantees the instructions.
            unsafe {
                let (pointer, by) = (start.add(whole), V::load_first(by.add(whole), last));
                function
                    .of(V::load_first(pointer, last), by)
                    .store_first(pointer, last);
            }
        }
    }
}

/// y f(x).
#[derive(Debug, Clone, Copy)]
pub(in crate::kernels) struct MultiplyBy<F>(pub F);

impl<T: Real, F: UnaryFunction<T>> BinaryFunction<T> for MultiplyBy<F> {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, y: V, x: V) -> V {
        y * self.0.of(x)
    }
}
