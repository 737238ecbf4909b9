//! Divides networks into groups of one architecture.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::base::alloc::{try_collect, try_push};
use crate::base::error::Result;
use crate::kernels::interleaved::networks;
use crate::kernels::real::Real;
use crate::many::epochs::Epochs;
use crate::many::group::Group;
use crate::many::schedule::ByDtype;

/// A group of either dtype.
pub type AnyGroup<'a> = ByDtype<Group<'a, f32>, Group<'a, f64>>;

/// Puts networks into groups, and enough of them for `threads`. An index is one in `all`.
///
/// # Errors
/// Memory runs out.
pub fn groups<'a>(
    all: Vec<ByDtype<Epochs<'a, f32>, Epochs<'a, f64>>>,
    threads: usize,
) -> Result<Vec<AnyGroup<'a>>> {
    let (mut float32, mut float64) = (Vec::new(), Vec::new());
    for (index, epochs) in all.into_iter().enumerate() {
        match epochs {
            ByDtype::Float32(epochs) => try_push("nets", &mut float32, (index, epochs))?,
            ByDtype::Float64(epochs) => try_push("nets", &mut float64, (index, epochs))?,
        }
    }
    let float32 = groups_of(float32, threads)?.into_iter();
    let float64 = groups_of(float64, threads)?.into_iter();
    let float32 = float32.map(ByDtype::Float32);
    try_collect("nets", float32.chain(float64.map(ByDtype::Float64)))
}

/// The same for networks of one dtype, with their indices.
fn groups_of<T: Real>(
    all: Vec<(usize, Epochs<'_, T>)>,
    threads: usize,
) -> Result<Vec<Group<'_, T>>> {
    let keyed = all.into_iter().map(|member| (key(&member.1), member));
    let mut keyed = try_collect("nets", keyed)?;
    keyed.sort_unstable_by_key(|&(key, (index, _))| (key, index));
    let mut groups = Vec::new();
    let mut keyed = keyed.into_iter().peekable();
    while let Some((key, first)) = keyed.next() {
        let mut alike = Vec::new();
        try_push("nets", &mut alike, first)?;
        while let Some((_, member)) = keyed.next_if(|(other, (_, epochs))| {
            key.is_some() && *other == key && are_alike(epochs, &alike[0].1)
        }) {
            try_push("nets", &mut alike, member)?;
        }
        // Lanes may be empty, but no thread.
        let size = networks::<T>().min(alike.len().div_ceil(threads.max(1)));
        let count = alike.len().div_ceil(size);
        let mut alike = alike.into_iter();
        for left in (1..=count).rev() {
            let length = alike.len().div_ceil(left);
            let members = try_collect("nets", alike.by_ref().take(length))?;
            try_push("nets", &mut groups, Group { members })?;
        }
    }
    Ok(groups)
}

/// Equal for networks that can do their steps together, and hardly ever for others; None for a network that
/// does its steps alone.
fn key<T: Real>(epochs: &Epochs<'_, T>) -> Option<u64> {
    epochs.fits_a_lane().then(|| {
        let mut hasher = DefaultHasher::new();
        epochs.architecture.hash(&mut hasher);
        examples(epochs).hash(&mut hasher);
        hasher.finish()
    })
}

fn are_alike<T>(one: &Epochs<'_, T>, other: &Epochs<'_, T>) -> bool {
    one.architecture == other.architecture && examples(one) == examples(other)
}

/// The examples of a step and of an epoch.
fn examples<T>(epochs: &Epochs<'_, T>) -> (usize, usize) {
    (epochs.settings.batch_size, epochs.order.len())
}
