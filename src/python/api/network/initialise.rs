//! The initial parameters of a network, drawn from a NumPy generator.

use pyo3::prelude::*;

use crate::base::error::Error;
use crate::model::architecture::Architecture;
use crate::python::api::flat_vector::FlatVector;
use crate::python::borrow::call_python::{call, call_method, import_from, numpy_function};

/// The names of the initialisations.
pub const INITIALISATIONS: [&str; 6] =
    ["nielsen", "nielsen_large", "xavier", "he", "lecun", "zeros"];

/// The standard deviations of a layer's weights and biases.
#[allow(clippy::cast_precision_loss)] // sizes are far below 2^53
fn deviations(init: &str, n_in: usize, n_out: usize) -> Result<(f64, f64), Error> {
    let (n_in, n_out) = (n_in as f64, n_out as f64);
    match init {
        "nielsen" => Ok((1.0 / n_in.sqrt(), 1.0)),
        "nielsen_large" => Ok((1.0, 1.0)),
        "xavier" => Ok(((2.0 / (n_in + n_out)).sqrt(), 0.0)),
        "he" => Ok(((2.0 / n_in).sqrt(), 0.0)),
        "lecun" => Ok((1.0 / n_in.sqrt(), 0.0)),
        "zeros" => Ok((0.0, 0.0)),
        _ => Err(Error::unknown_name("init", init, &INITIALISATIONS)),
    }
}

/// Draws the parameters of `architecture` into `vector`: for each layer W^l, row-major, then b^l. They are
/// drawn in float64, so the initial parameters of a float32 network are the rounded ones of a float64
/// network.
///
/// # Errors
/// `init` is unknown, `numpy.random.default_rng` does not accept `seed`, or memory runs out.
pub fn draw(
    py: Python<'_>,
    architecture: &Architecture,
    vector: &FlatVector,
    init: &str,
    seed: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    deviations(init, 1, 1)?;
    let generator = import_from(py, "bpfast._validation.seed", "generator")?;
    let rng = call(&generator, (seed,))?;
    let (weights, biases) = (vector.weights(py)?, vector.biases(py)?);
    for (k, layer) in architecture.layers().iter().enumerate() {
        let (weight, bias) = deviations(init, layer.n_in, layer.n_out)?;
        for (views, deviation) in [(&weights, weight), (&biases, bias)] {
            let view = views.bind(py).get_item(k)?;
            if view.is_none() {
                continue; // a layer without biases
            }
            if deviation == 0.0 {
                call_method(&view, "fill", (0,))?;
                continue;
            }
            let drawn = call_method(&rng, "standard_normal", (view.getattr("shape")?,))?;
            call_method(&drawn, "__imul__", (deviation,))?;
            call(&numpy_function(py, "copyto")?, (view, drawn))?;
        }
    }
    Ok(())
}
