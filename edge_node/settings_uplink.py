"""Settings of the uplink: the table ``[uplink]`` of ``node.toml``.  A node that is not enrolled uses none of them."""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.settings_file import AbsolutePath


class Uplink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a node speaks with its control plane."""

    beat_seconds: Annotated[
        int, Meta(ge=1, le=3_600, description="seconds between beats, which register new pseudonyms. 1 to 3600")
    ] = 30
    poll_seconds: Annotated[
        int, Meta(ge=1, le=30, description="seconds an ask for commands may be kept waiting. 1 to 30")
    ] = 25
    timeout_seconds: Annotated[
        float, Meta(ge=0.5, le=60, description="seconds for each step of an exchange. 0.5 to 60")
    ] = 10.0
    ca_file: Annotated[
        AbsolutePath | None,
        Meta(description="absolute path of a PEM file: who vouches for the control plane; default public CAs"),
    ] = None
    erasures_per_hour_max: Annotated[
        int,
        Meta(ge=0, le=10_000, description="people erased an hour on the control plane's word alone. 0 to 10000"),
    ] = 50
