//! What the kernels ask of the machine.

use crate::base::error::Result;
use crate::kernels::caches::caches;
use crate::kernels::simd::level::{level, multiplies_in_halves};

/// Asks all of it, once. Calls from Python do so before they release the GIL: a child that another thread
/// forks in the middle of an answer, which takes long on a virtual machine, would wait for it forever.
///
/// # Errors
/// `BPFAST_SIMD` names an unknown level, or one that this machine lacks.
pub fn detect() -> Result<()> {
    level()?;
    caches();
    multiplies_in_halves();
    Ok(())
}
