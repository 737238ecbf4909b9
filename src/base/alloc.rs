//! Fallible growth of vectors: an error where `Vec::push` would abort the process.

use std::fmt::Display;

use crate::base::allocator::reserve_is_low;
use crate::base::cancel::CancelToken;
use crate::base::error::{Error, Result};

/// [`reserve_for`] the working memory of a call.
///
/// # Errors
/// Memory runs out.
pub fn reserve<T: Copy + Default>(
    buffer: &mut Vec<T>,
    rows: usize,
    columns: usize,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    reserve_for("workspace", buffer, rows, columns, cancel)
}

/// Grows `buffer` to at least rows · columns elements; it may stay shorter if `cancel` is cancelled. Errors
/// call it `what`.
///
/// # Errors
/// Memory runs out.
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

/// The same, with additional elements.
///
/// # Errors
/// Memory runs out.
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

/// Grows `buffer` to `length`. A separate cold function: short calls find the buffer large enough.
#[cold]
fn grow<T: Copy + Default>(
    what: &str,
    buffer: &mut Vec<T>,
    (rows, columns): (usize, usize),
    length: Option<usize>,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    /// As many elements as are allocated, page faults included, and zeroed within a few milliseconds.
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
    if reserve_is_low() || buffer.try_reserve_exact(missing).is_err() {
        return Err(refuse());
    }
    while buffer.len() < length && !cancel.poll_after(STEP) {
        buffer.resize(length.min(buffer.len() + STEP), T::default());
    }
    Ok(())
}

/// Reserves capacity for `more` items in `list`. Errors call it `what`.
///
/// # Errors
/// Memory runs out.
pub fn reserve_list<I>(what: &str, list: &mut Vec<I>, more: usize) -> Result<()> {
    if list.capacity() - list.len() >= more {
        return Ok(());
    }
    if reserve_is_low() || list.try_reserve(more).is_err() {
        let entries = list.len().saturating_add(more);
        return Err(Error::memory(
            what,
            format_args!("cannot allocate {entries} entries"),
        ));
    }
    Ok(())
}

/// Appends `item` to `list`, whose capacity doubles when it is full. Errors call it `what`.
///
/// # Errors
/// Memory runs out.
pub fn push<I>(what: &str, list: &mut Vec<I>, item: I) -> Result<()> {
    // Also fails if the reserve is low: what the item owns may have been allocated from it.
    if list.len() == list.capacity() || reserve_is_low() {
        reserve_list(what, list, list.capacity() - list.len() + 1)?;
    }
    list.push(item);
    Ok(())
}

/// Collects `items` into a list. Errors call it `what`.
///
/// # Errors
/// Memory runs out; or the first error of an item.
pub fn try_collect<I, E: From<Error>>(
    what: &str,
    items: impl IntoIterator<Item = std::result::Result<I, E>>,
) -> std::result::Result<Vec<I>, E> {
    let mut list = Vec::new();
    for item in items {
        push(what, &mut list, item?)?;
    }
    Ok(list)
}

/// The same for infallible items.
///
/// # Errors
/// Memory runs out.
pub fn list<I>(what: &str, items: impl IntoIterator<Item = I>) -> Result<Vec<I>> {
    try_collect(what, items.into_iter().map(Ok))
}

/// A vector of `length` default values. Errors call it `what`.
///
/// # Errors
/// Memory runs out.
pub fn defaults<I: Copy + Default>(what: &str, length: usize) -> Result<Vec<I>> {
    let mut list = Vec::new();
    reserve_list(what, &mut list, length)?;
    list.resize(length, I::default());
    Ok(list)
}

/// A copy of `items`. Errors call it `what`.
///
/// # Errors
/// Memory runs out.
pub fn copied<I: Copy>(what: &str, items: &[I]) -> Result<Vec<I>> {
    let mut list = Vec::new();
    reserve_list(what, &mut list, items.len())?;
    list.extend_from_slice(items);
    Ok(list)
}

/// Checks that `bytes` bytes can be allocated, before a library allocates piece by piece and infallibly.
/// Errors call it `what`.
///
/// # Errors
/// They cannot.
pub fn check_available(what: impl Display, bytes: usize) -> Result<()> {
    let mut room: Vec<u8> = Vec::new();
    if reserve_is_low() || room.try_reserve_exact(bytes).is_err() {
        return Err(Error::memory(
            what,
            format_args!("cannot allocate {bytes} bytes"),
        ));
    }
    std::hint::black_box(&mut room); // otherwise the compiler removes the allocation
    Ok(())
}
