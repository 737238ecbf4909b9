"""Tables of a network, a history and a gradient: as text, and as HTML for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bpfast._core import Gradient
    from bpfast._network import Network

# The most rows of a history in HTML; of a longer one, the first and the last.
MAX_ROWS = 20


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
    return f"{_title(net)}\n{text(head, rows, total, aligned='<>><>')}"


def network_html(net: Network) -> str:
    """The table of a network as HTML."""
    head, rows, total = network_rows(net)
    return html(_title(net), head, [*rows, total])


def columns_html(title: str, columns: dict[str, list[float]]) -> str:
    """One row per entry of the columns; the middle of long ones is omitted."""
    names = list(columns)
    n = len(columns[names[0]])
    entries = range(n)
    if n > MAX_ROWS:
        shown: list[int | None] = [*entries[: MAX_ROWS // 2], None, *entries[-(MAX_ROWS // 2) :]]
    else:
        shown = list(entries)
    rows = [
        ["…"] * len(names) if k is None else [_cell(columns[name][k]) for name in names]
        for k in shown
    ]
    return html(title, names, rows)


def _cell(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def gradient_html(gradient: Gradient) -> str:
    """The shape and the largest absolute value of each array."""
    head = ["layer", "∂C/∂W", "max |∂C/∂W|", "∂C/∂b", "max |∂C/∂b|"]
    rows = [
        [str(k + 2), *_shape_and_size(w), *_shape_and_size(b)]
        for k, (w, b) in enumerate(zip(gradient.weights, gradient.biases, strict=True))
    ]
    return html(f"Gradient: cost {gradient.cost:.6g}, {gradient.flat.dtype}", head, rows)


def _shape_and_size(array: Any) -> tuple[str, str]:
    return ("none", "") if array is None else (str(array.shape), f"{abs(array).max():.6g}")


def text(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    total: Sequence[str] = (),
    *,
    aligned: Sequence[str] | None = None,
) -> str:
    """A table as text, with a rule below its head and above its totals, if it has any.

    `aligned` has "<" or ">" for each column; by default, columns of numbers are to the right.
    """
    columns = range(len(head))
    if aligned is None:
        aligned = [
            ">" if rows and all(_is_number(row[k]) for row in rows) else "<" for k in columns
        ]
    widths = [max(len(line[k]) for line in (head, *rows, total) if line) for k in columns]
    rule = ["-" * width for width in widths]
    lines = [head, rule, *rows, *((rule, total) if total else ())]
    return "\n".join(
        "  ".join(f"{line[k]:{aligned[k]}{widths[k]}}" for k in columns).rstrip() for line in lines
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", ""))
    except ValueError:
        return not cell
    return True


def _title(net: Network) -> str:
    cost = net.config["cost"]
    if not isinstance(cost, str):
        cost = getattr(cost, "__name__", type(cost).__name__)
    return f"{type(net).__name__}: cost {cost}, {net.dtype}"


def html(title: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table as HTML."""
    from html import escape  # its import takes 1 ms

    def row(cells: Iterable[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(row(cells, "td") for cells in rows)
    caption = f"<caption>{escape(title)}</caption>"
    return f"<table>{caption}<thead>{row(head, 'th')}</thead><tbody>{body}</tbody></table>"
