//! The Python bindings, the only module that knows Python. They borrow arrays, release the GIL, call the
//! core and convert the results.

mod api;
mod borrow;
mod call;
mod convert;

use std::alloc::System;

use crate::pool::huge_pages::HugePages;
use crate::pool::reserve_allocator::ReserveAllocator;

/// Serves small requests, including PyO3's, from a reserve when memory runs out.
#[global_allocator]
static ALLOCATOR: ReserveAllocator<HugePages<System>> =
    ReserveAllocator::new(HugePages::new(System));

/// The compiled part of bpfast. Its public names are those of the package `bpfast`.
#[pyo3::pymodule(gil_used = true)]
mod _core {
    use numpy::PyArrayDescrMethods;
    use numpy::npyffi::is_numpy_2;
    use pyo3::prelude::*;
    use pyo3::types::{PySequence, PyTuple};

    #[pymodule_export]
    use super::api::bp1::{bp1, bp1_outputs};
    #[pymodule_export]
    use super::api::equations::{bp2, bp3, bp4};
    #[pymodule_export]
    use super::api::files::replace_file;
    #[pymodule_export]
    use super::api::files::tensors::{read_tensors, write_tensors};
    #[pymodule_export]
    use super::api::gradient::Gradient;
    #[pymodule_export]
    use super::api::many::{backprop_many, forward_many};
    #[pymodule_export]
    use super::api::network::PyNetwork;
    #[pymodule_export]
    use super::api::network::constructor::restore;
    #[pymodule_export]
    use super::api::network::file_format::{check_format_version, network_config, parameter_names};
    use super::api::network::initialise;
    #[pymodule_export]
    use super::api::network::saving::load;
    #[pymodule_export]
    use super::api::network::training::{
        assign_params, check_targets, copy_params, has_params, set_training,
    };
    #[pymodule_export]
    use super::api::norms::{apply_max_norm, norm};
    #[pymodule_export]
    use super::api::optimizers::step_arrays;
    #[pymodule_export]
    use super::api::random::poisson_sample;
    #[pymodule_export]
    use super::api::threads::{NumThreads, build_config, get_num_threads, set_num_threads};
    #[pymodule_export]
    use super::api::trace::Trace;
    #[pymodule_export]
    use super::api::trainer::epochs::run_epochs;
    #[pymodule_export]
    use super::api::trainer::{Trainer, random_order};
    #[pymodule_export]
    use super::api::views::Views;
    #[pymodule_export]
    use super::convert::arrays::is_plain_numbers;
    #[pymodule_export]
    use super::convert::custom::as_batch;
    #[pymodule_export]
    use super::convert::inputs::has_duplicates;
    #[pymodule_export]
    use super::convert::optimizer_arrays::memory_order;
    use crate::io::network_file::format;
    use crate::model::activation::Activation;
    use crate::model::cost::Cost;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        super::call::errors::install_panic_hook();
        // Objects that crates make on first use. They panic if they cannot; and a child that is forked
        // meanwhile would wait for them forever, as `call::cached` says: NumPy's functions, names of types,
        // `__bool__`, `length_hint`, and what an argument of the wrong type needs.
        is_numpy_2(py);
        py.get_type::<super::borrow::Allocation>()
            .fully_qualified_name()?;
        numpy::dtype::<bool>(py)
            .typeobj()
            .call0()?
            .extract::<bool>()?;
        PyTuple::empty(py).try_iter()?.size_hint();
        let wrong_type = module.getattr("memory_order")?.call1((py.None(),));
        debug_assert!(wrong_type.is_err(), "None is no array");
        module.add(
            "ACTIVATIONS",
            PyTuple::new(py, Activation::ALL.map(Activation::name))?,
        )?;
        super::borrow::register_fork_handler(py)?;
        module.add("COSTS", PyTuple::new(py, Cost::ALL.map(Cost::name))?)?;
        PySequence::register::<Views>(py)?;
        module.add(
            "INITIALISATIONS",
            PyTuple::new(py, initialise::INITIALISATIONS)?,
        )?;
        module.add("NETWORK_FORMAT", format::NETWORK)?;
        module.add("CHECKPOINT_FORMAT", format::CHECKPOINT)?;
        module.add("ENSEMBLE_FORMAT", format::ENSEMBLE)?;
        module.add("FORMAT_VERSION", format::VERSION)?;
        module.add("TRAINING_PREFIX", format::TRAINING_PREFIX)?;
        module.add("FOREIGN_FILE_HINT", format::FOREIGN_FILE_HINT)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
