"""The messages for a wrong shape of y. Those of the compiled module: src/data/target_shape.rs."""

from __future__ import annotations


def rows_error(n: int, shape: tuple[int, ...]) -> ValueError:
    """The error for a y that has not one row, or label, per row of x.

    Examples
    --------
    >>> rows_error(6, (5, 2)).args[0]
    'y: expected 6 rows, one per row of x, got shape (5, 2)'
    """
    return ValueError(f"y: expected {n} rows, one per row of x, got shape {shape}")


def shape_error(expected: tuple[int, ...], shape: tuple[int, ...]) -> ValueError:
    """The error for a y of another shape.

    Examples
    --------
    >>> shape_error((6, 3), (6, 2)).args[0]
    'y: expected shape (6, 3), got (6, 2)'
    """
    return ValueError(f"y: expected shape {expected}, got {shape}")


def outputs_error(outputs: tuple[int, ...], shape: tuple[int, ...]) -> ValueError:
    """The error for a y that has neither the shape of the outputs nor that of labels.

    Examples
    --------
    >>> outputs_error((6, 3), (6, 2)).args[0]
    'y: expected shape (6, 3), or labels, got (6, 2)'
    """
    return ValueError(f"y: expected shape {outputs}, or labels, got {shape}")
