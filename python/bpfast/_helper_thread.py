"""Limits of a thread that helps the calling one: its start, and how long it is waited for."""

# The interval of checks for Ctrl-C while the thread is waited for, in seconds.
POLL_SECONDS = 0.05
# More bytes than a thread needs to start, including stacks.
THREAD_START_BYTES = 1 << 26
# The longest wait for the start of the thread, in polls. A thread that takes longer is not used.
THREAD_START_POLLS = 40
