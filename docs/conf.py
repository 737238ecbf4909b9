"""Sphinx: the manual from docs/*.md and from the docstrings of the installed wheel."""

from importlib.metadata import version as installed

project = "bpfast"
author = "the bpfast authors"
project_copyright = "2026, the bpfast authors"
release = version = installed("bpfast")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build"]

# A reference to a function, method or page that is not there fails the build; the words of a
# docstring's types ("ndarray, shape (n, n_L)") are not references.
nitpicky = True
nitpick_ignore_regex = [("py:class", ".*")]

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings tell types, shapes and dtypes
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = ["Formula", "Shapes", "Contract", "Source"]

html_theme = "furo"
html_title = f"bpfast {release}"
