"""The side of a process that answers requests, a line of JSON each: workers.py has the other."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any


def serve(make: Callable[[], Any]) -> None:
    """Answer each request by the method that it names, of what `make` makes at the first one."""
    # What a library prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    server = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            server = server or make()
            reply = getattr(server, request["do"])(request)
        except Exception as error:  # noqa: BLE001, whatever a peer raises, the others go on
            reply = {"failed": f"{type(error).__name__}: {error}".splitlines()[0][:300]}
        print(json.dumps(reply), file=answers, flush=True)
