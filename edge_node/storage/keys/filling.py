"""How full buckets are: what destroying a row in one of them costs, before it is ordered."""

from collections.abc import Iterable

from edge_node.storage.keys.store import KeyStore

_COUNT = """
SELECT CAST(:bucket AS INTEGER), count(*) FROM row_key WHERE id >= :bucket * 256 AND id < :bucket * 256 + 256
"""


async def count_rows(store: KeyStore, buckets: Iterable[int]) -> dict[int, int]:
    """Give by bucket how many row keys lie in it."""
    async with store.database.read() as transaction:
        return dict(await transaction.fetch_many(_COUNT, [(bucket,) for bucket in buckets]))
