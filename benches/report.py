"""Make docs/performance.md and its plots from what `make bench` left: `python -m benches.report`.

Reads compare.json, epoch.json and kernels.json; what is not there is left out, and said so.
A quick or partial run makes its page beside the figures, and leaves docs as it is.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from benches import epoch, kernels, page
from benches.workers import ROOT

INTRODUCTION = """\
# Performance

bpfast beside NumPy, scikit-learn and frameworks, and beside the machine's own limit, measured in
one run. Everything on this page but these lines is made by a program, `make bench`, from that run:

```sh
make bench                     # with JAX, scikit-learn and NumPy
make bench PEERS="torch"       # installs others too: torch, tensorflow
make bench ARGS="--rounds 41"  # .venv/bin/python -m benches.compare --help: the options
```

Another machine gives other figures. `benches/` has the programs; `target/bench/` has each figure
with its quartiles, as JSON.

"""


def read(path: Path) -> Any:
    """The JSON of a file; None where it is not there."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--input", type=Path, default=Path("target/bench"), metavar="DIR", help="(target/bench)")
    add("--output", type=Path, metavar="DIR", help="(docs, if the run was a whole one)")
    args = parser.parse_args()
    result = read(args.input / "compare.json")
    if result is None:
        parser.error(f"--input: {args.input / 'compare.json'} is not there: make bench makes it")
    folder = args.output or (ROOT / "docs" if result["complete"] else args.input)
    epochs, products = read(args.input / "epoch.json"), read(args.input / "kernels.json")

    folder.mkdir(parents=True, exist_ok=True)
    links = page.plots(result, folder / "performance", folder)
    missing = "" if links else f"There are no plots: {page.NO_PLOTS}.\n\n"
    text = "".join(
        [
            INTRODUCTION,
            missing,
            page.comparison(result, links),
            "\n## Epochs\n\n",
            epoch.markdown(epochs) if epochs else "Epochs were not timed.\n",
            "\n## Matrix products\n\n",
            kernels.markdown(products or []),
        ]
    )
    (folder / "performance.md").write_text(text, encoding="utf-8")
    print(folder / "performance.md")
    if folder == args.input:
        print("not a whole run: docs/performance.md is left as it is")


if __name__ == "__main__":
    main()
