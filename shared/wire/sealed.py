"""What lies inside a ciphertext of the relay: content, which therefore is no message of the wire.

These structs are encoded, sealed to one node and never sent otherwise; the walk over the wire's types leaves them out,
and a test makes sure that no message has one as a field.
"""

from typing import Literal

import msgspec

from shared.crypto import labels
from shared.crypto.hpke import SealingKey, seal_to
from shared.errors.trust import WireMalformed
from shared.message import Content, Event
from shared.wire.types import ChannelCode, FormCode


class SealedWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one webhook that belong to one account of the home node.

    Not the raw body: it may hold events of other accounts, whose home is elsewhere.  The relaying node has checked the
    platform's signature; that it did is what its own signature on the request says.
    """

    events: tuple[Event, ...]
    received_at: int
    """When the relaying node received it: milliseconds since the epoch."""


class ShownMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message as another node is shown it: no identifier of the person, and as much as ``form`` allows."""

    form: FormCode
    channel: ChannelCode
    direction: Literal["in", "out"]
    at: int
    """When it was written, by the platform's clock: milliseconds since the epoch."""
    edited: bool
    kind: str
    """The form of its content: ``text``, ``voice``, ``location``."""
    content: Content | None
    """``None`` where ``form`` withholds it."""


_encode = msgspec.msgpack.Encoder().encode
_webhook = msgspec.msgpack.Decoder(SealedWebhook)
_shown = msgspec.msgpack.Decoder(ShownMessage)


def seal_webhook(public: bytes, webhook: SealedWebhook, *, sender: str, home: str, channel: str, account: str) -> bytes:
    """Seal a webhook to its home node's public key."""
    return seal_to(public, _encode(webhook), labels.HPKE_WEBHOOK, sender, home, channel, account)


def open_webhook(
    key: SealingKey, sealed: bytes, *, sender: str, home: str, channel: str, account: str
) -> SealedWebhook:
    """Open a webhook at its home node; ``SealBroken`` where it is not for this node, sender, channel and account.

    ``WireMalformed`` where it is no webhook, or its events cannot be written as they are kept: what a relay says of
    properties that nobody knows may hold more than JSON does.
    """
    plain = key.open(sealed, labels.HPKE_WEBHOOK, sender, home, channel, account)
    try:
        webhook = _webhook.decode(plain)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise WireMalformed(reason="sealed") from None
    _check_json(webhook.events)
    return webhook


def seal_shown(public: bytes, message: ShownMessage, *, shower: str, asker: str, view: str, disclosure: str) -> bytes:
    """Seal a shown message to the asking node's public key."""
    return seal_to(public, _encode(message), labels.HPKE_SHOWN, shower, asker, view, disclosure)


def open_shown(key: SealingKey, sealed: bytes, *, shower: str, asker: str, view: str, disclosure: str) -> ShownMessage:
    """Open a shown message at the asking node; ``SealBroken`` where it is not for this node, view and disclosure.

    ``WireMalformed`` where it is no shown message, or one that no desk could be told.
    """
    message = read_shown(key.open(sealed, labels.HPKE_SHOWN, shower, asker, view, disclosure))
    _check_json(message)
    return message


def write_shown(message: ShownMessage) -> bytes:
    """Give the bytes of a shown message, to be sealed where it is kept."""
    return _encode(message)


def read_shown(plain: bytes) -> ShownMessage:
    """Read a shown message that was opened; ``WireMalformed`` where it is none."""
    try:
        return _shown.decode(plain)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise WireMalformed(reason="sealed") from None


def _check_json(value: object) -> None:
    """Refuse what JSON cannot hold: a property that nobody knows may be anything that MessagePack has."""
    try:
        msgspec.json.encode(value)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError):
        raise WireMalformed(reason="sealed") from None
