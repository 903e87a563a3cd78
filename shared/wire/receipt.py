"""Receipts: a node's signed statement of what it did for a command; nothing in it names the subject."""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared import canonical
from shared.crypto.dsse import Envelope, open_envelope, sign_envelope
from shared.crypto.signing import PublicKeys, SigningKeys
from shared.wire.types import (
    ArticleCode,
    CommandKind,
    Count,
    Digest,
    MethodCode,
    Milliseconds,
    NodeName,
    OpaqueId,
    ProviderCode,
    Serial,
    StoreCode,
)

RECEIPT_TYPE = "application/vnd.homeport.receipt.v1+json"
"""Payload type of a receipt's envelope; another form of receipt is another type."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in one store, by one method.

    ``pending`` of a store of rows: they are deleted and their keys destroyed, and their bytes go by ``until``.
    ``pending`` of ``backups``: older content backups and key backups, free pages and old disks hold keys that were
    destroyed here; the epoch key above them is destroyed by ``until``, the **epoch horizon**, at latest.
    """

    store: StoreCode
    method: MethodCode
    count: Count
    article: ArticleCode | None
    """The article that demands retention; only with ``retained_until``."""
    until: Milliseconds | None
    """Until when it is retained, or by when what is pending will be done; ``None``: the node gives no date."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="receipt"):
    """What a node did for a command of a case."""

    command: OpaqueId
    case: OpaqueId
    node: NodeName
    kind: CommandKind
    started_at: Milliseconds
    finished_at: Milliseconds
    results: Annotated[tuple[Result, ...], Meta(max_length=64)]
    """Empty where there was nothing left to do."""
    roster_version: Serial
    bundle: Digest | None
    """Hash of the policy bundle that decided; ``None`` where none was in force."""
    provider: ProviderCode
    """How keys are kept here, which says what destroying one is worth."""


def sign_receipt(keys: SigningKeys, receipt: Receipt) -> Envelope:
    """Sign a receipt."""
    return sign_envelope(keys, RECEIPT_TYPE, canonical.encode(receipt))


def open_receipt(envelope: Envelope, public: PublicKeys) -> Receipt:
    """Give the receipt that ``public``'s owner signed; ``SignatureInvalid`` or ``NotCanonical`` where there is none.

    The caller still compares ``node`` with the signer, and ``command`` and ``case`` with what was asked.
    """
    return canonical.decode(Receipt, open_envelope(envelope, RECEIPT_TYPE, public))


def epoch_horizon(receipt: Receipt) -> int | None:
    """Give when (ms) at latest nothing older opens what was destroyed; ``None`` where the receipt gives no date."""
    return next((each.until for each in receipt.results if (each.store, each.method) == ("backups", "pending")), None)
