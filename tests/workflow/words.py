"""What the probe workflows are told and tell."""

from pydantic import BaseModel, ConfigDict


class Words(BaseModel):
    """What people say travels in models like this one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
