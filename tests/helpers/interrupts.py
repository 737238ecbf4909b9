"""How soon a call that is interrupted raises."""

BOUND = 0.25  # s: the promised 100 ms, and as much again and more for a busy machine
LONGEST = 0.5  # s
