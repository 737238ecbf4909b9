"""Tables of a network, a history and a gradient: as text, and as HTML for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bpfast._core import Gradient
    from bpfast._network import Network
    from bpfast.history._history import History

# The most rows of a history in HTML; of a longer one, the first and the last.
ROWS = 20


def network_rows(net: Network) -> tuple[list[str], list[list[str]], list[str]]:
    """The header of a network's table, one row per layer, and the totals."""
    head = ["layer", "in", "out", "activation", "parameters"]
    rows = [
        [str(k + 2), str(layer.n_in), str(layer.n_out), layer.activation, f"{layer.n_params:,}"]
        for k, layer in enumerate(net.layers)
    ]
    total = sum(layer.n_params for layer in net.layers)
    return head, rows, ["total", "", "", "", f"{total:,}"]


def network_text(net: Network) -> str:
    """The table of a network as text with aligned columns."""
    head, rows, total = network_rows(net)
    lines = [head, *rows, total]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rule = "  ".join("-" * width for width in widths)

    def aligned(line: Sequence[str]) -> str:
        ways = ("<", ">", ">", "<", ">")
        cells = zip(line, ways, widths, strict=True)
        return "  ".join(f"{cell:{way}{width}}" for cell, way, width in cells).rstrip()

    title = f"{type(net).__name__}: cost {_cost(net)}, {net.dtype}"
    lines_of_layers = [aligned(row) for row in rows]
    return "\n".join([title, aligned(head), rule, *lines_of_layers, rule, aligned(total)])


def network_html(net: Network) -> str:
    """The table of a network as HTML."""
    head, rows, total = network_rows(net)
    title = f"{type(net).__name__}: cost {_cost(net)}, {net.dtype}"
    return _table(title, head, [*rows, total])


def history_html(history: History) -> str:
    """One row per epoch; the middle of a long history is omitted."""
    return columns_html(repr(history), history.to_dict())


def columns_html(title: str, columns: dict[str, list[float]]) -> str:
    """One row per entry of the columns; the middle of long ones is omitted."""
    names = list(columns)
    n = len(columns[names[0]])
    entries = range(n)
    if n > ROWS:
        shown: list[int | None] = [*entries[: ROWS // 2], None, *entries[-(ROWS // 2) :]]
    else:
        shown = list(entries)
    rows = [
        ["…"] * len(names) if k is None else [_cell(columns[name][k]) for name in names]
        for k in shown
    ]
    return _table(title, names, rows)


def _cell(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def gradient_html(gradient: Gradient) -> str:
    """The shape and the largest absolute value of each array."""
    head = ["layer", "∂C/∂W", "max |∂C/∂W|", "∂C/∂b", "max |∂C/∂b|"]
    rows = [
        [str(k + 2), *_shape_and_size(w), *_shape_and_size(b)]
        for k, (w, b) in enumerate(zip(gradient.weights, gradient.biases, strict=True))
    ]
    return _table(f"Gradient: cost {gradient.cost:.6g}, {gradient.flat.dtype}", head, rows)


def _shape_and_size(array: Any) -> tuple[str, str]:
    return ("none", "") if array is None else (str(array.shape), f"{abs(array).max():.6g}")


def text(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as text: columns of numbers to the right, others to the left."""
    lines = [list(head), *map(list, rows)]
    columns = range(len(head))
    widths = [max(len(line[k]) for line in lines) for k in columns]
    ways = [">" if rows and all(_is_number(row[k]) for row in rows) else "<" for k in columns]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(f"{line[k]:{ways[k]}{widths[k]}}" for k in columns).rstrip() for line in lines
    )


def html(title: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table as HTML."""
    return _table(title, head, rows)


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", ""))
    except ValueError:
        return not cell
    return True


def _cost(net: Network) -> str:
    cost = net.config["cost"]
    return cost if isinstance(cost, str) else getattr(cost, "__name__", type(cost).__name__)


def _table(title: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    from html import escape  # its import takes 1 ms

    def row(cells: Iterable[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(row(cells, "td") for cells in rows)
    caption = f"<caption>{escape(title)}</caption>"
    return f"<table>{caption}<thead>{row(head, 'th')}</thead><tbody>{body}</tbody></table>"
