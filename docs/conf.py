"""Sphinx: the site from docs/*.md, the docstrings of the wheel, the gallery and the notebooks.

The site of each version has its own folder, so that those of other versions stay: `make docs`
builds into docs/_build/html/VERSION, and docs/_build/html/index.html leads to the version built
last.
"""

import json
import shutil
from importlib.metadata import version as installed
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"

project = "bpfast"
author = "the bpfast authors"
project_copyright = "2026, the bpfast authors"
release = version = installed("bpfast")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "**/sg_execution_times.rst", "gallery/*.ipynb", "gallery/*.py"]

# A reference to a function, method or page that is not there fails the build; the words of a
# docstring's types ("ndarray, shape (n, n_L)") are not references.
nitpicky = True
nitpick_ignore_regex = [("py:class", ".*"), ("py:exc", "NotFittedError")]  # of scikit-learn

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the notebooks have their results

# MathJax, with its fonts, is a part of the site: formulas need no network.
MATHJAX = "_static/mathjax"
mathjax_path = "mathjax/MathJax.js?config=TeX-AMS-MML_HTMLorMML-full"
mathjax2_config = {
    "HTML-CSS": {"availableFonts": [], "webFont": "STIX-Web", "imageFont": None},
    "showMathMenu": False,
    "tex2jax": {"processClass": "tex2jax_process|mathjax_process|math|output_area"},
}

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings tell types, shapes and dtypes
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = ["Formula", "Shapes", "Contract", "Source"]

sphinx_gallery_conf = {
    "examples_dirs": str(EXAMPLES / "gallery"),
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "download_all_examples": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "show_memory": False,
    "capture_repr": (),
    "reset_modules": ("matplotlib",),
    "abort_on_example_error": True,
}

html_theme = "pydata_sphinx_theme"
html_title = f"bpfast {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options: dict[str, Any] = {
    "logo": {"text": "bpfast"},
    "github_url": "https://github.com/bpfast/bpfast",
    "navbar_end": ["version-switcher", "theme-switcher", "navbar-icon-links"],
    "switcher": {"json_url": "../versions.json", "version_match": release},
    "check_switcher": False,  # it is written when the build ends
    "show_nav_level": 1,
    "show_prev_next": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars: dict[str, list[str]] = {"index": []}


def copy_notebooks() -> None:
    """Copy the notebooks to where Sphinx reads its pages, and remove an old gallery."""
    shutil.rmtree(HERE / "gallery", ignore_errors=True)
    folder = HERE / "notebooks"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path in (EXAMPLES / "notebooks").glob("*.ipynb"):
        shutil.copy(path, folder)


def add_shared_files(app: Any, error: Exception | None) -> None:
    """Add MathJax to the site, and beside it what leads from version to version."""
    if error is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    spec = find_spec("jupyter_server_mathjax")
    if spec is None or spec.origin is None:
        raise ImportError("MathJax is missing: pip install --no-deps jupyter_server_mathjax")
    shutil.copytree(Path(spec.origin).parent / "static", site / MATHJAX, dirs_exist_ok=True)
    versions = sorted(path.parent.name for path in site.parent.glob("*/index.html"))
    entries = [{"version": name, "url": f"../{name}/index.html"} for name in versions]
    (site.parent / "versions.json").write_text(json.dumps(entries, indent=2), encoding="utf-8")
    target = f"{site.name}/index.html"
    page = (
        '<!doctype html><meta charset="utf-8"><title>bpfast</title>'
        f'<meta http-equiv="refresh" content="0; url={target}"><a href="{target}">bpfast</a>\n'
    )
    (site.parent / "index.html").write_text(page, encoding="utf-8")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    copy_notebooks()
    app.connect("build-finished", add_shared_files)
