//! Epochs of networks of one architecture, which may do their steps together.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use crate::base::alloc::{try_collect, try_push, try_reserve};
use crate::base::cancel::CancelToken;
use crate::base::error::Result;
use crate::kernels::interleaved::networks;
use crate::kernels::real::Real;
use crate::many::deal::{ByDtype, Job};
use crate::many::epochs::{Epochs, EpochsScratch, Progress};
use crate::pool::Team;
use crate::train::lockstep::{self, Lane, LockstepScratch};

/// Networks, each with its place in a list.
pub struct Group<'a, T> {
    /// The places and the networks. If there are several, they have one architecture, and steps of equally many
    /// examples.
    pub members: Vec<(usize, Epochs<'a, T>)>,
}

/// The buffers of a thread.
#[derive(Debug, Default)]
pub struct GroupScratch<T: 'static> {
    epochs: EpochsScratch<T>,
    lockstep: LockstepScratch<T>,
}

impl<T: Real> Job for Group<'_, T> {
    type Scratch = GroupScratch<T>;

    fn threads(&self, _: usize) -> usize {
        1
    }

    /// Does the epochs of all networks, as [`Epochs::run`] does those of one.
    fn run(
        &mut self,
        scratch: &mut GroupScratch<T>,
        _: &Team,
        cancel: &CancelToken<'_>,
    ) -> Result<()> {
        let mut active = Vec::new();
        try_reserve("nets", &mut active, self.members.len())?;
        active.extend(self.members.iter_mut().map(|(_, epochs)| epochs));
        loop {
            active.retain(|epochs| !epochs.is_done());
            if !is_faster_together(&active) {
                break;
            }
            epoch(&mut active, scratch, cancel)?;
            if cancel.poll_after(0) {
                return Ok(());
            }
        }
        active
            .into_iter()
            .try_for_each(|epochs| epochs.run(&mut scratch.epochs, cancel))
    }
}

fn is_faster_together<T: Real>(active: &[&mut Epochs<'_, T>]) -> bool {
    active.first().is_some_and(|epochs| {
        let n = epochs.settings.batch_size.min(epochs.order.len());
        lockstep::is_faster::<T>(epochs.architecture, n, active.len())
    })
}

/// Does the next epoch of each network. If the call is cancelled, it ends after a whole step of all.
fn epoch<T: Real>(
    active: &mut [&mut Epochs<'_, T>],
    scratch: &mut GroupScratch<T>,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    let (start, networks) = (Instant::now(), active.len());
    let mut progress = try_collect("nets", active.iter().map(|_| Progress::default()))?;
    for epochs in &mut *active {
        epochs.begin(cancel);
    }
    let mut done = 0;
    while done < active[0].steps_per_epoch() && !cancel.poll() {
        let counts = active
            .iter()
            .map(|epochs| epochs.steps_at_once(done, networks));
        let count = counts.min().unwrap_or(1);
        let mut lanes = Vec::new();
        try_reserve("nets", &mut lanes, networks)?;
        lanes.extend(
            active
                .iter_mut()
                .zip(&mut progress)
                .map(|(epochs, progress)| {
                    let (series, params_and_state) = epochs.series(done, count);
                    Lane {
                        series,
                        params_and_state,
                        report: &mut progress.report,
                    }
                }),
        );
        let outcome = lockstep::run(&mut lanes, &mut scratch.lockstep, cancel);
        drop(lanes);
        for (epochs, progress) in active.iter_mut().zip(&mut progress) {
            epochs.count(progress);
        }
        done = progress[0].done;
        if !outcome? {
            // The numbers of one are not finite: each by itself, up to the last step that leaves them finite.
            for (epochs, progress) in active.iter_mut().zip(&mut progress) {
                epochs.do_steps(progress, &mut scratch.epochs, cancel)?;
            }
            break;
        }
    }
    #[allow(clippy::cast_precision_loss)] // below 2^53
    let seconds = start.elapsed().as_secs_f64() / networks as f64;
    for (epochs, progress) in active.iter_mut().zip(&progress) {
        epochs.finish(progress, seconds, &mut scratch.epochs, cancel)?;
    }
    Ok(())
}

/// A group of either dtype.
pub type AnyGroup<'a> = ByDtype<Group<'a, f32>, Group<'a, f64>>;

/// Puts networks into groups, and enough of them for `threads`. A place is one in `all`.
///
/// # Errors
/// Memory runs out.
pub fn groups<'a>(
    all: Vec<ByDtype<Epochs<'a, f32>, Epochs<'a, f64>>>,
    threads: usize,
) -> Result<Vec<AnyGroup<'a>>> {
    let (mut float32, mut float64) = (Vec::new(), Vec::new());
    for (place, epochs) in all.into_iter().enumerate() {
        match epochs {
            ByDtype::Float32(epochs) => try_push("nets", &mut float32, (place, epochs))?,
            ByDtype::Float64(epochs) => try_push("nets", &mut float64, (place, epochs))?,
        }
    }
    let float32 = groups_of(float32, threads)?.into_iter();
    let float64 = groups_of(float64, threads)?.into_iter();
    let float32 = float32.map(ByDtype::Float32);
    try_collect("nets", float32.chain(float64.map(ByDtype::Float64)))
}

/// The same for networks of one dtype, with their places.
fn groups_of<T: Real>(
    all: Vec<(usize, Epochs<'_, T>)>,
    threads: usize,
) -> Result<Vec<Group<'_, T>>> {
    let keyed = all.into_iter().map(|member| (key(&member.1), member));
    let mut keyed = try_collect("nets", keyed)?;
    keyed.sort_unstable_by_key(|&(key, (place, _))| (key, place));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Inputs, Targets};
    use crate::engine::optimizer::{ParamsAndState, Rule};
    use crate::kernels::gemm::Matrix;
    use crate::many::stopping::Stopping;
    use crate::model::activation::Activation;
    use crate::model::architecture::Architecture;
    use crate::model::cost::Cost;
    use crate::train::Settings;

    const N: usize = 30;

    /// What the epochs of a network borrow.
    struct Owned {
        architecture: Architecture,
        settings: Settings,
        x: Vec<f32>,
        y: Vec<f32>,
        rates: Vec<f64>,
        order: Vec<u32>,
        params: Vec<f32>,
        best: Vec<f32>,
    }

    fn numbers(count: usize, seed: u16) -> Vec<f32> {
        let number = |k: u16| f32::from(k.wrapping_mul(7919).wrapping_add(seed) % 1013) / 500.0;
        (0..).take(count).map(|k| number(k) - 1.0).collect()
    }

    impl Owned {
        fn new(width: usize, seed: u16) -> Self {
            let sizes = [2, width, 1];
            let (hidden, output) = ([Activation::Tanh], Activation::Identity);
            let architecture = Architecture::new(&sizes, &hidden, output, Cost::Quadratic);
            let architecture = architecture.expect("a network");
            let rule = Rule::Sgd {
                momentum: 0.0,
                nesterov: false,
            };
            Self {
                settings: Settings {
                    rule,
                    weight_decay: 0.0,
                    l2: 0.0,
                    l1: 0.0,
                    penalty_per_example: false,
                    clip_norm: None,
                    max_norm: None,
                    dropout: Vec::new(),
                    seed: 0,
                    batch_size: 8,
                    check_finite: true,
                },
                x: numbers(2 * N, 1),
                y: numbers(N, 2),
                rates: vec![0.5; 6 * N.div_ceil(8)],
                order: (0..).take(N).collect(),
                params: numbers(architecture.n_params(), seed),
                best: vec![0.0; architecture.n_params()],
                architecture,
            }
        }

        fn epochs(&mut self) -> Epochs<'_, f32> {
            let inputs = Inputs::new(&self.architecture, Matrix::by_rows(&self.x, N, 2));
            let targets = Targets::values(1, N, Matrix::by_rows(&self.y, N, 1));
            Epochs {
                architecture: &self.architecture,
                settings: &self.settings,
                inputs: inputs.expect("good inputs"),
                targets: targets.expect("good targets"),
                rows: None,
                order: &mut self.order,
                order_seed: Some(3),
                first_epoch: 1,
                rates: &self.rates,
                steps_before: 0,
                validation: None,
                stopping: Some(Stopping {
                    patience: 1,
                    min_delta: 0.0,
                    best: f64::INFINITY,
                    best_epoch: 0,
                    of_validation: false,
                    best_params: &mut self.best,
                    is_over: false,
                }),
                params_and_state: ParamsAndState::new(&mut self.params, []),
                reports: Vec::new(),
                steps: 0,
                first_cost: None,
                diverged: None,
            }
        }
    }

    fn sizes_of(widths: &[usize], threads: usize) -> Vec<Vec<usize>> {
        let mut all: Vec<_> = widths.iter().map(|&width| Owned::new(width, 0)).collect();
        let all = all.iter_mut().map(|owned| ByDtype::Float32(owned.epochs()));
        let groups = groups(all.collect(), threads).expect("memory");
        let places = groups.iter().map(|group| match group {
            ByDtype::Float32(group) => group.members.iter().map(|(place, _)| *place).collect(),
            ByDtype::Float64(_) => Vec::new(),
        });
        let mut places: Vec<Vec<usize>> = places.collect();
        places.sort();
        places
    }

    #[test]
    fn networks_of_a_shape_are_divided_evenly() {
        assert_eq!(
            sizes_of(&[3, 5, 3, 4, 5], 1),
            [vec![0, 2], vec![1, 4], vec![3]]
        );
        assert_eq!(sizes_of(&[3, 3, 3], 2), [vec![0, 1], vec![2]]);
        let lengths: Vec<_> = sizes_of(&[3; 35], 2).iter().map(Vec::len).collect();
        assert_eq!(lengths, [12, 12, 11]); // at most 16, the lanes of float32
    }

    #[test]
    fn a_group_has_the_bits_of_its_networks_alone() {
        let bits = |owned: &Owned| -> Vec<u32> {
            owned
                .params
                .iter()
                .chain(&owned.best)
                .map(|x| x.to_bits())
                .collect()
        };
        let cancel = &CancelToken::none();
        let mut found = Vec::new();
        for together in [true, false] {
            let mut all: Vec<_> = (0..5).map(|seed| Owned::new(4, 99 * seed)).collect();
            let mut members = Vec::new();
            for epochs in all
                .iter_mut()
                .enumerate()
                .map(|(k, owned)| (k, owned.epochs()))
            {
                members.push(epochs);
            }
            let mut group = Group { members };
            if together {
                let scratch = &mut GroupScratch::default();
                group.run(scratch, &Team::alone(), cancel).expect("memory");
            } else {
                for (_, epochs) in &mut group.members {
                    epochs
                        .run(&mut EpochsScratch::default(), cancel)
                        .expect("memory");
                }
            }
            let reports = group.members.iter().map(|(_, epochs)| {
                let costs = epochs.reports.iter().map(|report| report.cost.to_bits());
                (costs.collect::<Vec<_>>(), epochs.steps)
            });
            let reports: Vec<_> = reports.collect();
            drop(group);
            found.push((reports, all.iter().map(bits).collect::<Vec<_>>()));
        }
        assert_eq!(found[0], found[1]);
        // Some stop early, so that the last go on alone.
        let lengths: Vec<_> = found[0].0.iter().map(|(costs, _)| costs.len()).collect();
        assert!(lengths.iter().any(|&length| length < 6), "{lengths:?}");
    }
}
