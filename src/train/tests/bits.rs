//! The way in which a training is computed changes no bit of its result.

use crate::kernels::csr::CsrPattern;
use crate::train::tests::*;

/// One product over all examples or one per chunk, in place or with a buffer, in either memory order, which
/// depends on the rows of a chunk: 17 rows of the deep network are row-major, two chunks of them
/// column-major.
#[test]
fn bits_do_not_depend_on_the_plan_of_a_mini_batch() {
    let deep = [&[49; 15][..], &[1]].concat();
    for (sizes, batch_size) in [
        (&deep[..], 17),
        (&deep, 120),
        (&deep, 500),
        (&[40, 64, 48, 3], 400),
        (&[300, 500, 10], 64),
        (&[300, 500, 10], 512),
        (&[300, 500, 10], 600),
        (&[60, 520, 1030], 600),
        (&[60, 520, 1030], 1000),
    ] {
        let problem = Problem::new(sizes, 2 * batch_size);
        let order = order(problem.n);
        for rule in [Rule::SGD, Rule::ADAM] {
            let mut settings = settings(rule, batch_size);
            settings.weight_decay = 0.01;
            let train = |threads| problem.train(&settings, &order, &[0.01; 2], threads, &|| false);
            let (alone, ..) = train(1);
            for threads in [3, 8] {
                let (params, ..) = train(threads);
                assert!(
                    params == alone,
                    "{sizes:?} {batch_size} {rule:?}, {threads} threads"
                );
            }
        }
    }
}

/// Rows of 11 float64 are padded to 16: the bits equal those of the same steps without padding, which is
/// used where the norm of the gradient is limited.
#[test]
fn padded_rows_change_no_bit() {
    let mut problem = Problem::new(&[12, 11, 7, 2], 300);
    for (at, x) in problem.x.iter_mut().enumerate() {
        if at % 5 != 2 {
            *x = 0.0;
        }
    }
    let architecture = &problem.architecture;
    let sparse = CsrPattern::from_dense(&problem.x, 12, 12 * 300).expect("memory");
    let (pattern, values) = sparse.expect("few enough nonzeros");
    let rows = pattern.with_values(&values).expect("as many");
    let inputs = Inputs::sparse(architecture, rows).expect("good inputs");
    let (order, rates) = (order(300), vec![0.01; 43]);
    for rule in [Rule::SGD, Rule::ADAM] {
        for (l1, max_norm, dropout) in [(0.0, None, 0.0), (0.01, Some(0.5), 0.3)] {
            let mut settings = settings(rule, 7);
            (settings.l2, settings.l1, settings.max_norm) = (0.02, l1, max_norm);
            settings.dropout = vec![dropout; 2];
            let train = |settings: &Settings, threads| {
                let (params, report, outcome) =
                    problem.train_on(inputs, settings, (&order, &rates), threads, &|| false);
                assert_eq!((outcome, report.steps), (Ok(()), rates.len()));
                params
            };
            let with_padded_rows = train(&settings, 1);
            assert!(with_padded_rows == train(&settings, 3), "{rule:?}");
            let mut in_place = settings.clone();
            in_place.clip_norm = Some(f64::MAX);
            if rule == Rule::SGD && l1 == 0.0 {
                // Without a limit on the norm, a CSR x accumulates its terms into the weights one by one.
                assert!(
                    distance(&with_padded_rows, &train(&in_place, 1)) < 1e-14,
                    "{rule:?}"
                );
            } else {
                assert!(with_padded_rows == train(&in_place, 1), "{rule:?} {l1}");
            }
        }
    }
}

/// Slices and the whole gradient, one thread and more, fused steps and others.
#[test]
fn records_change_no_bit_and_have_the_same_ones_with_any_threads() {
    let problem = Problem::new(&[300, 90, 7, 2], 300);
    let order = order(300);
    for (rule, clip_norm, max_norm) in [
        (Rule::SGD, None, None),
        (Rule::SGD, None, Some(0.5)),
        (Rule::MOMENTUM, None, None),
        (Rule::ADAM, Some(0.1), None),
    ] {
        let mut settings = settings(rule, 100);
        (settings.clip_norm, settings.max_norm, settings.l2) = (clip_norm, max_norm, 0.01);
        let (plain, ..) = problem.train(&settings, &order, &[0.01; 3], 1, &|| false);
        let mut records = Vec::new();
        for threads in [1, 3] {
            let (params, rows) = problem.train_recorded(&settings, &order, &[0.01; 3], threads);
            assert!(params == plain, "{rule:?}, {threads} threads");
            records.push(rows);
        }
        let bits = |row: &[f64]| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&records[0]), bits(&records[1]), "{rule:?}");
        assert_eq!(records[0].len(), 3 * 12);
        let cosines: Vec<f64> = records[0].iter().skip(11).step_by(12).copied().collect();
        assert!(cosines[0].is_nan() && cosines[1..].iter().all(|cosine| cosine.abs() <= 1.0));
    }
}
