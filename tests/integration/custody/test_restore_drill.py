"""The restore drill: random histories of a region, backed up at random moments, lost, and put back.

Afterwards nothing that was removed can be read, from the store or from any backup with any keys that are left; nothing
that was acknowledged before the content backup is missing unless it was removed; what came in during the quarantine is
there, unless somebody took it back.  A seed makes a history; a failing one is named by the test.
"""

import os
import random
import shutil
import time
from pathlib import Path

import msgspec
import pytest

from edge_node.assembly import epoch_beat
from edge_node.metrics import Metrics
from edge_node.storage.content.quarantine import count_waiting
from edge_node.usecases.custody.quarantine import Gate
from edge_node.usecases.letting_go.erasing import Eraser
from edge_node.usecases.letting_go.retention import Sweeper
from edge_node.usecases.receiving.taking_in import TakingIn
from shared.clock import DAY
from shared.crypto import Cipher, content_place
from shared.database.sqlite import open_sqlite
from shared.errors import HomeportError
from shared.message import Event
from shared.wire import PROTOCOL, Command, SubjectTarget
from tests.support.backups import backed_up, lose, put_back, quarantined, takens
from tests.support.stores import Bench, bench, edit, message, person, recall, settings

DRILLS = 100
LATER = int(time.time() * 1000) + DAY
"""What is said is said after every erasure of this run: whoever was erased and writes again is a new contact."""
OLD = 400 * DAY
"""How long before now a message was received that the sweeper finds expired."""


class Told:
    """What a history did: the words that must be there and those that must not, by message."""

    def __init__(self, seed: int) -> None:
        """Begin with nothing."""
        self.random = random.Random(seed)
        self.number = 0
        self.words: dict[int, tuple[int, str]] = {}
        """By message: its person, and the words that stand for it."""
        self.old: set[int] = set()
        self.gone: set[str] = set()
        """Words that must not be readable any more: taken back, replaced, erased, expired."""
        self.safe: dict[int, str] = {}
        """As of the last backup."""

    def say(self) -> tuple[int, Event]:
        """Let somebody say something new."""
        self.number += 1
        who, text = self.random.randrange(1, 6), f"words {self.number} of {self.random.randrange(10**9)}"
        self.words[self.number] = (who, text)
        return who, message(self.number, person(who), text, at=LATER + self.number)

    def backup(self) -> None:
        """Note what a backup has."""
        self.safe = {number: text for number, (_, text) in self.words.items()}

    def lose(self) -> None:
        """Fall back to what the backup has and nobody removed; whatever came later is lost, not removed."""
        self.words = {
            number: (who, text) for number, (who, text) in self.words.items() if self.safe.get(number) == text
        }

    def take_back(self, number: int) -> Event:
        """Take a message back."""
        who, text = self.words.pop(number)
        self.gone.add(text)
        return recall(number, person(who), at=LATER + self.number)

    def change(self, number: int) -> Event:
        """Edit a message."""
        who, text = self.words[number]
        self.number += 1
        self.gone.add(text)
        self.words[number] = (who, f"edited {self.number} of {self.random.randrange(10**9)}")
        return edit(number, person(who), self.words[number][1], at=LATER + self.number)

    def erase(self, who: int) -> None:
        """Erase a person."""
        for number in [number for number, (author, _) in self.words.items() if author == who]:
            self.gone.add(self.words.pop(number)[1])

    def expire(self) -> None:
        """Let what is old expire."""
        for number in self.old & self.words.keys():
            self.gone.add(self.words.pop(number)[1])
        self.old.clear()


async def act(node: Bench, sweeper: Sweeper, told: Told, pending: list[tuple[Command, str]]) -> None:
    """Do one thing of a history; erasures on the control plane's word are noted in ``pending``, to be told again."""
    chance = told.random.random()
    if chance < 0.55 or not told.words:
        events = [told.say()[1] for _ in range(told.random.randrange(1, 6))]
        received_at = node.stores.clock.now()
        if told.random.random() < 0.2:
            received_at -= OLD
            told.old |= {told.number - place for place in range(len(events))}
        await node.taking_in.take_in(takens(events, received_at=received_at))
    elif chance < 0.7:
        await take(node, node.taking_in, told.take_back(told.random.choice(sorted(told.words))))
    elif chance < 0.8:
        await take(node, node.taking_in, told.change(told.random.choice(sorted(told.words))))
    elif chance < 0.9:
        who = told.words[told.random.choice(sorted(told.words))][0]
        await erase(node, who, pending if told.random.random() < 0.5 else None)
        told.erase(who)
    else:
        told.expire()
        await sweeper.once()
    if told.random.random() < 0.7:
        await node.remove()


async def take(node: Bench, into: TakingIn | Gate, *events: Event) -> None:
    """Take events in that arrive now."""
    await into.take_in(takens(events, received_at=node.stores.clock.now()))


async def erase(node: Bench, who: int, pending: list[tuple[Command, str]] | None) -> None:
    """Erase a person, at the node or on the control plane's word."""
    blind = (await node.keys.indexes("identity"))[0].of("portfolio", "whatsapp_user", f"ID.{who}")
    found = await node.rows(
        "SELECT s.pseudonym FROM subject s JOIN identity i ON i.subject = s.id WHERE i.blind = :blind "
        "AND i.valid_to IS NULL",
        blind=blind,
    )
    pseudonym = found[0][0]
    if pending is None:
        await node.eraser.open_case(pseudonym, "subject_request")
        return
    case = f"{len(pending):032x}"
    command = Command(
        protocol=PROTOCOL,
        id=case,
        cursor=len(pending) + 1,
        case=case,
        kind="erase",
        reason="subject_request",
        issued_at=1,
        target=SubjectTarget(pseudonym=pseudonym),
    )
    pending.append((command, pseudonym))
    assert await node.eraser.obey(command, command.target, 50) == "ordered"


async def history(folder: Path, seed: int) -> None:
    """Live a history through one to three losses."""
    told = Told(seed)
    pending: list[tuple[Command, str]] = []
    chosen = settings(folder)
    backups = folder / "backups"
    last = None
    kept_keys: list[Path] = []
    for life in range(told.random.randrange(2, 4)):
        async with bench(folder) as node:
            if life:
                await come_back(node, told, pending)
            sweeper = node.sweeper(("message", 200))
            for _ in range(told.random.randrange(4, 12)):
                await act(node, sweeper, told, pending)
                if told.random.random() < 0.2 or last is None:
                    last = await backed_up(node, backups)
                    told.backup()
                    kept_keys.append(Path(shutil.copy(last.key_backup, folder / f"keys-{len(kept_keys)}.db")))
            await node.remove()
        assert last is not None
        lose(chosen, keys=told.random.random() < 0.5)
        told.lose()
        await put_back(chosen, last.backup.folder)
    async with bench(folder) as node:
        await come_back(node, told, pending)
        await node.check_keys()
        await backups_are_inert(node, backups, told)
        if told.random.random() < 0.3:
            await no_older_keys_open(node, kept_keys)


async def come_back(node: Bench, told: Told, pending: list[tuple[Command, str]]) -> None:
    """Bring a restored node out of quarantine, with messages and recalls meanwhile; then look at every word."""
    store = await quarantined(node)
    for _ in range(told.random.randrange(0, 4)):
        await take(node, store.gate, *(told.say()[1] for _ in range(told.random.randrange(1, 4))))
        if told.words and told.random.random() < 0.5:
            await take(node, store.gate, told.take_back(told.random.choice(sorted(told.words))))
        if told.random.random() < 0.5:
            await store.step()
    if told.random.random() < 0.5:  # the control plane is there, and hands out again what its cursor says is owed
        for command, _ in pending:
            assert await obey_again(node.eraser, command) in ("gone", "under_way", "ordered")
    await store.lift()
    node.taking_in.look_again()
    assert await count_waiting(node.content) == 0
    expected = sorted(text for _, text in told.words.values())
    found = await node.texts()
    assert not set(found) & told.gone, "something removed is readable"
    assert found == expected, "something acknowledged is missing, or something is there that nobody said"
    assert await node.rows("SELECT count(*) FROM log_entry WHERE state <> 'done'") == [(0,)]


async def obey_again(eraser: Eraser, command: Command) -> str:
    """Be told of an erasure again."""
    return await eraser.obey(command, command.target, 50)


async def backups_are_inert(node: Bench, backups: Path, told: Told) -> None:
    """Open every content backup with the keys that the node still has: nothing that was removed is among it."""
    for folder in sorted(backups.iterdir()):  # noqa: ASYNC240 - a test
        copy = await open_sqlite(folder / "content.db")
        try:
            async with copy.read() as transaction:
                rows = await transaction.fetch("SELECT key, sealed FROM message")
        finally:
            await copy.close()
        keys = await node.keys.open_rows([key for key, _ in rows])
        for key, sealed in rows:
            if key in keys:
                place = content_place(node.keys.region, keys[key].owner, "message", "sealed", key)
                opened = msgspec.json.decode(Cipher(keys[key].key).open(sealed, place), type=Event)
                assert opened.content.text not in told.gone


async def no_older_keys_open(node: Bench, copies: list[Path]) -> None:
    """Go past the epoch horizon: every older key backup is wrapped under an epoch key that is nowhere any more."""
    beat, days = epoch_beat(node.stores, Metrics()), 0
    while await beat.step(days) is not None:
        days = None
    for path in copies:
        copy = await open_sqlite(path)
        try:
            async with copy.read() as transaction:
                epochs = await transaction.fetch(
                    "SELECT DISTINCT epoch FROM owner_key UNION SELECT epoch FROM index_key"
                )
        finally:
            await copy.close()
        assert epochs
        assert all(node.keys.provider.find_epoch(node.keys.region, epoch) is None for (epoch,) in epochs)


SEEDS = range(int(os.environ.get("HOMEPORT_DRILLS", DRILLS)))


@pytest.mark.parametrize("batch", range(0, len(SEEDS), 10))
async def test_a_restored_region_has_what_it_must_and_nothing_that_it_must_not(tmp_path, batch):
    for seed in SEEDS[batch : batch + 10]:
        try:
            await history(tmp_path / str(seed), seed)
        except (AssertionError, HomeportError) as error:
            error.add_note(f"seed {seed}")
            raise
        shutil.rmtree(tmp_path / str(seed))
