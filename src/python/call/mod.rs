//! What surrounds a call of the core: GIL, signals, errors and panics as exceptions.

pub mod cached;
pub mod detach;
pub mod errors;
pub mod text;
