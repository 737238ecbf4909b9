"""The histories of several networks as one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpfast._optional import optional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame

    from bpfast.history._history import History


def table(histories: Sequence[History | None]) -> DataFrame:
    """A row per network and epoch, as `Ensemble.to_pandas` describes."""
    pandas = optional("pandas", "to_pandas", package="pandas")
    found = {k: history for k, history in enumerate(histories) if history is not None}
    if not found:
        raise ValueError("nets: expected a network with a history, got none")
    # pandas would derive the dtypes of the columns from the empty ones too.
    with_rows = {k: history for k, history in found.items() if len(history)}
    tables = {k: history.to_pandas() for k, history in (with_rows or found).items()}
    joined: DataFrame = pandas.concat(tables, names=["net", "epoch"])
    return joined
