//! Compressed sparse rows (CSR), validated once. Kernels rely on the validated invariants.

mod matrix;
mod pattern;

pub use matrix::{CsrMatrix, GatheredRows};
pub use pattern::{CsrPattern, Index};

#[cfg(test)]
mod tests {
    use super::*;

    /// Three rows of four columns. 5 and 6 are stored at the same position and add up.
    fn pattern() -> CsrPattern {
        CsrPattern::new((3, 4), &[0, 2, 2, 5], &[3, 0, 1, 1, 2, 99]).expect("positions")
    }

    #[test]
    fn elements_not_stored_are_zero() {
        let pattern = pattern();
        let x = pattern.with_values(&[1, 2, 5, 6, 7, 8]);
        let x = x.expect("values enough");
        let mut dense = [-1; 12];
        x.write_dense(&mut dense);
        let expected = [2, 0, 0, 1, 0, 0, 0, 0, 0, 11, 7, 0];
        assert_eq!(dense, expected);
        let part = x.row_range(1..3);
        assert_eq!((part.len(), part.width(), part.nnz()), (2, 4, 3));
        part.write_dense(&mut dense[..8]);
        assert_eq!(dense[..8], expected[4..]);
        assert!(x.row_range(1..1).is_empty());
    }

    #[test]
    fn only_nonzeros_of_a_dense_matrix_are_stored() {
        let x = [0, 5, 0, 0, 0, 0, 7, 0, 8];
        let (pattern, values) =
            (CsrPattern::from_dense(&x, 3, 3).expect("memory")).expect("few enough columns");
        let sparse = pattern.with_values(&values).expect("values");
        assert_eq!(sparse.row(0), (&[1][..], &[5][..]));
        assert_eq!(sparse.row(1), (&[][..], &[][..]));
        assert_eq!(sparse.row(2), (&[0, 2][..], &[7, 8][..]));
        let many = CsrPattern::from_dense(&x, 3, 2).expect("memory");
        assert!(many.is_none());
    }

    #[test]
    fn duplicates_are_found_within_a_row() {
        let duplicates = |indptr: &[i32], indices: &[i32]| {
            let shape = (indptr.len() - 1, 40);
            let pattern = CsrPattern::new(shape, indptr, indices);
            let found = pattern.and_then(|pattern| pattern.has_duplicates());
            found.expect("positions and memory")
        };
        assert!(!duplicates(&[0, 0], &[]));
        assert!(!duplicates(&[0, 2, 4], &[0, 3, 3, 5])); // in two rows
        assert!(!duplicates(&[0, 3, 6], &[3, 0, 1, 2, 1, 0])); // unsorted
        assert!(!duplicates(&[0, 2, 2], &[0, 1, 1])); // past the end of the last row
        assert!(duplicates(&[0, 2, 4], &[0, 3, 5, 5]));
        assert!(duplicates(&[0, 1, 4], &[0, 7, 3, 7]));
        let row: Vec<i32> = (0..39).collect();
        assert!(!duplicates(&[0, 39], &row));
        for position in 0..38 {
            let mut row = row.clone();
            row[position] += 1;
            assert!(duplicates(&[0, 39], &row), "{position}");
        }
    }

    #[test]
    fn gathered_rows_equal_those_of_the_matrix() {
        let pattern = pattern();
        let x = pattern.with_values(&[1, 2, 5, 6, 7]).expect("values");
        let mut gathered = GatheredRows::default();
        for rows in [&[2, 0, 2, 1][..], &[], &[1], &[0, 1, 2]] {
            let some = gathered.gather(x, rows).expect("memory");
            assert_eq!((some.len(), some.width()), (rows.len(), 4));
            for (index, &row) in rows.iter().enumerate() {
                assert_eq!(some.row(index), x.row(row as usize));
            }
        }
    }

    #[test]
    fn inconsistent_arrays_are_errors() {
        let message = |shape, indptr: &[i64], indices: &[i64]| {
            CsrPattern::new(shape, indptr, indices)
                .expect_err("damaged")
                .to_string()
        };
        let shape = (2, 3);
        for (indptr, indices, expected) in [
            (
                &[0, 1][..],
                &[0][..],
                "x: expected an indptr of 2 + 1 numbers, got 2",
            ),
            (&[1, 1, 1], &[0], "never decreases, got 1 as its number 0"),
            (
                &[0, 2, 1],
                &[0, 0],
                "never decreases, got 1 as its number 2",
            ),
            (&[0, -1, 1], &[0], "never decreases, got -1 as its number 1"),
            (
                &[0, 1, i64::MAX],
                &[0],
                "x: expected indices for 9223372036854775807",
            ),
            (
                &[0, 1, 2],
                &[0],
                "x: expected indices for 2 stored numbers, got 1",
            ),
            (
                &[0, 1, 2],
                &[0, 3],
                "x: expected indices of at least 0 and below 3, got 3",
            ),
            (
                &[0, 1, 2],
                &[-1, 9],
                "x: expected indices of at least 0 and below 3, got -1",
            ),
            (&[0, 1, 2], &[0, 1 << 32], "below 3, got 4294967296"),
        ] {
            let got = message(shape, indptr, indices);
            assert!(got.contains(expected), "{got}");
        }
        let indices = CsrPattern::new((1, 3), &[0, 1], &[-1]).expect_err("damaged");
        assert!(indices.to_string().ends_with("got -1"), "{indices}");
        assert!(message((usize::MAX, 3), &[0], &[]).contains("indptr"));
        assert!(message((1, 1 << 40), &[0, 0], &[]).contains("at most 2147483648 columns"));
        let short = pattern().with_values(&[0; 4]).map(|x| x.len());
        let short = short.expect_err("too few").to_string();
        assert_eq!(short, "x: expected data for 5 stored numbers, got 4");
    }
}
