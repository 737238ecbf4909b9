"""The tests of each Python module, for tools/mutate.py."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
# By how the path of a module begins: the first entry that fits, so a folder comes after its files.
# `name` is any tests/**/test_name.py, `folder/name` one in that folder, and `folder/*` all of them.
TESTS = {
    "__main__": "main",
    "_activations": "activation_parameters activation_bounds unusual_targets",
    "_blas": "out_of_memory least_squares",
    "_calls/equations": "equations reference/parity array_likes out",
    "_calls/functions": "network reference/parity out input/bad_input equations sparse/sparse docs",
    "_calls/methods": "custom_cost network equations out input/bad_input masked large_logits",
    "_costs": "unusual_targets outputs_of_one_axis causes",
    "_derivatives/clipped": "clipped derivatives/bad_input derivatives/parity sparse_per_example",
    "_derivatives/curvature/": "curvature_matrix second_derivatives derivatives/bad_input"
    " saturated",
    "_derivatives/per_example": "norms derivatives/parity derivatives/bad_input sparse_per_example",
    "_derivatives/statistics": "statistics derivatives/bad_input",
    "_derivatives/taylor": "taylor taylor_costs",
    "_derivatives/touched": "touched sparse/sparse",
    "_derivatives/": "identities derivatives/parity derivatives/bad_input custom_costs traces",
    "_layer": "layers copying scipy_minimize",
    "_many/calls": "many/calls",
    "_many/ensemble/": "ensemble",
    "_many/": "fit_many ensemble",
    "_minimizers/least_squares": "least_squares",
    "_minimizers/levenberg_marquardt": "least_squares",
    "_minimizers/scipy": "scipy_minimize odd_arguments",
    "_network": "network copying custom_cost equality initialisation odd_arguments",
    "_optional": "missing_libraries history",
    "_show_config": "main num_threads",
    "_tables": "layers history_columns report gradient_as_array",
    "_training/arguments/optimizer": "fit_arguments kept_optimizer learning_rate",
    "_training/arguments/settings": "fit_arguments fit_dropout fit_bits fit resume optimizer_state",
    "_training/arguments/training_data": "fit_arguments fit_targets fit_files fit_again copying"
    " resume",
    "_training/arguments/unusual_targets": "unusual_targets",
    "_training/arguments/weights": "fit_weights accuracy fit_arguments signed_weights",
    "_training/checkpoint/policy": "io/checkpoint bad_checkpoint resume foreign_files"
    " odd_arguments",
    "_training/checkpoint/": "resume io/checkpoint bad_checkpoint",
    "_training/data/examples": "fit_files fit_figures fit_sparse fit_weights fit_targets fit"
    " user_code",
    "_training/data/prefetch": "fit_batches fit_refilled fit_interrupt",
    "_training/data/sources": "fit_batches fit_refilled fit_arguments fit_files fit_sparse fit"
    " fit_bits"
    " input/tables",
    "_training/data/": "fit_targets fit_divergence missing_values",
    "_training/evaluate": "evaluate",
    "_training/fit": "fit fit_arguments fit_again fit_batches fit_callbacks fit_weights resume",
    "_training/growth": "fit_divergence fit_figures",
    "_training/locks": "borrows fit_again optimizer_state",
    "_training/loop": "fit fit_callbacks fit_divergence fit_figures resume schedules fit_interrupt",
    "_training/metrics/accuracy": "accuracy metrics fit_targets fit_figures",
    "_training/metrics/": "fit_figures accuracy fit_batches fit_arguments history",
    "_training/partial_fit": "fit_arguments fit_again fit_weights kept_optimizer",
    "_training/progress": "progress",
    "_training/steps/monitor": "monitor_series",
    "_training/steps/": "custom_cost fit fit_batches fit_divergence fit_weights",
    "_training/stopping/divergence": "fit_divergence copying fit_callbacks",
    "_training/stopping/early_stopping": "history fit_callbacks resume odd_arguments copying"
    " fit_figures",
    "_typing": "typing",
    "_validation/arrays/array_likes": "masked array_likes missing_values reference_input"
    " custom_cost sparse_repeats",
    "_validation/arrays/inputs": "fit_sparse fit_files array_likes sparse_dtypes",
    "_validation/arrays/labels_or_columns": "outputs_of_one_axis",
    "_validation/arrays/masked": "masked array_likes sparse_format optimizer_input",
    "_validation/entries": "history_state bad_checkpoint ensemble",
    "_validation/names": "bad_names named_arguments fit_arguments optimizer_state main",
    "_validation/arrays/no_numbers": "input/bad_input array_likes same_errors fit_targets",
    "_validation/numbers": "schedule_input optimizer_input fit_arguments odd_arguments",
    "_validation/paths": "io/checkpoint onnx_models",
    "_validation/seed": "seeds odd_arguments",
    "_validation/arrays/sparse": "sparse_repeats sparse_format sparse_input sparse/sparse touched",
    "_validation/": "fit_arguments fit_batches odd_arguments unusual_targets subclasses",
    "distributed/_engines/dask": "distributed/dask",
    "distributed/_engines/mpi": "distributed/mpi",
    "distributed/": "distributed/local distributed/bad_input tree",
    "formats/_keras": "keras_models lists_of_weights",
    "formats/_onnx/": "onnx_expressions onnx_graphs onnx_models onnx_shapes bad_onnx",
    "formats/_sklearn": "sklearn_models",
    "formats/_state_dict": "state_dicts",
    "formats/_torch": "torch_modules torch_evaluation",
    "formats/": "sklearn_models torch_modules keras_models onnx_models lists_of_weights",
    "history/_history": "history history_plot history_state fit_figures resume fit_callbacks"
    " fit_divergence",
    "history/": "history history_columns history_state fit_figures",
    "inside/_causes/": "causes start_weights planted_faults",
    "inside/_demon": "demon",
    "inside/_factors": "factors",
    "inside/_monitor/": "monitor monitor_series monitor_steps",
    "inside/_report/": "inside/check report explain",
    "inside/_start": "start_weights",
    "inside/": "explain causes factors demon inside/curvature",
    "jax/": "as_callable",
    "metrics": "metrics evaluate sums",
    "optimizers/": "optimizers optimizer_config optimizer_state optimizer_input bad_names copying"
    " aliasing",
    "plot/_confusion": "confusion_plot",
    "plot/_graph": "network_plot",
    "plot/_histograms": "histogram_plots",
    "plot/_images": "image_plots",
    "plot/": "plot/*",
    "reference/_backward_pass": "reference reference/parity equations same_errors reference_input"
    " large_logits",
    "reference/": "reference reference/parity derivatives/parity same_errors reference_input"
    " bad_names"
    " extremes taylor",
    "schedules/": "schedules schedule_input bad_names resume",
    "sklearn/": "more_parameters same_as_scikit_learn round_trips sklearn/training/*"
    " sklearn/tables sklearn/refusals sklearn/weights",
    "testing/": "check_gradients wrong_gradients differences odd_arguments docs",
    "torch/": "as_function",
    "": "public_names",
}


def tests_named(word: str) -> list[str]:
    """The test files of a word in TESTS."""
    folder, _, name = word.rpartition("/")
    return [str(path) for path in sorted(ROOT.glob(f"tests/**/{folder}/test_{name}.py"))]


def tests_of(module: str) -> list[str]:
    """The test files of a module."""
    words = next(words for start, words in TESTS.items() if module.startswith(start)).split()
    return [path for word in words for path in tests_named(word)]


def stale(package: Path) -> list[str]:
    """The entries of TESTS that are used for no module, and the words that name no test."""
    modules = [path.relative_to(package).as_posix() for path in package.rglob("*.py")]
    used = {next(start for start in TESTS if module.startswith(start)) for module in modules}
    words = {word for words in TESTS.values() for word in words.split()}
    return [*sorted(TESTS.keys() - used), *sorted(word for word in words if not tests_named(word))]
