//! The number in the name of an activation, as in `leaky_relu(0.2)`.

/// A positive number that float32 holds with all its digits. Two are equal if their bits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Parameter(u64);

impl Parameter {
    /// The parameter with this value; None if it is not positive, or out of the range of float32.
    pub const fn new(value: f64) -> Option<Self> {
        if value >= f32::MIN_POSITIVE as f64 && value <= f32::MAX as f64 {
            Some(Self(value.to_bits()))
        } else {
            None
        }
    }

    /// The parameter with this value.
    ///
    /// # Panics
    /// The value is out of range; when compiling, for a constant.
    pub(super) const fn constant(value: f64) -> Self {
        Self::new(value).expect("a positive number")
    }

    /// Its value.
    pub const fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}
