//! The forward and backward pass of a batch, on a team of threads.

pub(crate) mod backward;
pub mod batch;
pub(crate) mod costs;
pub(crate) mod dropout;
pub mod equations;
pub(crate) mod forward;
mod layout;
pub mod optimizer;
pub(crate) mod plan;
pub(crate) mod rows_out;
#[cfg(test)]
mod tests;
pub(crate) mod workspace;
