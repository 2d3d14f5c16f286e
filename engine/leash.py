"""Becomes the program it is given, tied to the life of its parent.

Run as a script, by path: ``python -I -S leash.py PARENT PROGRAM ARGUMENT...``. It stays the same process, so the
caller's process id is the program's. A function run between fork and exec could do the same, but not safely in a parent
that has threads, as every user of the Temporal SDK has.

On Linux the kernel ends the program with SIGKILL as soon as the *thread* that started it ends: start it from the main
thread. Elsewhere nothing is tied; there `engine.processes` recovers what was left.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PARENT_IS_GONE = 125


def main() -> None:
    """Tie this process to its parent and become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the leash was on
        sys.exit(PARENT_IS_GONE)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is ignored stays so across exec
    os.execv(program[0], program)  # noqa: S606 (no shell is the point)


if __name__ == "__main__":
    main()
