//! What surrounds a call of the core: the GIL released, signals watched, errors and panics as exceptions.

pub mod detach;
pub mod errors;
pub mod text;
