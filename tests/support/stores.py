"""Both stores of a node in a temporary folder, and the parts that take messages in, without any process around."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from edge_node.assembly import assemble_judge
from edge_node.core.accounts import Account, Credentials, WhatsAppIds
from edge_node.core.retention import RetentionEntry, periods_of
from edge_node.metrics import Metrics
from edge_node.settings import EdgeSettings
from edge_node.storage.content.derivatives import unrecorded
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.people import People
from edge_node.storage.content.places import DisclosurePlaces
from edge_node.storage.content.policies import PolicyStore
from edge_node.stores import Stores, initialise, open_stores
from edge_node.usecases.governing.judging import Judge
from edge_node.usecases.letting_go.duty_keeping import DutyKeeper
from edge_node.usecases.letting_go.erasing import Eraser
from edge_node.usecases.letting_go.holding import Holder
from edge_node.usecases.letting_go.removal import Remover
from edge_node.usecases.letting_go.retaining import Retaining
from edge_node.usecases.letting_go.retention import Sweeper
from edge_node.usecases.receiving.filing import Clerk, Taken
from edge_node.usecases.receiving.resolving import Resolver
from edge_node.usecases.receiving.taking_in import Outcome, TakingIn
from shared.crypto import Cipher, content_place
from shared.message import Edit, Event, Identifier, Message, Person, Recall, Text
from shared.policy.bundling import Bundle, digest
from tests.support.house_policy import bundle_bytes, bundle_of, open_policy

ACCOUNT = Account(name="shop", ids=WhatsAppIds(app_id="1", waba_ids=("2",), phone_number_ids=("3",)), scope="portfolio")
OPEN = bundle_of(open_policy())
"""What a bench decides by, unless a test gives another bundle: everything is allowed."""
CREDENTIALS = Credentials((b"an-app-secret-for-tests",), ("verify",))


def settings(folder: Path, database_url: str | None = None) -> EdgeSettings:
    """Give the settings of a node below ``folder``."""
    data = folder / "data"
    return EdgeSettings(
        region="id-test",
        data_dir=data,
        journal_dir=folder / "journal",
        key_dir=data / "keyring",
        database_url=database_url,
    )


class Bench:
    """One process's worth of parts over open stores."""

    def __init__(self, stores: Stores, taking_in: TakingIn, remover: Remover, eraser: Eraser, judge: Judge) -> None:
        self.stores = stores
        self.keys = stores.keys
        self.content = stores.content
        self.taking_in = taking_in
        self.remover = remover
        self.eraser = eraser
        self.judge = judge
        self.policy = judge.book
        self.holder = Holder(stores.content, stores.journal, self.policy, stores.clock, stores.entropy)
        self.duty_lease = Lease(stores.content, "duties", stores.entropy.draw(8).hex(), 15_000)
        self.duties = DutyKeeper(stores.content, stores.keys, self.policy, self.holder, self.duty_lease, stores.clock)
        eraser.before_order = self.duties.ensure

    async def take(self, *events: Event) -> Outcome:
        """Take events in as one batch."""
        return await self.taking_in.take_in([taken(event) for event in events])

    async def rows(self, sql: str, **parameters: int | str | bytes) -> list[tuple]:
        """Read rows of the content store."""
        async with self.content.read() as transaction:
            return await transaction.fetch(sql, parameters)

    async def key_rows(self, sql: str, **parameters: int | str) -> list[tuple]:
        """Read rows of the key store."""
        async with self.keys.database.read() as transaction:
            return await transaction.fetch(sql, parameters)

    async def texts(self) -> list[str]:
        """Open every message that is not taken back and give its words, sorted."""
        rows = await self.rows("SELECT key, sealed FROM message WHERE keep = 'active'")
        return sorted([(await self.open("message", key, sealed)).content.text for key, sealed in rows])

    async def open(self, table: str, key: int, sealed: bytes) -> Event:
        """Open one sealed row under its key and place."""
        row_key = (await self.keys.open_rows([key]))[key]
        place = content_place(self.keys.region, row_key.owner, table, "sealed", key)
        return msgspec.json.decode(Cipher(row_key.key).open(sealed, place), type=Event)

    async def remove(self) -> None:
        """Carry every open log entry to its end."""
        while await self.remover.round():
            pass

    async def settle(self) -> None:
        """Do everything that is due: duties looked after, removals carried out, until nothing moves."""
        quiet = 0
        while quiet < 2:  # what one look finds to be over, the next one takes up
            quiet = 0 if await self.duties.once() + await self.remover.round() else quiet + 1

    def retaining(self, *entries: tuple[str, int]) -> Retaining:
        """Give what says how long what is kept, with these periods in the settings (class, days)."""
        periods = periods_of([RetentionEntry(of, days) for of, days in entries], 35)
        return Retaining(self.content, periods, self.policy)

    def sweeper(
        self, *entries: tuple[str, int], busy: Callable[[], bool] = lambda: False, metrics: Metrics | None = None
    ) -> Sweeper:
        """Give a retention sweeper with these periods (class, days); its lease is given back with the store's."""
        lease = Lease(self.content, "retention", self.stores.entropy.draw(8).hex(), 60_000)
        return Sweeper(
            self.content,
            self.keys,
            lease,
            self.retaining(*entries),
            metrics or Metrics(),
            self.stores.clock,
            busy=busy,
            every_seconds=600,
        )

    async def check_keys(self) -> None:
        """Hold the key store to its invariants: every content row opens, nothing is over its bound."""
        used = []
        for table in ("message", "event", "identity", "derivative"):
            for key, sealed in await self.rows(f"SELECT key, sealed FROM {table}"):
                row_key = (await self.keys.open_rows([key]))[key]
                place = content_place(self.keys.region, row_key.owner, table, "sealed", key)
                Cipher(row_key.key).open(sealed, place)
                used.append(key)
        assert len(used) == len(set(used))
        counts = await self.key_rows("SELECT id / 256, count(*) FROM row_key GROUP BY id / 256")
        assert all(count <= 256 for _, count in counts)
        stale = await self.key_rows(
            "SELECT r.id FROM row_key r JOIN bucket_key b ON b.id = r.id / 256 "
            "JOIN owner_key o ON o.id = b.owner WHERE r.bucket_version <> b.version OR b.owner_version <> o.version"
        )
        assert stale == []
        assert await unrecorded(self.content) == 0


@asynccontextmanager
async def bench(
    folder: Path,
    database_url: str | None = None,
    chosen: EdgeSettings | None = None,
    bundle: Bundle | None = OPEN,
) -> AsyncIterator[Bench]:
    """Open a node's parts below ``folder`` (or of ``chosen`` settings), making the node the first time.

    It decides by ``bundle``, if it has none yet; by none where that is ``None``.
    """
    chosen = chosen or settings(folder, database_url)
    if not (chosen.data_dir / "keys.db").exists():
        await initialise(chosen)
    async with open_stores(chosen) as stores:
        if not await stores.accounts.load():
            await stores.accounts.save(ACCOUNT, CREDENTIALS, replace=False)
        policies = PolicyStore(stores.content)
        if bundle is not None and await policies.newest() is None:
            now = stores.clock.now()
            await policies.keep(1, digest(bundle), bundle_bytes(bundle), now, issued_at=now)
        judge = await assemble_judge(stores, Metrics())
        identity, group, mark, tombstone = [
            (await stores.keys.indexes(name))[0] for name in ("identity", "group", "mark", "tombstone")
        ]
        people = People(stores.content, chosen.region, await stores.keys.indexes("suppression"))
        await people.forget()
        taking_in = TakingIn(
            stores.content,
            stores.keys,
            Clerk(mark, tombstone),
            Resolver(people, stores.keys, identity, group, judge),
            stores.clock,
        )
        lease = Lease(stores.content, "remover", stores.entropy.draw(8).hex(), 15_000)
        places = DisclosurePlaces(stores.content)
        eraser = Eraser(stores.content, stores.keys, stores.journal, places, stores.clock, stores.blobs)
        remover = Remover(
            stores.content, stores.keys, stores.journal, lease, Metrics(), stores.clock, eraser, stores.blobs
        )
        made = Bench(stores, taking_in, remover, eraser, judge)
        await made.duties.ensure()
        yield made
        await made.duty_lease.give_back()
        await lease.give_back()


def taken(event: Event) -> Taken:
    """Say that an event was admitted for the test account."""
    return Taken(event, 1, ACCOUNT.name, ACCOUNT.scope, 1_700_000_000_000)


def person(number: int, *, phone: int | None = None) -> Person:
    """Give a person with a BSUID and, where asked, a phone."""
    names = [Identifier("whatsapp_user", f"ID.{number}")] if number else []
    if phone is not None:
        names.append(Identifier("whatsapp_phone", f"62{phone}"))
    return Person(tuple(names))


def message(number: int, author: Person, text: str, at: int = 1000, **more: object) -> Message:
    """Give a message of a person."""
    return Message(
        channel="whatsapp", via="3", at=at, author=author, message_id=f"wamid.{number}", content=Text(text), **more
    )


def edit(number: int, author: Person, text: str, at: int) -> Edit:
    """Give an edit of a message."""
    return Edit(channel="whatsapp", via="3", at=at, author=author, message_id=f"wamid.{number}", content=Text(text))


def recall(number: int, author: Person, at: int = 9000) -> Recall:
    """Give a recall of a message."""
    return Recall(channel="whatsapp", via="3", at=at, author=author, message_id=f"wamid.{number}")


def texts_of(events: Sequence[Event]) -> list[str]:
    """Give the words of messages."""
    return [event.content.text for event in events if isinstance(event, Message) and isinstance(event.content, Text)]
