"""Does `bpfast.inside.explain` name a planted fault first? `python -m benches.planted`.

The thresholds were chosen with the cases of benches/planted/cases.py in sight; those of
benches/planted/variants.py have other sizes, activations, data and seeds. With --check the
suggestion of each is tried, too, and predictions are compared with what was measured. --grid tries
each kind of fault in many networks, and many healthy ones; --part takes every k-th of them.
"""

import argparse
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import bpfast
from benches.planted import cases, grid, variants
from benches.planted.case import Case, Setup
from benches.planted.predictions import summary
from bpfast.inside import Check


def tell(title: str, chosen: Sequence[Case], with_check: bool) -> list[Check]:
    """Print a row for each case. Returns the checks."""
    head = ["case", "planted", "named first", "also named", "seconds", "gradients", ""]
    head += ["predicted speed", "measured speed", "confirmed"] if with_check else []
    print(f"\n## {title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    right, checks = 0, []
    for case in chosen:
        setup = case.make()
        report = bpfast.inside.explain(setup.net, setup.x, setup.y, **setup.options)
        seconds = shortest(3, bpfast.inside.explain, setup.net, setup.x, setup.y, **setup.options)
        found = [finding.kind for finding in report.findings]
        main = report.main
        is_right = (found[0] if found else "") == case.kind
        if is_right and main is not None and case.because:
            is_right = main.because == case.because
        right += is_right
        row = [case.title, case.kind or "nothing", found[0] if found else "nothing"]
        row += [", ".join(found[1:]), f"{seconds:.3f}", f"{seconds / gradient(setup):.0f}"]
        row += ["" if is_right else "**wrong**"]
        if with_check and found:
            check = report.check()
            checks.append(check)
            row += [f"{speed(check.predicted_before)} → {speed(check.predicted_after)}"]
            row += [f"{speed(check.before)} → {speed(check.after)}"]
            row += ["yes" if check.confirmed else "no"]
        print(f"| {' | '.join(row)} |", flush=True)
    print(f"\n{right} of {len(chosen)}")
    return checks


def gradient(setup: Setup) -> float:
    """The seconds that a gradient of all examples takes, in float64 as in `explain`."""
    return shortest(5, setup.net.astype("float64").backprop, setup.x, setup.y)


def shortest(count: int, call: Callable[..., Any], *args: Any, **options: Any) -> float:
    """The seconds of the fastest of some calls."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        call(*args, **options)
        times.append(time.perf_counter() - start)
    return min(times)


def speed(value: float) -> str:
    """A speed as the page shows it."""
    return "–" if math.isnan(value) else "rises" if math.isinf(value) else f"{value:.2g}"


def count(title: str, chosen: Iterable[Case], with_check: bool) -> None:
    """Print how many of each kind were named first, and a row for each that was not."""
    checks = []
    right, all_of = Counter[str](), Counter[str]()
    print(f"\n## {title}\n")
    for case in chosen:
        setup = case.make()
        report = bpfast.inside.explain(setup.net, setup.x, setup.y, **setup.options)
        kind = "" if report.main is None else report.main.kind
        all_of[case.kind] += 1
        right[case.kind] += kind == case.kind
        if kind != case.kind:
            print(f"- {case.kind or 'nothing'}: {case.title}: {kind or 'nothing'}", flush=True)
        if with_check and report.findings:
            checks.append(report.check())
    print("\n| planted | named first |\n|---|---|")
    for kind in all_of:
        print(f"| {kind or 'nothing'} | {right[kind]} of {all_of[kind]} |")
    print(f"\n{right.total()} of {all_of.total()}")
    if checks:
        print(f"\n{summary(checks)}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="try each suggestion, too")
    parser.add_argument("--only", choices=["cases", "variants"])
    parser.add_argument("--grid", action="store_true", help="many networks instead")
    parser.add_argument("--part", type=int, default=1, help="of the grid, every k-th network")
    options = parser.parse_args()
    if options.grid:
        for title, networks in (("Planted", grid.planted()), ("Healthy", grid.healthy())):
            count(f"{title}, grid", islice(networks, 0, None, options.part), options.check)
        return
    checks = []
    if options.only != "variants":
        checks += tell("Planted", cases.PLANTED, options.check)
        tell("Healthy", cases.HEALTHY, options.check)
    if options.only != "cases":
        checks += tell("Planted, variants", variants.PLANTED, options.check)
        tell("Healthy, variants", variants.HEALTHY, options.check)
    if checks:
        print(f"\n{summary(checks)}")


if __name__ == "__main__":
    main()
