use crate::base::cancel::CancelToken;
use crate::model::activation::Activation;
use crate::model::cost::Cost;
use crate::model::output_curvature::{Output, OutputCurvature};

/// Saturated outputs beside others.
const Z: [[f64; 3]; 5] = [
    [0.3, -0.2, 0.1],
    [30.0, -0.2, 0.1],
    [-40.0, 40.0, 0.1],
    [100.0, 0.0, -100.0],
    [-300.0, -20.0, -30.0],
];
const TARGETS: [[f64; 3]; 3] = [[0.5, 0.3, 0.2], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]];

/// `S_c` (`S_c` · v), summed over c, is H v.
#[test]
fn the_root_is_one_of_the_gauss_newton_matrix() {
    let (v, mut checked) = ([0.7, -1.3, 0.4], 0);
    let pairs = Cost::ALL.into_iter().flat_map(|cost| {
        Activation::ALL
            .into_iter()
            .filter(move |&output| cost.check_output(output).is_ok())
            .map(move |output| (cost, output))
    });
    for (cost, activation) in pairs {
        for (z, y) in Z.iter().flat_map(|z| TARGETS.map(|y| (z, y))) {
            let mut a = *z;
            activation.apply(&mut a, 3, &CancelToken::none());
            let output = Output {
                cost,
                activation,
                z,
                a: &a,
                y: |j: usize| y[j],
            };
            let (mut expected, mut got, mut column) = ([0.0; 3], [0.0; 3], [0.0; 3]);
            output.product(OutputCurvature::GaussNewton, &v, &mut expected);
            let mut size = 0.0_f64;
            for c in 0..3 {
                output.root_column(c, &mut column);
                let dot: f64 = column.iter().zip(v).map(|(s, v)| s * v).sum();
                for (got, s) in got.iter_mut().zip(column) {
                    *got += s * dot;
                    size = size.max((s * dot).abs());
                }
            }
            for (got, expected) in got.iter().zip(expected) {
                assert!(
                    (got - expected).abs() <= 1e-14 * size + 1e-300,
                    "{cost:?} {activation} z {z:?} y {y:?}: {got:e}, not {expected:e}"
                );
            }
            checked += 1;
        }
    }
    assert!(checked > 500, "{checked}");
}
