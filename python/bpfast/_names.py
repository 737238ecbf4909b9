"""Names as arguments: what is said of one that is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def unknown_name(
    argument: str, got: object, valid: Iterable[str], what: str = "name"
) -> ValueError:
    """The error of a name that is none of the valid ones, with the nearest of them.

    Examples
    --------
    >>> unknown_name("optimizer", "adm", ("sgd", "adam"))
    ValueError("optimizer: unknown name 'adm'; did you mean 'adam'? valid: 'sgd', 'adam'")
    >>> unknown_name("config", "zzz", ("sgd", "adam"), "kind")
    ValueError("config: unknown kind 'zzz'; valid: 'sgd', 'adam'")
    """
    import difflib  # 3 ms that only a wrong name is worth

    known = list(valid)
    near = difflib.get_close_matches(got.lower(), known, n=1) if isinstance(got, str) else []
    hint = f"did you mean '{near[0]}'? " if near else ""
    names = ", ".join(f"'{name}'" for name in known)
    return ValueError(f"{argument}: unknown {what} {got!r}; {hint}valid: {names}")
