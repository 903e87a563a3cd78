"""What lies inside a ciphertext of the relay: content, which therefore is no message of the wire.

These structs are encoded, sealed to one node and never sent otherwise; the walk over the wire's types leaves them out,
and a test makes sure that no message has one as a field.
"""

import msgspec

from shared.crypto import labels
from shared.crypto.hpke import SealingKey, seal_to
from shared.message import Event
from shared.trust_errors import WireMalformed


class SealedWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one webhook that belong to one account of the home node.

    Not the raw body: it may hold events of other accounts, whose home is elsewhere.  The relaying node has checked the
    platform's signature; that it did is what its own signature on the request says.
    """

    events: tuple[Event, ...]
    received_at: int
    """When the relaying node received it: milliseconds since the epoch."""


_encode = msgspec.msgpack.Encoder().encode
_webhook = msgspec.msgpack.Decoder(SealedWebhook)


def seal_webhook(public: bytes, webhook: SealedWebhook, *, sender: str, home: str, channel: str, account: str) -> bytes:
    """Seal a webhook to its home node's public key."""
    return seal_to(public, _encode(webhook), labels.HPKE_WEBHOOK, sender, home, channel, account)


def open_webhook(
    key: SealingKey, sealed: bytes, *, sender: str, home: str, channel: str, account: str
) -> SealedWebhook:
    """Open a webhook at its home node; ``SealBroken`` where it is not for this node, sender, channel and account."""
    plain = key.open(sealed, labels.HPKE_WEBHOOK, sender, home, channel, account)
    try:
        return _webhook.decode(plain)
    except msgspec.DecodeError:
        raise WireMalformed(reason="sealed") from None
