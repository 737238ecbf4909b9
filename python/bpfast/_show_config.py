"""Properties of this installation: version, SIMD level, threads, build."""

from typing import Literal, overload

from bpfast._core import build_config


@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...
@overload
def show_config(mode: Literal["dicts"]) -> dict[str, str | int]: ...


def show_config(mode: str = "stdout") -> dict[str, str | int] | None:
    """Print version, SIMD level, number of threads and build, as ``python -m bpfast`` does.

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
        The mode is unknown, ``BPFAST_NUM_THREADS`` is not a positive integer, or ``BPFAST_SIMD`` is
        a level that this machine does not support.

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
