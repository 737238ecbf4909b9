"""Validation of the arguments of `fit`, and the objects made from them."""
