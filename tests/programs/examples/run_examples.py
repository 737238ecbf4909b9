"""Run examples one after the other in this process, as `python examples/NAME.py` would.

Takes the name, the folder and the arguments of each run on standard input, as JSON. Prints the exit
code, the output and the messages of each. Packages named on the command line cannot be imported.
"""

import contextlib
import io
import json
import os
import runpy
import sys
import traceback

from tests.helpers.paths import ROOT

EXAMPLES = ROOT / "examples"
sys.path.insert(0, str(EXAMPLES))  # as for a script in that folder
sys.modules.update(dict.fromkeys(sys.argv[1:]))
found = []
for name, folder, arguments in json.load(sys.stdin):
    os.chdir(folder)
    path = str(EXAMPLES / f"{name}.py")
    sys.argv = [path, *arguments]
    output, messages, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(messages):
        try:
            runpy.run_path(path, run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
            if isinstance(code, str):
                messages.write(code)
                code = 1
        except Exception:
            traceback.print_exc()
            code = 1
    found.append([code, output.getvalue(), messages.getvalue()])
print(json.dumps(found))
