"""Chooses free ports on the loopback interface."""

import random
import socket
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from engine.reasons import EngineError, EngineReason

LOOPBACK = "127.0.0.1"

# Below the range from which systems take the source ports of outgoing connections (Linux 32768, macOS 49152): a client
# that dials a stopped server within that range can be given the very port it dials, and then keeps the server out.
RANGE = range(20_000, 32_000)

_TRIES = 200


class Ports(BaseModel):
    """What the embedded server listens on."""

    model_config = ConfigDict(frozen=True)

    frontend: int
    http: int
    metrics: int
    ui: int


def is_free(port: int) -> bool:
    """Tell whether a server could listen on ``port`` of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of a predecessor that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose_ports(preferred: Ports | None = None) -> Ports:
    """Return ``preferred`` if all of it is free, otherwise free ports by chance.

    Another process may take one of them before the server does; the caller then chooses again.

    Raises:
        EngineError: ``PORT_TAKEN`` if nearly nothing is free.
    """
    if preferred and all(is_free(port) for port in preferred.model_dump().values()):
        return preferred
    candidates = _free_ports()
    return Ports(frontend=next(candidates), http=next(candidates), metrics=next(candidates), ui=next(candidates))


def _free_ports() -> Iterator[int]:
    for port in random.SystemRandom().sample(RANGE, _TRIES):
        if is_free(port):
            yield port
    raise EngineError(EngineReason.PORT_TAKEN, port=f"{RANGE.start}-{RANGE.stop - 1}")
