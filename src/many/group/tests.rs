use crate::base::cancel::CancelToken;
use crate::data::{Inputs, Targets};
use crate::engine::optimizer::{ParamsAndState, Rule};
use crate::kernels::gemm::Matrix;
use crate::many::epochs::{Epochs, EpochsScratch};
use crate::many::group::{Group, GroupScratch, groups};
use crate::many::schedule::{ByDtype, Job};
use crate::many::stopping::Stopping;
use crate::model::activation::Activation;
use crate::model::architecture::Architecture;
use crate::model::cost::Cost;
use crate::pool::Team;
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
        Self {
            settings: Settings::new(Rule::SGD, 8),
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
    let indices = groups.iter().map(|group| match group {
        ByDtype::Float32(group) => group.members.iter().map(|(index, _)| *index).collect(),
        ByDtype::Float64(_) => Vec::new(),
    });
    let mut indices: Vec<Vec<usize>> = indices.collect();
    indices.sort();
    indices
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
