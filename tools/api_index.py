"""Write docs/api_index.md from the docstrings: `python -m tools.api_index`.

The page has a row for each public name: its signature and the first line of its docstring. A public
name without a group here is an error. A test compares the page with what this program writes.
"""

import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "api_index.md"

HEAD = """\
# API index

All public names by task. On the site, which `make docs` builds, the names link to their full
descriptions in [API](api.md). On GitHub these links lead nowhere; `help(bpfast.Network)` shows the
same text.
"""

# The public names of each module by task. A class brings its public attributes along.
GROUPS: dict[str, dict[str, str]] = {
    "Networks": {"bpfast": "Network load ACTIVATIONS COSTS INITIALISATIONS"},
    "Results and views": {
        "bpfast": (
            "Gradient Trace Taylor Views Layer PerExampleGradients GradientStatistics Curvature"
        )
    },
    "Training": {
        "bpfast": (
            "History EarlyStopping DivergenceError scipy_minimize least_squares LeastSquaresResult "
            "METRICS"
        ),
    },
    "Many networks": {
        "bpfast": "fit_many Ensemble Prediction cross_validate CrossValidation forward_many "
        "backprop_many",
    },
    "Many machines": {
        "bpfast": "distributed",
        "bpfast.distributed": "fit LocalShards",
    },
    "See inside": {
        "bpfast": "inside",
        "bpfast.inside": "explain Report Finding NeuronFactors Check CAUSES demon Demon Monitor",
    },
    "Plots": {
        "bpfast.plot": (
            "network weights histograms saliency confusion history saturation speed demon report "
            "ensemble"
        ),
    },
    "Models in and out": {
        "bpfast.formats": (
            "from_sklearn to_sklearn from_torch to_torch from_keras to_keras from_onnx to_onnx"
        ),
    },
    "Inside other frameworks": {
        "bpfast.torch": "as_function",
        "bpfast.jax": "as_callable",
    },
    "Optimizers": {
        "bpfast": "optimizers SGD Adam AdamW RMSprop Adagrad",
        "bpfast.optimizers": "Optimizer from_config",
    },
    "Learning-rate schedules": {
        "bpfast": "schedules",
        "bpfast.schedules": (
            "Schedule Constant Step Cosine OneCycle WarmUp Plateau from_config rates"
        ),
    },
    "Metrics": {
        "bpfast": "metrics",
        "bpfast.metrics": (
            "accuracy subset_accuracy binary_accuracy mean_squared_error mean_absolute_error r2"
        ),
    },
    "Functions of plain arrays": {
        "bpfast": "forward trace cost errors backprop bp1 bp2 bp3 bp4",
    },
    "Threads and build": {
        "bpfast": "set_num_threads get_num_threads num_threads show_config __version__",
    },
    "Estimators for scikit-learn": {
        "bpfast.sklearn": "MLPClassifier MLPRegressor",
    },
    "Gradient checks": {
        "bpfast": "testing",
        "bpfast.testing": "check_gradients GradientReport Tally",
    },
    "The reference in plain Python": {
        "bpfast": "reference",
        "bpfast.reference": (
            "forward trace cost errors backprop bp1 bp2 bp3 bp4 vjp jvp input_gradient jacobian "
            "forward_from per_example_gradients per_example_norms clipped_backprop "
            "gradient_statistics hvp ggn_vp empirical_fisher_vp taylor backprop_taylor Trace "
            "Taylor ACTIVATIONS COSTS"
        ),
    },
}
# Base classes, whose members are listed once, and classes that users do not call.
BASES = ("Optimizer", "Schedule")
NOT_CALLED = (*BASES, "Views")
# Constants have no docstring.
CONSTANTS = {
    "ACTIVATIONS": "The names of the activations.",
    "CAUSES": "The causes that `explain` names, with their titles.",
    "COSTS": "The names of the costs.",
    "INITIALISATIONS": "The names of the initialisations.",
    "METRICS": "The names of the metrics.",
    "__version__": "The version.",
}
MODULES = ("bpfast", "bpfast.distributed", "bpfast.inside", "bpfast.plot", "bpfast.formats",
           "bpfast.torch", "bpfast.jax",
           "bpfast.optimizers", "bpfast.schedules", "bpfast.metrics", "bpfast.sklearn",
           "bpfast.testing", "bpfast.reference")  # fmt: skip


def arguments(name: str, value: Any) -> str:
    """The parameters with their defaults, without annotations; empty if it is not called."""
    if name in NOT_CALLED or not (inspect.isroutine(value) or isinstance(value, type)):
        return ""
    found = inspect.signature(value)
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in found.parameters.values()
        if parameter.name != "self"
    ]
    text = str(inspect.Signature(parameters)).replace(str(sys.maxsize), "sys.maxsize")
    return f"`{text.replace(', /)', ')').replace('(/, ', '(')}`"


def purpose(name: str, value: Any) -> str:
    """The first sentence of the docstring."""
    paragraph = (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ")
    sentence = re.split(r"(?<=\.) ", CONSTANTS.get(name, paragraph), maxsplit=1)[0]
    return sentence.replace("``", "`").replace("|", r"\|")


def members(class_: type) -> list[str]:
    """The names of public methods and properties, without those of a base class in the index."""
    names: set[str] = set()
    for owner in class_.__mro__:
        is_base = owner.__name__ in BASES and owner is not class_
        if is_base or not owner.__module__.startswith("bpfast"):
            continue
        for name, value in vars(owner).items():
            is_member = inspect.isroutine(value) or inspect.isdatadescriptor(value)
            is_described = bool(value.__doc__) and not value.__doc__.startswith("Alias for field")
            is_generated = name.startswith("set_") and name.endswith("_request")  # by scikit-learn
            if name[0] != "_" and is_member and is_described and not is_generated:
                names.add(name)
    return sorted(names)


def row(module: str, path: str, value: Any) -> str:
    """The row of a name."""
    title = f"{module}.{path}".removeprefix("bpfast.")
    words = purpose(path, value)
    return f"| [`{title}`](#{module}.{path}) | {arguments(path, value)} | {words} |"


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    listed: dict[str, set[str]] = {module: set() for module in MODULES}
    for title, modules in GROUPS.items():
        lines += [f"## {title}", "", "| name | arguments | purpose |", "|---|---|---|"]
        for module, names in modules.items():
            for name in names.split():
                value = getattr(importlib.import_module(module), name)
                listed[module].add(name)
                lines.append(row(module, name, value))
                for member in members(value) if isinstance(value, type) else ():
                    lines.append(row(module, f"{name}.{member}", getattr(value, member)))
        lines.append("")
    listed["bpfast.optimizers"] |= {"SGD", "Adam", "AdamW", "RMSprop", "Adagrad"}  # of bpfast too
    for module, found in listed.items():
        if missing := set(importlib.import_module(module).__all__) - found:
            raise SystemExit(f"tools/api_index.py: {module} has no group for {sorted(missing)}")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
