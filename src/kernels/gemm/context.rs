//! What a product works with beside its matrices.

use crate::base::cancel::CancelToken;

/// The buffer for packed blocks, and the token that tells when to stop.
pub struct Context<'a, T> {
    /// [`pack_buffer`](super::pack_buffer) numbers.
    pub pack_buffer: &'a mut [T],
    /// Polled between tiles.
    pub cancel: &'a CancelToken<'a>,
}

impl<'a, T> Context<'a, T> {
    /// A context.
    #[inline]
    pub fn new(pack_buffer: &'a mut [T], cancel: &'a CancelToken<'a>) -> Self {
        Self {
            pack_buffer,
            cancel,
        }
    }
}
