"""``python -m bpfast`` prints version, SIMD level and threads; status 2 for a wrong environment."""

import argparse
import sys

from bpfast import __version__, show_config

parser = argparse.ArgumentParser(
    prog="python -m bpfast", description="Print version, SIMD level, number of threads and build."
)
parser.add_argument("--version", action="version", version=f"bpfast {__version__}")
parser.parse_args()
try:
    show_config()
except ValueError as error:  # of a variable: BPFAST_SIMD, BPFAST_NUM_THREADS
    print(error, file=sys.stderr)
    sys.exit(2)
