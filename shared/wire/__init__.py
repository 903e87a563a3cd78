"""The wire: the closed set of structs that cross a border between programs.

``encode`` and ``decode`` are the one way to their bytes.  What can leave a region is in :mod:`shared.wire.uplink` and
:mod:`shared.wire.relay`, and nowhere else.
"""

from typing import Any, TypeVar

import msgspec

from shared import canonical
from shared.errors.trust import WireMalformed
from shared.wire.base import PROTOCOL, PROTOCOL_OLDEST, Message, agree, check_protocol
from shared.wire.downlink import (
    Accepted,
    BeatAnswer,
    Command,
    CommandPage,
    Downlink,
    EnrolmentAnswer,
    Problem,
)
from shared.wire.head import HEAD_TYPE, Head, open_head, sign_head
from shared.wire.parts import DisclosureTarget, Health, NodeKeys, Place, PolicyStand, SubjectTarget
from shared.wire.receipt import RECEIPT_TYPE, Receipt, Result, epoch_horizon, open_receipt, sign_receipt
from shared.wire.relay import (
    SHOWN_MAX,
    Relay,
    RelayAnswer,
    RelayedWebhook,
    RelayProblem,
    ShownContent,
    ShownItem,
    ViewAsk,
    ViewClosed,
    ViewFollow,
    ViewNews,
    ViewNoted,
    ViewRefused,
)
from shared.wire.uplink import Beat, CaseNotice, CommandAsk, Enrolment, RecallNotice, ReceiptPush, Uplink

M = TypeVar("M", bound=Message)

MESSAGES: tuple[type[Message], ...] = (
    *(Enrolment, Beat, RecallNotice, CaseNotice, ReceiptPush, CommandAsk),
    *(Command, CommandPage, BeatAnswer, EnrolmentAnswer, Accepted, Problem),
    *(RelayedWebhook, RelayAnswer, RelayProblem),
    *(ViewAsk, ShownContent, ViewRefused, ViewFollow, ViewNews, ViewClosed, ViewNoted),
)
"""Every message there is."""

_decoders: dict[type[Message], msgspec.json.Decoder[Any]] = {each: msgspec.json.Decoder(each) for each in MESSAGES}


class _Head(msgspec.Struct, frozen=True):
    """What is read of a message before the rest: which version it is written in."""

    protocol: int


_head = msgspec.json.Decoder(_Head)


def encode(message: Message) -> bytes:
    """Give the bytes of a message: canonical JSON.

    Building a struct checks nothing, so the bytes are read back before they are given away: a value that is not of its
    field's form never leaves, ``WireMalformed``.
    """
    try:
        data = canonical.encode(message)
    except UnicodeError:
        raise WireMalformed(reason="form") from None
    _read(type(message), data)
    return data


def decode(type_: type[M], data: bytes) -> M:
    """Read a message of the expected type.

    ``ProtocolTooOld`` or ``ProtocolTooNew`` comes before anything else is looked at; whatever is not of the form is
    ``WireMalformed``.  Members that this release does not know are ignored.
    """
    try:
        protocol = _head.decode(data).protocol
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise WireMalformed(reason="form") from None
    check_protocol(protocol)
    return _read(type_, data)


def _read(type_: type[M], data: bytes) -> M:
    """Read a message whose version is known."""
    try:
        message: M = _decoders[type_].decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise WireMalformed(reason="form") from None
    return message


__all__ = [
    "HEAD_TYPE",
    "MESSAGES",
    "PROTOCOL",
    "PROTOCOL_OLDEST",
    "RECEIPT_TYPE",
    "SHOWN_MAX",
    "Accepted",
    "Beat",
    "BeatAnswer",
    "CaseNotice",
    "Command",
    "CommandAsk",
    "CommandPage",
    "DisclosureTarget",
    "Downlink",
    "Enrolment",
    "EnrolmentAnswer",
    "Head",
    "Health",
    "Message",
    "NodeKeys",
    "Place",
    "PolicyStand",
    "Problem",
    "RecallNotice",
    "Receipt",
    "ReceiptPush",
    "Relay",
    "RelayAnswer",
    "RelayProblem",
    "RelayedWebhook",
    "Result",
    "ShownContent",
    "ShownItem",
    "SubjectTarget",
    "Uplink",
    "ViewAsk",
    "ViewClosed",
    "ViewFollow",
    "ViewNews",
    "ViewNoted",
    "ViewRefused",
    "agree",
    "check_protocol",
    "decode",
    "encode",
    "epoch_horizon",
    "open_head",
    "open_receipt",
    "sign_head",
    "sign_receipt",
]
