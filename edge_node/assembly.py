"""Parts of a node that both its serving process and single commands put together over open stores."""

from pathlib import Path

from edge_node.metrics import Metrics
from edge_node.platforms.sending import Sender
from edge_node.storage.content.people import People
from edge_node.storage.content.policies import PolicyStore
from edge_node.storage.content.quarantine import read_quarantine
from edge_node.storage.content.uplink import UplinkStore
from edge_node.storage.keys.recovery import Recovery
from edge_node.stores import KEYS_FILE, Stores
from edge_node.usecases.custody.epoch_beat import EpochBeat, Places
from edge_node.usecases.custody.quarantine import Gate
from edge_node.usecases.governing.judging import Judge
from edge_node.usecases.governing.policy_book import PolicyBook
from edge_node.usecases.letting_go.holding import Holder
from edge_node.usecases.receiving.filing import Clerk
from edge_node.usecases.receiving.resolving import Resolver
from edge_node.usecases.receiving.taking_in import TakingIn
from edge_node.usecases.replying import Replier


async def open_policy(stores: Stores, metrics: Metrics | None = None) -> PolicyBook:
    """Give a command the policy in force; whoever asks it writes down at the end what was decided."""
    settings = stores.settings
    store, seconds = PolicyStore(stores.content), settings.custody.decisions_seconds
    book = PolicyBook(store, settings.region, metrics or Metrics(), stores.clock, seconds)
    book.alone = await UplinkStore(stores.content).load() is None
    await book.look()
    return book


async def assemble_holder(stores: Stores) -> Holder:
    """Put together what places and releases holds."""
    return Holder(stores.content, stores.journal, await open_policy(stores), stores.clock, stores.entropy)


async def assemble_judge(stores: Stores, metrics: Metrics) -> Judge:
    """Put together what decides by the bundle that is in force now; it is looked at once."""
    return Judge(await open_policy(stores, metrics), stores.clock)


async def assemble_taking_in(stores: Stores, judge: Judge | None = None) -> TakingIn:
    """Put together what commits batches of events to both stores; without a ``judge``, by the bundle of this moment."""
    judge = judge or await assemble_judge(stores, Metrics())
    indexes = {name: (await stores.keys.indexes(name))[0] for name in ("identity", "group", "mark", "tombstone")}
    people = People(stores.content, stores.settings.region, await stores.keys.indexes("suppression"))
    await people.forget()
    resolver = Resolver(people, stores.keys, indexes["identity"], indexes["group"], judge)
    clerk = Clerk(indexes["mark"], indexes["tombstone"])
    return TakingIn(stores.content, stores.keys, clerk, resolver, stores.clock)


async def assemble_gate(stores: Stores, judge: Judge | None = None) -> Gate:
    """Put together what takes in while a restored store may be in quarantine; like :func:`assemble_taking_in`."""
    marks, tombstones = [(await stores.keys.indexes(name))[0] for name in ("mark", "tombstone")]
    found = await read_quarantine(stores.content)
    taking_in = await assemble_taking_in(stores, judge)
    closed = found is not None and found.state == "replaying"
    return Gate(stores.content, stores.keys, Clerk(marks, tombstones), taking_in, stores.clock, closed=closed)


async def assemble_replier(stores: Stores) -> Replier:
    """Put together what answers a subject: the stores, what takes in, and the way to the platforms."""
    sender = Sender(stores.settings.platforms, stores.clock, stores.entropy)
    judge = await assemble_judge(stores, Metrics())
    taking_in = await assemble_taking_in(stores, judge)
    return Replier(
        stores.content,
        stores.keys,
        stores.accounts,
        taking_in,
        sender,
        judge.book,
        stores.clock,
        stores.entropy,
    )


def epoch_beat(stores: Stores, metrics: Metrics) -> EpochBeat:
    """Put together what carries an epoch beat on."""
    settings = stores.settings
    recovery = Recovery(Path(settings.keys.recovery_dir), settings.region) if settings.keys.recovery_dir else None
    places = Places(settings.data_dir / KEYS_FILE, settings.key_backup_dir, recovery)
    return EpochBeat(stores.content, stores.keys, stores.journal, places, metrics, stores.clock)
