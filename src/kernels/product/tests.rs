//! Every product at every level has the bits of a plain loop that adds the terms of an element one
//! after the other. Inputs end where no byte may be read, outputs where none may be written.

use std::fmt::Debug;

use super::*;
use crate::kernels::guarded::Guarded;
use crate::kernels::level::Level;
use crate::kernels::testing::at;

/// What a test asks of f32 and f64.
trait Number: Registers + Debug {
    const NAN: Self;
    /// From −1 to 1, from random bits: sums of such numbers show the order of their terms.
    fn random(bits: u64) -> Self;
    fn bits(self) -> u64;
    /// self · factor + term, rounded once or twice.
    fn multiply_add(self, factor: Self, term: Self, once: bool) -> Self;
}

macro_rules! number {
    ($name:ident) => {
        impl Number for $name {
            const NAN: Self = Self::NAN;
            #[allow(clippy::cast_precision_loss)] // as many bits as the type has
            fn random(bits: u64) -> Self {
                (bits >> (64 - Self::MANTISSA_DIGITS)) as Self
                    / (1_u64 << (Self::MANTISSA_DIGITS - 1)) as Self
                    - 1.0
            }
            fn bits(self) -> u64 {
                self.to_bits().into()
            }
            fn multiply_add(self, factor: Self, term: Self, once: bool) -> Self {
                if once {
                    self.mul_add(factor, term)
                } else {
                    self * factor + term
                }
            }
        }
    };
}

number!(f32);
number!(f64);

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// To the neurons from `first` on, `after` more of which follow.
    Forward {
        first: usize,
        after: usize,
    },
    Errors,
    /// Out of the neurons from `first` on, `after` more of which follow.
    Gradients {
        first: usize,
        after: usize,
        add: bool,
    },
}

const KINDS: [Kind; 5] = [
    Kind::Forward { first: 0, after: 0 },
    Kind::Forward { first: 5, after: 1 },
    Kind::Errors,
    Kind::Gradients {
        first: 0,
        after: 2,
        add: false,
    },
    Kind::Gradients {
        first: 3,
        after: 0,
        add: true,
    },
];

/// The levels whose code runs here. That of NEON is made of arrays, which x86-64 has as well.
fn levels() -> impl Iterator<Item = Level> {
    let runs = |level: &Level| match level {
        Level::Neon => Level::Neon.is_available() || Level::Avx2.is_available(),
        level => level.is_available(),
    };
    Level::ALL.into_iter().filter(runs)
}

/// The places of a product.
struct Places<T: 'static> {
    a: Guarded<T>,
    b: Guarded<T>,
    bias: Guarded<T>,
    c: Guarded<T>,
    room: Guarded<T>,
    seed: u64,
}

impl<T: Number> Places<T> {
    /// For matrices of at most `most` numbers.
    fn new(most: usize) -> Self {
        Self {
            a: Guarded::new(most),
            b: Guarded::new(most),
            bias: Guarded::new(most),
            c: Guarded::new(most),
            room: Guarded::new(room::<T>()),
            seed: 1,
        }
    }

    /// Checks C (rows, columns) of `steps` terms each at every level.
    fn check(&mut self, kind: Kind, rows: usize, columns: usize, steps: usize) {
        /// The numbers before an output that must stay as they are.
        const BEFORE: usize = 64;
        let seed = &mut self.seed;
        let mut fill = |numbers: &mut [T]| {
            for number in numbers {
                *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                *number = T::random(*seed);
            }
        };
        // A(i, k) stands at a[start + i row + k step], B(k, j) at b[left + k down + j right].
        let (start, row, step, length) = match kind {
            Kind::Gradients { first, after, .. } => {
                let n_in = first + rows + after;
                (first, 1, n_in, steps * n_in)
            }
            _ => (0, steps, 1, rows * steps),
        };
        let (left, b_row) = match kind {
            Kind::Forward { first, after } => (first, first + columns + after),
            _ => (0, columns),
        };
        let (down, right) = match kind {
            Kind::Errors => (1, steps),
            _ => (b_row, 1),
        };
        let (_, a) = self.a.last(length);
        let (_, b) = self.b.last(steps * b_row);
        let (_, bias) = self.bias.last(b_row);
        fill(a);
        fill(b);
        fill(bias);
        let mut begin = vec![T::NAN; rows * columns];
        let mut sums = vec![T::default(); rows * columns];
        match kind {
            Kind::Forward { .. } => sums
                .chunks_mut(columns)
                .for_each(|c| c.copy_from_slice(&bias[left..left + columns])),
            Kind::Gradients { add: true, .. } => {
                fill(&mut begin);
                sums.copy_from_slice(&begin);
            }
            _ => {}
        }
        let (a, b, bias) = (&*a, &*b, &*bias);
        let wanted = [false, true].map(|once| {
            let mut sums = sums.clone();
            for (i, c) in sums.chunks_mut(columns).enumerate() {
                for k in 0..steps {
                    let factor = a[start + i * row + k * step];
                    for (j, c) in c.iter_mut().enumerate() {
                        *c = factor.multiply_add(b[left + k * down + j * right], *c, once);
                    }
                }
            }
            sums
        });
        for level in levels() {
            let (before, c) = self.c.last(rows * columns);
            let before_c = before.len().saturating_sub(BEFORE);
            let (before, room) = (&mut before[before_c..], self.room.last(room::<T>()).1);
            before.fill(T::NAN);
            room.fill(T::NAN); // what the last level copied
            c.copy_from_slice(&begin);
            let pulse = &Pulse::none();
            at(level, || match kind {
                Kind::Forward { .. } => {
                    forward(a, b, bias, left..left + columns, c, room, pulse);
                }
                Kind::Errors => errors(a, b, c, columns, room, pulse),
                Kind::Gradients { first, add, .. } => {
                    gradients(a, b, steps, first, c, add, room, pulse);
                }
            });
            let wanted = &wanted[usize::from(level.is_fused())];
            let wrong = c.iter().zip(wanted).position(|(c, w)| c.bits() != w.bits());
            if let Some(at) = wrong {
                let place = (at / columns, at % columns);
                panic!(
                    "{level:?} {kind:?} ({rows}, {columns}) of {steps} at {place:?}: {:?}, not {:?}",
                    c[at], wanted[at]
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

/// Five of the widest registers, and one lane more.
const fn widths<T>() -> usize {
    5 * 64 / size_of::<T>() + 1
}

fn every_tile<T: Number>() {
    let mut places = Places::<T>::new(64 * widths::<T>());
    for kind in KINDS {
        for rows in 1..=31 {
            for columns in 1..=widths::<T>() {
                for steps in [1, 2, 5] {
                    places.check(kind, rows, columns, steps);
                }
            }
        }
    }
}

fn every_block<T: Number>() {
    let lanes = 64 / size_of::<T>();
    let mut places = Places::<T>::new(1025 * (widths::<T>() + 6));
    for kind in KINDS {
        for rows in [1, 2, 3, 9, 13, 14, 15, 32] {
            for columns in [1, lanes - 1, 2 * lanes + 1, 4 * lanes, 5 * lanes - 1] {
                for steps in [511, 512, 513, 1025] {
                    places.check(kind, rows, columns, steps);
                }
            }
        }
    }
}

/// Rows of B that are 4096 bytes apart or more are copied, if there are rows of A enough.
fn far_apart<T: Number>() {
    let far = FAR_APART / size_of::<T>();
    let mut places = Places::<T>::new(513 * (far + 11));
    for kind in KINDS {
        for rows in [WORTH_COPYING - 1, WORTH_COPYING] {
            for columns in [far - 1, far + 5] {
                for steps in [1, 2, 513] {
                    places.check(kind, rows, columns, steps);
                }
            }
        }
    }
}

/// Few rows of A and a B that comes from memory once.
fn from_afar<T: Number>() {
    let far = FROM_AFAR / size_of::<T>();
    let mut places = Places::<T>::new(far + 12 * 513);
    for kind in KINDS {
        for rows in 1..=5 {
            for steps in [15, 17, 513] {
                for columns in [far / steps - 1, far.div_ceil(steps), far / steps + 5] {
                    places.check(kind, rows, columns, steps);
                }
            }
        }
    }
}

#[test]
fn every_tile_adds_in_order() {
    every_tile::<f32>();
    every_tile::<f64>();
}

#[test]
fn every_block_adds_in_order() {
    every_block::<f32>();
    every_block::<f64>();
}

#[test]
fn rows_far_apart_add_in_order() {
    far_apart::<f32>();
    far_apart::<f64>();
}

#[test]
fn numbers_from_afar_add_in_order() {
    from_afar::<f32>();
    from_afar::<f64>();
}

#[test]
fn parts_are_few_and_even() {
    for length in 1..200 {
        for longest in 1..20 {
            let parts: Vec<usize> = parts(length, longest).collect();
            assert_eq!(parts.iter().sum::<usize>(), length);
            assert_eq!(parts.len(), length.div_ceil(longest));
            let (least, most) = (parts.iter().min(), parts.iter().max());
            assert!(most <= Some(&longest) && most <= least.map(|least| least + 1).as_ref());
        }
    }
}
