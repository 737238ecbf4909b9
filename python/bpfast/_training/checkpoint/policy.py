"""The checkpoint arguments of `fit`: where to write, and where to continue."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bpfast._training.checkpoint import file
from bpfast._training.checkpoint import resume as _resume
from bpfast._validation.numbers import integer
from bpfast._validation.paths import as_path, refuse_unwritable

if TYPE_CHECKING:
    from bpfast._training.loop import Training

AnyPath: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]


class CheckpointPolicy:
    """The arguments checkpoint, every and resume of a training, and the checkpoint read."""

    def __init__(
        self, checkpoint: AnyPath | None, every: int | None, resume: bool | AnyPath | None
    ) -> None:
        self._path = None if checkpoint is None else as_path("checkpoint", checkpoint)
        self._every = 1 if every is None else integer("every", every, 1)
        if every is not None and self._path is None:
            raise ValueError(f"every: expected only with checkpoint, got {every} without one")
        self._file = self._path
        if self._path is not None:
            refuse_unwritable(self._path)
            # A callback may change the working folder. Links stay links.
            self._file = os.path.abspath(self._path)  # noqa: PTH100
        self._arguments: dict[str, Any] = {}
        self._epochs = 0
        self.read = self._read(resume)

    def _read(self, resume: Any) -> file.Checkpoint | None:
        """The checkpoint to continue from, or None."""
        if resume is None or (isinstance(resume, bool | np.bool_) and not resume):
            return None
        if not isinstance(resume, bool | np.bool_):
            return file.read(as_path("resume", resume))
        if self._path is None:
            raise ValueError(
                "resume: expected a path, or True with checkpoint, got True without it"
            )
        try:
            return file.read(self._path)
        except FileNotFoundError:
            return None

    def seed(self, seed: Any) -> Any:
        """The given seed, or else that of the checkpoint."""
        return self.read.seed if seed is None and self.read is not None else seed

    def arguments_of(self, training: Training, **others: Any) -> dict[str, Any]:
        """What a training that continues from the file must have in common with this one."""
        return _resume.arguments(training, **others)

    def begin(self, training: Training, epochs: int, **others: Any) -> None:
        """Restore `training` from the checkpoint; `others` are arguments that it does not store.

        Raises
        ------
        ValueError
            The checkpoint is damaged or of a training with other arguments. Nothing is changed.
        """
        self._arguments = self.arguments_of(training, **others)
        self._epochs = epochs
        if self.read is not None:
            _resume.restore(self.read, training, self._arguments, epochs)
            # Changes of the optimizer by a callback are not arguments.
            self._arguments = self.read.arguments
            self.read = None  # frees its arrays

    def save(self, training: Training) -> None:
        """Write a checkpoint after an epoch, if one is due."""
        history = training.history
        is_last = len(history) >= self._epochs or history.stopped is not None
        if self._file is not None and (is_last or len(history) % self._every == 0):
            file.write(self._file, training, self._arguments)
