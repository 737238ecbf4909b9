//! Fallible growth of vectors: an error where `Vec::push` would abort the process.

use std::fmt::Display;

use crate::base::cancel::CancelToken;
use crate::base::error::{Error, Result};
use crate::base::reserve::reserve_is_low;

/// Grows the working memory of a call: [`try_grow`] of the workspace.
///
/// # Errors
/// Memory runs out.
pub fn grow_workspace<T: Copy + Default>(
    buffer: &mut Vec<T>,
    rows: usize,
    columns: usize,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    try_grow("workspace", buffer, rows, columns, cancel)
}

/// Grows `buffer` to at least rows · columns elements; it may stay shorter if `cancel` is cancelled. Errors
/// call it `what`.
///
/// # Errors
/// Memory runs out.
#[inline]
pub fn try_grow<T: Copy + Default>(
    what: &str,
    buffer: &mut Vec<T>,
    rows: usize,
    columns: usize,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    try_grow_padded(what, buffer, (rows, columns), 0, cancel)
}

/// The same with `padding` more elements.
///
/// # Errors
/// Memory runs out.
#[inline]
pub fn try_grow_padded<T: Copy + Default>(
    what: &str,
    buffer: &mut Vec<T>,
    (rows, columns): (usize, usize),
    padding: usize,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    let length = rows.checked_mul(columns);
    match length.and_then(|length| length.checked_add(padding)) {
        Some(length) if length <= buffer.len() => Ok(()),
        length => grow_cold(what, buffer, (rows, columns), length, cancel),
    }
}

/// Grows `buffer` to `length`. A separate cold function: short calls find the buffer large enough.
#[cold]
fn grow_cold<T: Copy + Default>(
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

/// Reserves capacity for `additional` items in `vector`. Errors call it `what`.
///
/// # Errors
/// Memory runs out.
pub fn try_reserve<I>(what: &str, vector: &mut Vec<I>, additional: usize) -> Result<()> {
    if vector.capacity() - vector.len() >= additional {
        return Ok(());
    }
    if reserve_is_low() || vector.try_reserve(additional).is_err() {
        let entries = vector.len().saturating_add(additional);
        return Err(Error::memory(
            what,
            format_args!("cannot allocate {entries} entries"),
        ));
    }
    Ok(())
}

/// Appends `item` to `vector`, whose capacity doubles when it is full. Errors call it `what`.
///
/// # Errors
/// Memory runs out.
pub fn try_push<I>(what: &str, vector: &mut Vec<I>, item: I) -> Result<()> {
    // Also fails if the reserve is low: what the item owns may have been allocated from it.
    if vector.len() == vector.capacity() || reserve_is_low() {
        try_reserve(what, vector, vector.capacity() - vector.len() + 1)?;
    }
    vector.push(item);
    Ok(())
}

/// Collects `items` into a vector. Errors call it `what`.
///
/// # Errors
/// Memory runs out; or the first error of an item.
pub fn try_collect_results<I, E: From<Error>>(
    what: &str,
    items: impl IntoIterator<Item = std::result::Result<I, E>>,
) -> std::result::Result<Vec<I>, E> {
    let mut vector = Vec::new();
    for item in items {
        try_push(what, &mut vector, item?)?;
    }
    Ok(vector)
}

/// The same for infallible items.
///
/// # Errors
/// Memory runs out.
pub fn try_collect<I>(what: &str, items: impl IntoIterator<Item = I>) -> Result<Vec<I>> {
    try_collect_results(what, items.into_iter().map(Ok))
}

/// A vector of `length` default values. Errors call it `what`.
///
/// # Errors
/// Memory runs out.
pub fn try_defaults<I: Copy + Default>(what: &str, length: usize) -> Result<Vec<I>> {
    let mut vector = Vec::new();
    try_reserve(what, &mut vector, length)?;
    vector.resize(length, I::default());
    Ok(vector)
}

/// A copy of `items`. Errors call it `what`.
///
/// # Errors
/// Memory runs out.
pub fn try_to_vec<I: Copy>(what: &str, items: &[I]) -> Result<Vec<I>> {
    let mut vector = Vec::new();
    try_reserve(what, &mut vector, items.len())?;
    vector.extend_from_slice(items);
    Ok(vector)
}

/// Checks that `bytes` bytes can be allocated, before a library allocates piece by piece and infallibly.
/// Errors call it `what`.
///
/// # Errors
/// They cannot.
pub fn check_available(what: impl Display, bytes: usize) -> Result<()> {
    let mut probe: Vec<u8> = Vec::new();
    if reserve_is_low() || probe.try_reserve_exact(bytes).is_err() {
        return Err(Error::memory(
            what,
            format_args!("cannot allocate {bytes} bytes"),
        ));
    }
    std::hint::black_box(&mut probe); // otherwise the compiler removes the allocation
    Ok(())
}
