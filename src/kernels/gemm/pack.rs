//! Copies a block of a factor to where what a tile reads are neighbours.

use std::ops::Range;

use crate::kernels::gemm::dispatch::Tiles;

/// The tiles whose rows are interleaved at the same time.
const TOGETHER: usize = 4;

/// B, (steps, columns), read a row of registers at a time.
#[derive(Clone, Copy)]
pub enum Source<'a, T> {
    /// Row by row.
    Rows(&'a [T]),
    /// Column by column.
    Columns(&'a [T]),
}

/// Copies B(`steps`, `columns`) into `block`, whose rows are whole registers, as few as hold them.
/// B has `n` columns. Returns the distance of the rows of `block`.
#[inline(never)] // small products, which copy nothing, are as fast as their code is short
pub fn copy<T: Copy>(
    tiles: &Tiles<T>,
    b: &Source<'_, T>,
    n: usize,
    columns: &Range<usize>,
    steps: &Range<usize>,
    block: &mut [T],
) -> usize {
    let vectors = tiles.registers(columns.len());
    let width = vectors * tiles.lanes;
    let block = &mut block[..steps.len() * width];
    match *b {
        Source::Rows(b) => {
            let from = &b[steps.start * n + columns.start..];
            let last = columns.len() - (width - tiles.lanes);
            assert!(
                from.len() >= (steps.len() - 1) * n + columns.len(),
                "the rows of a factor"
            );
            // SAFETY: the machine has the level of the tiles; all rows lie in both slices.
            unsafe {
                let copy = tiles.copy_of(vectors);
                copy(from.as_ptr(), n, block.as_mut_ptr(), steps.len(), last);
            }
        }
        Source::Columns(b) => {
            let length = b.len() / n;
            let from = &b[columns.start * length..columns.end * length];
            transpose(
                tiles,
                &from[steps.start..],
                length,
                columns.len(),
                steps.len(),
                block,
                width,
            );
        }
    }
    width
}

/// Copies a block of Aᵀ, (steps, rows), whose rows are `row` apart in `from`, so many of its columns
/// together as a tile has rows: those of the first tile, one step after the other, then the next.
#[inline(never)] // as `copy`
pub fn interleave<T: Copy>(
    tiles: &Tiles<T>,
    from: &[T],
    row: usize,
    rows: usize,
    steps: usize,
    block: &mut [T],
) {
    let block = &mut block[..rows * steps];
    let together = TOGETHER * tiles.interleaved;
    for (index, block) in block.chunks_mut(together * steps).enumerate() {
        let from = &from[index * together..];
        match (tiles.interleaved, block.len() == together * steps) {
            (8, true) => interleave_rows::<T, 8>(from, row, block, steps),
            (4, true) => interleave_rows::<T, 4>(from, row, block, steps),
            (most, _) => {
                for (index, block) in block.chunks_mut(most * steps).enumerate() {
                    let rows = block.len() / steps;
                    for (place, from) in block.chunks_exact_mut(rows).zip(from.chunks(row)) {
                        place.copy_from_slice(&from[index * most..][..rows]);
                    }
                }
            }
        }
    }
}

/// The same for [`TOGETHER`] tiles of a known number of rows: those of a step are whole lines of the
/// cache, which come once, and are copied without a loop or a call.
fn interleave_rows<T: Copy, const ROWS: usize>(
    from: &[T],
    row: usize,
    block: &mut [T],
    steps: usize,
) {
    let (places, _) = block.as_chunks_mut::<ROWS>();
    for (k, from) in from.chunks(row).take(steps).enumerate() {
        let (from, _) = from[..TOGETHER * ROWS].as_chunks::<ROWS>();
        for (tile, from) in from.iter().enumerate() {
            places[tile * steps + k] = *from;
        }
    }
}

/// block(k, j) = from(j, k) for some `columns` j and `steps` k; the columns of `from` are `length`
/// apart, the rows of `block` `width`.
fn transpose<T: Copy>(
    tiles: &Tiles<T>,
    from: &[T],
    length: usize,
    columns: usize,
    steps: usize,
    block: &mut [T],
    width: usize,
) {
    let side = tiles.square;
    if columns < side || steps < side {
        for j in 0..columns {
            for k in 0..steps {
                block[k * width + j] = from[j * length + k];
            }
        }
        return;
    }
    // The last squares share numbers with those before them: both come to the same.
    let squares = steps / side;
    let last = (!steps.is_multiple_of(side)).then_some((steps - side, 1));
    for j in (0..columns).step_by(side) {
        let j = j.min(columns - side);
        for (k, squares) in std::iter::once((0, squares)).chain(last) {
            let source = &from[j * length + k..][..(side - 1) * length + squares * side];
            let place = &mut block[k * width + j..][..(squares * side - 1) * width + side];
            let (source, place) = (source.as_ptr(), place.as_mut_ptr());
            // SAFETY: the machine has the level of the tiles, and both slices hold the squares.
            unsafe { (tiles.transpose)(source, length, place, width, squares) };
        }
    }
}
