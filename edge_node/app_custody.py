"""The part of a node that keeps and lets go, put together: removal, retention, keys' epochs, quarantine, upkeep."""

import msgspec

from edge_node.assembly import epoch_beat
from edge_node.core.retention import periods_of
from edge_node.metrics import Metrics
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.places import DisclosurePlaces
from edge_node.stores import Stores
from edge_node.usecases.account_book import AccountBook
from edge_node.usecases.custody.epoch_keeping import LEASE_MILLISECONDS as EPOCHS_LEASE
from edge_node.usecases.custody.epoch_keeping import EpochKeeper
from edge_node.usecases.custody.quarantine import Gate
from edge_node.usecases.custody.quarantine_keeping import LEASE_MILLISECONDS as QUARANTINE_LEASE
from edge_node.usecases.custody.quarantine_keeping import QuarantineKeeper
from edge_node.usecases.governing.judging import Judge
from edge_node.usecases.governing.rejudging import LEASE_MILLISECONDS as JUDGING_LEASE
from edge_node.usecases.governing.rejudging import Rejudger
from edge_node.usecases.letting_go.duty_keeping import LEASE_MILLISECONDS as DUTIES_LEASE
from edge_node.usecases.letting_go.duty_keeping import DutyKeeper
from edge_node.usecases.letting_go.erasing import Eraser
from edge_node.usecases.letting_go.holding import Holder
from edge_node.usecases.letting_go.removal import LEASE_MILLISECONDS as REMOVER_LEASE
from edge_node.usecases.letting_go.removal import Remover
from edge_node.usecases.letting_go.retaining import Retaining
from edge_node.usecases.letting_go.retention import LEASE_MILLISECONDS as SWEEPER_LEASE
from edge_node.usecases.letting_go.retention import Sweeper
from edge_node.usecases.letting_go.upkeep import LEASE_MILLISECONDS as UPKEEP_LEASE
from edge_node.usecases.letting_go.upkeep import Upkeep
from edge_node.usecases.media.upkeep import MediaUpkeep
from edge_node.usecases.receiving.committer import Committer
from shared.limits import BATCH_EVENTS_MAX


class CustodyParts(msgspec.Struct):
    """What keeps and lets go, each under a lease of the region."""

    eraser: Eraser
    remover: Remover
    epochs: EpochKeeper
    quarantine: QuarantineKeeper
    upkeep: Upkeep
    sweeper: Sweeper
    duties: DutyKeeper
    rejudger: Rejudger

    def start(self) -> None:
        """Begin what goes on in a quarantine, too."""
        self.remover.start()
        self.duties.start()
        self.epochs.start()
        self.quarantine.start()

    def start_sweeping(self) -> None:
        """Begin what waits until a restored store may be opened."""
        self.upkeep.start()
        self.sweeper.start()
        self.rejudger.start()

    async def stop(self) -> None:
        """Leave it to another process, in the reverse order."""
        await self.rejudger.stop()
        await self.sweeper.stop()
        await self.upkeep.stop()
        await self.quarantine.stop()
        await self.epochs.stop()
        await self.duties.stop()
        await self.remover.stop()


def custody_parts(
    stores: Stores,
    committer: Committer,
    gate: Gate,
    metrics: Metrics,
    holder: str,
    judge: Judge,
    book: AccountBook,
) -> CustodyParts:
    """Put the parts together; ``holder`` names this process for the leases."""
    settings, content, keys, clock = stores.settings, stores.content, stores.keys, stores.clock

    def lease(name: str, milliseconds: int) -> Lease:
        return Lease(content, name, holder, milliseconds)

    def busy() -> bool:
        return committer.waiting > BATCH_EVENTS_MAX  # they stand back while more than one batch waits for commit

    eraser = Eraser(content, keys, stores.journal, DisclosurePlaces(content), clock, stores.blobs)
    remover = Remover(
        content, keys, stores.journal, lease("remover", REMOVER_LEASE), metrics, clock, eraser, stores.blobs
    )
    epochs = EpochKeeper(epoch_beat(stores, metrics), lease("epochs", EPOCHS_LEASE), settings.keys.epoch_days, clock)
    quarantine = QuarantineKeeper(
        content, keys, stores.journal, gate, lease("quarantine", QUARANTINE_LEASE), metrics, clock
    )
    periods = periods_of(settings.retention, settings.custody.backup_days_max)
    files = MediaUpkeep(content, stores.blobs, metrics, clock, stores.entropy)
    upkeep = Upkeep(content, keys, lease("upkeep", UPKEEP_LEASE), metrics, clock, files, stores.journal, periods.marks)
    retaining, often = Retaining(content, periods, judge.book), settings.custody.sweep_seconds
    sweeping = lease("retention", SWEEPER_LEASE)
    sweeper = Sweeper(content, keys, sweeping, retaining, metrics, clock, busy=busy, every_seconds=often)
    holds = Holder(content, stores.journal, judge.book, clock, stores.entropy)
    duties = DutyKeeper(content, keys, judge.book, holds, lease("duties", DUTIES_LEASE), clock, busy=busy)
    judging = lease("judging", JUDGING_LEASE)
    rejudger = Rejudger(content, keys, judge, book.country_of, judging, metrics, clock, busy=busy)
    quarantine.on_ordered = sweeper.on_ordered = duties.on_ordered = remover.wake
    eraser.before_order = duties.ensure
    return CustodyParts(eraser, remover, epochs, quarantine, upkeep, sweeper, duties, rejudger)
