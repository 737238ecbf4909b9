"""Write files as a user who may not."""

import json
import os
import sys

from tests.programs.files.failing_write import tell

os.chdir(sys.argv[1])
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
print(json.dumps([tell("x"), tell("new"), tell("open/guarded")]))
