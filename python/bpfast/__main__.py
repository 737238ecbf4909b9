"""``python -m bpfast`` prints what this installation is."""

from bpfast import show_config

show_config()
