//! Compares a product at every level with a plain loop.

use crate::base::cancel::CancelToken;
use crate::kernels::gemm::tests::shape::{Kind, Shape};
use crate::kernels::gemm::{
    Accumulate, Context, Matrix, MatrixMut, errors, forward, gradients, pack_buffer,
};
use crate::kernels::simd::level::Level;
use crate::kernels::simd::level::forced::at;
use crate::kernels::testing::guarded::Guarded;
use crate::kernels::testing::number::{Number, fill};
use crate::kernels::tuning::gemm::LARGE;

/// The levels that run here. On x86-64 arrays stand in for NEON's registers.
pub fn levels() -> impl Iterator<Item = Level> {
    let runs = |level: &Level| match level {
        Level::Neon => Level::Neon.is_available() || Level::Avx2.is_available(),
        level => level.is_available(),
    };
    Level::ALL.into_iter().filter(runs)
}

/// The terms of every sum, added serially, with the machine's multiply-add if it has one: `mul_add` calls a
/// function elsewhere, which takes most of the time of these tests.
fn add_terms<T: Number>(
    shape: &Shape,
    sizes: (usize, usize, usize),
    factors: (&[T], &[T]),
    sums: &mut [T],
    once: bool,
) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn with_fma<T: Number>(
            shape: &Shape,
            sizes: (usize, usize, usize),
            factors: (&[T], &[T]),
            sums: &mut [T],
            once: bool,
        ) {
            add_terms_here(shape, sizes, factors, sums, once);
        }
        if Level::Avx2.is_available() {
            // SAFETY: the machine has the instructions.
            return unsafe { with_fma(shape, sizes, factors, sums, once) };
        }
    }
    add_terms_here(shape, sizes, factors, sums, once);
}

/// The same, compiled for the instructions of the caller. Rows of B and C are copied to contiguous ones, so
/// that the loop over the columns is vectorised.
#[inline(always)]
fn add_terms_here<T: Number>(
    shape: &Shape,
    (rows, columns, steps): (usize, usize, usize),
    (a, b): (&[T], &[T]),
    sums: &mut [T],
    once: bool,
) {
    let places = (0..steps).flat_map(|k| (0..columns).map(move |j| (k, j)));
    let b: Vec<T> = places.map(|(k, j)| b[shape.b.at(k, j)]).collect();
    let mut row = vec![T::default(); columns];
    for i in 0..rows + shape.ones {
        for (j, sum) in row.iter_mut().enumerate() {
            *sum = sums[shape.c.at(i, j)];
        }
        for (k, b) in b.chunks_exact(columns).enumerate() {
            let factor = if i < rows {
                a[shape.a.at(i, k)]
            } else {
                T::ONE
            };
            for (sum, &b) in row.iter_mut().zip(b) {
                *sum = factor.multiply_add(b, *sum, once);
            }
        }
        for (j, &sum) in row.iter().enumerate() {
            sums[shape.c.at(i, j)] = sum;
        }
    }
}

/// The examples in reverse order, after one that is not used.
fn scatter<T: Number>(a: &[T], neurons: usize, place: &mut [T]) {
    let (unused, last_first) = place.split_at_mut(neurons);
    unused.fill(T::NAN);
    let examples = a.chunks_exact(neurons);
    for (place, example) in last_first.rchunks_exact_mut(neurons).zip(examples) {
        place.copy_from_slice(example);
    }
}

/// The operands of a product, in guarded memory.
pub struct Places<T: 'static> {
    pub a: Guarded<T>,
    /// A's examples in reverse order, after one that is not used.
    scattered: Guarded<T>,
    pub b: Guarded<T>,
    bias: Guarded<T>,
    pub c: Guarded<T>,
    pub pack_buffer: Guarded<T>,
    pub seed: u64,
}

impl<T: Number> Places<T> {
    /// For matrices of at most `most` elements.
    pub fn new(most: usize) -> Self {
        Self {
            a: Guarded::new(most),
            scattered: Guarded::new(2 * most),
            b: Guarded::new(most),
            bias: Guarded::new(most),
            c: Guarded::new(most),
            pack_buffer: Guarded::new(pack_buffer::<T>((LARGE, 1), 1) + 1),
            seed: 1,
        }
    }

    /// Checks C (rows, columns) of `steps` terms per element at every level.
    pub fn check(&mut self, kind: Kind, rows: usize, columns: usize, steps: usize) {
        // That of such a product alone.
        let (weights, examples) = match kind {
            Kind::Gradients(..) => ((rows, columns), steps),
            Kind::Forward(..) | Kind::Errors(..) => ((steps, columns), rows),
        };
        self.check_with(
            pack_buffer::<T>(weights, examples),
            kind,
            rows,
            columns,
            steps,
        );
    }

    /// The same with a given pack buffer.
    pub fn check_with(
        &mut self,
        pack_buffer: usize,
        kind: Kind,
        rows: usize,
        columns: usize,
        steps: usize,
    ) {
        /// Elements before an output that must not change.
        const BEFORE: usize = 64;
        let mut fill = |numbers: &mut [T]| fill(&mut self.seed, numbers);
        let shape = Shape::of(kind, rows, columns, steps);
        let ones = shape.ones;
        let length = (rows + ones) * columns;
        let (_, a) = self.a.last(shape.a_length);
        let (_, b) = self.b.last(shape.b_length);
        let (_, bias) = self.bias.last(shape.b_length / steps);
        fill(a);
        fill(b);
        fill(bias);
        let mut begin = vec![T::NAN; length];
        let mut sums = vec![T::default(); length];
        match kind {
            Kind::Forward([before, _], ..) => {
                for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                    sums[shape.c.at(i, j)] = bias[before + j];
                }
            }
            Kind::Gradients(_, _, _, Accumulate::Terms, _) => {
                fill(&mut begin);
                sums.copy_from_slice(&begin);
            }
            Kind::Gradients(_, _, _, Accumulate::Sum, _) => fill(&mut begin),
            _ => {}
        }
        let (a, b, bias) = (&*a, &*b, &*bias);
        let wanted = [false, true].map(|once| {
            let mut sums = sums.clone();
            add_terms(&shape, (rows, columns, steps), (a, b), &mut sums, once);
            if matches!(kind, Kind::Gradients(_, _, _, Accumulate::Sum, _)) {
                for (sum, &before) in sums.iter_mut().zip(&begin) {
                    *sum = sum.multiply_add(T::ONE, before, once);
                }
            }
            sums
        });
        let picked = shape.examples.map(|(examples, neurons)| {
            let (_, place) = self.scattered.last((examples + 1) * neurons);
            scatter(a, neurons, place);
            let places: Vec<u32> = (1..=u32::try_from(examples).expect("few")).rev().collect();
            (&*place, neurons, places)
        });
        let ways = levels().flat_map(|level| {
            let picked = picked.as_ref();
            let picked = picked.map(|(all, n_in, rows)| Matrix::gathered(all, *n_in, rows));
            std::iter::once((level, None)).chain(picked.map(|picked| (level, Some(picked))))
        });
        for (level, picked) in ways {
            let (before, c) = self.c.last(length);
            let before_c = before.len().saturating_sub(BEFORE);
            // The buffer may start anywhere in a cache line.
            let pack_buffer = &mut self.pack_buffer.last(pack_buffer + rows % 2).1[..pack_buffer];
            let before = &mut before[before_c..];
            before.fill(T::NAN);
            pack_buffer.fill(T::NAN); // packed by the previous level
            c.copy_from_slice(&begin);
            let cancel = &CancelToken::none();
            let context = &mut Context::new(pack_buffer, cancel);
            at(level, || match kind {
                Kind::Forward([first, after], from, to) => {
                    let a = picked.unwrap_or(Matrix::new(a, rows, steps, from));
                    let neurons = first..first + columns;
                    let w = Matrix::by_rows(b, steps, first + columns + after);
                    let z = MatrixMut::new(c, rows, columns, to);
                    forward(a, w.column_range(&neurons), &bias[neurons], z, context);
                }
                Kind::Errors(from, to) => {
                    let w = Matrix::by_rows(b, columns, steps);
                    let delta = Matrix::new(a, rows, steps, from);
                    errors(delta, w, MatrixMut::new(c, rows, columns, to), context);
                }
                Kind::Gradients([first, after], from, delta, accumulate, biases) => {
                    let a = picked.unwrap_or(Matrix::new(a, steps, first + rows + after, from));
                    let a = a.column_range(&(first..first + rows));
                    let delta = Matrix::new(b, steps, columns, delta);
                    gradients(a, delta, c, biases, accumulate, context);
                }
            });
            let wanted = &wanted[usize::from(level.is_fused())];
            let wrong = c.iter().zip(wanted).position(|(c, w)| c.bits() != w.bits());
            if let Some(at) = wrong {
                panic!(
                    "{level:?} {kind:?} ({rows}, {columns}) of {steps}, picked {}, at {at}: {:?}, not {:?}",
                    picked.is_some(),
                    c[at],
                    wanted[at]
                );
            }
            let untouched = |number: &T| number.bits() == T::NAN.bits();
            assert!(
                before.iter().all(untouched),
                "{level:?} {kind:?} writes before its place"
            );
        }
    }
}
