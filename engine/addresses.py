"""Which Temporal this home's doors and worker talk to: one named in the environment, or the embedded one."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.reasons import EngineError, EngineReason

if TYPE_CHECKING:
    from temporalio.envconfig import ClientConnectConfig

    from engine.home import Home

ADDRESS_VARIABLE = "TEMPORAL_ADDRESS"
PROFILE_VARIABLE = "TEMPORAL_PROFILE"
FILE_VARIABLE = "TEMPORAL_CONFIG_FILE"

DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True)
class EngineAddress:
    """Where Temporal answers. ``connect`` are the arguments of ``Client.connect``, credentials included."""

    address: str
    namespace: str
    embedded: bool
    connect: ClientConnectConfig = field(repr=False)


def engine_address(home: Home) -> EngineAddress:
    """Return the Temporal to use: the environment's, else the one that ``whistle up`` runs for ``home``.

    The latter may be restarting at this moment: an address is not yet an answer.

    Raises:
        EngineError: ``ENGINE_NOT_RUNNING``, or ``PROFILE_UNREADABLE`` if the environment names what cannot be used.
    """
    return address_elsewhere() or _embedded(home)


def address_elsewhere() -> EngineAddress | None:
    """Return the Temporal that the environment names, or None if it names none. Then one is embedded.

    A profile in the file that Temporal's own tools read by default does not count: whoever keeps one there for other
    work would send this district's whistles to it without having said so.

    Raises:
        EngineError: ``PROFILE_UNREADABLE`` if it names a file or profile that cannot be used.
    """
    address, profile, file = (os.environ.get(name) for name in (ADDRESS_VARIABLE, PROFILE_VARIABLE, FILE_VARIABLE))
    if not (address or profile or file):
        return None
    if file and not Path(file).exists():  # the SDK would take it for an empty one
        raise EngineError(EngineReason.PROFILE_UNREADABLE, detail=file)
    # Imported here: a verb on the embedded server should not wait for it.
    from temporalio.envconfig import ClientConfigProfile  # noqa: PLC0415

    try:
        connect = ClientConfigProfile.load().to_client_connect_config()
    except (RuntimeError, OSError) as trouble:  # the bridge's ConfigError is a RuntimeError without an import path
        raise EngineError(EngineReason.PROFILE_UNREADABLE, detail=str(trouble)) from trouble
    if "target_host" not in connect:
        if profile:
            raise EngineError(EngineReason.PROFILE_UNREADABLE, detail=profile)
        return None
    connect.setdefault("namespace", DEFAULT_NAMESPACE)
    return EngineAddress(connect["target_host"], connect["namespace"], embedded=False, connect=connect)


def _embedded(home: Home) -> EngineAddress:
    engine = home.read_engine()
    # Without a server of its own, the supervisor works for one whose credentials only the environment has.
    if engine is None or engine.server is None or not engine.supervisor.is_alive():
        raise EngineError(EngineReason.ENGINE_NOT_RUNNING, home=str(home.path))
    return EngineAddress(
        engine.temporal_address,
        engine.namespace,
        embedded=True,
        connect={"target_host": engine.temporal_address, "namespace": engine.namespace},
    )
