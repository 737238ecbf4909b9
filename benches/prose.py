"""The plain text around the tables: machine, versions, how it was measured."""

from typing import Any

from benches.clock import SAMPLE
from benches.rounds import PAUSE
from benches.tables import figure, many, table
from benches.truth import RELU_FLOAT32, TOLERANCES

Result = dict[str, Any]

# With a fiftieth of the CPUs taken, a library whose threads wait for each other loses more than its
# quartiles show.
DISTURBED = 0.02


def machine(result: Result) -> str:
    """What the run was made on."""
    found = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(found["versions"].items()))
    others = found["others"]
    share = "an unknown part" if others is None else f"{others:.1%}"
    system = ", ".join(filter(None, (found["distribution"], found["system"])))
    return (
        f"- Processor: {found['processor']}, {many(found['cpus'], 'CPU')} for this process; "
        f"bpfast runs its {found['simd']} kernels.\n"
        f"- System: {system}.\n"
        f"- Python {found['python']}; {versions}; NumPy's BLAS is {found['blas']}.\n"
        f"- Run of {result['when']}. Other processes took {share} of the CPUs' time meanwhile"
        f"{' (a disturbed run: it is to be made again)' if (others or 0) > DISTURBED else ''}.\n"
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
        "the process may use k CPUs (where the system can tell it so) and that every thread count "
        "it reads from the environment is k. On each case a peer first computes the gradient and "
        "the output, which are compared with the equations in float64; one that is off by more "
        f"than {TOLERANCES['float32']:.0e} of the norm in float32 ({RELU_FLOAT32:.0e} where a relu "
        f"may fall to either side of 0), {TOLERANCES['float64']:.0e} in float64, is not timed.\n\n"
        f"Then come rounds, {rounds} or more for a case: each runs every peer, call and number of "
        f"threads once, in shuffled order, after a pause of {PAUSE * 1e3:.0f} ms in which the "
        "threads of the one before go to sleep, and after untimed calls. A sample is the mean of "
        f"as many calls as last {SAMPLE * 1e3:.0f} ms, or of one. Tables show the median of the "
        "samples in microseconds, and ± half the distance between their quartiles.\n\n"
        "All networks have an identity output and quadratic cost, the one pair that every peer "
        "has. Operations are counted from the equations: 2·n·(3·Σ n_(l-1) n_l − n_1 n_2) for a "
        "gradient, 2·n·Σ n_(l-1) n_l for forward; activations are not counted.\n"
    )


def cases(result: Result) -> str:
    """The cases."""
    body = [
        [
            case["name"],
            "-".join(map(str, case["sizes"])),
            f"{case['batch']:,}",
            case["dtype"],
            case["activation"],
            f"{case['weights']:,}",
            figure(case["flops"] / 1e6),
        ]
        for case in result["cases"]
    ]
    return table(["case", "sizes", "n", "dtype", "hidden", "weights", "MFLOP a gradient"], body)


def peers(result: Result) -> str:
    """What each peer's code does."""
    return "".join(f"- **{peer['title']}**: {peer['about']}\n" for peer in result["peers"].values())


def kernels(result: Result) -> str:
    """The kernel families of the peers' BLAS."""
    lines = [
        f"- {result['peers'][peer]['title']}: {'; '.join(found)}.\n"
        for peer, found in result["kernels"].items()
    ]
    text = (
        "Variables of the environment that name or limit a library's kernels are unset for every "
        "peer. The kernels that each BLAS has chosen, by its own account:\n\n"
    )
    return "".join([text, *lines]) if lines else ""


def left_out(result: Result) -> str:
    """Who was not timed, and why."""
    lines = dict.fromkeys(
        f"- {result['peers'][row['peer']]['title']}, {many(row['threads'], 'thread')}, "
        f"{row['case']}: {row['why']}\n"
        for row in result["left_out"]
    )
    return "".join(["Not timed:\n\n", *lines, "\n"]) if lines else ""
