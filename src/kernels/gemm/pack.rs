//! Packs a block of a factor, so that a tile reads contiguous memory.

use std::ops::Range;

use crate::kernels::gemm::blocking::padded;
use crate::kernels::gemm::matrix::Matrix;
use crate::kernels::gemm::tiles::Microkernels;
use crate::kernels::tuning::gemm::TILES_TOGETHER;

/// Packs a block of B, (KC, columns), into `buffer`, of KC rows padded to whole registers.
#[inline(never)] // keeps the code of small products, which pack nothing, short
pub fn copy<T: Copy>(kernels: &Microkernels<T>, b: &Matrix<'_, T>, buffer: &mut [T]) {
    let vectors = kernels.registers(b.columns);
    let width = vectors * kernels.lanes;
    let buffer = &mut buffer[..b.rows * width];
    if b.has_contiguous_rows() {
        let last = b.columns - (width - kernels.lanes);
        assert!(b.is_in_bounds(), "the rows of a factor");
        // SAFETY: the machine has the level of the tiles; all rows are in bounds of both slices.
        unsafe {
            let copy = kernels.copy_of(vectors);
            let (from, to) = (b.numbers.as_ptr(), buffer.as_mut_ptr());
            copy(from, b.row_stride, to, b.rows, last);
        }
    } else {
        transpose(kernels, b, buffer, width);
    }
}

/// Packs a block of B, (KC, NC), into micropanels of at most NR columns, of KC rows padded to whole registers.
/// `micropanels`: their columns, in order, each of whole registers but the last.
#[inline(never)] // as `copy`
pub fn copy_block<T: Copy>(
    kernels: &Microkernels<T>,
    b: &Matrix<'_, T>,
    micropanels: impl Iterator<Item = Range<usize>>,
    buffer: &mut [T],
) {
    let nr = kernels.nr * kernels.lanes;
    let mut micropanels = micropanels.peekable();
    let copy_whole = match nr {
        _ if !b.has_contiguous_rows() => None,
        6 => Some(copy_micropanels::<T, 6> as fn(&Matrix<'_, T>, &mut [T])),
        8 => Some(copy_micropanels::<T, 8> as _),
        12 => Some(copy_micropanels::<T, 12> as _),
        16 => Some(copy_micropanels::<T, 16> as _),
        _ => None,
    };
    if let Some(copy_whole) = copy_whole {
        let mut whole = 0;
        while micropanels.next_if(|panel| panel.len() == nr).is_some() {
            whole += nr;
        }
        copy_whole(&b.column_range(&(0..whole)), buffer);
    }
    for columns in micropanels {
        let width = kernels.registers(columns.len()) * kernels.lanes;
        let to = &mut buffer[columns.start * b.rows..][..b.rows * width];
        copy(kernels, &b.column_range(&columns), to);
    }
}

/// The same for micropanels of a constant number of columns. Rows are read from end to end: the hardware
/// prefetcher follows a row, and no jump from one to the next, and the cache lines of a column compete for few
/// sets of the L1 cache if its stride is a power of two.
fn copy_micropanels<T: Copy, const NR: usize>(b: &Matrix<'_, T>, buffer: &mut [T]) {
    let (places, _) = buffer.as_chunks_mut::<NR>();
    for (p, row) in b.iter_rows().enumerate() {
        let (row, _) = row.as_chunks::<NR>();
        for (panel, columns) in row.iter().enumerate() {
            places[panel * b.rows + p] = *columns;
        }
    }
}

/// Copies a block of A, (MC, KC), with contiguous rows, into `buffer`, with a row stride that does not
/// alias.
#[inline(never)] // as `copy`
pub fn copy_rows<'a, T: Copy>(a: &Matrix<'_, T>, buffer: &'a mut [T]) -> Matrix<'a, T> {
    let row_stride = padded::<T>(a.columns);
    let places = buffer.chunks_exact_mut(row_stride);
    for (place, row) in places.zip(a.iter_rows()) {
        place[..row.len()].copy_from_slice(row);
    }
    Matrix {
        row_stride,
        ..Matrix::by_rows(&buffer[..a.rows * row_stride], a.rows, a.columns)
    }
}

/// Packs a block of A, (MC, KC), with contiguous columns, into micropanels of MR rows: those of the first
/// tile, term by term, then those of the next.
#[inline(never)] // as `copy`
pub fn interleave<T: Copy>(kernels: &Microkernels<T>, a: &Matrix<'_, T>, buffer: &mut [T]) {
    let k = a.columns;
    let buffer = &mut buffer[..a.rows * k];
    let together = TILES_TOGETHER * kernels.mr;
    for (index, block) in buffer.chunks_mut(together * k).enumerate() {
        let columns = a.transposed();
        let columns = columns
            .iter_rows()
            .map(|column| &column[index * together..]);
        match (kernels.mr, block.len() == together * k) {
            (9, true) => interleave_rows::<T, 9>(columns, block, k),
            (8, true) => interleave_rows::<T, 8>(columns, block, k),
            (6, true) => interleave_rows::<T, 6>(columns, block, k),
            (mr, _) => {
                for (p, column) in columns.enumerate() {
                    for (tile, block) in block.chunks_mut(mr * k).enumerate() {
                        let rows = block.len() / k;
                        block[p * rows..][..rows].copy_from_slice(&column[tile * mr..][..rows]);
                    }
                }
            }
        }
    }
}

/// The same for [`TILES_TOGETHER`] tiles with a constant number of rows: the cache lines of one p are read
/// once and copied without a loop or a call.
fn interleave_rows<'a, T: Copy + 'a, const ROWS: usize>(
    columns: impl Iterator<Item = &'a [T]>,
    block: &mut [T],
    k: usize,
) {
    let (places, _) = block.as_chunks_mut::<ROWS>();
    for (p, column) in columns.enumerate() {
        let (rows, _) = column[..TILES_TOGETHER * ROWS].as_chunks::<ROWS>();
        for (tile, rows) in rows.iter().enumerate() {
            places[tile * k + p] = *rows;
        }
    }
}

/// Transposes B, with contiguous columns, into rows of stride `width`.
fn transpose<T: Copy>(
    kernels: &Microkernels<T>,
    b: &Matrix<'_, T>,
    buffer: &mut [T],
    width: usize,
) {
    let (from, length, columns, k) = (b.numbers, b.column_stride, b.columns, b.rows);
    let side = kernels.square;
    if columns < side || k < side {
        for j in 0..columns {
            for p in 0..k {
                buffer[p * width + j] = from[j * length + p];
            }
        }
        return;
    }
    // The last squares overlap those before them; both write the same values.
    let squares = k / side;
    let last = (!k.is_multiple_of(side)).then_some((k - side, 1));
    for j in (0..columns).step_by(side) {
        let j = j.min(columns - side);
        for (p, squares) in std::iter::once((0, squares)).chain(last) {
            let source = &from[j * length + p..][..(side - 1) * length + squares * side];
            let place = &mut buffer[p * width + j..][..(squares * side - 1) * width + side];
            let (source, place) = (source.as_ptr(), place.as_mut_ptr());
            // SAFETY: the machine has the level of the tiles, and the squares are in bounds of both slices.
            unsafe { (kernels.transpose)(source, length, place, width, squares) };
        }
    }
}
