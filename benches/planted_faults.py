"""Does `bpfast.inside.explain` name a planted fault first? `python -m benches.planted_faults`.

The thresholds were chosen with the cases of benches/planted/cases.py in sight; those of
benches/planted/variants.py have other sizes, activations, data and seeds. With --check the
suggestion of each is tried, too. --grid tries each kind of fault in many networks, and many healthy
ones.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Sequence

import bpfast
from benches.planted import cases, grid, variants
from benches.planted.case import Case


def tell(title: str, chosen: Sequence[Case], with_check: bool) -> int:
    """Print a row for each case. Returns how many were right."""
    head = ["case", "planted", "named first", "also named", "seconds", ""]
    head += ["predicted speed", "measured speed", "confirmed"] if with_check else []
    print(f"\n## {title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    right = 0
    for case in chosen:
        setup = case.make()
        start = time.perf_counter()
        report = bpfast.inside.explain(setup.net, setup.x, setup.y, **setup.options)
        seconds = time.perf_counter() - start
        found = [finding.kind for finding in report.findings]
        main = report.main
        is_right = (found[0] if found else "") == case.kind
        if is_right and main is not None and case.because:
            is_right = main.because == case.because
        right += is_right
        row = [case.title, case.kind or "nothing", found[0] if found else "nothing"]
        row += [", ".join(found[1:]), f"{seconds:.2f}", "" if is_right else "**wrong**"]
        if with_check and found:
            check = report.check()
            row += [f"{check.predicted_before:.2g} → {check.predicted_after:.2g}"]
            row += [f"{check.before:.2g} → {check.after:.2g}", "yes" if check.confirmed else "no"]
        print(f"| {' | '.join(row)} |", flush=True)
    print(f"\n{right} of {len(chosen)}")
    return right


def count(title: str, chosen: Iterable[Case]) -> None:
    """Print how many of each kind were named first, and a row for each that was not."""
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
    print("\n| planted | named first |\n|---|---|")
    for kind in all_of:
        print(f"| {kind or 'nothing'} | {right[kind]} of {all_of[kind]} |")
    print(f"\n{right.total()} of {all_of.total()}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="try each suggestion, too")
    parser.add_argument("--only", choices=["cases", "variants"])
    parser.add_argument("--grid", action="store_true", help="many networks instead")
    options = parser.parse_args()
    if options.grid:
        count("Planted, grid", grid.planted())
        count("Healthy, grid", grid.healthy())
        return
    if options.only != "variants":
        tell("Planted", cases.PLANTED, options.check)
        tell("Healthy", cases.HEALTHY, options.check)
    if options.only != "cases":
        tell("Planted, variants", variants.PLANTED, options.check)
        tell("Healthy, variants", variants.HEALTHY, options.check)


if __name__ == "__main__":
    main()
