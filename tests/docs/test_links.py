"""The links of the README and of the pages lead to files and headings of this tree."""

import re

import pytest

from tests.helpers.paths import ROOT

README = ROOT / "README.md"
PAGES = [README, *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"))]
PAGES += sorted((ROOT / "docs").glob("*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
# What a link to this repository on GitHub begins with. PyPI needs whole addresses.
TREE = (
    "https://github.com/bpfast/bpfast/blob/main/",
    "https://github.com/bpfast/bpfast/tree/main/",
)
RAW = "https://raw.githubusercontent.com/bpfast/bpfast/main/"


def links(page):
    return LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))


def slugs(page):
    """The anchors of a page's headings, as GitHub makes them."""
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page):
    for link in links(page):
        path, _, anchor = link.partition("#")
        for start in (*TREE, RAW):
            if link.startswith(start):
                assert (ROOT / path.removeprefix(start)).is_file(), link
        if "://" in link or link.startswith("#bpfast."):  # a name of the API, for Sphinx
            continue
        target = page.parent / path if path else page
        assert target.is_file(), link
        assert not anchor or anchor in slugs(target), link


def test_links_of_the_readme_work_on_pypi():
    found = links(README)
    assert found
    assert all(link.startswith("https://") for link in found)


def test_pictures_of_the_readme_are_raw_files():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README.read_text(encoding="utf-8"))
    assert pictures
    assert all(picture.startswith(RAW) for picture in pictures)


def test_the_figure_has_both_themes():
    text = (ROOT / "docs/figures/network.svg").read_text(encoding="utf-8")
    assert "prefers-color-scheme:dark" in text
    assert "#0100" not in text  # a placeholder of tools/draw_network.py
