"""What somebody at a terminal may ask for: the codes of purposes and reasons, as they are on the wire."""

from typing import get_args

from shared.wire.types import PurposeCode, ReasonCode

PURPOSES: tuple[str, ...] = get_args(PurposeCode)
"""What a search for a person may be for."""

ERASURE_REASONS: tuple[str, ...] = tuple(
    reason for reason in get_args(ReasonCode) if reason not in {"sender_recalled", "view_ended"}
)
"""Why a person may be erased; the others are of single messages and of views."""
