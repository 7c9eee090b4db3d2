"""Run a command and print its exit code, seconds and peak memory: `python -I -S spawn.py COMMAND`.

A process counts the resident size of what started it as its own peak, so the starter has to be
smaller than anything it measures: this one imports next to nothing (10 MB).
"""

import os
import resource
import sys
import time

start = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status = os.waitpid(child, 0)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
unit = 1 if sys.platform == "darwin" else 1024
code = os.waitstatus_to_exitcode(status)
print(f"\n{code} {seconds} {peak * unit}")
