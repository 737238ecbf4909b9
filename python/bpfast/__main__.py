"""``python -m bpfast`` prints version, SIMD level and threads; status 2 for a wrong environment."""

import sys

from bpfast import show_config

try:
    show_config()
except ValueError as error:  # of a variable: BPFAST_SIMD, BPFAST_NUM_THREADS
    print(error, file=sys.stderr)
    sys.exit(2)
