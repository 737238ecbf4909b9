"""Elementwise functions of ONNX as expressions, in a normal form that can be compared.

An expression is "z", a number, or a tuple of an operator and its arguments, where attributes are
arguments too: ``("Mul", "z", ("Sigmoid", "z"))``, ``("LeakyRelu", "z", 0.2)``.
"""

from __future__ import annotations

import math
from typing import TypeAlias

Expression: TypeAlias = "str | float | tuple[Expression, ...]"

COMMUTATIVE = ("Add", "Mul", "Max", "Min")
# A form has this name where the expression has a number that is the parameter of the activation.
PARAMETER = "parameter"


def normal(expression: Expression) -> Expression:
    """The normal form: sums and products flat, with one number in front, and sorted.

    Examples
    --------
    >>> normal(("Mul", ("Sigmoid", "z"), ("Mul", 2.0, ("Div", "z", 2.0))))
    ('Mul', 1.0, ('Sigmoid', 'z'), 'z')
    """
    if not isinstance(expression, tuple):
        return expression
    op, *args = expression[0], *map(normal, expression[1:])
    match op, args:
        case "Neg", [e]:
            return normal(("Mul", -1.0, e))
        case "Sub", [e, f]:
            return normal(("Add", e, ("Mul", -1.0, f)))
        case "Div", [e, float(c)] if c:
            return normal(("Mul", e, 1 / c))
        case "Pow", [e, float(c)] if c in (2, 3):
            return normal(("Mul", *[e] * int(c)))
        case "Max", [e, 0.0] | [0.0, e]:
            return ("Relu", e)
        case "Clip", [e, 0.0, float(c)] if c >= 3e38:
            return ("Relu", e)
        case "Add" | "Mul", _:
            return _flat(str(op), args)
    if op in COMMUTATIVE:
        args.sort(key=_shape)
    return (op, *args)


def unshifted(expression: Expression) -> tuple[Expression, float] | None:
    """An expression of z + c as one of z, and c; None if z occurs in another way.

    Examples
    --------
    >>> unshifted(("Relu", ("Add", "z", 0.5)))
    (('Relu', 'z'), 0.5)
    >>> unshifted(("Mul", "z", ("Add", "z", 0.5)))
    """
    shifts: set[float | None] = set()

    def walk(part: Expression) -> Expression:
        match part:
            case ("Add", "z", float(c)) | ("Add", float(c), "z"):
                shifts.add(c)
                return "z"
            case tuple():
                return (part[0], *map(walk, part[1:]))
            case "z":
                shifts.add(None)
        return part

    found = walk(expression)
    c = shifts.pop() if len(shifts) == 1 else None
    return None if c is None else (found, c)


def _flat(op: str, args: list[Expression]) -> Expression:
    neutral = float(op == "Mul")
    number: float | str = neutral
    terms: list[Expression] = []
    for arg in args:
        parts = arg[1:] if isinstance(arg, tuple) and arg[0] == op else (arg,)
        for part in parts:
            if part == PARAMETER:
                number = PARAMETER
            elif isinstance(part, float) and isinstance(number, float):
                number = number * part if op == "Mul" else number + part
            else:
                terms.append(part)
    if not terms:
        return number
    if len(terms) == 1 and number == neutral:
        return terms[0]
    return (op, number, *sorted(terms, key=_shape))


def _shape(expression: Expression) -> str:
    """A key to sort by, which does not depend on numbers."""
    if isinstance(expression, tuple):
        return f"({' '.join(map(_shape, expression))})"
    return "" if isinstance(expression, float) or expression == PARAMETER else expression


def parameter_of(form: Expression, expression: Expression, tolerance: float) -> float | None:
    """The number in `expression` at the place of `PARAMETER` in `form`; NaN if it has none.

    None if they differ, numbers by more than `tolerance` relative to their size. Both are normal.

    Examples
    --------
    >>> form = normal(("Mul", "z", ("Sigmoid", "z")))
    >>> parameter_of(form, normal(("Mul", ("Sigmoid", "z"), "z")), 0)
    nan
    >>> parameter_of(("Elu", "z", PARAMETER), ("Elu", "z", 0.5), 0)
    0.5
    """
    found = math.nan
    pairs: list[tuple[Expression, Expression]] = [(form, expression)]
    while pairs:
        expected, got = pairs.pop()
        if isinstance(expected, tuple):
            if not isinstance(got, tuple) or len(got) != len(expected):
                return None
            pairs += zip(expected, got, strict=True)
        elif expected == PARAMETER:
            if not isinstance(got, float) or got != got or (found == found and found != got):
                return None
            found = got
        elif isinstance(expected, float):
            if not (isinstance(got, float) and abs(got - expected) <= tolerance * abs(expected)):
                return None
        elif expected != got:
            return None
    return found
