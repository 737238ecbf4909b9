"""`Monitor`: saturation, learning speed and gradients over a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._training.steps.monitor import StepMonitor
from bpfast._validation.names import by_name
from bpfast._validation.naming import naming, naming_rows
from bpfast._validation.network import check_network
from bpfast._validation.numbers import flag, integer
from bpfast.history._columns import Columns, unknown_column
from bpfast.inside._batch import batch_of
from bpfast.inside._monitor.probe import Probe
from bpfast.inside._monitor.records import Records, columns
from bpfast.inside._monitor.sample import Sample
from bpfast.inside._monitor.watch import Watch

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bpfast._core import _Inputs as Inputs
    from bpfast._network import Network
    from bpfast.history._history import History


class Monitor(Columns, StepMonitor):
    """A callback of `fit` that records what happens inside: per layer, per epoch or step.

    It stops nothing and changes nothing: the training has the same bits with it. It warns once, in
    one line, of the cause that `explain` would name.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1)
        The examples from which the sample is drawn: those of the training.
    y : array_like, (n, n_L) or (n,)
        Their targets.
    sample_weight : array_like, (n,), optional
        Their weights s_x. Default: 1 for each example.
    every : int, default 1
        Record the sample after every `every` epochs.
    every_steps : int, optional
        Instead, record the mini-batch of each step whose number, as the optimizer counts its steps,
        is a multiple of `every_steps`.
    sample : int, default 64
        The number of examples of the sample; all if there are fewer.
    cosine : bool, optional
        Whether to record the cosine of successive gradients. Default: in records of epochs. In
        those of steps it takes another pass over a stored gradient.
    curvature : bool, default False
        Whether to compute the largest eigenvalue of the Gauss–Newton matrix on the sample, which
        costs about as much as fifty gradients of it, also in records of steps.
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
    cost                the mean cost
    saturation_l        sigmoid, tanh and hard_sigmoid: the part of the gates σ' below a tenth of
                        their maximum; relu, elu, selu, gelu, gelu_tanh, silu, mish, softplus and
                        hard_swish: the part of neurons that are off for all examples, σ' being at
                        most 0.01, for relu 0; 0 for others, and for outputs whose σ' cancels
    speed_l             the learning speed ‖δ^l‖: the root of the mean over the examples of Σ_j δ_j²
    gradient_norm       ‖∇C‖
    update_norm         ‖Δθ‖: of the step, or since the last record of an epoch
    signal_to_noise     ‖mean‖ of the examples' gradients / RMS of their deviations from it;
                        infinite for one example
    cosine              of the angle between this gradient and that of the last record
    curvature           the largest eigenvalue, if asked for
    =================== ==============================================================

    Records of epochs describe the sample with the parameters after the epoch. Gates count with the
    weights of their examples, in records of steps with the absolute values; examples of weight 0 do
    not count. A step whose weights are all 0 has a saturation of NaN.

    Records of steps describe the mini-batch of the step, with the parameters before it and with
    dropout if there is any; the step computes z, a, δ and the gradient anyway. Examples count with
    their weights in `fit`, as s_x C_x: the cost is Σ s_x C_x / n, and δ is that of s_x C_x. The
    gradient is without penalties and before it is clipped. With every step recorded, training takes
    1.1 to 1.4 times as long, and with a CSR x twice as long; the manual has a table. The largest
    part is a pass over the gradient for its norm; errors, saturation and signal-to-noise take a
    pass over x and all layers. Optimizers other than SGD without momentum and penalties also
    compare the parameters before and after, and `cosine` needs another pass and a stored gradient.
    The norms of float32 are accurate to at least six digits and do not underflow. Records have the
    same bits at any number of threads.

    In the first record update_norm is NaN for epochs. The cosine is NaN in the first record, with
    `every_steps` in the first one of each `fit`.

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
    >>> steps = bpfast.inside.Monitor(x, y, every_steps=1)
    >>> history = net.fit(x, y, epochs=3, callbacks=steps, seed=0)
    >>> steps.gradient_norm.shape
    (21,)
    """

    _index = "step"

    @by_name({"everyepochs": "every", "steps": "every_steps", "weights": "sample_weight"})
    def __init__(
        self,
        x: Inputs,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        every: int = 1,
        every_steps: int | None = None,
        sample: int = 64,
        cosine: bool | None = None,
        curvature: bool = False,
        warn: bool = True,
        seed: Any = 0,
    ) -> None:
        self._every = integer("every", every, 1)
        self._every_steps = 0 if every_steps is None else integer("every_steps", every_steps, 1)
        if self._every_steps and self._every != 1:
            raise ValueError(f"every: expected only without every_steps, got {self._every}")
        self._cosine = every_steps is None if cosine is None else flag("cosine", cosine)
        self._curvature = flag("curvature", curvature)
        self._watch = Watch(is_on=flag("warn", warn))
        self._sample = Sample(x, y, sample_weight, integer("sample", sample, 1), seed)
        self._records = Records()
        self._probe: Probe | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self._records.names

    @property
    def warned(self) -> str:
        """The kind of the cause that was warned of, or "".

        Returns
        -------
        str
        """
        return self._watch.warned

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
        if not self._every_steps and epoch % self._every == 0:
            self._record_epoch(net, epoch)
        if self._watch.is_due(epoch):
            try:
                self._watch.look_for_causes(net, self._probe_of(net), self._sample)
            except (ValueError, TypeError, ArithmeticError) as error:
                self._watch.tell_failure(error)

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
        check_network(net, "net")
        epoch = integer("epoch", epoch, 0)
        self._record(net, epoch, _steps(net) if step is None else integer("step", step, 0))

    def _begin(self, net: Network) -> None:
        """Check that the network fits; the training loop calls it before the first step."""
        self._watch.begin()
        with naming("Monitor"):
            with naming_rows(self._sample.rows):
                # Without weights, because those of a training may be negative.
                batch_of(net, self._sample.x, self._sample.y)
            if self._every_steps or not self._fits(net):
                self._probe_of(net)

    def _add_steps(self, net: Network, epoch: int, rows: NDArray[np.float64]) -> None:
        """Add the records of some steps; the training loop calls it after a series of steps."""
        if len(rows):
            parts = [np.full((len(rows), 1), float(epoch)), rows]
            if self._curvature:  # the loop ends a series after each record
                parts.append(np.full((len(rows), 1), self._curvature_now(net)))
            self._records.add_rows(self._columns(net), np.hstack(parts))

    def _curvature_now(self, net: Network) -> float:
        """The largest eigenvalue on the sample, or NaN if it cannot be computed."""
        try:
            return self._probe_of(net).curvature(net)
        except (ValueError, TypeError, ArithmeticError) as error:
            self._watch.tell_failure(error)
            return np.nan

    def _record_epoch(self, net: Network, epoch: int) -> None:
        """Record; what cannot be computed, as after a divergence, is NaN and stops no training."""
        try:
            self._record(net, epoch, _steps(net))
        except (ValueError, TypeError, ArithmeticError) as error:
            if self._sample.x.shape[1] != net.sizes[0] or not self._fits(net):
                raise  # a mistake, and not what became of the training
            self._watch.tell_failure(error)
            if len(self):
                self._records.add(self.names, {"epoch": epoch, "step": _steps(net)})

    def _fits(self, net: Network) -> bool:
        """Whether the network has the layers of the records before."""
        return self._probe is None or self._probe.layers == len(net.sizes)

    def _record(self, net: Network, epoch: int, step: int) -> None:
        row = {"epoch": float(epoch), "step": float(step), **self._probe_of(net).measure(net)}
        self._records.add(self._columns(net), row)

    def _columns(self, net: Network) -> tuple[str, ...]:
        return columns(len(net.sizes), cosine=self._cosine, curvature=self._curvature)

    def _probe_of(self, net: Network) -> Probe:
        """The sample for a network; made anew for another one."""
        if self._probe is None or not self._probe.is_of(net):
            if self._probe is not None and self._probe.layers != len(net.sizes):
                expected = f"a network of {self._probe.layers} layers, as before"
                raise ValueError(f"net: expected {expected}, got {len(net.sizes)}")
            given = self._sample.first(self._sample.count)
            self._probe = Probe(net, *given, self._curvature)
        return self._probe

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self:
            raise KeyError(unknown_column("name", name, self.names))
        return self._records.column(name)

    def __getstate__(self) -> dict[str, Any]:
        # The probe refers to its network and is made anew.
        return self.__dict__ | {"_probe": None}

    def __repr__(self) -> str:
        count = f"{len(self)} record{'s' * (len(self) != 1)}"
        why = f"; warned of {self.warned}" if self.warned else ""
        if not len(self):
            return f"Monitor({count}{why})"
        last = self._records.last()
        shown = ("step", "cost", "gradient_norm", "signal_to_noise")
        return f"Monitor({count}: {', '.join(f'{k} {last[k]:.4g}' for k in shown)}{why})"


def _steps(net: Network) -> int:
    """The steps that the network's optimizer has done."""
    return 0 if net.optimizer is None else net.optimizer.steps


Monitor.__module__ = "bpfast.inside"  # the public module
