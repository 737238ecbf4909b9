"""What both estimators share: fit, partial_fit and the outputs of the network."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, _clone_parametrized
from sklearn.utils.validation import check_is_fitted

from bpfast import get_num_threads, num_threads
from bpfast._core import check_targets
from bpfast._optional import is_dask
from bpfast.sklearn import _network, _pickling
from bpfast.sklearn._compat import validate_data
from bpfast.sklearn._distributed.client import client_of
from bpfast.sklearn._methods.quick_check import needs_no_check
from bpfast.sklearn._methods.restored import restored_if_refused
from bpfast.sklearn._parameters import SHARED, refuse_stochastic_only
from bpfast.sklearn._solvers.checkpoints import Start, start_of
from bpfast.sklearn._solvers.lbfgs import fit_lbfgs
from bpfast.sklearn._solvers.stochastic import Data, Problem, fit_stochastic
from bpfast.sklearn._targets import validation
from bpfast.sklearn._targets.examples import examples_of_arrays
from bpfast.sklearn._targets.range import refuse_too_large

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast.sklearn._targets.examples import EstimatorExamples

STOCHASTIC = ("sgd", "adam")


class BaseMLP(BaseEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """The base class of `MLPClassifier` and `MLPRegressor`."""

    _parameter_constraints: dict[str, Any] = SHARED
    network_: Network
    client: Any
    n_features_in_: int
    validation_scores_: list[float] | None
    validation_loss_curve_: list[float] | None
    best_validation_score_: float | None

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None
    ) -> Self:
        """Train on all examples, from new parameters or, with `warm_start`, from the last ones.

        Parameters
        ----------
        X : array-like, sparse matrix, dask array or dask frame, (n_samples, n_features)
            The examples. float32 trains in float32; other dtypes are converted to float64. A
            sparse matrix stays sparse. Dask data with a current `dask.distributed.Client` stay on
            their workers, which train: see `client`.
        y : array-like or dask, (n_samples,) or (n_samples, n_outputs)
            The targets: labels of classes, or numbers.
        sample_weight : array-like, (n_samples,), optional
            The weight of each example. An example of weight 2 counts as two examples. One must be
            above 0; others may be negative. solver="lbfgs", and the examples held out, need a sum
            above 0.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Examples whose loss and score are computed after each epoch, in place of a fraction of
            the examples. Needs solver="sgd" or "adam".

        Returns
        -------
        self

        Raises
        ------
        ValueError
            A parameter is out of range, the data do not fit, or the training ended in parameters
            that are not finite.

        Warns
        -----
        ConvergenceWarning
            The training ended at `max_iter`.

        Examples
        --------
        >>> from bpfast.sklearn import MLPRegressor
        >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
        >>> reg = MLPRegressor(hidden_layer_sizes=(4,), tol=1.0, n_iter_no_change=2, random_state=0)
        >>> reg = reg.fit(X, y, validation_data=(X, y))
        >>> reg.n_iter_, len(reg.loss_curve_), len(reg.validation_loss_curve_)
        (4, 4, 4)
        """
        return self._fit(X, y, sample_weight, validation_data=validation_data)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        validation_data: Any = None,
        incremental: bool = False,
    ) -> Self:
        with restored_if_refused(self):
            return self._fit_checked(
                X, y, sample_weight, validation_data=validation_data, incremental=incremental
            )

    def _fit_checked(
        self, X: Any, y: Any, sample_weight: Any, *, validation_data: Any, incremental: bool
    ) -> Self:
        self._check_params()
        sizes = _network.hidden_sizes(self.hidden_layer_sizes)
        is_new = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        if self.solver not in STOCHASTIC:
            refuse_stochastic_only(self)
            if validation_data is not None:
                raise ValueError("validation_data needs solver='sgd' or solver='adam'.")
        client = None if incremental else client_of(self, X)
        if client is not None and is_dask(X):
            from bpfast.sklearn._distributed.examples import of_dask

            examples = of_dask(self, X, y, sample_weight, is_new=is_new)
        else:
            examples = examples_of_arrays(
                self, X, y, sample_weight, is_new=is_new, incremental=incremental
            )
        start = start_of(self, incremental=incremental)
        self.n_outputs_ = examples.n_outputs
        sizes = [examples.n_features, *sizes, self.n_outputs_]
        net = self._start(sizes, examples.dtype, start.random, is_new=is_new)
        if examples.rows is not None:  # the workers check dask data
            examples.rows.refuse_too_large(net.dtype)
        if is_new:
            self.n_layers_, self.t_ = len(sizes), 0
        if self.solver in STOCHASTIC:
            self._begin_curves(is_new=is_new)
        with self._threads():
            if client is not None:
                has_result = self._train_on(client, net, examples, validation_data, start)
            else:
                assert examples.rows is not None  # noqa: S101 - arrays have them
                has_result = self._train(net, examples.rows, validation_data, start)
        if not (has_result and np.isfinite(net.params).all()):
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large "
                "values and need to be preprocessed."
            )
        return self

    def _check_params(self) -> None:
        """Check the constructor parameters, unless scikit-learn is configured not to."""
        if not get_config()["skip_parameter_validation"]:
            self._validate_params()

    def _train(
        self, net: Network, rows: validation.Rows, validation_data: Any, start: Start
    ) -> bool:
        """Train the network by the solver. Returns whether it ended well."""
        scale = self._loss_scale()
        if self.solver not in STOCHASTIC:
            return fit_lbfgs(self, net, self._data(rows, net), loss_scale=scale)
        rows, held_out = self._hold_out(net, rows, validation_data, start)
        if held_out is not None:
            self._begin_validation()
        problem = Problem(
            self._data(rows, net, incremental=start.incremental),
            scale,
            held_out and Data(held_out.x, self._targets(held_out.y, net), held_out.weight),
            None if held_out is None else validation.score_of(self, net, held_out, scale),
        )
        return fit_stochastic(self, net, problem, start)

    def _train_on(
        self,
        client: Any,
        net: Network,
        examples: EstimatorExamples,
        validation_data: Any,
        start: Start,
    ) -> bool:
        """Train the network on the workers of a cluster. Returns whether it ended well."""
        from bpfast.sklearn._distributed import fit

        if self.solver not in STOCHASTIC:
            return fit.fit_lbfgs(self, client, net, examples)
        held_out = None
        if examples.rows is not None:
            rows, held_out = self._hold_out(net, examples.rows, validation_data, start)
            examples = examples._replace(rows=rows)
        elif validation_data is not None:
            held_out = validation.validation_examples(self, validation_data)
        return fit.fit_stochastic(self, client, net, examples, held_out, start)

    def _hold_out(
        self, net: Network, rows: validation.Rows, validation_data: Any, start: Start
    ) -> tuple[validation.Rows, validation.Rows | None]:
        """The examples to train on, and those for validation, given or held out."""
        held_out = None
        if validation_data is not None:
            held_out = validation.validation_examples(self, validation_data)
        start.checkpoints.describe(rows, getattr(self, "classes_", None), held_out)
        if held_out is None and self.early_stopping:
            # Here, where the numbers of the rows are those of the user.
            check_targets(net, self._targets(rows.y, net), 0)
            stratify = self._stratified(rows)
            rows, held_out = validation.split(
                rows, self.validation_fraction, start.random, stratify
            )
        return rows, held_out

    def _begin_validation(self) -> None:
        """Begin the curves of the validation, unless a refit with `warm_start` continues them."""
        if self.validation_scores_ is None:
            self.validation_scores_, self.validation_loss_curve_ = [], []
            self.best_validation_score_ = -np.inf

    def _start(
        self, sizes: list[int], dtype: np.dtype[Any], random: Any, *, is_new: bool
    ) -> Network:
        """The network to train: a new one, or the last one with the present configuration."""
        last: Network | None = None if is_new else self.__dict__.get("network_")
        self.out_activation_, output, cost = self._output_and_cost()
        net = _network.new_network(self, sizes, output, cost, dtype if last is None else last.dtype)
        if is_new:
            _network.draw_parameters(net, self.activation, random)
        elif last is not None and net.same_config(last):
            self._take_assigned()
            return last
        else:
            _network.assign_last(net, last, self.coefs_, self.intercepts_)
        self.__dict__.pop("_optimizer", None)
        self.network_ = net
        self._link()
        return net

    def _data(self, rows: validation.Rows, net: Network, *, incremental: bool = False) -> Data:
        """Examples to train on, with the weights of their classes."""
        weight = self._weights(rows, incremental=incremental)
        if weight is not None and not (weight > 0).any():
            by_class = getattr(self, "class_weight", None) is not None
            expected = "a weight above 0 for an example to train on"
            raise ValueError(
                f"{'class' if by_class else 'sample'}_weight: expected {expected}, got none"
            )
        return Data(rows.x, self._targets(rows.y, net), weight)

    def _begin_curves(self, *, is_new: bool) -> None:
        """Begin the curves of "sgd" and "adam"; a refit with `warm_start` continues them."""
        self.n_iter_ = 0
        curves: dict[str, Any] = {
            "loss_curve_": [],
            "best_loss_": None if self.early_stopping else np.inf,
            "validation_loss_curve_": None,
            "validation_scores_": None,
            "best_validation_score_": None,
            "_no_improvement_count": 0,
        }
        for name, value in curves.items():
            if is_new or not hasattr(self, name):
                setattr(self, name, value)

    def _link(self) -> None:
        """Set `coefs_` and `intercepts_` to views of the network's parameters."""
        self.coefs_, self.intercepts_ = _network.views(self.network_)
        self._views = (*self.coefs_, *self.intercepts_)

    def _take_assigned(self) -> None:
        """Copy what a user assigned to `coefs_` or `intercepts_` into the network."""
        k = 0
        views = self._views
        for arrays in (self.coefs_, self.intercepts_):
            for array in arrays:
                if k >= len(views) or array is not views[k]:
                    _network.assign(self.network_, self.coefs_, self.intercepts_)
                    self._link()
                    return
                k += 1

    def _outputs(self, X: Any) -> NDArray[Any]:
        """The outputs of the network, (n_samples, n_outputs)."""
        if "network_" not in self.__dict__:
            check_is_fitted(self, "network_")
        net = self.network_
        self._take_assigned()
        if not needs_no_check(self, X):
            X = validate_data(
                self, X, reset=False, accept_sparse="csr", dtype=(np.float64, np.float32)
            )
            refuse_too_large("X", X, net.dtype)
        if self.n_jobs is None:
            return net.forward(X)
        with self._threads():
            return net.forward(X)

    def _threads(self) -> AbstractContextManager[Any]:
        """The number of threads that `n_jobs` means."""
        n_jobs = self.n_jobs
        if n_jobs is None or n_jobs == -1:
            return nullcontext()
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 has no meaning")
        try:
            return num_threads(n_jobs if n_jobs > 0 else max(get_num_threads() + 1 + n_jobs, 1))
        except (TypeError, ValueError) as error:
            raise type(error)(f"n_jobs: {str(error).removeprefix('k: ')}") from None

    def _is_stochastic(self) -> bool:
        if self.solver not in STOCHASTIC:
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. "
                f"{self.solver} is not stochastic."
            )
        return True

    def __sklearn_clone__(self) -> Self:
        """A new estimator with the same parameters, of which `client` is not copied."""
        without = type(self).__new__(type(self))
        without.__dict__.update(vars(self), client=None)
        clone: Self = _clone_parametrized(without)
        clone.client = self.client
        return clone

    def __getstate__(self) -> dict[str, Any]:
        if "network_" in self.__dict__:
            self._take_assigned()
        return _pickling.to_state(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(_pickling.from_state(state))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
