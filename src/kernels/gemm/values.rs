//! What products read and write: numbers of neurons and examples, and how they lie.

use std::ops::Range;

use crate::kernels::gemm::factor::{Factor, Picked};
use crate::kernels::gemm::pack::Source;

/// Which numbers of a layer are neighbours in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// Those of an example: (examples, neurons), row by row. Registers run along the neurons.
    #[default]
    Examples,
    /// Those of a neuron: (neurons, examples), row by row. Registers run along the examples.
    Neurons,
}

/// A number for each neuron of a layer and each of some examples.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a, T> {
    /// All of them.
    pub numbers: &'a [T],
    /// How they lie.
    pub layout: Layout,
    /// Where only some examples are taken, by example: which, and how many neurons there are.
    pub(super) picked: Option<(&'a [u32], usize)>,
}

impl<'a, T> Values<'a, T> {
    /// Numbers that lie as `layout` says.
    pub fn new(numbers: &'a [T], layout: Layout) -> Self {
        let picked = None;
        Self {
            numbers,
            layout,
            picked,
        }
    }

    /// Of examples one after the other.
    pub fn by_example(numbers: &'a [T]) -> Self {
        Self::new(numbers, Layout::Examples)
    }

    /// Of the examples `rows` among those of `numbers`, each read where it lies. Products take them
    /// where what they are for lies by example.
    pub fn picked(numbers: &'a [T], neurons: usize, rows: &'a [u32]) -> Self {
        Self {
            picked: Some((rows, neurons)),
            ..Self::by_example(numbers)
        }
    }

    /// Some of the examples, which lie by example.
    pub fn part(self, examples: &Range<usize>, neurons: usize) -> Self {
        if let Some((rows, _)) = self.picked {
            return Self::picked(self.numbers, neurons, &rows[examples.clone()]);
        }
        Self::by_example(&self.numbers[examples.start * neurons..examples.end * neurons])
    }

    /// The numbers of each example, where they lie by example.
    pub fn rows(self, neurons: usize) -> impl Iterator<Item = &'a [T]>
    where
        T: Copy,
    {
        (0..self.examples(neurons)).map(move |x| {
            let row = self.picked.map_or(x, |(rows, _)| rows[x] as usize);
            &self.numbers[row * neurons..][..neurons]
        })
    }

    /// Whether examples are read where they lie.
    pub fn are_picked(self) -> bool {
        self.picked.is_some()
    }

    pub(super) fn examples(self, neurons: usize) -> usize {
        match self.picked {
            Some((rows, _)) => rows.len(),
            None => self.numbers.len() / neurons,
        }
    }

    pub(super) fn neurons(self, examples: usize) -> usize {
        match self.picked {
            Some((_, neurons)) => neurons,
            None => self.numbers.len() / examples,
        }
    }

    /// (examples, neurons), read one number at a time.
    pub(super) fn by_number(self, examples: usize, neurons: usize) -> Factor<'a, T> {
        let numbers = self.numbers;
        let (row, step) = match self.layout {
            Layout::Examples => (neurons, 1),
            Layout::Neurons => (1, examples),
        };
        let picked = self
            .picked
            .map_or(Picked::None, |(rows, _)| Picked::Rows(rows));
        Factor {
            numbers,
            row,
            step,
            picked,
        }
    }

    /// (examples, neurons), read by registers.
    pub(super) fn by_rows(self) -> Source<'a, T> {
        assert!(
            self.picked.is_none(),
            "some examples are read one number at a time"
        );
        match self.layout {
            Layout::Examples => Source::Rows(self.numbers),
            Layout::Neurons => Source::Columns(self.numbers),
        }
    }

    /// (neurons, examples), read by registers.
    pub(super) fn by_columns(self) -> Source<'a, T> {
        assert!(
            self.picked.is_none(),
            "some examples are read one number at a time"
        );
        match self.layout {
            Layout::Examples => Source::Columns(self.numbers),
            Layout::Neurons => Source::Rows(self.numbers),
        }
    }
}
