//! Checksums, to notice that numbers have changed.

/// An odd factor with bits all over: that of Knuth's multiplicative hash.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// A checksum of `values` in their order. A change of one of them always changes it; any other change is missed with
/// a probability of 2^−64.
pub fn checksum(values: impl IntoIterator<Item = u64>) -> u64 {
    values.into_iter().fold(0, |sum, bits| {
        let mixed = (sum ^ bits).wrapping_mul(FACTOR);
        mixed ^ (mixed >> 29)
    })
}
