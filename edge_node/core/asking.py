"""What somebody at a terminal may ask for: codes of purposes and reasons, as they are on the wire, and of holds."""

from typing import Literal, get_args

from shared.wire.types import PurposeCode, ReasonCode, RoleCode

PURPOSES: tuple[str, ...] = get_args(PurposeCode)
"""What somebody at a desk may look at a person's messages for."""

LookupPurpose = Literal[PurposeCode, "subject_request"]
LOOKUP_PURPOSES: tuple[str, ...] = (*PURPOSES, "subject_request")
"""What a search for a person may be for: what a desk can state, and to answer the person."""

ROLES: tuple[str, ...] = get_args(RoleCode)
"""What somebody at a desk can be."""

ERASURE_REASONS: tuple[str, ...] = tuple(
    reason for reason in get_args(ReasonCode) if reason not in {"sender_recalled", "view_ended"}
)
"""Why a person may be erased; the others are of single messages and of views."""

HOLD_REASONS: tuple[str, ...] = (
    "access_refused",  # what it was refused for is preserved, for as long as a law says: Singapore PDPA, section 22A
    "authority_order",  # a court's or an authority's
    "complaint",  # under examination
    "legal_claim",  # establishment, exercise or defence: GDPR 17(3)(e)
    "restriction",  # the person wants it kept and not used: GDPR 18; only where a law here knows it
)
"""Why a person's messages may be put under a hold."""
