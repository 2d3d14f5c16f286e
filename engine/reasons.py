"""Why the engine cannot do its work: a language-free reason and its parameters, for the doors to translate."""

from enum import StrEnum


class EngineReason(StrEnum):
    """What stands in the way. The texts, each with the way out, are in the message catalogues."""

    HOME_LOCKED = "home_locked"
    HOME_READ_ONLY = "home_read_only"
    HOME_NOT_A_DIRECTORY = "home_not_a_directory"
    HOME_ON_NETWORK_FILE_SYSTEM = "home_on_network_file_system"
    DISK_FULL = "disk_full"
    SERVER_BINARY_MISSING = "server_binary_missing"
    SERVER_FILE_FROM_OTHER_VERSION = "server_file_from_other_version"
    PORT_TAKEN = "port_taken"
    ENGINE_DID_NOT_START = "engine_did_not_start"
    ENGINE_KEEPS_DYING = "engine_keeps_dying"
    ENGINE_NOT_RUNNING = "engine_not_running"
    PROFILE_UNREADABLE = "profile_unreadable"


class EngineError(Exception):
    """The machine says no. Rules are not involved: whoever runs the machine has to act."""

    def __init__(self, reason: EngineReason, **parameters: str | int) -> None:
        super().__init__(reason.value, parameters)
        self.reason = reason
        self.parameters = parameters
