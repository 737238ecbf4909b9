"""`Ensemble`: networks that were trained together, and what they predict together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np

from bpfast._many.arguments import parse_networks
from bpfast._validation.numbers import within
from bpfast.history._history import History

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from numpy.typing import NDArray
    from pandas import DataFrame

    from bpfast._network import Network


class Prediction(NamedTuple):
    """What an ensemble predicts for a batch; each field has the network's dtype unless noted.

    Parameters
    ----------
    mean : ndarray, (n, n_L)
        The mean of the outputs of the networks.
    std : ndarray, (n, n_L)
        Their standard deviation, Σ (a − mean)² / k under the root.
    quantiles : ndarray, (q, n, n_L)
        The quantiles asked for, in their order.
    votes : ndarray of float64, (n, n_L), or (n, 2) for one output
        The fraction of the networks that choose each class: the largest output, or whether a single
        output is above 1/2.
    outputs : ndarray, (k, n, n_L)
        The outputs of each network.
    """

    mean: NDArray[Any]
    std: NDArray[Any]
    quantiles: NDArray[Any]
    votes: NDArray[np.float64]
    outputs: NDArray[Any]


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
    >>> ensemble = bpfast.fit_many(nets, x, x**2, epochs=50, learning_rate=0.01, seed=0)
    >>> prediction = ensemble.predict([[0.5], [3.0]])
    >>> prediction.mean.shape, prediction.quantiles.shape
    ((2, 1), (3, 2, 1))
    >>> bool(prediction.std[1, 0] > prediction.std[0, 0])  # less is known outside the data
    True
    """

    def __init__(
        self, nets: Iterable[Network], histories: Sequence[History | None] | None = None
    ) -> None:
        self._nets = parse_networks(nets)
        found = [net.history for net in self._nets] if histories is None else list(histories)
        if len(found) != len(self._nets):
            expected = f"one for each of {len(self._nets)} networks"
            raise ValueError(f"histories: expected {expected}, got {len(found)}")
        for k, history in enumerate(found):
            if history is not None and not isinstance(history, History):
                got = type(history).__name__
                raise TypeError(f"histories[{k}]: expected a History or None, got {got}")
        self.histories: list[History | None] = found

    def __len__(self) -> int:
        return len(self._nets)

    @overload
    def __getitem__(self, place: int) -> Network: ...
    @overload
    def __getitem__(self, place: slice) -> Ensemble: ...
    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return Ensemble(self._nets[place], self.histories[place])
        return self._nets[place]

    def predict(self, x: Any, *, quantiles: Sequence[float] = (0.05, 0.5, 0.95)) -> Prediction:
        """Mean, spread, quantiles and votes of the networks' outputs.

        Parameters
        ----------
        x : array_like or SciPy sparse, (n, n_1)
            The examples, one per row.
        quantiles : sequence of float, default (0.05, 0.5, 0.95)
            Numbers from 0 to 1; values between two outputs are interpolated linearly.

        Returns
        -------
        Prediction
            ``mean``, ``std``, ``quantiles``, ``votes`` and ``outputs``.

        Raises
        ------
        ValueError
            The networks have different numbers of outputs, x does not fit one of them, or a
            quantile is out of range.
        TypeError
            x is not of real numbers.
        """
        from bpfast._many.calls import forward_many

        levels = [within(f"quantiles[{k}]", level, 0, 1) for k, level in enumerate(quantiles)]
        widths = {net.sizes[-1] for net in self._nets}
        if len(widths) > 1:
            found = ", ".join(map(str, sorted(widths)))
            raise ValueError(f"nets: expected networks with equally many outputs, got {found}")
        outputs = np.stack(forward_many(self._nets, x))
        mean = outputs.mean(axis=0)
        return Prediction(
            mean,
            outputs.std(axis=0),
            np.quantile(outputs, levels, axis=0).astype(outputs.dtype, copy=False),
            _votes(outputs),
            outputs,
        )

    def best(self, metric: str = "", *, mode: str | None = None) -> Network:
        """The network with the best last value of a column of its history.

        Parameters
        ----------
        metric : str, optional
            The column. Default: ``validation_cost`` if all histories have it, else ``cost``.
        mode : {"min", "max"}, optional
            Whether low or high is better, as in `EarlyStopping`.

        Returns
        -------
        Network

        Raises
        ------
        ValueError
            A network has no history, or no such column.
        """
        return self._nets[self.ranking(metric, mode=mode)[0]]

    def ranking(self, metric: str = "", *, mode: str | None = None) -> list[int]:
        """The places of the networks, the best first, by the last value of a column.

        Parameters
        ----------
        metric : str, optional
            The column. Default: ``validation_cost`` if all histories have it, else ``cost``.
        mode : {"min", "max"}, optional
            Whether low or high is better, as in `EarlyStopping`.

        Returns
        -------
        list of int

        Raises
        ------
        ValueError
            A network has no history, or no such column.
        """
        from bpfast.history._mode import mode_of

        histories: list[History] = []
        for k, history in enumerate(self.histories):
            if history is None or not len(history):
                raise ValueError(f"nets[{k}]: expected a network with a history, got none")
            histories.append(history)
        name = metric
        if not name:
            has_validation = all("validation_cost" in history for history in histories)
            name = "validation_cost" if has_validation else "cost"
        for k, history in enumerate(histories):
            if name not in history:
                known = ", ".join(history.names)
                raise ValueError(
                    f"metric: expected a column of each history, got {name!r}; "
                    f"nets[{k}] has {known}"
                )
        sign = 1.0 if mode_of(name, mode) == "min" else -1.0
        values = [sign * float(history[name][-1]) for history in histories]
        keys = [value if value == value else np.inf for value in values]
        return sorted(range(len(keys)), key=keys.__getitem__)

    def to_pandas(self) -> DataFrame:
        """All histories in one table: a row per network and epoch, with both as index.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ImportError
            pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("to_pandas needs pandas: pip install pandas") from error
        tables = {
            k: history.to_pandas()
            for k, history in enumerate(self.histories)
            if history is not None
        }
        return pd.concat(tables, names=["net", "epoch"])

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
        ...     path = os.path.join(folder, "ensemble.safetensors")
        ...     ensemble.save(path)
        ...     twin = bpfast.Ensemble.load(path)
        >>> bool((twin[2].params == ensemble[2].params).all())
        True
        """
        from bpfast._many.file import write

        write(path, self._nets, self.histories)

    @classmethod
    def load(cls, path: Any, *, cost: Any = None) -> Ensemble:
        """Read an ensemble that `save` has written.

        Parameters
        ----------
        path : str, bytes or os.PathLike
            The file.
        cost : callable, optional
            The cost of the networks that were saved with a callable one.

        Returns
        -------
        Ensemble
            Its networks have the same configurations, and parameters with the same bits.

        Raises
        ------
        OSError
            The file cannot be read.
        ValueError
            It has no ensemble, is damaged or was written by a newer version, or a cost is missing.
        """
        from bpfast._many.file import read

        return cls(*read(path, cost))

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
            No network has such a column.
        """
        try:
            import matplotlib as mpl  # noqa: F401 - the module below may be there already

            from bpfast.plot._ensemble import ensemble
        except ImportError as error:
            raise ImportError("plot needs matplotlib: pip install matplotlib") from error
        return ensemble(self, column, ax=ax)

    def __repr__(self) -> str:
        shapes = {"-".join(map(str, net.sizes)) for net in self._nets}
        shown = ", ".join(sorted(shapes)[:3]) + (", …" if len(shapes) > 3 else "")
        return f"Ensemble({len(self)} network{'s' * (len(self) != 1)}: {shown})"


def _votes(outputs: NDArray[Any]) -> NDArray[np.float64]:
    """The fraction of networks for each class, (n, classes)."""
    if outputs.shape[2] == 1:
        ones = (outputs[:, :, 0] > 0.5).mean(axis=0)
        return np.stack([1 - ones, ones], axis=1)
    chosen = outputs.argmax(axis=2)
    return np.stack([(chosen == k).mean(axis=0) for k in range(outputs.shape[2])], axis=1)


Prediction.__module__ = Ensemble.__module__ = "bpfast"  # the public module
