"""The home directory, the embedded Temporal server, and the process tree of ``whistle up``."""
