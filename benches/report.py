"""Make docs/performance.md and its plots from what `make bench` left: `python -m benches.report`.

A machine without AVX-512 has a page of its own, such as docs/performance_avx2.md.
Reads compare-LEVEL.json, fit-, epoch- and kernels-; what is not there is left out, and said so.
Prints the summary. A quick or partial run makes its page beside the figures, and leaves docs as it
is.
"""

import argparse
import json
import re
import shutil
import textwrap
from pathlib import Path
from typing import Any

from benches import epoch, fit
from benches.machine import levels
from benches.pages import goals, kernels, page, prose, summary
from benches.processes.workers import ROOT

Result = dict[str, Any]

# The page of a machine, by its widest SIMD level, and its title.
PAGES = {
    "avx512": ("performance", "Performance"),
    "avx2": ("performance_avx2", "Performance with AVX2"),
    "neon": ("performance_neon", "Performance with NEON"),
    "baseline": ("performance_baseline", "Performance without vector instructions"),
}
INTRODUCTION = """\
# {title}

This page compares the times of bpfast with those of NumPy, scikit-learn and frameworks, and with
the peak of the machine. `make bench` measures them and writes the page. Figures of other machines
differ{others}.

```sh
make bench                     # with JAX, NumPy, ONNX Runtime and scikit-learn; under 20 minutes
make bench PEERS="torch"       # installs more libraries first: torch, tensorflow
make bench-quick               # the small cases in a few rounds: under 3 minutes
make bench ARGS="--rounds 41"  # options: .venv/bin/python -m benches.compare --help
```

The programs are in `benches/`. They write each figure with its quartiles to `target/bench/`, as
JSON.

"""
SUMMARY = """\
Each figure is the time of a library divided by the time of bpfast: the geometric mean over the
cases, at each SIMD level of the machine. "Fastest peer" uses, for each case, the library that is
fastest on it. The last column lists the cases in which that library is faster than bpfast by more
than 2 %, with its time divided by that of bpfast.

"""
GOALS = """\
The goals of bpfast, and the figures of this run. Figures that miss their goal are in bold. FMA peak
is the speed of a loop of fused multiply-adds on registers, at the same SIMD level and number of
threads. "Smallest lead" is the lowest of the ratios to the fastest peer, with its case.

"""


CODE = re.compile("`[^`]*`")
MISSING = "Not measured in this run; `make bench` measures them.\n"


def read(path: Path) -> Any:
    """The JSON of a file; None where it is not there."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def read_all(folder: Path, name: str) -> list[Any]:
    """The results of a program, those of the widest SIMD level first."""
    found = (read(folder / f"{name}-{level}.json") for level in levels.ALL)
    return [result for result in found if result is not None]


def by_level(results: list[Result], level: str) -> Result | None:
    """The one of a level."""
    return next((result for result in results if result["level"] == level), None)


def introduction(folder: Path, widest: str) -> str:
    """The head of a page, with links to the pages of other machines in the folder."""
    name, title = PAGES[widest]
    links = [
        f"[{other_title}]({other}.md)"
        for other, other_title in PAGES.values()
        if other != name and (folder / f"{other}.md").exists()
    ]
    return INTRODUCTION.format(title=title, others=f": {', '.join(links)}" if links else "")


def wrapped(text: str) -> str:
    """The text with long lines of prose wrapped; tables, pictures, headings and code stay."""
    lines, is_code = [], False
    for line in text.split("\n"):
        is_code ^= line.startswith("```")
        if is_code or line.startswith(("|", "!", "#")):
            lines.append(line)
            continue
        indent = "  " if line.startswith("- ") else ""
        wrap = textwrap.TextWrapper(
            110, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        held = CODE.sub(lambda code: code[0].replace(" ", "\0"), line)  # code stays on a line
        lines += [part.replace("\0", " ") for part in wrap.wrap(held)] or [""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--input", type=Path, default=Path("target/bench"), metavar="DIR", help="(target/bench)")
    add("--output", type=Path, metavar="DIR", help="(docs, if the run was a whole one)")
    args = parser.parse_args()
    results = read_all(args.input, "compare")
    if not results:
        parser.error(f"--input: {args.input / 'compare-*.json'} is not there: make bench makes it")
    complete = all(result["complete"] for result in results)
    folder = args.output or (ROOT / "docs" if complete else args.input)
    folder.mkdir(parents=True, exist_ok=True)
    widest = results[0]["machine"]["widest"]
    name, _ = PAGES[widest]
    shutil.rmtree(folder / name, ignore_errors=True)  # plots of levels not in this run
    fits, epochs = read_all(args.input, "fit"), read_all(args.input, "epoch")

    mark = next((f"{prose.mark(r)}\n\n" for r in results if prose.unlimited(r)), "")
    short = f"## Summary\n\n{SUMMARY}{summary.markdown(results)}\n{mark}"
    reached = f"## Goals\n\n{GOALS}{goals.markdown(results, fits, epochs)}\n"
    parts = [
        introduction(folder, widest),
        prose.place(results),
        short,
        reached,
        page.method(results[0]),
    ]
    for result in results:
        level = result["level"]
        links = page.plots(result, folder / name / level, folder)
        missing = "" if links else f"There are no plots: {page.NO_PLOTS}.\n\n"
        steps, trained = by_level(fits, level), by_level(epochs, level)
        products = read(args.input / f"kernels-{level}.json")
        parts += [
            f"## {level}\n\n{missing}{page.comparison(result, links)}",
            f"### Steps of fit\n\n{fit.markdown(steps) if steps else MISSING}\n",
            f"### Epochs\n\n{epoch.markdown(trained) if trained else MISSING}\n",
            f"### Matrix products\n\n{kernels.markdown(products or [], level)}\n",
        ]
    text = wrapped("".join(parts)).rstrip("\n") + "\n"
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    print(f"{short}{reached}{folder / name}.md")
    if folder == args.input:
        print(f"not a whole run: docs/{name}.md is left as it is")


if __name__ == "__main__":
    main()
