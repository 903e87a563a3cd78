"""Opening what lies sealed in the content store: each row under its own key, at its own place, under its owner."""

from collections.abc import Sequence

from edge_node.storage.keys.store import KeyStore
from shared.crypto import Cipher, content_place
from shared.errors import SealBroken

SealedRow = tuple[int, bytes]
"""A row's key and what is sealed under it."""


async def open_sealed(
    keys: KeyStore, table: str, rows: Sequence[SealedRow], *, owner: str | None = None
) -> dict[int, bytes]:
    """Give by key what the rows of a table hold; one whose key is gone is left out.

    Raises ``SealBroken`` where a row does not open in its place, or its key is not ``owner``'s (a pseudonym).
    """
    found = await keys.open_rows([key for key, _ in rows])
    opened: dict[int, bytes] = {}
    for key, sealed in rows:
        if key not in found:
            continue
        if owner is not None and found[key].owner != owner:
            raise SealBroken(table=table)
        place = content_place(keys.region, found[key].owner, table, "sealed", key)
        opened[key] = Cipher(found[key].key).open(sealed, place)
    return opened
