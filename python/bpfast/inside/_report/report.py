"""`Report`: what `explain` found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _tables
from bpfast._optional import optional
from bpfast.inside._factors import FACTORS
from bpfast.inside._report.check import Check, check, chosen
from bpfast.inside._report.rows import COLUMNS, NeuronFactors, neuron_rows
from bpfast.inside._report.tables import layer_table, neuron_table

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from bpfast._typing import OptimizerName
    from bpfast.inside._facts import Facts
    from bpfast.inside._finding import Finding
    from bpfast.optimizers import Optimizer
    from bpfast.optimizers._optimizer import Rate


class Report:
    """Why a network learns slowly: the result of `explain`.

    ``print(report)`` shows the findings, the factors by layer and the slowest neurons; a notebook
    shows tables.

    Parameters
    ----------
    facts : Facts
        What was computed.
    findings : list of Finding
        The causes, the main one first.

    See Also
    --------
    bpfast.plot.report : A picture of the factors.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> x = np.random.default_rng(0).standard_normal((100, 3))
    >>> net = bpfast.Network([3, 4, 1], hidden="relu", output="identity", init="he", seed=0)
    >>> net.biases[0][:] = -20
    >>> report = bpfast.inside.explain(net, x, x[:, :1])
    >>> report
    <Report 3-4-1: dead neurons in layer 2>
    >>> report.main.neurons
    array([0, 1, 2, 3])
    >>> report.layer_medians[2]["gate"]
    0.0
    """

    __slots__ = ("_facts", "_findings", "_rows")

    def __init__(self, facts: Facts, findings: list[Finding]) -> None:
        self._facts, self._findings = facts, tuple(findings)
        self._rows: list[NeuronFactors] | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The causes, the main one first; empty for a healthy network.

        Returns
        -------
        tuple of Finding
        """
        return self._findings

    @property
    def main(self) -> Finding | None:
        """The main cause, or None for a healthy network.

        Returns
        -------
        Finding or None
        """
        return self._findings[0] if self._findings else None

    @property
    def rows(self) -> list[NeuronFactors]:
        """The factors of each neuron: a row for each neuron of the layers 2 to L, in order.

        Returns
        -------
        list of NeuronFactors
        """
        if self._rows is None:
            with np.errstate(all="ignore"):  # as in `explain`
                self._rows = neuron_rows(self._facts.batch, self._facts.layers)
        return list(self._rows)

    @property
    def layer_medians(self) -> dict[int, dict[str, float]]:
        """The median of each factor over the neurons of a layer, by the number of the layer.

        Returns
        -------
        dict of int to dict of str to float
        """
        with np.errstate(all="ignore"):  # as in `explain`
            return {
                layer.number: {
                    name: float(np.median(layer.factors[name])) for name in (*FACTORS, "gradient")
                }
                for layer in self._facts.layers
            }

    @property
    def cost(self) -> float:
        """The mean cost of the examples.

        Returns
        -------
        float
        """
        return self._facts.cost

    @property
    def baseline(self) -> float:
        """The mean cost of the best constant answer, the mean of y; NaN for a callable cost.

        Returns
        -------
        float
        """
        return self._facts.scale.base

    def to_dict(self) -> dict[str, NDArray[Any]]:
        """The rows as columns.

        Returns
        -------
        dict of str to ndarray
            An array for each attribute of `NeuronFactors` except ``examples``, with an entry for
            each neuron.

        Examples
        --------
        >>> import bpfast
        >>> net = bpfast.Network([2, 2, 1], seed=0)
        >>> columns = bpfast.inside.explain(net, [[0, 1], [1, 0]], [[0], [1]]).to_dict()
        >>> columns["layer"], columns["neuron"]
        (array([2, 2, 3]), array([0, 1, 0]))
        """
        return {name: np.array([getattr(row, name) for row in self.rows]) for name in COLUMNS}

    def to_pandas(self) -> DataFrame:
        """The rows as a `pandas.DataFrame` with layer and neuron as index.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ImportError
            pandas is not installed.

        Examples
        --------
        >>> import bpfast
        >>> net = bpfast.Network([2, 2, 1], seed=0)
        >>> frame = bpfast.inside.explain(net, [[0, 1], [1, 0]], [[0], [1]]).to_pandas()
        >>> frame.loc[(2, 0)].index[:4].tolist()
        ['arrives', 'gate', 'inputs', 'cancellation']
        """
        pandas = optional("pandas", "to_pandas", package="pandas")
        frame: DataFrame = pandas.DataFrame(self.to_dict()).set_index(["layer", "neuron"])
        return frame

    def check(
        self,
        finding: int | str = 0,
        *,
        steps: int = 200,
        optimizer: OptimizerName | Optimizer | None = None,
        learning_rate: Rate | None = None,
        seed: Any = 0,
    ) -> Check:
        """Test a finding: predict what its suggestion does to the speed of learning, and do it.

        The suggested change is made on copies of network, x and y, and both are trained with all
        examples at once. The prediction is the same training of the linearised networks: z^L is
        replaced by its first-order expansion z^L(θ₀) + J (θ - θ₀) about the start.

        Parameters
        ----------
        finding : int or str, default 0
            The index of a finding, or its kind.
        steps : int, default 200
            The number of steps.
        optimizer : str or Optimizer, optional
            The optimizer of both trainings. Default: that of the report, or SGD if it has none.
        learning_rate : float or schedule, optional
            The learning rate of an optimizer given by name or omitted.
        seed : None, int, Generator, BitGenerator or SeedSequence, default 0
            Draws new initial weights.

        Returns
        -------
        Check
            Prediction and outcome; print it to see them.

        Raises
        ------
        ValueError
            There is no such finding, or an argument is out of range.
        TypeError
            An argument has the wrong type.

        References
        ----------
        Lee et al., *Wide neural networks of any depth evolve as linear models under gradient
        descent*, 2019.

        Examples
        --------
        >>> import bpfast, numpy as np
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal((200, 4))
        >>> net = bpfast.Network([4, 8, 1], cost="cross_entropy", seed=0)
        >>> net.biases[0][:] = 12
        >>> report = bpfast.inside.explain(net, x, x[:, 0] > 0, learning_rate=0.01)
        >>> report.check().confirmed
        True
        """
        return check(
            self._facts,
            chosen(self._findings, finding),
            steps=steps,
            optimizer=optimizer,
            learning_rate=learning_rate,
            seed=seed,
        )

    def __str__(self) -> str:
        """The report as text, for a terminal."""
        parts = [self._title()]
        if not self._findings:
            parts.append(self._no_finding())
        parts += [f"{k + 1}. {finding}" for k, finding in enumerate(self._findings)]
        parts.append(_tables.text(*layer_table(self._facts, self.layer_medians)))
        slow = neuron_table(self.rows)
        if slow[1]:
            parts.append(f"{self._of_neurons()}\n{_tables.text(*slow)}")
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        findings = [
            [str(k + 1), f.title, "" if f.layer is None else str(f.layer), f.equation, f.cause,
             f.suggestion]
            for k, f in enumerate(self._findings)
        ]  # fmt: skip
        head = ["", "cause", "layer", "equation", "why", "try"]
        title = self._title() if findings else f"{self._title()}: {self._no_finding()}"
        tables = [_tables.html(title, head, findings)]
        layers = layer_table(self._facts, self.layer_medians)
        tables.append(_tables.html("factors, medians by layer", *layers))
        head, rows = neuron_table(self.rows)
        if rows:
            tables.append(_tables.html(self._of_neurons(), head, rows))
        return "".join(tables)

    def __repr__(self) -> str:
        sizes = "-".join(map(str, self._facts.net.sizes))
        main = self.main
        if main is None:
            return f"<Report {sizes}: {self._no_finding()}>"
        where = "" if main.layer is None else f" in layer {main.layer}"
        return f"<Report {sizes}: {main.title}{where}>"

    def _title(self) -> str:
        facts = self._facts
        sizes = "-".join(map(str, facts.net.sizes))
        known = not np.isnan(facts.scale.base)
        base = f", {facts.scale.base:.4g} for the best constant answer" if known else ""
        n = len(facts.batch.x)
        return f"Report on {sizes}: {n} example{'s' * (n != 1)}, cost {facts.cost:.4g}{base}"

    def _of_neurons(self) -> str:
        """The title of the table of neurons, which every network has."""
        if self._findings:
            return "slowest neurons, each factor as a multiple of the median of its layer"
        return "for information, no fault: the smallest factors, as multiples of the layer's median"

    def _no_finding(self) -> str:
        if self._facts.has_learned:
            return "the examples are learned"
        return "no cause of slow learning found"


Report.__module__ = "bpfast.inside"  # the public module
