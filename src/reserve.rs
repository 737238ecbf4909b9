//! Vectors that grow before work begins, or tell that there is no memory: where a push would abort.

use crate::error::{Error, Result};
use crate::interrupt::Pulse;
use crate::scalar::Real;

/// [`reserve_for`] what a call works in.
///
/// # Errors
/// The memory cannot be had.
pub fn reserve<T: Real>(
    buffer: &mut Vec<T>,
    rows: usize,
    columns: usize,
    pulse: &Pulse<'_>,
) -> Result<()> {
    reserve_for("workspace", buffer, rows, columns, pulse)
}

/// Makes `buffer` at least rows · columns long; less where `pulse` says stop. `what` names it.
///
/// # Errors
/// The memory cannot be had.
#[inline]
pub fn reserve_for<T: Real>(
    what: &str,
    buffer: &mut Vec<T>,
    rows: usize,
    columns: usize,
    pulse: &Pulse<'_>,
) -> Result<()> {
    reserve_with(what, buffer, (rows, columns), 0, pulse)
}

/// The same with some numbers more.
///
/// # Errors
/// The memory cannot be had.
#[inline]
pub fn reserve_with<T: Real>(
    what: &str,
    buffer: &mut Vec<T>,
    (rows, columns): (usize, usize),
    more: usize,
    pulse: &Pulse<'_>,
) -> Result<()> {
    let length = rows.checked_mul(columns);
    match length.and_then(|length| length.checked_add(more)) {
        Some(length) if length <= buffer.len() => Ok(()),
        length => grow(what, buffer, (rows, columns), length, pulse),
    }
}

/// Makes `buffer` so long. By itself: the shortest calls find room, and count instructions.
#[cold]
fn grow<T: Real>(
    what: &str,
    buffer: &mut Vec<T>,
    (rows, columns): (usize, usize),
    length: Option<usize>,
    pulse: &Pulse<'_>,
) -> Result<()> {
    /// Few enough to be had from the system and set to 0 within a few milliseconds.
    const STEP: usize = 1 << 20;
    let refuse = || {
        let numbers = match columns {
            1 => format!("{rows} numbers"),
            _ => format!("{rows} x {columns} numbers"),
        };
        Error::memory(what, format_args!("cannot allocate {numbers}"))
    };
    let length = length.ok_or_else(refuse)?;
    let missing = length - buffer.len();
    buffer.try_reserve_exact(missing).map_err(|_| refuse())?;
    while buffer.len() < length && !pulse.stopped_after(STEP) {
        buffer.resize(length.min(buffer.len() + STEP), T::ZERO);
    }
    Ok(())
}

/// Makes room in `list` for so many items.
///
/// # Errors
/// The memory cannot be had.
pub fn reserve_list<I>(list: &mut Vec<I>, items: usize) -> Result<()> {
    let refuse = |_| {
        Error::memory(
            "workspace",
            format_args!("cannot allocate a list of {items}"),
        )
    };
    list.try_reserve(items.saturating_sub(list.len()))
        .map_err(refuse)
}
