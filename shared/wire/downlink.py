"""Downlink: everything the control plane can say to a node."""

from typing import Annotated

from msgspec import Meta

from shared.crypto.dsse import Envelope
from shared.wire.base import Message
from shared.wire.parts import DisclosureTarget, SubjectTarget
from shared.wire.types import (
    CommandKind,
    ErrorCode,
    HttpStatus,
    Milliseconds,
    NodeName,
    OpaqueId,
    ProblemCode,
    ProtocolVersion,
    ReasonCode,
    Seconds,
    Serial,
)

COMMANDS_MAX = 100
"""Commands in one page; the node asks again at once after a full one."""


class Command(Message, frozen=True, kw_only=True, tag="downlink.command"):
    """What a node is asked to do.  Doing it twice is doing it once: ``id`` tells whether it was done."""

    id: OpaqueId
    cursor: Serial
    case: OpaqueId
    kind: CommandKind
    target: SubjectTarget | DisclosureTarget
    reason: ReasonCode
    issued_at: Milliseconds


class CommandPage(Message, frozen=True, kw_only=True, tag="downlink.command_page"):
    """Commands by rising cursor; ``next`` is what to ask after once they are kept."""

    commands: Annotated[tuple[Command, ...], Meta(max_length=COMMANDS_MAX)]
    next: Serial


class BeatAnswer(Message, frozen=True, kw_only=True, omit_defaults=True, tag="downlink.beat_answer"):
    """The answer to a beat: where the control plane stands, and what it knows to be wrong with the node."""

    oldest: ProtocolVersion
    roster_version: Serial
    now: Milliseconds
    problems: Annotated[tuple[ProblemCode, ...], Meta(max_length=8)]
    head: Envelope | None = None
    """The newest policy bundle, as a :class:`~shared.wire.head.Head`; ``None`` where none was published."""


class EnrolmentAnswer(Message, frozen=True, kw_only=True, tag="downlink.enrolment_answer"):
    """The enrolment is kept; the node is taken in when officers have signed a roster that names it."""

    node: NodeName
    roster_version: Serial


class Accepted(Message, frozen=True, kw_only=True, tag="downlink.accepted"):
    """A notice or receipt is kept; it need not be sent again."""


class Problem(Message, frozen=True, kw_only=True, tag="downlink.problem"):
    """The request was refused or could not be taken: an error of the catalogue, without its words."""

    code: ErrorCode
    status: HttpStatus
    retry: bool
    retry_after_seconds: Seconds | None


Downlink = Command | CommandPage | BeatAnswer | EnrolmentAnswer | Accepted | Problem
"""What the control plane says to a node."""
