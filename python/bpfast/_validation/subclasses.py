"""Classes whose subclasses the core would not know."""


def refuse_subclass(cls: type, instead: str) -> None:
    """For `__init_subclass__`.

    Raises
    ------
    TypeError
        `cls` is not a class of bpfast.
    """
    if not cls.__module__.startswith("bpfast."):
        bases = ", ".join(base.__name__ for base in cls.__bases__)
        raise TypeError(f"{cls.__name__}: expected no subclass of {bases}; {instead}")
