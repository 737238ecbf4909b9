"""The attributes of an estimator after a fit that is refused."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def restored_if_refused(estimator: Any) -> Iterator[None]:
    """Give an estimator its attributes back if a fit raises before its first epoch is done.

    So that, for example, `classes_` are never those of another network than `network_`.
    """
    attributes = vars(estimator)
    before = dict(attributes)
    attributes.pop("n_iter_", None)  # a fit sets it to the epochs that are done
    try:
        yield
    except BaseException:
        if not attributes.get("n_iter_"):
            attributes.clear()
            attributes.update(before)
        raise
