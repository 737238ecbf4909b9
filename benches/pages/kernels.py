"""The table of matrix products, from what benches/kernels/products.rs measured."""

from typing import Any

from benches.pages.tables import table

KERNELS = ("bpfast", "gemm", "matrixmultiply")


def markdown(rows: list[dict[str, Any]], level: str) -> str:
    """GFLOP/s of each product of each case at a SIMD level, the best in bold."""
    if not rows:
        return "Not measured in this run; `make bench` measures them.\n"
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
        "GFLOP/s on one thread of the products m×k times k×n of the forward pass, of BP2 (errors) "
        "and of BP4 (gradients), for the largest layer of each case and as many rows as bpfast "
        "computes at a time. The Rust crates `gemm` and `matrixmultiply` choose their kernels when "
        f"the program is built: here, those of {level}.\n\n"
        + table(["case", "product", "m×k×n", "dtype", *KERNELS], body)
    )
