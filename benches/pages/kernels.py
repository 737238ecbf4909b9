"""The table of matrix products, from what benches/kernels.rs measured."""

from typing import Any

from benches.pages.tables import table

KERNELS = ("bpfast", "gemm", "matrixmultiply")


def markdown(rows: list[dict[str, Any]]) -> str:
    """GFLOP/s of each product of each case, the best in bold."""
    if not rows:
        return "They were not measured by themselves (`make bench` does).\n"
    body = []
    for row in rows:
        best = max(row[name] for name in KERNELS if row.get(name) is not None)
        cells = [row["case"], row["product"], f"{row['m']}×{row['k']}×{row['n']}", row["dtype"]]
        for name in KERNELS:
            rate = row.get(name)
            cell = "–" if rate is None else f"{rate:,.1f}"
            cells.append(f"**{cell}**" if rate == best else cell)
        body.append(cells)
    return (
        "GFLOP/s, on one thread, of the products of each case's largest layer at the rows that a "
        "chunk of it has: m×k times k×n, as in the forward pass, in BP2 (errors) and in BP4 "
        "(gradients). `gemm` and `matrixmultiply` are the crates.\n\n"
        + table(["case", "product", "m×k×n", "dtype", *KERNELS], body)
    )
