//! The tensors of a network in a file: W^l and b^l of each layer.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::alloc::check_available;
use crate::base::error::{Error, Result};
use crate::io::network_file::PER_LAYER;
use crate::io::network_file::format::{CHECKPOINT, TRAINING_PREFIX};
use crate::io::safetensors::{Dtype, Reader};

pub(super) fn weights_name(k: usize) -> String {
    format!("weights.{k}")
}

pub(super) fn biases_name(k: usize) -> String {
    format!("biases.{k}")
}

/// The indices of W^l and b^l of each layer in the header.
///
/// # Errors
/// The tensors do not match `sizes`. Until this succeeds, `sizes` is unverified and may be arbitrarily
/// large.
pub(super) fn find(
    reader: &Reader,
    sizes: &[usize],
    has_biases: Option<&[bool]>,
    dtype: Dtype,
) -> Result<Vec<(usize, Option<usize>)>> {
    let tensors = &reader.header().tensors;
    check_available("tensors", tensors.len().saturating_mul(PER_LAYER))?;
    let indices: BTreeMap<_, _> = (0..).zip(tensors).map(|(k, (name, _))| (name, k)).collect();
    let layers = sizes.len().saturating_sub(1);
    let has_biases = |k: usize| has_biases.is_none_or(|has| has.get(k) == Some(&true));
    let find_tensor = |name: String, shape: &[usize]| {
        let Some(&index) = indices.get(&name) else {
            return Err(Error::value(name, "a tensor of this name", "none"));
        };
        let info = &tensors[index].1;
        if info.shape != shape {
            return Err(Error::shape(name, shape, &info.shape));
        }
        if info.dtype != dtype {
            return Err(Error::value(name, format!("dtype {dtype}"), info.dtype));
        }
        Ok(index)
    };
    let layer = |(k, pair): (usize, &[usize])| {
        let weights = find_tensor(weights_name(k), &[pair[1], pair[0]])?;
        let biases = has_biases(k).then(|| find_tensor(biases_name(k), &[pair[1]]));
        Ok((weights, biases.transpose()?))
    };
    let found: Vec<_> = sizes
        .windows(2)
        .enumerate()
        .map(layer)
        .collect::<Result<_>>()?;
    let used: BTreeSet<_> = found
        .iter()
        .flat_map(|&(weights, biases)| std::iter::once(weights).chain(biases))
        .collect();
    let has_more = reader.header().metadata.get("format").map(String::as_str) == Some(CHECKPOINT);
    let is_of_training = |name: &str| has_more && name.starts_with(TRAINING_PREFIX);
    let is_other = |k: usize| !used.contains(&k) && !is_of_training(&tensors[k].0);
    if let Some(k) = (0..tensors.len()).find(|&k| is_other(k)) {
        let expected = format!("tensors of {layers} layers, as its configuration says");
        let got = format!("'{}' too", tensors[k].0);
        return Err(Error::value("tensors", expected, got));
    }
    Ok(found)
}
