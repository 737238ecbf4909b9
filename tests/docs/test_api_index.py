"""docs/api_index.md has every public name, with the arguments and purposes of this build."""

import pytest

import bpfast
from tools import api_index


def test_the_page_is_up_to_date():
    expected = api_index.page()
    got = api_index.PAGE.read_text(encoding="utf-8")
    assert got == expected, "write it anew: .venv/bin/python -m tools.api_index"


def test_a_public_name_without_a_group_is_an_error(monkeypatch):
    monkeypatch.setattr(bpfast, "__all__", [*bpfast.__all__, "new_name"])
    with pytest.raises(SystemExit, match=r"bpfast has no group for \['new_name'\]"):
        api_index.page()


def test_every_row_has_a_purpose():
    rows = [line for line in api_index.page().splitlines() if line.startswith("| [")]
    assert len(rows) > 100
    assert all(row.split(" | ")[-1].strip(" |") for row in rows)
