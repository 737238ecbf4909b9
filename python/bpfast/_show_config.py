"""What this installation is: version, SIMD level, threads, build."""

from typing import Literal, overload

from bpfast._core import build_config


@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...
@overload
def show_config(mode: Literal["dicts"]) -> dict[str, str | int]: ...


def show_config(mode: str = "stdout") -> dict[str, str | int] | None:
    """Tell version, SIMD level, number of threads and build; ``python -m bpfast`` prints it too.

    Parameters
    ----------
    mode : {"stdout", "dicts"}, default "stdout"
        Whether to print or to return a dictionary, as in `numpy.show_config`.

    Returns
    -------
    dict or None
        With the keys version, simd, threads and build.

    Raises
    ------
    ValueError
        Another mode; ``BPFAST_NUM_THREADS`` is set to something that is no positive integer, or
        ``BPFAST_SIMD`` to a level that this machine lacks.

    Examples
    --------
    >>> import bpfast
    >>> sorted(bpfast.show_config("dicts"))
    ['build', 'simd', 'threads', 'version']
    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f"mode: expected 'stdout' or 'dicts', got {mode!r}")
    config = build_config()
    if mode == "dicts":
        return config
    for name, value in {"bpfast": config["version"], **config}.items():
        if name != "version":
            print(f"{name:8} {value}")
    return None
