"""A process in which Ctrl-C raises KeyboardInterrupt."""

import contextlib
import gc
import signal


@contextlib.contextmanager
def ctrl_c_raises():
    """Restore the handler of Python, as a run in the background ignores Ctrl-C.

    JAX has a callback of the garbage collector; Python prints what is raised in one, and goes on.
    """
    callbacks, handler = gc.callbacks[:], signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.callbacks.clear()
    try:
        yield
    finally:
        gc.callbacks[:] = callbacks
        signal.signal(signal.SIGINT, handler)
