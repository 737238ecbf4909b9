//! Sums of some examples, and how they are added to the moments of those before.

use crate::kernels::moments::Moments;
use crate::kernels::simd::vector::Arithmetic;

/// Adds a product to the sums of its differences from `origin` and of their squares, or of its own square.
#[inline(always)]
pub(super) fn add<V: Arithmetic<Scalar = f64>, const CENTERED: bool>(
    product: V,
    origin: V,
    sum: &mut V,
    squares: &mut V,
) {
    if CENTERED {
        let difference = product - origin;
        *sum = *sum + difference;
        *squares = difference.mul_add(difference, *squares);
    } else {
        *squares = product.mul_add(product, *squares);
    }
}

/// 0 where x is not finite.
#[inline(always)]
pub(super) fn finite_or_zero<V: Arithmetic<Scalar = f64>>(x: V) -> V {
    V::select(is_finite(x), x, x.splat(0.0))
}

#[inline(always)]
fn is_finite<V: Arithmetic<Scalar = f64>>(x: V) -> V::Mask {
    x.abs().less(x.splat(f64::INFINITY))
}

/// How the sums of some examples are added to the moments of those before.
pub(super) struct Merge {
    /// The number of examples that are added.
    n: f64,
    /// Their part of all.
    share: f64,
    /// The root of the factor of (the difference of both means)² in Σ (g − mean)².
    root: f64,
}

impl Merge {
    pub fn new(n: f64, before: f64) -> Self {
        let share = n / (before + n);
        let root = (before * share).sqrt();
        Self { n, share, root }
    }

    /// Adds the sums of the differences from `origin` and of their squares to the `lanes` moments from `at` on.
    ///
    /// # Safety
    /// The machine has the instructions; the lanes exist.
    #[inline(always)]
    pub unsafe fn add<V: Arithmetic<Scalar = f64>, const CENTERED: bool>(
        &self,
        moments: &mut Moments<'_>,
        at: usize,
        lanes: usize,
        [origin, sum, squares]: [V; 3],
    ) {
        // SAFETY: the caller guarantees the instructions and the bounds.
        unsafe {
            let total = moments.squares.as_mut_ptr().add(at);
            let mut added = squares;
            if CENTERED {
                let pointer = moments.mean.as_mut_ptr().add(at);
                let from_origin = sum / origin.splat(self.n);
                added = (added - sum * from_origin).at_least(origin.splat(0.0));
                let (mean, other) = (V::load_first(pointer, lanes), origin + from_origin);
                let difference = other - mean;
                let moved = difference.mul_add(origin.splat(self.share), mean);
                // Else NaN where NumPy's mean is infinite.
                let new = V::select(is_finite(difference), moved, mean + other);
                new.store_first(pointer, lanes);
                let between = difference * origin.splat(self.root);
                added = between.mul_add(between, added);
            }
            (V::load_first(total, lanes) + added).store_first(total, lanes);
        }
    }
}
