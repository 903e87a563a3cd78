"""What a channel is: the one interface that intake needs, the same for every platform.

A channel is a folder with four modules: ``signature`` (is it from the platform?), ``payloads`` (structs as
the vendor sends them), ``normalise`` (payload to canonical events, pure) and ``__init__`` (the
:class:`Channel`).  Nothing in it reads a clock, a socket, a file or a store.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from shared.message import Event


class Channel(Protocol):
    """How a node receives from one platform."""

    @property
    def name(self) -> str:
        """The channel's name in addresses, accounts and events."""
        ...

    @property
    def signature_header(self) -> bytes:
        """The lower-case name of the header that carries the signature."""
        ...

    def verify(self, secrets: Sequence[bytes], body: bytes, signature: bytes | None) -> bool:
        """Say whether ``signature`` (the header's bytes, or ``None``) covers exactly ``body``.

        True if one of ``secrets`` made it.  Takes the same time whatever is wrong, and never raises for
        anything a sender can put in the header or the body.
        """
        ...

    def parse(self, body: bytes) -> list[Event]:
        """Turn a verified body into canonical events, in the body's order.

        Raises ``BodyMalformed`` only where the bytes are no JSON, and ``TooManyUpdates`` over the limit;
        everything else becomes an event, in doubt an :class:`~shared.message.Unclassified` one.
        """
        ...


class Enclosed(NamedTuple):
    """A platform's webhook as an integration bus hands it on: as it came, and written anew."""

    original: bytes
    """The body as the platform sent it: what is taken in, once everything holds."""
    signature: bytes
    """The value of the platform's signature header for ``original``; empty where the bus gave none."""
    rendering: bytes
    """What the bus made of it, in the platform's own notation: it must say the same."""


class BusForm(Protocol):
    """How an integration bus may hand on a channel's webhooks, beside the platform's own form."""

    @property
    def content_types(self) -> frozenset[bytes]:
        """The lower-case media types that say that a body is of this form."""
        ...

    @property
    def signature_header(self) -> bytes:
        """The lower-case name of the header that carries the bus's signature."""
        ...

    def verify(self, secrets: Sequence[bytes], body: bytes, signature: bytes | None) -> bool:
        """Say whether the bus signed exactly ``body``; like :meth:`Channel.verify`."""
        ...

    def open(self, body: bytes) -> Enclosed:
        """Take a verified body apart; raises ``XmlRefused`` where it is not of the form."""
        ...
