"""A matrix of second derivatives as an operator: products, diagonal, trace, eigenvalues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, TypeAlias

import numpy as np

from bpfast import _core
from bpfast._core import Gradient
from bpfast._derivatives.arguments import number_of_examples
from bpfast._derivatives.curvature.spectrum import WHICH, eigenvalues
from bpfast._optional import optional
from bpfast._underflow import underflows
from bpfast._validation.names import one_of
from bpfast._validation.numbers import integer
from bpfast._validation.seed import generator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from bpfast._typing import Reduction

MatrixName: TypeAlias = Literal["hessian", "ggn", "empirical_fisher"]
Which: TypeAlias = Literal["largest", "smallest", "magnitude"]

MATRIX_NAMES = ("hessian", "ggn", "empirical_fisher")
# The costs that are convex in a only for y >= 0, or for y in [0, 1].
_OF_A_RANGE = ("cross_entropy", "log_likelihood", "poisson")


class ProductArguments(NamedTuple):
    """The arguments of the products: copies, which come later than the call of `net.curvature`."""

    x: Any  # or the trace of them
    y: Any  # or what a callable cost returned
    sample_weight: NDArray[Any] | None
    reduction: Reduction


class Curvature:
    """The Hessian, Gauss-Newton or empirical Fisher matrix of a cost; `Network.curvature` makes it.

    It is never formed: ``matrix @ v`` is one product as by `Network.hvp`, from a forward pass and
    errors that are computed once. It is the matrix at the parameters that the network had; a
    product raises an error after they have changed.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> hessian = net.curvature([[3]], [[0]])  # C = (3 w + b)² / 2
    >>> hessian
    <bpfast.Curvature: hessian, 2 x 2, float64>
    >>> hessian @ [1, 0]
    array([9., 3.])
    >>> hessian.eigenvalues(1)
    array([10.])
    """

    __module__ = "bpfast"

    _net: _core.Network
    _name: MatrixName
    _examples: ProductArguments
    _errors: list[NDArray[Any]] | None
    _params: NDArray[Any]

    def __init__(self) -> None:
        expected = "a call of net.curvature(x, y), which makes it"
        raise TypeError(f"Curvature: expected {expected}, got Curvature()")

    @classmethod
    def _of(
        cls,
        net: _core.Network,
        name: MatrixName,
        examples: ProductArguments,
        errors: list[NDArray[Any]] | None,
    ) -> Self:
        """The matrix at the present parameters; "hessian" needs the errors of the examples."""
        made = cls.__new__(cls)
        made._net, made._name, made._examples, made._errors = net, name, examples, errors
        made._params = _core.copy_params(net)
        made.matvec(np.zeros_like(made._params))  # validates the arguments
        return made

    @property
    def shape(self) -> tuple[int, int]:
        """(P, P)."""
        size = self._params.size
        return size, size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the network."""
        return self._params.dtype

    def __repr__(self) -> str:
        size = self._params.size
        return f"<bpfast.Curvature: {self._name}, {size} x {size}, {self.dtype}>"

    def matvec(self, v: ArrayLike) -> NDArray[Any]:
        """The product with a vector.

        Parameters
        ----------
        v : array_like, (P,)
            The vector, in the order of ``net.params``; a Gradient as well.

        Returns
        -------
        ndarray, (P,)
            The product, in the same order.

        Raises
        ------
        ValueError
            v has another shape, or the parameters of the network have changed.
        TypeError
            v is not of real numbers.

        Examples
        --------
        >>> import bpfast
        >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
        >>> net.curvature([[3]], [[0]]).matvec([1, 0])
        array([9., 3.])
        """
        self._check()
        product, out = self._net._curvature_product, Gradient(self._net)
        product(self._name, self._examples, v, self._errors, out)
        return out.flat

    def __matmul__(self, v: ArrayLike) -> NDArray[Any]:
        """The product with a vector."""
        return self.matvec(v)

    def _check(self) -> None:
        if not _core.has_params(self._net, self._params):
            raise ValueError("net: expected the parameters that net.curvature had, got others")

    @underflows
    def diagonal(self, samples: int = 100, *, seed: Any = None) -> NDArray[Any]:
        """The diagonal: exact for "ggn" and "empirical_fisher", estimated for "hessian".

        The estimate is the mean of v ⊙ H v over random signs v (Hutchinson, 1990); its error falls
        with the square root of their number.

        Parameters
        ----------
        samples : int, default 100
            The number of products of the estimate.
        seed : None, int, list of int, Generator, BitGenerator or SeedSequence
            Of the estimate.

        Returns
        -------
        ndarray, (P,)
            The diagonal in the order of ``net.params``.

        Raises
        ------
        ValueError
            ``samples`` is below 1; the parameters of the network have changed; or, for an exact
            diagonal, a weight or a target is negative where the matrix is then indefinite.
        TypeError
            ``samples`` is not an integer, or the seed is not one.

        Examples
        --------
        >>> import bpfast
        >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
        >>> net.curvature([[3]], [[0]], matrix="ggn").diagonal()
        array([9., 1.])
        """
        count = integer("samples", samples, 1)
        self._check()
        if self._name != "hessian":
            return self._exact_diagonal()
        total = np.zeros(self._params.size)
        for v in self._signs(count, seed):
            total += v * self.matvec(v)
        return (total / count).astype(self.dtype)

    def _exact_diagonal(self) -> NDArray[Any]:
        net, (x, y, sample_weight, reduction) = self._net, self._examples
        roots = np.sqrt(_factors(x, sample_weight, reduction))
        if self._name == "empirical_fisher":
            return net._squared_gradients(x, y, roots).flat
        diagonal = net._gauss_newton_diagonal(x, y, roots).flat
        if np.isnan(diagonal).any() and net.config["cost"] in _OF_A_RANGE:
            _check_targets(y)
        return diagonal

    @underflows
    def trace(self, samples: int = 100, *, seed: Any = None) -> float:
        """The trace: the sum of the `diagonal`, exact except for "hessian".

        Parameters
        ----------
        samples : int, default 100
            The number of products of the estimate.
        seed : None, int, list of int, Generator, BitGenerator or SeedSequence
            Of the estimate.

        Returns
        -------
        float
            The trace.

        Raises
        ------
        ValueError
            ``samples`` is below 1, or the parameters of the network have changed.
        TypeError
            ``samples`` is not an integer, or the seed is not one.

        Examples
        --------
        >>> import bpfast
        >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
        >>> net.curvature([[3]], [[0]], matrix="empirical_fisher").trace()
        0.0
        """
        return float(np.sum(self.diagonal(samples, seed=seed), dtype=np.float64))

    def _signs(self, count: int, seed: Any) -> Iterator[NDArray[Any]]:
        draw = generator(seed)
        size = self._params.size
        for _ in range(count):
            yield (2 * draw.integers(0, 2, size) - 1).astype(self.dtype)

    @underflows
    def eigenvalues(self, k: int = 1, *, which: Which = "largest") -> NDArray[np.float64]:
        """The k largest or smallest eigenvalues, by SciPy's Lanczos method.

        Gradient descent at the rate η diverges along the eigenvector of λ if η > 2/λ.

        Parameters
        ----------
        k : int, default 1
            How many; at most P.
        which : {"largest", "smallest", "magnitude"}, default "largest"
            "smallest": the most negative; "magnitude": the largest absolute values.

        Returns
        -------
        ndarray of float64, (k,)
            Descending; by absolute value for "magnitude".

        Raises
        ------
        ValueError
            k is below 1 or above P, ``which`` is unknown, or the parameters of the network have
            changed.
        TypeError
            k is not an integer.
        RuntimeError
            They are too close to each other, such as the many zeros of a "ggn".
        ImportError
            SciPy is not installed.

        Examples
        --------
        >>> import bpfast
        >>> net = bpfast.Network([2, 2], seed=0)
        >>> hessian = net.curvature([[1, 2]], [[0, 1]])
        >>> hessian.eigenvalues(2).shape
        (2,)
        """
        count, size = integer("k", k, 1), self._params.size
        kind = one_of("which", which, WHICH)
        if count > size:
            raise ValueError(f"k: expected at most {size}, the number of parameters, got {count}")
        self._check()
        return eigenvalues(self, count, kind)

    def linear_operator(self) -> Any:
        """The matrix as a `scipy.sparse.linalg.LinearOperator` of float64.

        Raises
        ------
        ImportError
            SciPy is not installed.

        Examples
        --------
        >>> import bpfast
        >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
        >>> net.curvature([[3]], [[0]]).linear_operator().shape
        (2, 2)
        """
        linalg = optional("scipy.sparse.linalg", "linear_operator", package="scipy")

        @underflows
        def product(v: NDArray[Any]) -> NDArray[Any]:
            return self.matvec(v.ravel()).astype(np.float64)

        return linalg.LinearOperator(self.shape, matvec=product, rmatvec=product, dtype=np.float64)


def _check_targets(y: NDArray[Any]) -> None:
    """Outside the range of its cost, y may make "ggn" indefinite: then it has no root."""
    if y.ndim != 2:
        return
    for row, column in np.argwhere(y < 0 if (y < 0).any() else y > 1):
        expected = "a target in the range of the cost for an exact diagonal"
        raise ValueError(f"y[{row}, {column}]: expected {expected}, got {y[row, column]}")


def _factors(x: Any, sample_weight: Any, reduction: str) -> NDArray[np.float64]:
    """f_x: s_x / Σ s, or s_x for a sum."""
    n = number_of_examples(x)
    weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight, np.float64)
    if (weights < 0).any():
        k = int((weights < 0).argmax())
        expected = "a weight of 0 or above for an exact diagonal"
        raise ValueError(f"sample_weight[{k}]: expected {expected}, got {weights[k]}")
    return weights / weights.sum() if reduction == "mean" else weights
