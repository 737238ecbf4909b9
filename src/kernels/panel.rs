//! Copies a block of a factor, a panel of columns wide, to where its rows are neighbours.

use std::ops::Range;

use super::tile::Tiles;

/// B, (steps, columns), read a row of registers at a time.
#[derive(Clone, Copy)]
pub enum Source<'a, T> {
    /// Row by row.
    Rows(&'a [T]),
    /// Column by column.
    Columns(&'a [T]),
}

/// Copies B(`steps`, `columns`) into `block`, whose rows are `width` apart. B has `n` columns.
pub fn copy<T: Copy>(
    tiles: &Tiles<T>,
    b: &Source<'_, T>,
    n: usize,
    columns: &Range<usize>,
    steps: &Range<usize>,
    block: &mut [T],
    width: usize,
) {
    let block = &mut block[..steps.len() * width];
    match *b {
        Source::Rows(b) => {
            let rows = b.chunks_exact(n).skip(steps.start);
            for (place, row) in block.chunks_exact_mut(width).zip(rows) {
                place[..columns.len()].copy_from_slice(&row[columns.clone()]);
            }
        }
        Source::Columns(b) => {
            let length = b.len() / n;
            let from = &b[columns.start * length..columns.end * length];
            transpose(tiles, from, length, steps, block, width);
        }
    }
}

/// block(k, j) = from(j, k) for k in `steps`; the rows of `from` are `length` apart.
fn transpose<T: Copy>(
    tiles: &Tiles<T>,
    from: &[T],
    length: usize,
    steps: &Range<usize>,
    block: &mut [T],
    width: usize,
) {
    let side = tiles.square;
    let columns = from.len() / length;
    let one_by_one = |block: &mut [T], columns: Range<usize>, rows: Range<usize>| {
        for j in columns {
            for k in rows.clone() {
                block[k * width + j] = from[j * length + steps.start + k];
            }
        }
    };
    let (even_columns, even_steps) = (columns - columns % side, steps.len() - steps.len() % side);
    for j in (0..even_columns).step_by(side) {
        for k in (0..even_steps).step_by(side) {
            let source = &from[j * length + steps.start + k..][..(side - 1) * length + side];
            let place = &mut block[k * width + j..][..(side - 1) * width + side];
            // SAFETY: the tiles are of the current level, and both slices hold a square.
            unsafe { (tiles.transpose)(source.as_ptr(), length, place.as_mut_ptr(), width) };
        }
    }
    one_by_one(block, 0..even_columns, even_steps..steps.len());
    one_by_one(block, even_columns..columns, 0..steps.len());
}
