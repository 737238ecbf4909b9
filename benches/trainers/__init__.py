"""The trainers: what each of them is called, needs and does."""

from benches.trainers.registry import TRAINERS, Entry

__all__ = ["TRAINERS", "Entry"]
