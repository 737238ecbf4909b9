//! The Python border: it borrows, detaches, calls the core and returns. No arithmetic here, and no
//! other room knows Python.

mod arrays;
mod borrow;
mod bp1;
mod calls;
mod config;
mod constructor;
mod copying;
mod custom;
mod detach;
mod equations;
mod errors;
mod initialise;
mod inputs;
mod network;
mod optimizers;
mod results;
mod run;
mod runs;
mod saving;
mod stepped;
mod store;
mod targets;
mod text;
mod threads;
mod trainer;
mod training;
mod vector;
mod wanted;

use std::alloc::System;

use crate::allocator::WithReserve;

/// Small requests of the module, of PyO3 among them, are met where memory runs out.
#[global_allocator]
static ALLOCATOR: WithReserve<System> = WithReserve::new(System);

/// The compiled part of bpfast. Its public names are those of the package `bpfast`.
#[pyo3::pymodule(gil_used = true)]
mod _core {
    #[pymodule_export]
    use super::arrays::is_plain_numbers;
    #[pymodule_export]
    use super::bp1::{bp1, bp1_outputs};
    #[pymodule_export]
    use super::constructor::restore;
    #[pymodule_export]
    use super::custom::as_batch;
    #[pymodule_export]
    use super::equations::{bp2, bp3, bp4};
    #[pymodule_export]
    use super::inputs::has_repeats;
    #[pymodule_export]
    use super::network::PyNetwork;
    #[pymodule_export]
    use super::optimizers::step_arrays;
    #[pymodule_export]
    use super::results::{Gradient, Trace};
    #[pymodule_export]
    use super::saving::load;
    #[pymodule_export]
    use super::stepped::memory_order;
    #[pymodule_export]
    use super::store::{read_tensors, write_tensors};
    #[pymodule_export]
    use super::targets::check_targets;
    #[pymodule_export]
    use super::threads::{NumThreads, build_config, get_num_threads, set_num_threads};
    #[pymodule_export]
    use super::trainer::{Trainer, random_order};
    #[pymodule_export]
    use super::training::{assign_params, copy_params, has_params, set_training};
    #[pymodule_export]
    use super::vector::Views;

    use pyo3::types::PyTuple;

    use pyo3::prelude::*;

    use super::initialise;
    use crate::{Activation, Cost};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        super::errors::quieten_panics();
        // What crates make where it is first needed, and panic if they cannot.
        numpy::dtype::<f64>(py);
        py.get_type::<super::borrow::Allocation>();
        module.add(
            "ACTIVATIONS",
            PyTuple::new(py, Activation::ALL.map(Activation::name))?,
        )?;
        super::borrow::forget_in_children(py)?;
        module.add("COSTS", PyTuple::new(py, Cost::ALL.map(Cost::name))?)?;
        module.add("INITIALISATIONS", PyTuple::new(py, initialise::NAMES)?)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
