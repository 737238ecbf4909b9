//! Matrices of several networks with the same shape, interleaved: an element of all networks after the other,
//! so that each network has a lane of the registers.
//!
//! Products of such matrices add their terms serially along k, each with one fused multiply-add where the
//! machine has it, as those of [`gemm`](crate::kernels::gemm) do: a network has the same bits in a lane and
//! alone.

use crate::base::cache_line;
use crate::kernels::simd::level::{Computation, Registers, current, run};
use crate::kernels::simd::vector::Arithmetic;

/// The networks whose elements fill a cache line, which holds whole registers at every level.
pub const fn networks<T>() -> usize {
    cache_line::numbers::<T>()
}

/// Copies the elements of one network, in its lane of `to`.
pub fn interleave<T: Copy>(from: &[T], to: &mut [T], lane: usize) {
    for (line, &element) in to.chunks_exact_mut(networks::<T>()).zip(from) {
        line[lane] = element;
    }
}

/// Copies the elements of one network from its lane of `from`.
pub fn separate<T: Copy>(from: &[T], to: &mut [T], lane: usize) {
    for (line, element) in from.chunks_exact(networks::<T>()).zip(to) {
        *element = line[lane];
    }
}

/// A matrix of each network, in their lanes.
#[derive(Debug, Clone, Copy)]
pub struct Matrices<'a, T> {
    numbers: &'a [T],
    rows: usize,
    columns: usize,
    /// The lines from an element to the one below and to the one beside it.
    strides: (usize, usize),
}

impl<'a, T> Matrices<'a, T> {
    /// (rows, columns), row-major.
    ///
    /// # Panics
    /// There are fewer numbers.
    pub fn by_rows(numbers: &'a [T], rows: usize, columns: usize) -> Self {
        assert!(
            numbers.len() >= rows * columns * networks::<T>(),
            "the elements of interleaved matrices"
        );
        Self {
            numbers,
            rows,
            columns,
            strides: (columns, 1),
        }
    }

    /// The transposes.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            strides: (self.strides.1, self.strides.0),
            ..self
        }
    }
}

/// C = 1 bᵀ + A B, in every lane; b is `first`, or 0 if that is empty.
///
/// `a`: (m, k); `b`: (k, n); `first`: (n,); `c`: (m, n), row-major, overwritten.
///
/// # Panics
/// The shapes do not match.
pub fn product<T: Registers>(a: Matrices<'_, T>, b: Matrices<'_, T>, first: &[T], c: &mut [T]) {
    let lanes = networks::<T>();
    assert!(
        a.columns == b.rows
            && c.len() >= a.rows * b.columns * lanes
            && (first.is_empty() || first.len() >= b.columns * lanes),
        "the shapes of interleaved matrices"
    );
    // SAFETY: the machine has the level in use; the matrices have their elements, and the shapes match.
    unsafe { run(current(), InterleavedProduct { a, b, first, c }) }
}

/// 1ᵀ A in every lane: the sums of the columns.
///
/// `a`: (m, n), row-major; `sums`: (n,), overwritten.
///
/// # Panics
/// The shapes do not match.
pub fn sums<T: Registers>(a: Matrices<'_, T>, sums: &mut [T]) {
    let ones = [T::from(1); cache_line::BYTES];
    let ones = Matrices {
        numbers: &ones[..networks::<T>()],
        rows: 1,
        columns: a.rows,
        strides: (0, 0),
    };
    product(ones, a, &[], sums);
}

struct InterleavedProduct<'a, T> {
    a: Matrices<'a, T>,
    b: Matrices<'a, T>,
    first: &'a [T],
    c: &'a mut [T],
}

impl<T: Registers> Computation<T> for InterleavedProduct<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(mut self) {
        // SAFETY: the caller guarantees the instructions and shapes.
        unsafe {
            if V::ACCUMULATORS >= 16 {
                self.tiles::<V, 4, 4>();
            } else {
                self.tiles::<V, 4, 2>();
            }
        }
    }
}

impl<T: Registers> InterleavedProduct<'_, T> {
    /// Computes C in tiles whose sums are kept in registers.
    ///
    /// # Safety
    /// The machine has the instructions, and the shapes match.
    #[inline(always)]
    unsafe fn tiles<V: Arithmetic<Scalar = T>, const ROWS: usize, const COLUMNS: usize>(&mut self) {
        let (m, n) = (self.a.rows, self.b.columns);
        let (rows, columns) = (m - m % ROWS, n - n % COLUMNS);
        for lane in (0..networks::<T>()).step_by(V::LANES) {
            for j in (0..columns).step_by(COLUMNS) {
                for i in (0..rows).step_by(ROWS) {
                    // SAFETY: the caller guarantees the instructions and shapes; the tile is in C.
                    unsafe { self.tile::<V, ROWS, COLUMNS>(i, j, lane) };
                }
                for i in rows..m {
                    // SAFETY: as above.
                    unsafe { self.tile::<V, 1, COLUMNS>(i, j, lane) };
                }
            }
            for j in columns..n {
                for i in (0..rows).step_by(ROWS) {
                    // SAFETY: as above.
                    unsafe { self.tile::<V, ROWS, 1>(i, j, lane) };
                }
                for i in rows..m {
                    // SAFETY: as above.
                    unsafe { self.tile::<V, 1, 1>(i, j, lane) };
                }
            }
        }
    }

    /// Computes C(i, j) and its neighbours, in the lanes from `lane` on.
    ///
    /// # Safety
    /// The machine has the instructions, the shapes match, and the tile is in C; the lanes of a register are
    /// in a line.
    #[inline(always)]
    unsafe fn tile<V: Arithmetic<Scalar = T>, const ROWS: usize, const COLUMNS: usize>(
        &mut self,
        i: usize,
        j: usize,
        lane: usize,
    ) {
        let stride = networks::<T>();
        let at = |matrices: &Matrices<'_, T>, row: usize, column: usize| {
            let lines = row * matrices.strides.0 + column * matrices.strides.1;
            matrices
                .numbers
                .as_ptr()
                .wrapping_add(lines * stride + lane)
        };
        let (mut a, mut b) = (at(&self.a, i, 0), at(&self.b, 0, j));
        let ((a_row, a_next), (b_next, b_column)) = (self.a.strides, self.b.strides);
        // SAFETY: the caller guarantees the instructions, and that the rows of A, the columns of B and those of
        // `first` and C are in bounds; only elements of the matrices are loaded and stored.
        unsafe {
            let mut sums = [[V::broadcast(T::default()); COLUMNS]; ROWS];
            if !self.first.is_empty() {
                for column in 0..COLUMNS {
                    let first = V::load(self.first.as_ptr().add((j + column) * stride + lane));
                    for sums in &mut sums {
                        sums[column] = first;
                    }
                }
            }
            for _ in 0..self.a.columns {
                let mut row = [V::broadcast(T::default()); COLUMNS];
                for (column, b_of_column) in row.iter_mut().enumerate() {
                    *b_of_column = V::load(b.wrapping_add(column * b_column * stride));
                }
                for (row_of_a, sums) in sums.iter_mut().enumerate() {
                    let factor = V::load(a.wrapping_add(row_of_a * a_row * stride));
                    for (sum, &b) in sums.iter_mut().zip(&row) {
                        *sum = factor.mul_add(b, *sum);
                    }
                }
                a = a.wrapping_add(a_next * stride);
                b = b.wrapping_add(b_next * stride);
            }
            for (row, sums) in sums.iter().enumerate() {
                for (column, sum) in sums.iter().enumerate() {
                    let place = (i + row) * self.b.columns + j + column;
                    sum.store(self.c.as_mut_ptr().add(place * stride + lane));
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::cast_precision_loss)] // small numbers
mod tests {
    use super::*;
    use crate::base::cancel::CancelToken;
    use crate::kernels::gemm::{self, Context, Matrix, MatrixMut, Order};
    use crate::kernels::real::Real;
    use crate::kernels::simd::level::{Level, forced};
    use crate::kernels::testing::guarded::Guarded;

    /// Numbers of both signs, different in every lane.
    fn numbers<T: Real>(count: usize, lane: usize) -> Vec<T> {
        let number = |k: usize| ((k * 7919 + lane * 104_729) % 1013) as f64 / 500.0 - 1.0;
        (0..count).map(|k| T::from_f64(number(k))).collect()
    }

    /// The matrices of all lanes, at the end of guarded memory.
    fn interleaved<T: Real>(count: usize) -> &'static mut [T] {
        let length = count * networks::<T>();
        let memory = Box::leak(Box::new(Guarded::<T>::new(length)));
        let (_, all) = memory.last(length);
        for lane in 0..networks::<T>() {
            interleave(&numbers(count, lane), all, lane);
        }
        all
    }

    /// Compares the products of one shape with those of `gemm`, in every lane.
    fn check<T: Real>(m: usize, k: usize, n: usize, bits: impl Fn(T) -> u64) {
        let (a, b) = (interleaved::<T>(m * k), interleaved::<T>(k * n));
        let (first, c) = (interleaved::<T>(n), interleaved::<T>(m * n));
        let token = CancelToken::none();
        let mut pack_buffer = vec![T::ZERO; gemm::pack_buffer::<T>(0)];
        let context = &mut Context::new(&mut pack_buffer, &token);
        let mut compare =
            |name: &str, c: &[T], expected: &dyn Fn(usize, &mut Context<'_, T>) -> Vec<T>| {
                for lane in 0..networks::<T>() {
                    let expected = expected(lane, context);
                    let mut found = vec![T::ZERO; expected.len()];
                    separate(c, &mut found, lane);
                    let same = found
                        .iter()
                        .zip(&expected)
                        .all(|(&x, &y)| bits(x) == bits(y));
                    assert!(same, "{name} {m} {k} {n}, lane {lane}");
                }
            };
        let of = |numbers: &'static [T], rows, columns| Matrices::by_rows(numbers, rows, columns);
        let (a, b): (&'static [T], &'static [T]) = (a, b);
        product(of(a, m, k), of(b, k, n), first, c);
        compare("with a first row", c, &|lane, context| {
            let (a, b) = (numbers(m * k, lane), numbers(k * n, lane));
            let mut z = vec![T::ZERO; m * n];
            gemm::forward(
                Matrix::by_rows(&a, m, k),
                Matrix::by_rows(&b, k, n),
                &numbers(n, lane),
                MatrixMut::new(&mut z, m, n, Order::RowMajor),
                context,
            );
            z
        });
        let transposes = interleaved::<T>(n * k);
        product(of(a, m, k), of(transposes, n, k).transposed(), &[], c);
        compare("with transposes on the right", c, &|lane, context| {
            let (a, b) = (numbers(m * k, lane), numbers(n * k, lane));
            let mut z = vec![T::ZERO; m * n];
            gemm::errors(
                Matrix::by_rows(&a, m, k),
                Matrix::by_rows(&b, n, k),
                MatrixMut::new(&mut z, m, n, Order::RowMajor),
                context,
            );
            z
        });
        let transposes = interleaved::<T>(k * m);
        product(of(transposes, k, m).transposed(), of(b, k, n), &[], c);
        compare("with transposes on the left", c, &|lane, context| {
            let (a, b) = (numbers(k * m, lane), numbers(k * n, lane));
            let (a, b) = (Matrix::by_rows(&a, k, m), Matrix::by_rows(&b, k, n));
            let mut z = vec![T::ZERO; m * n];
            gemm::gradients(a, b, &mut z, false, gemm::Accumulate::Overwrite, context);
            z
        });
        let totals = &mut *first;
        sums(of(b, k, n), totals);
        compare("sums", totals, &|lane, context| {
            let mut z = vec![T::ZERO; n];
            gemm::sums(
                Matrix::by_rows(&numbers(k * n, lane), k, n),
                &mut z,
                context,
            );
            z
        });
    }

    #[test]
    fn every_lane_has_the_bits_of_a_product_alone() {
        let shapes = [(1, 1, 1), (4, 3, 2), (5, 1, 7), (7, 9, 1), (13, 4, 10)];
        for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
            forced::at(level, || {
                for (m, k, n) in shapes {
                    check::<f32>(m, k, n, |x| x.to_bits().into());
                    check::<f64>(m, k, n, f64::to_bits);
                }
            });
        }
    }

    #[test]
    #[should_panic(expected = "the shapes of interleaved matrices")]
    fn other_shapes_are_refused() {
        let (a, mut c) = (interleaved::<f32>(6), vec![0.0_f32; 64]);
        let (a, b) = (Matrices::by_rows(a, 2, 3), Matrices::by_rows(a, 2, 3));
        product(a, b, &[], &mut c);
    }
}
