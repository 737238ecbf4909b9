//! Moments of the products g = a_k δ_j over examples: their mean and Σ (g − mean)², or Σ g².
//!
//! The products are formed one by one, in float64, and not as (δ²)ᵀ a²: δ² and a² leave the range of their
//! type where g does not, and Σ g² − n mean² loses the variance where it is small beside mean². At most
//! [`MAX_EXAMPLES`] examples are summed about the product of the first of them; such sums are merged as in Chan,
//! Golub and LeVeque, *Algorithms for Computing the Sample Variance*, 1983. Equal products have no variance.

mod merge;

use crate::kernels::moments::merge::{Merge, add, finite_or_zero};
use crate::kernels::simd::level::{Computation, current, run};
use crate::kernels::simd::vector::Arithmetic;

/// The most examples that are summed about the product of the first of them. More of them lose digits if the
/// first is an outlier.
pub const MAX_EXAMPLES: usize = 128;
/// Rows of [`ExampleFactors::delta`] are padded to a multiple of this: the lanes of every register.
pub const PADDING: usize = 8;
/// The inputs whose sums are in registers at a time.
const TILE: usize = 4;

/// The moments of some products, in rows of `stride` elements of which the first `shape.1` are used.
#[derive(Debug)]
pub struct Moments<'a> {
    /// The means; empty for moments about 0.
    pub mean: &'a mut [f64],
    /// Σ (g − mean)², or Σ g².
    pub squares: &'a mut [f64],
    /// The numbers of a_k and of δ_j.
    pub shape: (usize, usize),
    /// The row stride.
    pub stride: usize,
}

/// At most [`MAX_EXAMPLES`] examples.
#[derive(Debug, Clone, Copy)]
pub struct ExampleFactors<'a> {
    /// (rows, inputs).
    pub a: &'a [f64],
    /// (rows, outputs padded to a multiple of [`PADDING`]).
    pub delta: &'a [f64],
    /// The number of examples.
    pub rows: usize,
    /// The number of those that the moments hold already.
    pub before: usize,
}

/// An element of a that is not 0.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListedElement {
    /// k.
    pub input: u32,
    /// The example, among those of δ.
    pub row: u32,
    /// Its a_k.
    pub value: f64,
}

impl Moments<'_> {
    /// Adds the products of some examples.
    ///
    /// # Panics
    /// The length of a slice does not match.
    pub fn add(&mut self, examples: ExampleFactors<'_>) {
        let ExampleFactors { a, delta, rows, .. } = examples;
        let (inputs, width) = (self.shape.0, self.shape.1.next_multiple_of(PADDING));
        assert!((1..=MAX_EXAMPLES).contains(&rows), "the number of examples");
        assert_eq!(a.len(), rows * inputs, "the length of a");
        assert_eq!(delta.len(), rows * width, "the length of δ");
        self.check();
        if self.mean.is_empty() {
            // SAFETY: the machine has the level in use; the assertions prove that all is in bounds.
            unsafe { run(current(), Sums::<false>(self, examples)) }
        } else {
            // SAFETY: as above.
            unsafe { run(current(), Sums::<true>(self, examples)) }
        }
    }

    /// Adds the products of the first input with some examples, those whose a is not 0, to those of `before`
    /// others. `delta` is that of [`ExampleFactors`].
    ///
    /// # Panics
    /// The length of a slice does not match, or an example does not exist.
    pub fn add_listed(&mut self, listed: &[ListedElement], delta: &[f64], before: f64) {
        self.check();
        let width = self.shape.1.next_multiple_of(PADDING);
        let rows = delta.len() / width;
        let exists = |entry: &ListedElement| (entry.row as usize) < rows;
        assert!(listed.iter().all(exists), "the examples");
        let Some(first) = listed.first() else { return };
        if self.mean.is_empty() {
            let computation = ListedSums::<false>(self, (first, listed), delta, before);
            // SAFETY: the machine has the level in use; the assertions prove that all is in bounds.
            unsafe { run(current(), computation) }
        } else {
            let computation = ListedSums::<true>(self, (first, listed), delta, before);
            // SAFETY: as above.
            unsafe { run(current(), computation) }
        }
    }

    /// Adds products that are 0 for input `input`, to those of `count` examples: `zeros` of them.
    ///
    /// # Panics
    /// The input does not exist.
    pub fn add_zeros(&mut self, input: usize, count: f64, zeros: f64) {
        let numbers = input * self.stride..input * self.stride + self.shape.1;
        let Some(mean) = self.mean.get_mut(numbers.clone()) else {
            return;
        };
        let (share, root) = (
            count / (count + zeros),
            (count / (count + zeros) * zeros).sqrt(),
        );
        for (mean, squares) in mean.iter_mut().zip(&mut self.squares[numbers]) {
            let between = *mean * root;
            *squares += between * between;
            *mean *= share;
        }
    }

    fn check(&self) {
        let (inputs, n_out) = self.shape;
        assert!(
            (1..=self.stride).contains(&n_out) && inputs > 0,
            "the shape"
        );
        let length = (inputs - 1).checked_mul(self.stride);
        let length = length.and_then(|length| length.checked_add(n_out));
        let is_enough = |numbers: &[f64]| length.is_some_and(|length| length <= numbers.len());
        assert!(is_enough(self.squares), "the length of the squares");
        assert!(
            self.mean.is_empty() || is_enough(self.mean),
            "the length of the means"
        );
    }
}

/// The computation of [`Moments::add`].
struct Sums<'a, 'b, const CENTERED: bool>(&'a mut Moments<'b>, ExampleFactors<'a>);

impl<const CENTERED: bool> Computation<f64> for Sums<'_, '_, CENTERED> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = f64>>(mut self) {
        let (inputs, n_out) = self.0.shape;
        let tiled = inputs - inputs % TILE;
        for column in (0..n_out).step_by(V::LANES) {
            // SAFETY: the caller guarantees the instructions and the bounds; the inputs and the column exist.
            unsafe {
                for input in (0..tiled).step_by(TILE) {
                    self.tile::<V, TILE>(input, column);
                }
                for input in tiled..inputs {
                    self.tile::<V, 1>(input, column);
                }
            }
        }
    }
}

impl<const CENTERED: bool> Sums<'_, '_, CENTERED> {
    /// Adds the products of `INPUTS` inputs with a register of δ.
    ///
    /// # Safety
    /// The machine has the instructions; the inputs from `input` on and the column exist; the lengths match.
    #[inline(always)]
    unsafe fn tile<V: Arithmetic<Scalar = f64>, const INPUTS: usize>(
        &mut self,
        input: usize,
        column: usize,
    ) {
        let Self(moments, examples) = self;
        let (inputs, n_out) = moments.shape;
        let (width, lanes) = (
            n_out.next_multiple_of(PADDING),
            V::LANES.min(n_out - column),
        );
        // SAFETY: the caller guarantees the instructions. Rows of δ are padded to whole registers, and the
        // lanes of the moments are counted.
        unsafe {
            let zero = V::broadcast(0.0);
            let (mut sums, mut squares) = ([zero; INPUTS], [zero; INPUTS]);
            let product = |row: usize, k: usize| {
                let delta = V::load(examples.delta.as_ptr().add(row * width + column));
                V::broadcast(*examples.a.as_ptr().add(row * inputs + input + k)) * delta
            };
            let origin: [V; INPUTS] = std::array::from_fn(|k| finite_or_zero(product(0, k)));
            for row in 0..examples.rows {
                for k in 0..INPUTS {
                    let product = product(row, k);
                    add::<V, CENTERED>(product, origin[k], &mut sums[k], &mut squares[k]);
                }
            }
            let merge = Merge::new(number(examples.rows), number(examples.before));
            for k in 0..INPUTS {
                let at = (input + k) * moments.stride + column;
                let sums = [origin[k], sums[k], squares[k]];
                merge.add::<V, CENTERED>(moments, at, lanes, sums);
            }
        }
    }
}

/// The computation of [`Moments::add_listed`]: its examples and the first of them, δ, and the number of examples before.
struct ListedSums<'a, 'b, const CENTERED: bool>(
    &'a mut Moments<'b>,
    (&'a ListedElement, &'a [ListedElement]),
    &'a [f64],
    f64,
);

impl<const CENTERED: bool> Computation<f64> for ListedSums<'_, '_, CENTERED> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = f64>>(self) {
        let Self(moments, (first, listed), delta, before) = self;
        let n_out = moments.shape.1;
        let width = n_out.next_multiple_of(PADDING);
        let merge = Merge::new(number(listed.len()), before);
        for column in (0..n_out).step_by(V::LANES) {
            let lanes = V::LANES.min(n_out - column);
            // SAFETY: the caller guarantees the instructions and the bounds. Rows of δ are padded to whole
            // registers, and the lanes of the moments are counted.
            unsafe {
                let product = |entry: &ListedElement| {
                    let delta = delta.as_ptr().add(entry.row as usize * width + column);
                    V::broadcast(entry.value) * V::load(delta)
                };
                let zero = V::broadcast(0.0);
                let origin = finite_or_zero(product(first));
                let (mut sum, mut squares) = (zero, zero);
                for entry in listed {
                    add::<V, CENTERED>(product(entry), origin, &mut sum, &mut squares);
                }
                merge.add::<V, CENTERED>(moments, column, lanes, [origin, sum, squares]);
            }
        }
    }
}

/// The number `n` of examples, fewer than 2^53.
#[allow(clippy::cast_precision_loss)]
pub fn number(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests;
