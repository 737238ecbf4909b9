//! Every product at every level has the bits of a plain loop that adds the terms of an element one
//! after the other. Inputs end where no byte may be read, outputs where none may be written.

use super::walk::{
    BLOCK_STEPS, FAR_APART, INTERLEAVED, LARGE, WORTH_COPYING, WORTH_INTERLEAVING, parts,
};
use super::*;
use crate::kernels::guarded::Guarded;
use crate::kernels::level::Level;
use crate::kernels::number::{Number, fill};
use crate::kernels::testing::at;

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// To some neurons: so many stand before them and after. How a and z lie.
    Forward([usize; 2], Layout, Layout),
    /// How both errors lie.
    Errors(Layout, Layout),
    /// Out of some neurons, so many before and after. How a and δ lie; what comes with it.
    Gradients([usize; 2], Layout, Layout, With),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum With {
    Nothing,
    /// Added to what is there.
    Add,
    /// The biases' gradient behind it.
    Biases,
    /// Both.
    AddBiases,
}

const E: Layout = Layout::Examples;
const N: Layout = Layout::Neurons;

const KINDS: [Kind; 13] = [
    Kind::Forward([0, 0], E, E),
    Kind::Forward([5, 2], E, E),
    Kind::Forward([0, 1], N, E),
    Kind::Forward([3, 0], E, N),
    Kind::Forward([2, 1], N, N),
    Kind::Errors(E, E),
    Kind::Errors(N, E),
    Kind::Errors(E, N),
    Kind::Errors(N, N),
    Kind::Gradients([0, 2], E, E, With::Nothing),
    Kind::Gradients([3, 0], E, E, With::AddBiases),
    Kind::Gradients([2, 1], N, N, With::Biases),
    Kind::Gradients([0, 1], E, N, With::Add),
];

/// Where (i, j) of a matrix (rows, columns) stands that lies row by row, or column by column.
fn place(by_rows: bool, rows: usize, columns: usize) -> impl Fn(usize, usize) -> usize {
    move |i, j| {
        if by_rows {
            i * columns + j
        } else {
            j * rows + i
        }
    }
}

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
            room: Guarded::new(room::<T>(LARGE)),
            seed: 1,
        }
    }

    /// Checks C (rows, columns) of `steps` terms each at every level.
    fn check(&mut self, kind: Kind, rows: usize, columns: usize, steps: usize) {
        self.check_with(room::<T>(0), kind, rows, columns, steps);
    }

    /// The same with so much room.
    fn check_with(&mut self, room: usize, kind: Kind, rows: usize, columns: usize, steps: usize) {
        /// The numbers before an output that must stay as they are.
        const BEFORE: usize = 64;
        type Place = Box<dyn Fn(usize, usize) -> usize>;
        let mut fill = |numbers: &mut [T]| fill(&mut self.seed, numbers);
        // Where A(i, k), B(k, j) and C(i, j) stand, and how many numbers A and B have.
        let mut ones = 0;
        let (a_place, b_place, c_place, a_length, b_length): (Place, Place, Place, _, _) =
            match kind {
                Kind::Forward([before, after], from, to) => {
                    let n_out = before + columns + after;
                    (
                        Box::new(place(from == E, rows, steps)),
                        Box::new(move |k, j| k * n_out + before + j),
                        Box::new(place(to == E, rows, columns)),
                        rows * steps,
                        steps * n_out,
                    )
                }
                Kind::Errors(from, to) => (
                    Box::new(place(from == E, rows, steps)),
                    Box::new(place(false, steps, columns)),
                    Box::new(place(to == E, rows, columns)),
                    rows * steps,
                    steps * columns,
                ),
                Kind::Gradients([before, after], a, delta, with) => {
                    let n_in = before + rows + after;
                    let a_place = place(a == E, steps, n_in);
                    ones = usize::from(matches!(with, With::Biases | With::AddBiases));
                    (
                        Box::new(move |i, k| a_place(k, before + i)),
                        Box::new(place(delta == E, steps, columns)),
                        Box::new(place(true, rows, columns)),
                        steps * n_in,
                        steps * columns,
                    )
                }
            };
        let (all, length) = (rows + ones, (rows + ones) * columns);
        let (_, a) = self.a.last(a_length);
        let (_, b) = self.b.last(b_length);
        let (_, bias) = self.bias.last(b_length / steps);
        fill(a);
        fill(b);
        fill(bias);
        let mut begin = vec![T::NAN; length];
        let mut sums = vec![T::default(); length];
        match kind {
            Kind::Forward([before, _], ..) => {
                for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                    sums[c_place(i, j)] = bias[before + j];
                }
            }
            Kind::Gradients(.., With::Add | With::AddBiases) => {
                fill(&mut begin);
                sums.copy_from_slice(&begin);
            }
            _ => {}
        }
        let (a, b, bias) = (&*a, &*b, &*bias);
        let wanted = [false, true].map(|once| {
            let mut sums = sums.clone();
            for i in 0..all {
                for k in 0..steps {
                    let factor = if i < rows { a[a_place(i, k)] } else { T::ONE };
                    for j in 0..columns {
                        let sum = &mut sums[c_place(i, j)];
                        *sum = factor.multiply_add(b[b_place(k, j)], *sum, once);
                    }
                }
            }
            sums
        });
        for level in levels() {
            let (before, c) = self.c.last(length);
            let before_c = before.len().saturating_sub(BEFORE);
            let (before, room) = (&mut before[before_c..], self.room.last(room).1);
            before.fill(T::NAN);
            room.fill(T::NAN); // what the last level copied
            c.copy_from_slice(&begin);
            let pulse = &Pulse::none();
            let values = |numbers, layout| Values { numbers, layout };
            at(level, || match kind {
                Kind::Forward([first, _], from, to) => {
                    let (a, neurons) = (values(a, from), first..first + columns);
                    forward(a, b, bias, neurons, c, to, room, pulse);
                }
                Kind::Errors(from, to) => errors(values(a, from), b, c, to, columns, room, pulse),
                Kind::Gradients([first, _], from, delta, with) => {
                    let add = matches!(with, With::Add | With::AddBiases);
                    let (a, delta, biases) = (values(a, from), values(b, delta), ones > 0);
                    gradients(a, delta, steps, first, c, biases, add, room, pulse);
                }
            });
            let wanted = &wanted[usize::from(level.is_fused())];
            let wrong = c.iter().zip(wanted).position(|(c, w)| c.bits() != w.bits());
            if let Some(at) = wrong {
                panic!(
                    "{level:?} {kind:?} ({rows}, {columns}) of {steps} at {at}: {:?}, not {:?}",
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

/// The sums of columns, added to what is there: at every level those of plain additions.
fn sums_of_columns<T: Number>() {
    let mut places = Places::<T>::new(9 * widths::<T>());
    for rows in 1..=9 {
        for columns in 1..=widths::<T>() {
            let (_, delta) = places.b.last(rows * columns);
            fill(&mut places.seed, delta);
            let mut wanted = vec![T::default(); columns];
            for row in delta.chunks(columns) {
                for (sum, &delta) in wanted.iter_mut().zip(row) {
                    *sum = delta.multiply_add(T::ONE, *sum, false);
                }
            }
            for (level, layout) in levels().flat_map(|level| [(level, E), (level, N)]) {
                let (_, numbers) = places.a.last(rows * columns);
                let at_layout = place(layout == E, rows, columns);
                for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                    numbers[at_layout(i, j)] = delta[i * columns + j];
                }
                let (_, out) = places.c.last(columns);
                out.fill(T::default());
                let (_, room) = places.room.last(room::<T>(0));
                let delta = Values { numbers, layout };
                at(level, || sums(delta, out, room, &Pulse::none()));
                assert_eq!(out, wanted, "{level:?} {layout:?} ({rows}, {columns})");
            }
        }
    }
}

/// Five of the widest registers, and one lane more.
const fn widths<T>() -> usize {
    5 * 64 / size_of::<T>() + 1
}

fn every_tile<T: Number>() {
    let mut places = Places::<T>::new(64 * (widths::<T>() + 7));
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
    let mut places = Places::<T>::new(1025 * (widths::<T>() + 7));
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
    let mut places = Places::<T>::new(513 * (far + 12));
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

/// With the room of a large matrix: longer blocks of B, and blocks of A whose columns are taken
/// together where they are 4096 bytes apart or more.
fn with_much_room<T: Number>() {
    let (room, far) = (room::<T>(LARGE), FAR_APART / size_of::<T>());
    let (most, (rows, steps)) = (BLOCK_STEPS.1, INTERLEAVED);
    let mut places = Places::<T>::new((most + 1) * (far + 12).max(2 * (rows + 8)));
    for columns in [
        WORTH_INTERLEAVING - 1,
        WORTH_INTERLEAVING,
        WORTH_INTERLEAVING + 5,
    ] {
        for kind in [
            Kind::Gradients([far, 1], E, E, With::AddBiases),
            Kind::Gradients([1, far], E, E, With::Nothing),
        ] {
            for rows in [1, 7, 8, 9, 13, rows, rows + 1] {
                for steps in [1, 2, steps, steps + 1] {
                    places.check_with(room, kind, rows, columns, steps);
                }
            }
        }
    }
    for kind in [Kind::Forward([0, far], E, E), Kind::Errors(E, E)] {
        for rows in [WORTH_COPYING - 1, WORTH_COPYING] {
            for steps in [most - 1, most, most + 1] {
                places.check_with(room, kind, rows, 5, steps);
            }
        }
    }
    // Rows of both factors that are far apart.
    places.check_with(
        room,
        Kind::Gradients([far, 0], E, E, With::Biases),
        33,
        far,
        3,
    );
}

/// Few rows of A and a B that no cache holds: half a megabyte and more.
fn from_afar<T: Number>() {
    let far = (1 << 19) / size_of::<T>();
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
fn large_blocks_add_in_order() {
    with_much_room::<f32>();
    with_much_room::<f64>();
}

#[test]
fn numbers_from_afar_add_in_order() {
    from_afar::<f32>();
    from_afar::<f64>();
}

#[test]
fn columns_add_in_order() {
    sums_of_columns::<f32>();
    sums_of_columns::<f64>();
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
