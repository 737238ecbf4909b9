"""The options that compare, fit and epoch share."""

import argparse
import io
import sys
from pathlib import Path

import bpfast
from benches.machine import levels
from benches.peers import PEERS, installed

QUICK_ROUNDS = 2


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the shared options."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a pipe on Windows may know no σ
        sys.stdout.reconfigure(encoding="utf-8")
    made = argparse.ArgumentParser(description=description)
    add = made.add_argument
    names = ", ".join(PEERS)
    add("--peers", nargs="+", metavar="PEER", help=f"of {names} (all installed)")
    add(
        "--threads", nargs="+", default=["1", "all"], metavar="K", help="numbers of threads (1 all)"
    )
    add("--simd", metavar="LEVEL", help="hold bpfast and every peer to avx2 (the machine's widest)")
    add("--rounds", type=int, metavar="N", help="samples of each figure, at most")
    add("--seconds", type=float, default=6.0, help="after so long a case has no new round (6)")
    add("--quick", action="store_true", help="the smallest work, to see that all runs")
    add("--output", type=Path, default=Path("target/bench"), metavar="DIR", help="(target/bench)")
    return made


def peers(made: argparse.ArgumentParser, args: argparse.Namespace) -> list[str]:
    """The names of the peers, bpfast first; a peer that is asked for must be there."""
    here = installed()
    for name in args.peers or ():
        if name not in PEERS:
            made.error(f"--peers: expected names of {', '.join(PEERS)}; got {name}")
        if name not in here:
            made.error(f"--peers: {name} needs {', '.join(PEERS[name].needs)}: not installed")
    every = [name for name in here if not (args.quick and PEERS[name].compiled)]
    wanted = set(args.peers or every) | {"bpfast"}
    return [name for name in PEERS if name in wanted]


def threads(made: argparse.ArgumentParser, args: argparse.Namespace) -> list[int]:
    """The numbers of threads, ascending."""
    every = bpfast.get_num_threads()
    counts = set()
    for word in args.threads:
        if word != "all" and not (word.isdecimal() and 1 <= int(word) <= every):
            made.error(f"--threads: expected all, or from 1 to {every}; got {word}")
        counts.add(every if word == "all" else int(word))
    return sorted(counts)


def level(made: argparse.ArgumentParser, args: argparse.Namespace) -> str:
    """The SIMD level of the run."""
    wanted = args.simd or levels.widest()
    if wanted not in levels.available():
        made.error(f"--simd: expected one of {', '.join(levels.available())}; got {wanted}")
    return str(wanted)
