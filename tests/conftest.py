"""Keeps whoever runs the tests out of them: none of their settings reaches a test or a process it starts."""

import os

for name in [name for name in os.environ if name.startswith(("WHISTLE_", "TEMPORAL_"))]:
    del os.environ[name]
# A process that a test starts would otherwise compile every module anew, a second for each call of the command line.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Not even from the file in which Temporal keeps its own: an empty one stands in.
os.environ["TEMPORAL_CONFIG_FILE"] = os.devnull
