"""How platforms name the people and groups of a conversation.

Every value here is personal data.  It stays in the region: sealed inside its event, and elsewhere only as a
keyed blind index.
"""

from typing import Literal

import msgspec

IdentifierKind = Literal[
    "line_user",  # U + 32 hex; unique per LINE provider
    "line_group",  # C + 32 hex
    "line_room",  # R + 32 hex
    "whatsapp_user",  # BSUID, e.g. US.13491208655302741918; unique per Meta business portfolio
    "whatsapp_parent_user",  # parent BSUID, e.g. US.ENT.118157...; shared by enrolled portfolios
    "whatsapp_phone",  # wa_id: digits without "+"
    "whatsapp_group",
]


class Identifier(msgspec.Struct, frozen=True):
    """One name a platform has for a person or a group, byte-exact as it came."""

    kind: IdentifierKind
    value: str


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person as one event shows them.

    ``identifiers`` is ordered, the most lasting first (BSUID before parent BSUID before phone); it may be
    empty where the platform withholds the name (a LINE group member without consent).
    """

    identifiers: tuple[Identifier, ...] = ()
    name: str | None = None
    username: str | None = None
    """WhatsApp username without a leading ``@``."""
    key_hash: str | None = None
    """WhatsApp ``identity_key_hash``: changes when the person's security code does."""
