//! The working memory that a network keeps between calls.

use std::sync::{Mutex, PoisonError};

use crate::engine::batch::Scratch;
use crate::python::convert::dtype::Dtype;

/// The buffers that a network keeps between calls; a concurrent call allocates its own.
pub type ScratchSlot<T> = Mutex<Option<Scratch<T>>>;

/// The slot of a network's dtype.
pub enum ScratchSlots {
    Float32(ScratchSlot<f32>),
    Float64(ScratchSlot<f64>),
}

impl ScratchSlots {
    /// An empty slot.
    pub fn new(dtype: Dtype) -> Self {
        match dtype {
            Dtype::Float32 => Self::Float32(Mutex::default()),
            Dtype::Float64 => Self::Float64(Mutex::default()),
        }
    }
}

pub fn lock<T: 'static>(
    scratch_slot: &ScratchSlot<T>,
) -> std::sync::MutexGuard<'_, Option<Scratch<T>>> {
    scratch_slot.lock().unwrap_or_else(PoisonError::into_inner)
}
