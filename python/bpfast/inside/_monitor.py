"""`Monitor`: saturation, learning speed and gradients over a training."""

from __future__ import annotations

import inspect
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._training.arguments.settings import flag
from bpfast._validation.arrays import as_array
from bpfast._validation.no_numbers import no_numbers
from bpfast._validation.numbers import whole
from bpfast._validation.seed import generator
from bpfast._validation.sparse import is_sparse
from bpfast.history._columns import Columns
from bpfast.inside._batch import check_network
from bpfast.inside._explain import explain
from bpfast.inside._probe import Probe

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from pandas import DataFrame

    from bpfast._core import _Inputs as Inputs
    from bpfast._network import Network
    from bpfast.history._history import History

# The examples from which causes are concluded.
EXPLAINED = 500
# The causes are looked for while more than this part of the baseline's cost is left.
LEFT = 0.5


class Monitor(Columns):
    """A callback of `fit` that records what happens inside: per layer, per epoch or step.

    It computes on a fixed small sample of the examples, stops nothing and changes nothing: the
    training has the same bits with it. It warns once, in one line, of the cause that `explain`
    would name.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1)
        The examples from which the sample is drawn: those of the training.
    y : array_like, (n, n_L) or (n,)
        Their targets.
    sample_weight : array_like, (n,), optional
        Their weights s_x. Default: 1 for each example.
    every : int, default 1
        Record after every `every` epochs.
    every_steps : int, optional
        Record after every `every_steps` steps instead, counted over all epochs.
    sample : int, default 64
        The number of examples of the sample; all if there are fewer.
    curvature : bool, default False
        Whether to compute the largest eigenvalue of the Gauss–Newton matrix, which costs about as
        much as fifty gradients of the sample.
    warn : bool, default True
        Whether to warn of a cause of slow learning. `explain` looks for it on up to 500 examples,
        after the epochs 1, 2, 4, 8, …, as long as more than half of the cost of the best constant
        answer is left.
    seed : None, int, Generator, BitGenerator or SeedSequence, default 0
        Draws the sample.

    Raises
    ------
    ValueError
        A number is out of range, or x and y have different numbers of rows.
    TypeError
        An argument has the wrong type.

    See Also
    --------
    bpfast.plot.saturation, bpfast.plot.speed : Pictures of its columns.

    Notes
    -----
    The columns, each an attribute and an item, with l from 2 to L:

    =================== ==============================================================
    epoch, step         the epoch, counted from 1, and the steps that the optimizer has done
    cost                the mean cost of the sample
    saturation_l        sigmoid and tanh: the part of the gates σ' below a tenth of their maximum;
                        relu and its kind: the part of neurons that are off for all of the sample; 0
                        for others, and for outputs whose σ' cancels
    speed_l             the learning speed ‖δ^l‖: the root of the mean over the sample of Σ_j δ_j²
    gradient_norm       ‖∇C‖ on the sample
    update_norm         ‖Δθ‖ since the last record; NaN in the first
    signal_to_noise     ‖mean‖ / RMS of the rest of the gradients of the examples
    cosine              of this gradient and the last one; NaN in the first
    curvature           the largest eigenvalue, if asked for
    =================== ==============================================================

    A monitor can be used for one training after another; each `fit` of a network with other layers
    needs a new one. Records of a training that continues are added.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 5: the speed of learning ‖δ^l‖ of a layer.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((200, 2))
    >>> y = (x[:, 0] * x[:, 1] > 0).astype(int)
    >>> net = bpfast.Network([2, 8, 2], output="softmax", cost="log_likelihood", seed=0)
    >>> monitor = bpfast.inside.Monitor(x, y)
    >>> history = net.fit(x, y, epochs=3, callbacks=monitor, seed=0)
    >>> monitor.epoch, monitor.step
    (array([1, 2, 3]), array([ 7, 14, 21]))
    >>> monitor.speed_2.shape
    (3,)
    """

    def __init__(
        self,
        x: Inputs,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        every: int = 1,
        every_steps: int | None = None,
        sample: int = 64,
        curvature: bool = False,
        warn: bool = True,
        seed: Any = 0,
    ) -> None:
        self._every = whole("every", every, 1)
        self._every_steps = None if every_steps is None else whole("every_steps", every_steps, 1)
        if self._every_steps is not None and self._every != 1:
            raise ValueError(f"every: expected only without every_steps, got {self._every}")
        self._curvature, self._warn = flag("curvature", curvature), flag("warn", warn)
        count = whole("sample", sample, 1)
        try:
            rng = generator(seed)
        except (TypeError, ValueError) as error:
            raise type(error)(f"seed: {error}") from None
        given: Any = x
        rows = given.tocsr() if is_sparse(given) else as_array("x", given)
        targets = as_array("y", y)
        if rows.ndim != 2 or not rows.shape[0]:
            raise ValueError(f"x: expected shape (n, n_1) with one or more, got {rows.shape}")
        if rows.dtype.kind not in "biuf":
            raise no_numbers("x", x, rows)
        if targets.ndim == 0 or len(targets) != rows.shape[0]:
            raise ValueError(f"y: expected {rows.shape[0]} rows, as in x, got {targets.shape}")
        weight = None
        if sample_weight is not None:
            weight = as_array("sample_weight", sample_weight)
            if weight.shape != (rows.shape[0],):
                expected = f"shape ({rows.shape[0]},)"
                raise ValueError(f"sample_weight: expected {expected}, got {weight.shape}")
        order = rng.permutation(rows.shape[0])[: max(EXPLAINED, count)]
        # Copies, so that the sample stays as it is.
        chosen: Any = rows[order]
        self._x: NDArray[Any] = chosen.toarray() if is_sparse(chosen) else chosen
        self._y = targets[order]
        self._weight = None if weight is None else weight[order]
        self._count = min(count, len(order))
        self._records: list[dict[str, float]] = []
        self._names: tuple[str, ...] = ("epoch", "step")
        self._probe: Probe | None = None
        self._explain_at = 1
        self._warned = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self._names

    @property
    def warned(self) -> str:
        """The kind of the cause that was warned of, or "".

        Returns
        -------
        str
        """
        return self._warned

    def to_dict(self) -> dict[str, list[float]]:
        """Each column as a list, by name.

        Returns
        -------
        dict of str to list
        """
        return {name: self[name].tolist() for name in self.names}

    def to_pandas(self) -> DataFrame:
        """The records as a `pandas.DataFrame`: a row per record, with the step as index.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ImportError
            pandas is not installed.
        """
        try:
            from pandas import DataFrame
        except ImportError as error:
            raise ImportError("to_pandas needs pandas: pip install pandas") from error
        return DataFrame(self.to_dict()).set_index("step")

    def __call__(self, net: Network, history: History) -> None:
        """Record an epoch; `fit` calls it.

        Parameters
        ----------
        net : Network
            The network in training.
        history : History
            Its history.
        """
        epoch = len(history)
        if self._every_steps is None and epoch % self._every == 0:
            self._record_in_training(net, epoch)
        if self._warn and not self._warned and epoch >= self._explain_at:
            self._explain_at = 2 * epoch
            try:
                self._look_for_causes(net)
            except (ValueError, TypeError, ArithmeticError) as error:
                self._tell_failure(error)

    def record(self, net: Network, *, epoch: int = 0, step: int | None = None) -> None:
        """Add a record of a network: before a training, or in a training loop of your own.

        During `fit` the monitor records by itself.

        Parameters
        ----------
        net : Network
            The network.
        epoch : int, default 0
            The number in the column ``epoch``.
        step : int, optional
            The number in the column ``step``. Default: the steps that the network's optimizer has
            done, 0 if it has none.

        Raises
        ------
        ValueError
            A number is negative, x or y do not fit the network, or it has another number of layers
            than the network of the records before.
        TypeError
            `net` is not a network, or a number is not an integer.

        Examples
        --------
        >>> import bpfast, numpy as np
        >>> x = np.random.default_rng(0).standard_normal((200, 2))
        >>> y = (x[:, :1] > 0).astype(float)
        >>> net = bpfast.Network([2, 8, 1], seed=0)
        >>> monitor = bpfast.inside.Monitor(x, y)
        >>> monitor.record(net)
        >>> history = net.fit(x, y, epochs=2, callbacks=monitor, seed=0)
        >>> monitor.epoch
        array([0, 1, 2])
        """
        check_network(net)
        epoch = whole("epoch", epoch, 0)
        self._record(net, epoch, _steps(net) if step is None else whole("step", step, 0))

    def _after_steps(self, net: Network, epoch: int) -> None:
        """Record within an epoch; the training loop calls it every `every_steps` steps."""
        self._record_in_training(net, epoch)

    def _record_in_training(self, net: Network, epoch: int) -> None:
        """Record; what cannot be computed, as after a divergence, is NaN and stops no training."""
        try:
            self._record(net, epoch, _steps(net))
        except (ValueError, TypeError, ArithmeticError) as error:
            if self._x.shape[1] != net.sizes[0] or not self._fits(net):
                raise  # a mistake, and not what became of the training
            self._tell_failure(error)
            if self._records:
                numbers = {"epoch": float(epoch), "step": float(_steps(net))}
                self._records.append(dict.fromkeys(self._names, np.nan) | numbers)

    def _fits(self, net: Network) -> bool:
        """Whether the network has the layers of the records before."""
        return self._probe is None or self._probe.layers == len(net.sizes)

    def _tell_failure(self, error: Exception) -> None:
        """Warn, once, of a record that cannot be made."""
        if self._warn and not self._warned:
            self._warned = "failure"
            warnings.warn(
                f"Monitor: a record could not be made: {error}", UserWarning, stacklevel=_outside()
            )

    def _record(self, net: Network, epoch: int, step: int) -> None:
        probe = self._probe_of(net)
        row = {"epoch": float(epoch), "step": float(step), **probe.measure(net)}
        if not self._records:
            self._names = tuple(row)
        self._records.append(row)

    def _probe_of(self, net: Network) -> Probe:
        """The sample for a network; made anew for another one."""
        if self._probe is None or not self._probe.is_of(net):
            if self._probe is not None and self._probe.layers != len(net.sizes):
                expected = f"a network of {self._probe.layers} layers, as before"
                raise ValueError(f"net: expected {expected}, got {len(net.sizes)}")
            few = slice(self._count)
            weight = None if self._weight is None else self._weight[few]
            self._probe = Probe(net, self._x[few], self._y[few], weight, self._curvature)
        return self._probe

    def _look_for_causes(self, net: Network) -> None:
        """Warn of the main cause that `explain` names, if the cost is still high."""
        probe = self._probe_of(net)
        if probe.cost(net) <= LEFT * probe.baseline:
            return
        weight = None if self._weight is None else self._weight[:EXPLAINED]
        report = explain(net, self._x[:EXPLAINED], self._y[:EXPLAINED], sample_weight=weight)
        if report.main is None:
            return
        self._warned = report.main.kind
        where = "" if report.main.layer is None else f" in layer {report.main.layer}"
        warnings.warn(
            f"Monitor: {report.main.title}{where} ({report.main.equation}); "
            "print(bpfast.inside.explain(net, x, y)) says why, and what to try",
            UserWarning,
            stacklevel=_outside(),
        )

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self.names

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self:
            raise KeyError(f"name: expected one of {', '.join(self.names)}, got {name!r}")
        dtype = np.int64 if name in ("epoch", "step") else np.float64
        values: NDArray[Any] = np.array([row[name] for row in self._records], dtype=dtype)
        values.flags.writeable = False
        return values

    def __getattr__(self, name: str) -> NDArray[Any]:
        if name.startswith("_"):  # also before a copy has its names
            raise AttributeError(f"Monitor has no attribute {name!r}")
        if name in self.names:
            return self[name]
        raise AttributeError(f"name: expected one of {', '.join(self.names)}, got {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        # The probe refers to its network and is made anew.
        return self.__dict__ | {"_probe": None}

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.names]

    def _repr_html_(self) -> str:
        from bpfast._tables import columns_html

        return columns_html(repr(self), self.to_dict())

    def __repr__(self) -> str:
        count = f"{len(self)} record{'s' * (len(self) != 1)}"
        why = f"; warned of {self._warned}" if self._warned else ""
        if not len(self):
            return f"Monitor({count}{why})"
        last = self._records[-1]
        shown = ("step", "cost", "gradient_norm", "signal_to_noise")
        return f"Monitor({count}: {', '.join(f'{k} {last[k]:.4g}' for k in shown)}{why})"


def _steps(net: Network) -> int:
    """The steps that the network's optimizer has done."""
    return 0 if net.optimizer is None else net.optimizer.steps


def _outside() -> int:
    """The number of frames from the caller to the first one that is not of bpfast."""
    frame = inspect.currentframe()
    level = 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith("bpfast."):
        frame, level = frame.f_back, level + 1
    return level


Monitor.__module__ = "bpfast.inside"  # the public module
