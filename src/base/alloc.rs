//! Vectors that grow, or tell that there is no memory: where a push would end the process.

use std::fmt::Display;

use crate::base::allocator::is_low;
use crate::base::cancel::CancelToken;
use crate::base::error::{Error, Result};

/// [`reserve_for`] what a call works in.
///
/// # Errors
/// The memory cannot be had.
pub fn reserve<T: Copy + Default>(
    buffer: &mut Vec<T>,
    rows: usize,
    columns: usize,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    reserve_for("workspace", buffer, rows, columns, cancel)
}

/// Makes `buffer` at least rows · columns long; less where `cancel` says stop. `what` names it.
///
/// # Errors
/// The memory cannot be had.
#[inline]
pub fn reserve_for<T: Copy + Default>(
    what: &str,
    buffer: &mut Vec<T>,
    rows: usize,
    columns: usize,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    reserve_with(what, buffer, (rows, columns), 0, cancel)
}

/// The same with some numbers more.
///
/// # Errors
/// The memory cannot be had.
#[inline]
pub fn reserve_with<T: Copy + Default>(
    what: &str,
    buffer: &mut Vec<T>,
    (rows, columns): (usize, usize),
    more: usize,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    let length = rows.checked_mul(columns);
    match length.and_then(|length| length.checked_add(more)) {
        Some(length) if length <= buffer.len() => Ok(()),
        length => grow(what, buffer, (rows, columns), length, cancel),
    }
}

/// Makes `buffer` so long. By itself: the shortest calls find room, and count instructions.
#[cold]
fn grow<T: Copy + Default>(
    what: &str,
    buffer: &mut Vec<T>,
    (rows, columns): (usize, usize),
    length: Option<usize>,
    cancel: &CancelToken<'_>,
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
    if is_low() || buffer.try_reserve_exact(missing).is_err() {
        return Err(refuse());
    }
    while buffer.len() < length && !cancel.poll_after(STEP) {
        buffer.resize(length.min(buffer.len() + STEP), T::default());
    }
    Ok(())
}

/// Makes room in `list` for so many items more. `what` names it.
///
/// # Errors
/// The memory cannot be had.
pub fn reserve_list<I>(what: &str, list: &mut Vec<I>, more: usize) -> Result<()> {
    if list.capacity() - list.len() >= more {
        return Ok(());
    }
    if is_low() || list.try_reserve(more).is_err() {
        let entries = list.len().saturating_add(more);
        return Err(Error::memory(
            what,
            format_args!("cannot allocate {entries} entries"),
        ));
    }
    Ok(())
}

/// Adds `item` to `list`, which doubles where it is full. `what` names it.
///
/// # Errors
/// The memory cannot be had.
pub fn push<I>(what: &str, list: &mut Vec<I>, item: I) -> Result<()> {
    // What an item holds may have come from the reserve.
    if list.len() == list.capacity() || is_low() {
        reserve_list(what, list, list.capacity() - list.len() + 1)?;
    }
    list.push(item);
    Ok(())
}

/// `items` as a list. `what` names it.
///
/// # Errors
/// The memory cannot be had; the first error of an item.
pub fn try_list<I, E: From<Error>>(
    what: &str,
    items: impl IntoIterator<Item = std::result::Result<I, E>>,
) -> std::result::Result<Vec<I>, E> {
    let mut list = Vec::new();
    for item in items {
        push(what, &mut list, item?)?;
    }
    Ok(list)
}

/// The same of items that are no errors.
///
/// # Errors
/// The memory cannot be had.
pub fn list<I>(what: &str, items: impl IntoIterator<Item = I>) -> Result<Vec<I>> {
    try_list(what, items.into_iter().map(Ok))
}

/// `length` times the default. `what` names it.
///
/// # Errors
/// The memory cannot be had.
pub fn defaults<I: Copy + Default>(what: &str, length: usize) -> Result<Vec<I>> {
    let mut list = Vec::new();
    reserve_list(what, &mut list, length)?;
    list.resize(length, I::default());
    Ok(list)
}

/// A copy of `items`. `what` names it.
///
/// # Errors
/// The memory cannot be had.
pub fn copied<I: Copy>(what: &str, items: &[I]) -> Result<Vec<I>> {
    let mut list = Vec::new();
    reserve_list(what, &mut list, items.len())?;
    list.extend_from_slice(items);
    Ok(list)
}

/// Sees that so many bytes can be had, for what a library allocates piece by piece and cannot be refused.
/// `what` names it.
///
/// # Errors
/// They cannot.
pub fn check_room(what: impl Display, bytes: usize) -> Result<()> {
    let mut room: Vec<u8> = Vec::new();
    if is_low() || room.try_reserve_exact(bytes).is_err() {
        return Err(Error::memory(
            what,
            format_args!("cannot allocate {bytes} bytes"),
        ));
    }
    std::hint::black_box(&mut room); // or the compiler leaves it out
    Ok(())
}
