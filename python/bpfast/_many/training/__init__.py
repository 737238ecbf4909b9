"""The trainings of `fit_many`: their arguments, and their epochs in rounds.

Import submodules directly; this module has no names.
"""
