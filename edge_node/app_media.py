"""The part of a node that fetches files of messages, put together."""

from edge_node.metrics import Metrics
from edge_node.platforms.media import PlatformMedia
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.media import MediaStore
from edge_node.stores import Stores
from edge_node.usecases.account_book import AccountBook
from edge_node.usecases.governing.judging import Judge
from edge_node.usecases.media.admitting import MediaAdmitter
from edge_node.usecases.media.fetching import LEASE_MILLISECONDS, Fetcher
from edge_node.usecases.receiving.committer import Committer
from edge_node.usecases.receiving.filing import Taken

RECALL_BYTES = 1_024
"""What a recall that a platform's answer amounts to counts for in the committer's queue."""


def media_part(
    stores: Stores, judge: Judge, book: AccountBook, committer: Committer, metrics: Metrics, holder: str
) -> Fetcher:
    """Make what fetches files; ``judge`` asks the policy, ``holder`` names this process for the lease."""

    async def recall(taken: Taken) -> None:
        """Take a recall in as every other one."""
        await committer.submit([taken], RECALL_BYTES)

    return Fetcher(
        MediaStore(stores.content),
        stores.keys,
        stores.blobs,
        PlatformMedia(stores.settings.platforms),
        Lease(stores.content, "media", holder, LEASE_MILLISECONDS),
        stores.settings.media,
        metrics,
        stores.clock,
        account_of=book.of_row,
        recall=recall,
        may_rest=MediaAdmitter(stores.content, judge).may_rest,
    )
