use crate::inside::gauss_newton_diagonal::squares::{
    Extremes, Scale, add_squares, power_of_two, write_roots,
};

/// √Σ values² of one element, as the pass computes it beside others that need every scale.
fn root(values: &[f64], unit: f64) -> f64 {
    let extremes = [1e-320, 1e300];
    let sums_at = |scale| {
        let (mut sums, mut found) = ([0.0; 3], Extremes::default());
        for &value in values {
            let values = [value, extremes[0], extremes[1]];
            found = found | add_squares(&values, scale, &mut sums);
        }
        assert!(found.small && found.large);
        sums
    };
    let mut roots = [f64::NAN; 3];
    for scale in [Scale::One, Scale::Up, Scale::Down] {
        write_roots(&sums_at(scale), scale, unit, &mut roots);
    }
    roots[0]
}

#[test]
#[allow(clippy::float_cmp)] // powers of two change no bit
fn roots_of_squares_out_of_range() {
    for exponent in [-1020, -700, -511, -480, -479, 0, 499, 500, 501, 700, 1020] {
        let unit = power_of_two(exponent);
        assert_eq!(
            root(&[3.0 * unit, -4.0 * unit], 1.0),
            5.0 * unit,
            "2^{exponent}"
        );
        assert_eq!(root(&[0.0, unit, 1e-320], 1.0), unit, "2^{exponent}");
    }
    assert_eq!(root(&[0.0, -0.0], 1.0), 0.0);
    assert_eq!(root(&[3, 4].map(f64::from_bits), 1.0), f64::from_bits(5));
    assert_eq!(root(&[1.5e308, 1.5e308], 1.0), f64::INFINITY);
    let quarter = 1.5e308 / 4.0;
    assert_eq!(
        root(&[1.5e308, 1.5e308], 0.25),
        root(&[quarter, quarter], 1.0)
    );
    assert_eq!(root(&[f64::NEG_INFINITY, 1.0], 1.0), f64::INFINITY);
    assert!(root(&[1.0, f64::NAN], 1.0).is_nan());
}

#[test]
fn squares_of_float32_need_one_scale() {
    let values = [f32::MIN_POSITIVE, 1e-45, -f32::MAX, 0.0];
    let found = add_squares(&values, Scale::One, &mut [0.0; 4]);
    assert_eq!(found, Extremes::default());
}
