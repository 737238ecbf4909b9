//! The working memory and cancellation token of a product.

use crate::base::cancel::CancelToken;

/// The buffer for packed blocks, and the cancellation token.
pub struct Context<'a, T> {
    /// [`pack_buffer`](super::pack_buffer) elements.
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
