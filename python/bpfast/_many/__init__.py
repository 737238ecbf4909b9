"""Several networks in one call: `fit_many`, `forward_many`, `backprop_many`, `cross_validate`.

Import submodules directly; this module has no names.
"""
