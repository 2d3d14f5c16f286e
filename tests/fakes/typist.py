"""Somebody at a keyboard: a process that calls the command line as often as it is told to, and can be killed.

Each line of standard input is a list of arguments; each line that it answers is the exit code and what was printed.
"""

import contextlib
import io
import json
import sys

import cli


def main() -> None:
    """Type what comes in."""
    for line in sys.stdin:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.run(json.loads(line))
        print(json.dumps([int(code), out.getvalue(), err.getvalue()]), flush=True)  # noqa: T201 (the answer)


if __name__ == "__main__":
    main()
