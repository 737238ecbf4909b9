"""Write examples/notebooks/NAME.ipynb from examples/NAME.py, and run it.

`make notebooks` calls it. The docstring and the cells `# %% [markdown]` become text, the cells
`# %%` become code. A test compares the cells of the notebook with the program.
"""

import re
import sys
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[1] / "examples"
# The notebook is in a folder of its own; the modules of the examples are in the one above.
SETUP = 'import sys\n\nsys.path.insert(0, "..")'
MARK = re.compile(r"^# %%(.*)\n", re.MULTILINE)


def cells(program: str) -> list[tuple[str, str]]:
    """The cells of a program: "markdown" or "code", and the text of each."""
    docstring, *parts = MARK.split(program)
    title, text = docstring.strip().strip('"').strip().split("\n\n", 1)
    found = [("markdown", f"# {' '.join(title.split())}\n\n{text}"), ("code", SETUP)]
    for kind, part in zip(parts[::2], parts[1::2], strict=True):
        if "markdown" in kind:
            found.append(("markdown", re.sub(r"^# ?", "", part.strip(), flags=re.MULTILINE)))
        else:
            found.append(("code", part.strip()))
    return found


def build(program: Path, notebook: Path) -> None:
    """Write the notebook of a program, with what its cells print and show."""
    import nbformat
    from nbclient import NotebookClient

    new: Any = nbformat.v4
    made = {"markdown": new.new_markdown_cell, "code": new.new_code_cell}
    found = cells(program.read_text(encoding="utf-8"))
    # The ids are numbers, so that a notebook that did not change is the same file.
    content = new.new_notebook(
        cells=[made[kind](text, id=f"cell-{k}") for k, (kind, text) in enumerate(found)]
    )
    content.metadata["kernelspec"] = {
        "name": "python3", "display_name": "Python 3", "language": "python",
    }  # fmt: skip
    client = NotebookClient(
        content,
        timeout=1200,
        record_timing=False,
        resources={"metadata": {"path": notebook.parent}},
    )
    client.execute()
    content.metadata["language_info"] = {"name": "python"}  # without the version of this machine
    notebook.parent.mkdir(exist_ok=True)
    nbformat.write(content, notebook)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        build(EXAMPLES / f"{name}.py", EXAMPLES / "notebooks" / f"{name}.ipynb")
