use crate::base::error::ErrorKind;
use crate::model::activation::Activation;
use crate::model::architecture::{Architecture, Layer};
use crate::model::cost::Cost;

#[test]
fn parameters_are_contiguous() {
    let architecture = Architecture::new(
        &[4, 3, 2],
        &[Activation::Tanh],
        Activation::Softmax,
        Cost::LogLikelihood,
    )
    .expect("a good network");
    let ranges: Vec<_> = architecture
        .layers()
        .iter()
        .flat_map(|layer| [layer.weights.clone(), layer.biases.clone()])
        .collect();
    assert_eq!(ranges, [0..12, 12..15, 15..21, 21..23]);
    assert_eq!(
        (architecture.n_params(), architecture.n_weights()),
        (23, 18)
    );
    assert!(architecture.needs_z(1) && !architecture.needs_z(0));
}

#[test]
fn invalid_sizes_and_activations_are_errors() {
    use Activation::{Sigmoid, Softmax};
    let kind = |sizes: &[usize], hidden: &[Activation], output, cost| {
        Architecture::new(sizes, hidden, output, cost)
            .expect_err("not a network")
            .kind()
    };
    assert_eq!(kind(&[], &[], Sigmoid, Cost::Quadratic), ErrorKind::Value);
    assert_eq!(
        kind(&[3, 0], &[], Sigmoid, Cost::Quadratic),
        ErrorKind::Value
    );
    assert_eq!(
        kind(&[3, 2, 1], &[], Sigmoid, Cost::Quadratic),
        ErrorKind::Value
    );
    assert_eq!(
        kind(&[3, 2, 1], &[Softmax], Sigmoid, Cost::Huber),
        ErrorKind::Value
    );
    assert_eq!(
        kind(&[3, 2], &[], Sigmoid, Cost::LogLikelihood),
        ErrorKind::Value
    );
    let alone = kind(&[3, 1], &[], Softmax, Cost::LogLikelihood);
    assert_eq!(alone, ErrorKind::Value);
    let huge = [usize::MAX / 2, 3];
    assert_eq!(
        kind(&huge, &[], Sigmoid, Cost::Quadratic),
        ErrorKind::Memory
    );
}

#[test]
fn layers_without_biases_have_empty_ranges() {
    let make = || {
        Architecture::new(
            &[4, 3, 2, 5],
            &[Activation::Tanh; 2],
            Activation::Identity,
            Cost::Quadratic,
        )
        .expect("a good network")
    };
    let architecture = make().with_biases(&[false, true, false]).expect("three");
    let ranges = |a: &Architecture| -> Vec<_> {
        let ranges = |layer: &Layer| [layer.weights.clone(), layer.biases.clone()];
        a.layers().iter().flat_map(ranges).collect()
    };
    let expected = [0..12, 12..12, 12..18, 18..20, 20..30, 30..30];
    assert_eq!(ranges(&architecture), expected);
    assert_eq!(
        (architecture.n_params(), architecture.params_len()),
        (30, 30)
    );
    assert_eq!(ranges(&architecture.above(1).expect("memory"))[2], 8..18);
    let padded = architecture.with_padded_rows(8).expect("small");
    assert_eq!(ranges(&padded)[..2], [0..32, 32..32]);
    let all = architecture.with_biases(&[true; 3]).expect("three");
    assert_eq!(all, make());
    assert!(make().with_biases(&[true; 2]).is_err());
}

/// What affects bits depends on the number of parameters, whatever their layout.
#[test]
fn padded_rows_add_no_parameters() {
    let architecture = Architecture::new(
        &[5, 17, 40, 2],
        &[Activation::Tanh; 2],
        Activation::Identity,
        Cost::Quadratic,
    )
    .expect("a good network");
    let padded = architecture.with_padded_rows(16).expect("a short vector");
    assert_eq!(padded.layers()[0].row_stride, 32);
    assert_eq!(
        padded.params_len(),
        architecture.params_len() + 5 * (32 - 17)
    );
    assert_eq!(padded.n_params(), architecture.n_params());
    assert_eq!(architecture.params_len(), architecture.n_params());
    for layers in padded.layers().windows(2) {
        assert_eq!(layers[0].biases.end, layers[1].weights.start);
    }
}
