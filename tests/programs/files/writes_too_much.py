"""Write a file that grows beyond a limit of the process."""

import json
import resource
import signal
import sys

from tests.programs.files.failing_write import small, tell

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
print(json.dumps([tell(sys.argv[1]), tell(sys.argv[1], small)]))
