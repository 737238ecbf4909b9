"""The plain text around the tables: machine, versions, how it was measured."""

from typing import Any

from benches.cases.truth import RELU_FLOAT32, TOLERANCES
from benches.machine import levels
from benches.pages.tables import MARK, figure, many, table
from benches.processes.clock import SAMPLE

Result = dict[str, Any]

# With a fiftieth of the CPUs taken, a library whose threads wait for each other loses more than its
# quartiles show.
DISTURBED = 0.02
LACKS = {"gradient": "gradients", "forward": "forward passes", "sparse": "sparse x"}


def place(results: list[Result]) -> str:
    """On what, and when, in a line."""
    found, when = results[0]["machine"], results[0]["when"]
    levels_ = " and ".join(result["level"] for result in results)
    return (
        f"This run: {found['processor']}, {many(found['cpus'], 'CPU')}, at the SIMD "
        f"level{'s' if len(results) > 1 else ''} {levels_}; {when}.\n\n"
    )


def machine(result: Result) -> str:
    """What the run was made on."""
    found = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(found["versions"].items()))
    system = ", ".join(filter(None, (found["distribution"], found["system"])))
    return (
        f"- Processor: {found['processor']}, {many(found['cpus'], 'CPU')} for this process; its "
        f"widest SIMD level is {found['widest']}.\n"
        f"- System: {system}.\n"
        f"- Python {found['python']}; {versions}; NumPy's BLAS is {found['blas']}.\n"
    )


def when(result: Result) -> str:
    """When the run of a level was made, and whether it had the machine alone."""
    others = result["machine"]["others"]
    share = "an unknown part" if others is None else f"{others:.1%}"
    disturbed = " (a disturbed run: it is to be made again)" if (others or 0) > DISTURBED else ""
    return (
        f"Run of {result['when']}, {result['minutes']:.0f} minutes. Other processes took {share} "
        f"of the CPUs' time meanwhile{disturbed}.\n"
    )


def peak(result: Result) -> str:
    """The machine's FMA peak, or why it is not known."""
    if not result["peak"]:
        why = result["peak_missing"] or "it was not measured"
        return f"The machine's FMA peak is not known ({why}), so fractions of it are left out.\n"
    body = []
    for dtype, rates in result["peak"].items():
        for threads, rate in rates.items():
            low, high = result["peak_spread"][dtype][threads]
            cells = [f"{value / 1e9:,.1f}" for value in (rate, low, high)]
            body.append([dtype, threads, *cells])
    return (
        "The machine's FMA peak: a loop of independent fused multiply-adds, one a thread, measured "
        "before the cases and after each. The median is what fractions refer to.\n\n"
        + table(["dtype", "threads", "GFLOP/s, median", "lowest", "highest"], body)
    )


def method(result: Result) -> str:
    """How the times come about."""
    rounds = min(result["rounds"], *(row["samples"] for row in result["times"]))
    return (
        "Every peer runs in a process of its own for each number of threads; k threads means that "
        "the process may use k CPUs (where the system can tell it so: one thread is one CPU) and "
        "that every thread count it reads from the environment is k. On each case a peer first "
        "computes the gradient and the output, which are compared with the equations in float64; "
        f"one that is off by more than {TOLERANCES['float32']:.0e} of the norm in float32 "
        f"({RELU_FLOAT32:.0e} where a relu may fall to either side of 0), "
        f"{TOLERANCES['float64']:.0e} in float64, is not timed.\n\n"
        f"Then come rounds, {rounds} or more for a case: each runs every peer, call and number of "
        "threads once, in shuffled order, when the threads of the process before have gone to "
        "sleep, and after untimed calls. A sample is the mean of as many calls as last "
        f"{SAMPLE * 1e3:.0f} ms, or of one. Tables show the median of the "
        "samples in microseconds, and ± half the distance between their quartiles.\n\n"
        "All networks have an identity output and quadratic cost, the one pair that every peer "
        "has. Operations are counted from the equations: 2·n·(3·Σ n_(l-1) n_l − n_1 n_2) for a "
        "gradient, 2·n·Σ n_(l-1) n_l for forward; activations are not counted. A row of a sparse x "
        "counts its stored elements for n_1.\n"
    )


def cases(result: Result) -> str:
    """The cases."""
    body = [
        [
            case["name"],
            "-".join(map(str, case["sizes"])),
            f"{case['stored']} a row" if case["stored"] else "dense",
            f"{case['batch']:,}",
            case["dtype"],
            case["activation"],
            f"{case['weights']:,}",
            *(
                figure(case["flops"][call] / 1e6) if call in case["calls"] else "–"
                for call in ("gradient", "forward")
            ),
        ]
        for case in result["cases"]
    ]
    heads = ["case", "sizes", "x", "n", "dtype", "hidden", "weights"]
    return table([*heads, "MFLOP, gradient", "MFLOP, forward"], body)


def peers(result: Result) -> str:
    """What each peer's code does, and what it has no way for."""
    lines = []
    for peer in result["peers"].values():
        lacks = ", ".join(f"{LACKS[name]} ({why})" for name, why in peer["lacks"].items())
        text = f"{peer['about']} Left out: {lacks}." if lacks else peer["about"]
        lines.append(f"- **{peer['title']}**: {text}\n")
    return "".join(lines)


def unlimited(result: Result) -> str:
    """The peers that nothing holds to the run's SIMD level."""
    return " and ".join(peer["title"] for peer in result["peers"].values() if peer["unlimited"])


def mark(result: Result) -> str:
    """What the mark beside such a peer means."""
    return (
        f"{MARK.strip()} with its {result['machine']['widest']} kernels, and so not among those "
        "that bpfast is measured against."
    )


def kernels(result: Result) -> str:
    """The kernels of each peer that can be asked, and what holds them to the run's level."""
    level, widest = result["level"], result["machine"]["widest"]
    if level == widest:
        unset = "Variables of the environment that name or limit a library's kernels are unset"
        parts = [f"{unset} for every peer."]
    else:
        held = ", ".join(f"`{name}={value}`" for name, value in result["environment"].items())
        parts = [f"This machine has {widest}; bpfast and its peers are held to {level} by {held}."]
        if levels.WITHOUT_YNNPACK in result["environment"]["XLA_FLAGS"]:
            parts.append(
                "YNNPACK, from which XLA takes products, chooses kernels by the CPU alone: it is "
                f"off, and the products are XLA's and Eigen's. On a machine without {widest}, JAX "
                "has YNNPACK."
            )
        if unlimited(result):
            parts.append(f"Nothing holds {unlimited(result)} to a level: {mark(result)}")
    lines = [
        f"- {result['peers'][peer]['title']}: {'; '.join(found)}.\n"
        for peer, found in result["kernels"].items()
    ]
    if lines:
        parts.append("The kernels in use, by each library's own account:\n\n")
    return "".join([" ".join(parts), *lines])


def left_out(result: Result) -> str:
    """Who was not timed, and why."""
    lines = dict.fromkeys(
        f"- {result['peers'][row['peer']]['title']}, {many(row['threads'], 'thread')}, "
        f"{row['case']}: {row['why']}\n"
        for row in result["left_out"]
    )
    return "".join(["Not timed:\n\n", *lines, "\n"]) if lines else ""
