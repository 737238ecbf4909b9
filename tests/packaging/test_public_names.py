"""The names that the package shows: those of `__all__`, which `dir` lists, and no others."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import bpfast

NAMES = {
    "bpfast": """
        ACTIVATIONS COSTS INITIALISATIONS METRICS SGD Adagrad Adam AdamW CrossValidation Curvature
        DivergenceError EarlyStopping Ensemble Gradient GradientStatistics History Layer
        LeastSquaresResult Network PerExampleGradients Prediction RMSprop Taylor Trace Views
        __version__ backprop backprop_many bp1 bp2 bp3 bp4 cost cross_validate distributed errors
        fit_many forward forward_many get_num_threads inside least_squares load
        metrics num_threads optimizers reference schedules scipy_minimize set_num_threads
        show_config testing trace
    """,
    "bpfast.distributed": "LocalShards fit",
    "bpfast.formats": """
        from_keras from_onnx from_sklearn from_torch to_keras to_onnx to_sklearn to_torch
    """,
    "bpfast.history": "History",
    "bpfast.inside": """
        CAUSES Check Demon Finding Monitor NeuronFactors Report demon explain
    """,
    "bpfast.jax": "as_callable",
    "bpfast.metrics": """
        accuracy binary_accuracy mean_absolute_error mean_squared_error r2 subset_accuracy
    """,
    "bpfast.optimizers": "SGD Adagrad Adam AdamW Optimizer RMSprop from_config",
    "bpfast.plot": """
        confusion demon ensemble histograms history network report saliency saturation speed weights
    """,
    "bpfast.reference": """
        ACTIVATIONS COSTS Taylor Trace backprop backprop_taylor bp1 bp2 bp3 bp4 clipped_backprop
        cost empirical_fisher_vp errors forward forward_from ggn_vp gradient_statistics hvp
        input_gradient jacobian jvp per_example_gradients per_example_norms taylor trace vjp
    """,
    "bpfast.schedules": """
        Constant Cosine OneCycle Plateau Schedule Step WarmUp from_config rates
    """,
    "bpfast.sklearn": "MLPClassifier MLPRegressor",
    "bpfast.testing": "GradientReport Tally check_gradients",
    "bpfast.torch": "as_function",
}


def test_every_public_module_is_listed():
    names = {module.name for module in pkgutil.iter_modules(bpfast.__path__, "bpfast.")}
    assert {name for name in names if not name.startswith("bpfast._")} == NAMES.keys() - {"bpfast"}


@pytest.mark.parametrize("name", NAMES)
def test_public_names(name):
    module = importlib.import_module(name)
    assert sorted(module.__all__) == sorted(NAMES[name].split())
    shown = {public for public in dir(module) if not public.startswith("_")}
    expected = set(module.__all__)
    if name == "bpfast":
        expected -= {"__version__"}
        expected |= {module.removeprefix("bpfast.") for module in NAMES} - {"bpfast"}
    assert shown == expected
    assert all(hasattr(module, public) for public in module.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_dir_lists_only_public_names(name):
    """What a module defines is listed, or its name begins with an underscore."""
    module = importlib.import_module(name)
    own = {
        public
        for public, value in vars(module).items()
        if not public.startswith("_") and getattr(value, "__module__", None) == name
    }
    assert own <= set(module.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_public_classes_name_a_public_module(name):
    """In `help`, tracebacks and pickles, which would not survive a move of a private file."""
    module = importlib.import_module(name)
    classes = [value for value in vars(module).values() if isinstance(value, type)]
    public = [value for value in classes if value.__name__ in module.__all__]
    assert all(value.__module__ in (name, "bpfast") for value in public), public


def test_public_names_have_docstrings():
    for name in NAMES:
        module = importlib.import_module(name)
        assert module.__doc__
        for public in module.__all__:
            value = getattr(module, public)
            assert not callable(value) or value.__doc__, f"{name}.{public}"


def test_helpers_of_testing_are_private():
    for name in ("perturb", "derivative", "TOLERANCE", "FLOOR", "ROUNDINGS"):
        assert not hasattr(bpfast.testing, name)


def test_inside_is_imported_when_it_is_used():
    program = """
import sys
import bpfast
assert "bpfast.inside" not in sys.modules
assert "inside" in bpfast.__all__
assert bpfast.inside.explain
for name in ("formats", "torch", "jax"):
    assert f"bpfast.{name}" not in sys.modules
    assert name not in bpfast.__all__  # a star import would hide the library
    assert getattr(bpfast, name).__all__
heavy = {"pandas", "scipy", "matplotlib", "torch", "jax", "keras", "onnx", "sklearn"}
heavy &= sys.modules.keys()
assert not heavy, heavy
try:
    bpfast.insides
except AttributeError as error:
    assert str(error) == "module 'bpfast' has no attribute 'insides'"
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-P", "-c", program], check=True, timeout=600)


def test_dir_lists_what_is_imported_on_its_first_use():
    modules = {name.removeprefix("bpfast.") for name in NAMES} - {"bpfast"}
    program = (
        "import bpfast, sys\n"
        f"assert {modules | {'Network', '__all__'}} <= set(dir(bpfast))\n"
        "assert not {'bpfast.inside', 'bpfast.plot'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-P", "-c", program], check=True, timeout=600)
