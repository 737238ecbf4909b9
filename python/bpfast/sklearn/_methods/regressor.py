"""The methods of `MLPRegressor`: one or several numbers per example."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.metaestimators import available_if

from bpfast.sklearn._compat import validate_data
from bpfast.sklearn._methods.base import BaseMLP
from bpfast.sklearn._targets.poisson import poisson
from bpfast.sklearn._targets.scores import r2

if TYPE_CHECKING:
    from bpfast.sklearn._targets.validation import Rows


class BaseRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc] # scikit-learn ships no types
    """All of `MLPRegressor` but its parameters."""

    @available_if(lambda estimator: estimator._is_stochastic())  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch on the given examples, from the present parameters.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)
            The examples.
        y : array-like, (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : array-like, (n_samples,), optional
            The weight of each example.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            A parameter is out of range, or the data do not fit.
        AttributeError
            The solver is "lbfgs".

        Examples
        --------
        >>> from bpfast.sklearn import MLPRegressor
        >>> reg = MLPRegressor(hidden_layer_sizes=(4,), random_state=0)
        >>> for _ in range(3):
        ...     _ = reg.partial_fit([[0.0], [1.0]], [1.0, 3.0])
        >>> reg.t_  # examples
        6
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def _validate_params(self) -> None:
        """Refuse sizes as the loss, which is the first parameter, as in scikit-learn 1.7."""
        if isinstance(self.loss, tuple | list | np.ndarray | Integral):
            raise InvalidParameterError(
                "The 'loss' parameter of MLPRegressor must be 'squared_error' or 'poisson'. Got "
                f"{self.loss!r} instead. For hidden layers pass hidden_layer_sizes={self.loss!r}: "
                "the loss is the first parameter, as in scikit-learn 1.7 and later."
            )
        super()._validate_params()

    def predict(self, X: Any) -> Any:
        """The predicted numbers.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)
            The examples.

        Returns
        -------
        ndarray, (n_samples,) or (n_samples, n_outputs)
            In the dtype of the training.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        ValueError
            X has another number of features, or numbers that are not finite.

        Examples
        --------
        >>> from bpfast.sklearn import MLPRegressor
        >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
        >>> reg = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0, random_state=0)
        >>> reg = reg.fit(X, y)
        >>> reg.predict([[3.0]]).round(3)  # y = 2 x + 1
        array([7.])
        """
        outputs = self._linked(self._outputs(X))
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def _linked(self, outputs: Any) -> Any:
        """The predictions of the network's outputs."""
        if self.out_activation_ != "exp":
            return outputs
        with np.errstate(over="ignore", under="ignore"):
            return np.exp(outputs, out=outputs)

    def _check_examples(
        self,
        X: Any,
        y: Any,
        *,
        reset: bool,
        is_first: bool,  # noqa: ARG002, of classes
        same_classes: bool,  # noqa: ARG002, likewise
    ) -> tuple[Any, Any, Any]:
        if sparse.issparse(y):
            y = y.toarray()
        X, y = validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, y_numeric=True,
            dtype=(np.float64, np.float32), reset=reset,
        )  # fmt: skip
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if self._is_poisson() and (y < 0).any():
            raise ValueError("Some value(s) of y are out of the valid range of the loss 'poisson'.")
        rows = y[:, np.newaxis] if y.ndim == 1 else y
        if not reset and rows.shape[1] != self.n_outputs_:
            columns = f"{self.n_outputs_} column{'s' * (self.n_outputs_ != 1)}"
            raise ValueError(
                f"`y` must have {columns} as in the first call, got shape {rows.shape}."
            )
        return X, y, rows

    def _is_poisson(self) -> bool:
        name = self.loss if self.cost is None else self.cost
        return isinstance(name, str) and name == "poisson" and self.output is None

    def _weights(self, rows: Rows, *, incremental: bool) -> Any:  # noqa: ARG002
        return rows.weight

    def _count_outputs(self, y: Any) -> int:
        return int(y.shape[1])

    def _output_and_cost(self) -> tuple[str, str, Any]:
        """The output activation in scikit-learn's terms and in bpfast's, and the cost."""
        if self._is_poisson():
            return "exp", "identity", poisson
        output = self.output or "identity"
        cost = self.cost or {"squared_error": "quadratic"}.get(self.loss, self.loss)
        return output, output, cost

    def _loss_scale(self) -> float:
        """scikit-learn's squared error is the mean over the outputs, a cost is the sum."""
        is_squared_error = self.cost is None and self.loss == "squared_error"
        return 1.0 / self.n_outputs_ if is_squared_error else 1.0

    def _targets(self, y: Any, net: Any) -> Any:
        return np.ascontiguousarray(y, net.dtype)

    def _stratified(self, rows: Any) -> None:  # noqa: ARG002
        return None

    def _default_score(self, outputs: Any, y: Any, weight: Any) -> float:
        return r2(self._linked(outputs), y, weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _more_tags(self) -> dict[str, Any]:
        return {"multioutput": True}  # for scikit-learn 1.5
