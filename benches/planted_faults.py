"""Does `bpfast.inside.explain` name a planted fault first? `python -m benches.planted_faults`.

The thresholds were chosen with the cases of benches/planted/cases.py in sight; those of
benches/planted/variants.py have other sizes, activations, data and seeds, and were not looked at.
With --check the suggestion of each is tried, too.
"""

import argparse
import time
from collections.abc import Sequence

import bpfast
from benches.planted import cases, variants
from benches.planted.case import Case


def tell(title: str, chosen: Sequence[Case], with_check: bool) -> int:
    """Print a row for each case. Returns how many were right."""
    head = ["case", "planted", "named first", "also named", "seconds", ""]
    head += ["predicted", "outcome", "confirmed"] if with_check else []
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


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="try each suggestion, too")
    parser.add_argument("--only", choices=["cases", "variants"])
    options = parser.parse_args()
    if options.only != "variants":
        tell("Planted", cases.PLANTED, options.check)
        tell("Healthy", cases.HEALTHY, options.check)
    if options.only != "cases":
        tell("Planted, variants", variants.PLANTED, options.check)
        tell("Healthy, variants", variants.HEALTHY, options.check)


if __name__ == "__main__":
    main()
