//! Applies a function of several numbers to the elements of several slices, in place.

use crate::kernels::real::Real;
use crate::kernels::simd::level::{self, Computation, current};
use crate::kernels::simd::vector::Arithmetic;

/// A function of `R` numbers that are read and `W` that are replaced, lane by lane.
pub(in crate::kernels) trait ZipFunction<T: Real, const R: usize, const W: usize>:
    Copy
{
    /// The values that replace `old`.
    fn of<V: Arithmetic<Scalar = T>>(self, read: [V; R], old: [V; W]) -> [V; W];
}

/// Replaces each element of the slices `write` by the function of those at the same place, up to the shortest
/// length. For every level: the function uses no elementary functions.
pub(in crate::kernels) fn zip<T: Real, const R: usize, const W: usize>(
    read: [&[T]; R],
    write: [&mut [T]; W],
    function: impl ZipFunction<T, R, W>,
) {
    // SAFETY: the machine has the level in use; the computation has slices and needs no more.
    unsafe { level::run(current(), Zip(read, write, function)) }
}

/// The computation of [`zip`].
pub(in crate::kernels) struct Zip<'a, T, const R: usize, const W: usize, F>(
    pub [&'a [T]; R],
    pub [&'a mut [T]; W],
    pub F,
);

impl<T: Real, const R: usize, const W: usize, F: ZipFunction<T, R, W>> Computation<T>
    for Zip<'_, T, R, W, F>
{
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let Self(read, mut write, function) = self;
        let lengths = read.iter().map(|slice| slice.len());
        let lengths = lengths.chain(write.iter().map(|slice| slice.len()));
        let length = lengths.min().unwrap_or(0);
        let read = read.map(<[T]>::as_ptr);
        let write = write.each_mut().map(|slice| slice.as_mut_ptr());
        let last = length % V::LANES;
        let whole = length - last;
        for at in (0..whole).step_by(V::LANES) {
            // SAFETY: a whole register is in bounds in every slice; the caller guarantees the instructions.
            unsafe {
                let values = read.map(|slice| V::load(slice.add(at)));
                let old = write.map(|slice| V::load(slice.add(at)));
                let new = function.of(values, old);
                for (slice, new) in write.into_iter().zip(new) {
                    new.store(slice.add(at));
                }
            }
        }
        if last > 0 {
            // SAFETY: `last` elements are left in every slice; the caller guarantees the instructions.
            unsafe {
                let values = read.map(|slice| V::load_first(slice.add(whole), last));
                let old = write.map(|slice| V::load_first(slice.add(whole), last));
                let new = function.of(values, old);
                for (slice, new) in write.into_iter().zip(new) {
                    new.store_first(slice.add(whole), last);
                }
            }
        }
    }
}
