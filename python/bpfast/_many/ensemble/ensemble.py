"""`Ensemble`: networks that were trained together, and what they predict together."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from bpfast._many.arguments import parse_networks
from bpfast._many.ensemble import ranking as _ranking
from bpfast._many.ensemble.prediction import predict
from bpfast._many.ensemble.table import table
from bpfast._optional import optional
from bpfast._validation.iterables import is_iterable
from bpfast.history._history import History

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from pandas import DataFrame

    from bpfast._many.ensemble.prediction import Prediction
    from bpfast._network import Network


class Ensemble(Sequence["Network"]):
    """Networks with their histories, as `fit_many` returns them.

    It is a sequence of networks: ``len(ensemble)``, ``ensemble[0]``, ``ensemble[:3]``, ``for net in
    ensemble``.

    Parameters
    ----------
    nets : list of Network
        The networks, each once.
    histories : list of History, optional
        Their histories. Default: ``net.history`` of each.

    Attributes
    ----------
    histories : list of History or None
        The history of each network; None where there is none.

    Raises
    ------
    ValueError
        There is no network, one occurs twice, or there is another number of histories.
    TypeError
        An entry is not a network or a history.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> nets = [bpfast.Network([1, 8, 1], output="identity", seed=seed) for seed in range(5)]
    >>> bpfast.fit_many(nets, x, x**2, epochs=50, learning_rate=0.01, seed=0)
    Ensemble(5 networks: 1-8-1)
    """

    best = _ranking.best
    ranking = _ranking.ranking

    def __init__(
        self, nets: Iterable[Network], histories: Sequence[History | None] | None = None
    ) -> None:
        self._nets = parse_networks(nets)
        if histories is not None and not is_iterable(histories):
            got = type(histories).__name__
            raise TypeError(f"histories: expected a list of histories, got {got}")
        found = [net.history for net in self._nets] if histories is None else list(histories)
        if len(found) != len(self._nets):
            expected = f"one for each of {len(self._nets)} networks"
            raise ValueError(f"histories: expected {expected}, got {len(found)}")
        for k, history in enumerate(found):
            if history is not None and not isinstance(history, History):
                got = type(history).__name__
                raise TypeError(f"histories[{k}]: expected a History or None, got {got}")
        self.histories: list[History | None] = found
        # Equal for networks whose validation examples are the same, if that is known.
        self._validation_sets: list[int | None] = [None] * len(self._nets)

    @classmethod
    def _of(
        cls,
        nets: Iterable[Network],
        histories: Sequence[History | None],
        validation_sets: Sequence[int | None],
    ) -> Ensemble:
        ensemble = cls(nets, histories)
        ensemble._validation_sets = list(validation_sets)
        return ensemble

    def __len__(self) -> int:
        return len(self._nets)

    @overload
    def __getitem__(self, index: int) -> Network: ...
    @overload
    def __getitem__(self, index: slice) -> Ensemble: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Ensemble._of(
                self._nets[index], self.histories[index], self._validation_sets[index]
            )
        try:
            position = operator.index(index)
        except TypeError:
            got = type(index).__name__
            raise TypeError(f"index: expected an integer or a slice, got {got}") from None
        if not -len(self) <= position < len(self):
            raise IndexError(f"index: expected {-len(self)} to {len(self) - 1}, got {position}")
        return self._nets[position]

    def predict(
        self, x: Any, *, quantiles: float | Sequence[float] = (0.05, 0.5, 0.95)
    ) -> Prediction:
        """Mean, spread, quantiles and votes of the networks' outputs.

        Parameters
        ----------
        x : array_like or SciPy sparse, (n, n_1)
            The examples, one per row.
        quantiles : float or sequence of float, default (0.05, 0.5, 0.95)
            Numbers from 0 to 1; values between two outputs are interpolated linearly.

        Returns
        -------
        Prediction
            ``mean``, ``std``, ``quantiles``, ``votes`` and ``outputs``. ``votes`` is None unless
            the outputs of all networks are sigmoid, hard_sigmoid or softmax.

        Raises
        ------
        ValueError
            The networks have different numbers of outputs, x does not fit one of them, or a
            quantile is out of range.
        TypeError
            x is not of real numbers, or a quantile is no number.

        Examples
        --------
        >>> import bpfast
        >>> nets = [bpfast.Network([1, 1], output="identity", init="zeros") for _ in range(3)]
        >>> for k, net in enumerate(nets):
        ...     net.biases[0][:] = k
        >>> ensemble = bpfast.Ensemble(nets)
        >>> prediction = ensemble.predict([[0.0]], quantiles=[0.0, 1.0])
        >>> prediction.mean, prediction.quantiles[:, 0, 0]
        (array([[1.]]), array([0., 2.]))
        >>> ensemble.predict([[0.0]], quantiles=0.25).quantiles
        array([[0.5]])
        """
        return predict(self._nets, x, quantiles)

    def to_pandas(self) -> DataFrame:
        """All histories in one table: a row per network and epoch, with both as index.

        A network that diverged in its first epoch has no row.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ImportError
            pandas is not installed.
        ValueError
            No network has a history.

        Examples
        --------
        >>> import bpfast
        >>> nets = [bpfast.Network([1, 1], output="identity", seed=seed) for seed in range(3)]
        >>> ensemble = bpfast.fit_many(nets, [[0.0], [1.0]], [0.0, 1.0], epochs=5, seed=0)
        >>> table = ensemble.to_pandas()
        >>> table.index.names, table.shape
        (FrozenList(['net', 'epoch']), (15, 3))
        """
        return table(self.histories)

    def save(self, path: Any) -> None:
        """Write all networks and histories to one safetensors file.

        The tensors are ``0.weights.0`` and so on, W^l of shape (n_l, n_(l-1)).

        Parameters
        ----------
        path : str, bytes or os.PathLike
            The file. An existing one is replaced, and is unchanged after an error.

        Raises
        ------
        OSError
            The file cannot be written.

        Examples
        --------
        >>> import bpfast, tempfile, os
        >>> ensemble = bpfast.Ensemble([bpfast.Network([2, 1], seed=seed) for seed in range(3)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     ensemble.save(os.path.join(folder, "ensemble.safetensors"))
        ...     os.listdir(folder)
        ['ensemble.safetensors']
        """
        from bpfast._many.ensemble.file import write

        write(path, self._nets, self.histories, self._validation_sets)

    @classmethod
    def load(cls, path: Any, *, cost: Any = None) -> Ensemble:
        """Read an ensemble that `save` has written.

        Parameters
        ----------
        path : str, bytes or os.PathLike
            The file.
        cost : str or callable, optional
            Needed if the cost of a network was a callable, because files do not store callables:
            the callable, or another cost, for all networks that had one. Otherwise omit it, or pass
            the name that is in the file.

        Returns
        -------
        Ensemble
            Its networks have the same configurations, and parameters with the same bits.

        Raises
        ------
        OSError
            The file cannot be read.
        ValueError
            It has no ensemble, is damaged or was written by a newer version, or ``cost`` is missing
            or differs from the costs of the file. A checksum detects damage; a file without one, of
            an older version, is read.
        TypeError
            ``path`` is not a path, or ``cost`` is neither a name nor a callable.

        Examples
        --------
        >>> import bpfast, tempfile, os
        >>> nets = [bpfast.Network([1, 1], output="identity", seed=seed) for seed in range(3)]
        >>> ensemble = bpfast.fit_many(nets, [[0.0], [1.0]], [0.0, 1.0], epochs=5, seed=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "ensemble.safetensors")
        ...     ensemble.save(path)
        ...     twin = bpfast.Ensemble.load(path)
        >>> bool((twin[2].params == ensemble[2].params).all()), twin.histories == ensemble.histories
        (True, True)
        """
        from bpfast._many.ensemble.file import read

        return cls._of(*read(path, cost))

    def plot(self, column: str = "cost", *, ax: Any = None) -> Axes:
        """Draw a column of all histories over the epochs; see `bpfast.plot.ensemble`.

        Parameters
        ----------
        column : str, default "cost"
            The column; the one of the validation is drawn beside it.
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: a new figure.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ImportError
            matplotlib is not installed.
        ValueError
            No network has such a column, or an epoch.

        Examples
        --------
        >>> import bpfast
        >>> nets = [bpfast.Network([1, 1], output="identity", seed=seed) for seed in range(3)]
        >>> ensemble = bpfast.fit_many(nets, [[0.0], [1.0]], [0.0, 1.0], epochs=5, seed=0)
        >>> axes = ensemble.plot()
        >>> axes.get_xlabel(), axes.get_ylabel()
        ('epoch', 'cost')
        """
        optional("matplotlib", "plot", package="matplotlib")
        from bpfast.plot._ensemble import ensemble

        return ensemble(self, column, ax=ax)

    def __repr__(self) -> str:
        shapes = {"-".join(map(str, net.sizes)) for net in self._nets}
        shown = ", ".join(sorted(shapes)[:3]) + (", …" if len(shapes) > 3 else "")
        return f"Ensemble({len(self)} network{'s' * (len(self) != 1)}: {shown})"


Ensemble.__module__ = "bpfast"  # the public module
