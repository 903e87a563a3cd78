"""Settings of bounds: the table ``[limits]`` of ``node.toml``."""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared import limits as bounds


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds on what a node takes at once; ``shared/limits.py`` says why none may be higher."""

    body_bytes_max: Annotated[
        int,
        Meta(ge=1_024, le=bounds.BODY_BYTES_MAX, description="bytes of a webhook body; over it 413. 1024 to 3145728"),
    ] = bounds.BODY_BYTES_MAX
    body_seconds_max: Annotated[
        float,
        Meta(ge=0.1, le=bounds.BODY_SECONDS_MAX, description="seconds for a body to arrive; over it 408. 0.1 to 10"),
    ] = bounds.BODY_SECONDS_MAX
    queue_events_max: Annotated[
        int,
        Meta(
            ge=bounds.BODY_UPDATES_MAX,
            le=bounds.QUEUE_EVENTS_MAX,
            description="events that may wait for commit; over it 503. 1000 (one full body) to 20000",
        ),
    ] = bounds.QUEUE_EVENTS_MAX
    queue_bytes_max: Annotated[
        int,
        Meta(
            ge=2 * bounds.BODY_BYTES_MAX,
            le=bounds.QUEUE_BYTES_MAX,
            description="bytes that may wait for commit; over it 503. 6291456 (two full bodies) to 67108864",
        ),
    ] = bounds.QUEUE_BYTES_MAX
    connections_max: Annotated[
        int, Meta(ge=16, le=65_536, description="connections open at once; over it 503. 16 to 65536")
    ] = 4_096
