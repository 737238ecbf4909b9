//! A checksum of numbers, to notice that they have changed.

/// The numbers that are combined at a time, each into a sum of its own: so many multiplications overlap.
const LANES: usize = 8;
/// An odd factor with bits all over: that of Knuth's multiplicative hash.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// A checksum of the number of `values` and of their bits, in order. A change of one of them always changes it, and others but
/// for one in 2^64.
pub fn checksum<T: Copy>(values: &[T], bits: impl Fn(T) -> u64) -> u64 {
    let mut lanes = [0_u64; LANES];
    let mut pieces = values.chunks_exact(LANES);
    for piece in &mut pieces {
        for (lane, &value) in lanes.iter_mut().zip(piece) {
            *lane = combined(*lane, bits(value));
        }
    }
    let rest = pieces.remainder().iter().map(|&value| bits(value));
    let length = values.len() as u64;
    lanes.into_iter().chain(rest).fold(length, combined)
}

/// One-to-one in both arguments.
fn combined(sum: u64, bits: u64) -> u64 {
    let mixed = (sum ^ bits).wrapping_mul(FACTOR);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_noticed() {
        for n in [1, 7, 8, 9, 50] {
            let values: Vec<f64> = (0..n).map(f64::from).collect();
            let of = |values: &[f64]| checksum(values, f64::to_bits);
            let all = of(&values);
            for k in 0..values.len() {
                let mut changed = values.clone();
                changed[k] = f64::from_bits(changed[k].to_bits() ^ 1);
                assert_ne!(of(&changed), all, "{n} {k}");
                changed[k] = -values[k];
                assert_ne!(of(&changed), all, "{n} {k}");
                if k > 0 {
                    changed = values.clone();
                    changed.swap(k - 1, k);
                    assert_ne!(of(&changed), all, "{n} {k}");
                }
            }
            assert_ne!(of(&values[1..]), all);
        }
    }
}
