"""Names as values and as arguments: errors for unknown ones, with a suggestion."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import FunctionType

P = ParamSpec("P")
T = TypeVar("T")


def unknown_name(
    argument: str,
    got: object,
    valid: Iterable[str],
    what: str = "name",
    synonyms: Mapping[str, str] | None = None,
) -> ValueError:
    """The error of an unknown name, with a suggestion.

    The suggestion is the entry of `synonyms`, whose keys are names of other libraries in lowercase
    letters and digits, or else the nearest valid name.

    Examples
    --------
    >>> unknown_name("optimizer", "adm", ("sgd", "adam"))
    ValueError("optimizer: unknown name 'adm'; did you mean 'adam'? valid: 'sgd', 'adam'")
    >>> unknown_name("config", "zzz", ("sgd", "adam"), "kind")
    ValueError("config: unknown kind 'zzz'; valid: 'sgd', 'adam'")
    >>> unknown_name("optimizer", "G.D.", ("sgd", "adam"), synonyms={"gd": "sgd"})
    ValueError("optimizer: unknown name 'G.D.'; did you mean 'sgd'? valid: 'sgd', 'adam'")
    """
    known = list(valid)
    near = suggestion(got, known, synonyms or {})
    hint = f"did you mean {near}? " if near else ""
    return ValueError(f"{argument}: unknown {what} {got!r}; {hint}{_listed(known)}")


def one_of(argument: str, value: object, valid: Iterable[str]) -> str:
    """`value`, which is one of the names.

    Examples
    --------
    >>> one_of("at", "z", ("a", "z"))
    'z'
    >>> one_of("at", 1, ("a", "z"))
    Traceback (most recent call last):
    TypeError: at: expected a str, got int
    """
    if not isinstance(value, str):
        raise TypeError(f"{argument}: expected a str, got {type(value).__name__}")
    if value not in valid:
        raise unknown_name(argument, value, valid)
    return value


def suggestion(got: object, valid: list[str], synonyms: Mapping[str, str]) -> str | None:
    """The suggestion for `got`, as it should be written, or None.

    Examples
    --------
    >>> suggestion("lr", ["rate", "size"], {"lr": "rate"})
    "'rate'"
    """
    import difflib  # its import takes 3 ms

    if not isinstance(got, str):
        return None
    near = synonyms.get("".join(filter(str.isalnum, got)).lower())
    # Names that this function may not have, or an expression to write instead.
    words = (near or "").split(" and ")
    if near and all(map(str.isidentifier, words)) and not set(words) <= set(valid):
        near = None
    near = near or next(iter(difflib.get_close_matches(got.lower(), valid, n=1)), None)
    return repr(near) if near in valid else near


def _listed(valid: list[str]) -> str:
    return "valid: " + ", ".join(f"'{name}'" for name in valid)


def by_name(
    synonyms: Mapping[str, str], *, is_method: bool = True
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a function or method so that errors of wrong arguments have a suggestion.

    `synonyms` is as in `unknown_name`. The first argument of a method is by position.

    Examples
    --------
    >>> @by_name({"lr": "rate"})
    ... def step(self, size, *, rate=1): ...
    >>> step(None, 3, lr=2)
    Traceback (most recent call last):
    TypeError: step: unknown argument 'lr'; did you mean 'rate'?
    >>> step(None, 3, 2)
    Traceback (most recent call last):
    TypeError: step: expected all but size by name, as in rate=…, got 2 by position
    """

    def decorated(function: Callable[P, T]) -> Callable[P, T]:
        code = cast("FunctionType", function).__code__
        first = int(is_method)
        names = code.co_varnames[first : code.co_argcount + code.co_kwonlyargcount]
        owner, _, name = function.__qualname__.rpartition(".")
        title = owner if name == "__init__" else name

        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            most, count = code.co_argcount - first, len(args) - first
            refuse_arguments(title, names, most, count, kwargs, synonyms)
            return function(*args, **kwargs)

        return checked

    return decorated


def refuse_arguments(
    title: str,
    names: tuple[str, ...],
    most: int,
    count: int,
    named: Iterable[str],
    synonyms: Mapping[str, str],
) -> None:
    """Raise TypeError for more than `most` positional arguments, and for unknown keywords."""
    if count > most == len(names):
        raise TypeError(f"{title}: expected at most {most} arguments, got {count}")
    if count > most:
        expected = f"all but {', '.join(names[:most])} by name, as in {names[most]}=…"
        raise TypeError(f"{title}: expected {expected}, got {count} by position")
    for name in named:
        if name not in names:
            near = suggestion(name, list(names), synonyms)
            hint = f"did you mean {near}?" if near else _listed(list(names))
            raise TypeError(f"{title}: unknown argument {name!r}; {hint}")
