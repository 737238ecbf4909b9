//! The factor of a product that is read one number at a time.

/// A, read one number at a time.
#[derive(Clone, Copy)]
pub struct Factor<'a, T> {
    pub numbers: &'a [T],
    /// From A(i, k) to A(i + 1, k).
    pub row: usize,
    /// From A(i, k) to A(i, k + 1).
    pub step: usize,
    /// Which rows or steps these are.
    pub picked: Picked<'a>,
}

impl<T> Factor<'_, T> {
    /// Whether so many rows and steps lie in the numbers.
    pub fn holds(&self, rows: usize, steps: usize) -> bool {
        let last = |picked: &[u32], count: usize| {
            let picked = &picked[..count];
            picked.iter().max().map_or(0, |&last| last as usize)
        };
        let (row, step) = match self.picked {
            Picked::None => (rows - 1, steps - 1),
            Picked::Rows(picked) => (last(picked, rows), steps - 1),
            Picked::Steps(picked) => (rows - 1, last(picked, steps)),
        };
        let row = row.checked_mul(self.row);
        let last = row.and_then(|row| row.checked_add(step.checked_mul(self.step)?));
        last.is_some_and(|last| last < self.numbers.len())
    }
}

/// Which rows or steps of a factor are taken: those at some places, in their order.
#[derive(Clone, Copy)]
pub enum Picked<'a> {
    /// All.
    None,
    Rows(&'a [u32]),
    Steps(&'a [u32]),
}
