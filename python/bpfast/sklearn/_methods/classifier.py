"""The methods of `MLPClassifier`: labels of classes, or several labels per example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import unique_labels

from bpfast._costs import LABELLED
from bpfast.sklearn._compat import validate_data
from bpfast.sklearn._methods.base import BaseMLP
from bpfast.sklearn._methods.restored import restored_if_refused
from bpfast.sklearn._targets import labels, weights
from bpfast.sklearn._targets.scores import accuracy

if TYPE_CHECKING:
    from bpfast.sklearn._targets.validation import Rows


class BaseClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc] # scikit-learn ships no types
    """All of `MLPClassifier` but its parameters."""

    @available_if(lambda estimator: estimator._is_stochastic())  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Train for one epoch on the given examples, from the present parameters.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)
            The examples.
        y : array-like, (n_samples,) or (n_samples, n_outputs)
            The labels.
        sample_weight : array-like, (n_samples,), optional
            The weight of each example.
        classes : array-like, (n_classes,), optional
            All classes that any call will have. Needed in the first call.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            A parameter is out of range, or the data or classes do not fit.
        AttributeError
            The solver is "lbfgs".

        Examples
        --------
        >>> from bpfast.sklearn import MLPClassifier
        >>> clf = MLPClassifier((4,), random_state=0)
        >>> clf.partial_fit([[0.0], [1.0]], ["no", "yes"], classes=["no", "maybe", "yes"]).classes_
        array(['maybe', 'no', 'yes'], dtype='<U5')
        """
        with restored_if_refused(self):
            if getattr(self, "classes_", None) is None:
                self._check_params()
                self._kind, self.classes_ = labels.first(classes, y, sample_weight)
                self._sparse_y = sparse.issparse(y)
            else:
                labels.refuse_different(classes, self.classes_)
            return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> Any:
        """The class of each example, or a matrix of 0 and 1 for multilabel y.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)
            The examples.

        Returns
        -------
        ndarray, (n_samples,) or (n_samples, n_outputs)
            The labels, in the dtype of `classes_`. A sparse matrix if y was one.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        ValueError
            X has another number of features, or numbers that are not finite.

        Examples
        --------
        >>> from bpfast.sklearn import MLPClassifier
        >>> X, y = [[-2.0], [-1.0], [1.0], [2.0]], ["no", "no", "yes", "yes"]
        >>> clf = MLPClassifier((), solver="lbfgs", random_state=0).fit(X, y)
        >>> clf.predict([[-3.0], [3.0]])
        array(['no', 'yes'], dtype='<U3')
        """
        outputs = self._outputs(X)
        return labels.to_labels(outputs, self.classes_, self._kind, self._sparse_y)

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class, or of each label of multilabel y.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)
            The examples.

        Returns
        -------
        ndarray, (n_samples, n_classes)
            The columns are in the order of `classes_`. In the dtype of the training.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        ValueError
            X has another number of features, or numbers that are not finite.

        Examples
        --------
        >>> from bpfast.sklearn import MLPClassifier
        >>> X, y = [[-2.0], [-1.0], [1.0], [2.0]], ["no", "no", "yes", "yes"]
        >>> clf = MLPClassifier((), solver="lbfgs", random_state=0).fit(X, y)
        >>> clf.predict_proba([[-3.0]]).round(3)
        array([[1., 0.]])
        """
        outputs = self._outputs(X)
        if outputs.shape[1] == 1 and self._kind != labels.MULTILABEL:
            return np.hstack([1 - outputs, outputs])
        return outputs

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of `predict_proba`.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)
            The examples.

        Returns
        -------
        ndarray, (n_samples, n_classes)
            The columns are in the order of `classes_`; -inf where a probability is 0.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        ValueError
            X has another number of features, or numbers that are not finite.

        Examples
        --------
        >>> from bpfast.sklearn import MLPClassifier
        >>> X, y = [[-2.0], [-1.0], [1.0], [2.0]], ["no", "no", "yes", "yes"]
        >>> clf = MLPClassifier((), solver="lbfgs", random_state=0).fit(X, y)
        >>> clf.predict_log_proba([[0.0]]).round(1)
        array([[-0.7, -0.7]])
        """
        probabilities = self.predict_proba(X)
        return np.log(probabilities, out=probabilities)

    def _check_examples(
        self, X: Any, y: Any, *, reset: bool, is_first: bool, same_classes: bool
    ) -> tuple[Any, Any, Any]:
        X, y = validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, dtype=(np.float64, np.float32),
            reset=reset,
        )  # fmt: skip
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if is_first:
            self._kind = labels.target_kind(y)
            self.classes_, self._sparse_y = unique_labels(y), sparse.issparse(y)
        else:
            labels.refuse_others(y, self.classes_, self._kind, warm_start=same_classes)
        return X, y, labels.to_index(y, self.classes_, self._kind)

    def _weights(self, rows: Rows, *, incremental: bool) -> Any:
        if incremental and isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit, which does not know the "
                "classes of all examples. Pass a dict, such as "
                "dict(zip(classes, compute_class_weight('balanced', classes=classes, y=y)))."
            )
        return weights.with_classes(self.class_weight, rows, self.classes_, self._kind)

    def _count_outputs(self, index: Any) -> int:
        if index.ndim == 2:
            return int(index.shape[1])
        return labels.n_outputs(self._kind, self.classes_)

    def _output_and_cost(self) -> tuple[str, str, Any]:
        """The output activation in scikit-learn's terms and in bpfast's, and the cost."""
        if self._kind == "multiclass":
            return "softmax", "softmax", self.cost or "log_likelihood"
        # The log-likelihood of one logistic output, or of several, is the cross-entropy.
        is_default = self.cost is None or self.cost == "log_likelihood"
        return "logistic", "sigmoid", "cross_entropy" if is_default else self.cost

    def _loss_scale(self) -> float:
        return 1.0

    def _targets(self, index: Any, net: Any) -> Any:
        """The class indices for a cost that takes them, else a column per output."""
        if index.ndim == 1 and net.config["cost"] in LABELLED:
            return index
        return labels.to_targets(index, self.n_outputs_, net.dtype)

    def _stratified(self, rows: Any) -> Any:
        return labels.strata(rows.y, self._kind, self.validation_fraction)

    def _default_score(self, outputs: Any, index: Any, weight: Any) -> float:
        return accuracy(outputs, index, weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _more_tags(self) -> dict[str, Any]:
        return {"multilabel": True}  # for scikit-learn 1.5
