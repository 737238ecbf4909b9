"""Networks that were trained together: their predictions, their order, their file.

Import submodules directly; this module has no names.
"""
