"""The text around the tables: machine, versions, how it was measured."""

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
    disturbed = " Too much: repeat the run." if (others or 0) > DISTURBED else ""
    return (
        f"Run of {result['when']}, {result['minutes']:.0f} minutes. Other processes used {share} "
        f"of the CPU time during the run.{disturbed}\n"
    )


def peak(result: Result) -> str:
    """The machine's FMA peak, or why it is not known."""
    if not result["peak"]:
        why = result["peak_missing"] or "it was not measured"
        return f"The FMA peak was not measured ({why}), so fractions of it are left out.\n"
    body = []
    for dtype, rates in result["peak"].items():
        for threads, rate in rates.items():
            low, high = result["peak_spread"][dtype][threads]
            cells = [f"{value / 1e9:,.1f}" for value in (rate, low, high)]
            body.append([dtype, threads, *cells])
    return (
        "The FMA peak of the machine: a loop of independent fused multiply-adds on each thread, "
        "measured before the first case and after each case. Fractions of peak refer to the "
        "median.\n\n" + table(["dtype", "threads", "GFLOP/s, median", "lowest", "highest"], body)
    )


def method(result: Result) -> str:
    """How the times come about."""
    rounds = min(result["rounds"], *(row["samples"] for row in result["times"]))
    return (
        "- **Processes.** Each library runs in its own process for each number of threads. With k "
        "threads, the process is limited to k CPUs (on Linux), and all environment variables for "
        "thread counts are k.\n"
        "- **Check.** For each case, the gradient and the output are compared with the equations "
        "computed in float64. A library is not timed if its error, relative to the norm, is above "
        f"{TOLERANCES['float32']:.0e} in float32 ({RELU_FLOAT32:.0e} where rounding may change the "
        f"sign of the input of a relu) or {TOLERANCES['float64']:.0e} in float64.\n"
        f"- **Rounds.** Each case has {rounds} rounds or more. A round runs each library, call and "
        "number of threads once, in random order, after untimed calls, and when the threads of "
        "the process before are asleep.\n"
        f"- **Samples.** A sample is the mean time of the calls of {SAMPLE * 1e3:.0f} ms, or of "
        "one longer call. Tables show the median of the samples in microseconds, ± half the "
        "distance between their quartiles.\n"
        "- **Networks.** All have identity outputs and the quadratic cost, which every library "
        "has.\n"
        "- **Operations** are counted from the equations: 2·n·(3·Σ n_(l-1) n_l − n_1 n_2) for a "
        "gradient, 2·n·Σ n_(l-1) n_l for forward, without the activations. For a sparse x, n_1 is "
        "the number of stored elements of a row.\n"
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
        f"{MARK.strip()}: {unlimited(result)} uses {result['machine']['widest']} in all runs, "
        f"because no setting limits it to {result['level']}. It does not count as the best or the "
        "fastest here."
    )


def kernels(result: Result) -> str:
    """The kernels of each peer that can be asked, and what holds them to the run's level."""
    level, widest = result["level"], result["machine"]["widest"]
    if level == widest:
        unset = "No environment variable that selects or limits a library's kernels is set"
        parts = [f"{unset}."]
    else:
        held = ", ".join(f"`{name}={value}`" for name, value in result["environment"].items())
        parts = [f"This machine has {widest}. These settings limit libraries to {level}: {held}."]
        if levels.WITHOUT_YNNPACK in result["environment"]["XLA_FLAGS"]:
            parts.append(
                "YNNPACK, which computes the products of XLA, ignores these settings. So it is "
                "switched off, and the products are those of XLA and Eigen. On a machine without "
                f"{widest}, JAX uses YNNPACK."
            )
        if unlimited(result):
            parts.append(mark(result))
    lines = [
        f"- {result['peers'][peer]['title']}: {'; '.join(found)}.\n"
        for peer, found in result["kernels"].items()
    ]
    if lines:
        parts.append("Kernels in use, as the libraries report them:\n\n")
    return "".join([" ".join(parts), *lines])


def left_out(result: Result) -> str:
    """Who was not timed, and why."""
    lines = dict.fromkeys(
        f"- {result['peers'][row['peer']]['title']}, {many(row['threads'], 'thread')}, "
        f"{row['case']}: {row['why']}\n"
        for row in result["left_out"]
    )
    return "".join(["Not timed:\n\n", *lines, "\n"]) if lines else ""
