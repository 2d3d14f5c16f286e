"""The mechanism as data and pure rules: no clock, no I/O, no Temporal."""
