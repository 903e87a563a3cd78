"""What the table of duties keeps is there, what it lets go is gone, and a receipt's counts add up to what there was.

Whatever is said, taken back, erased, held and restricted, under whose law ever, as time goes on, bundles come that know
a duty more or less, and people move.
"""

import random

import msgspec
import pytest

from shared.clock import DAY
from shared.errors.keeping import HoldTooLate, HoldUnfounded
from shared.errors.uplink import SubjectUnknown
from shared.message import Status
from shared.policy.conflicts import Happened, resolve
from shared.policy.model import Policy
from tests.support.governed import MovedClock, at_date, govern, laws_of, of_law, take_at
from tests.support.keeping import LATER
from tests.support.stores import message, person, recall

LAWS = ("IN", "MX", "SG", "VN", "EU", "KR")
ALL = ("recall", "erase", "expire")
HOUR = 3_600_000
_RECEIPTS = """
SELECT e.subject, e.messages + COALESCE((SELECT sum(k.count) FROM kept k
    WHERE k.log_entry = e.log_entry AND k.store = 'messages'), 0)
FROM erasure e WHERE e.finished_at IS NOT NULL OR (e.settled_at IS NOT NULL AND e.parting = 0 AND e.again_at > 0)
"""
"""What a receipt says of messages: gone, or kept with their date."""
LAG = 2 * HOUR
"""An erasure is looked at again within an hour of its rows' dates."""
BEGINS = {"legal_claim": "hold_placed", "restriction": "restriction_placed", "access_refused": "refused"}
ENDS = {"legal_claim": "hold_released", "restriction": "restriction_lifted"}


class History:
    """What happened to some people's records, and what the table says must have become of them."""

    def __init__(self, node, clock, seed: int) -> None:
        self.node, self.clock, self.random = node, clock, random.Random(seed)
        self.names: list[str] = []
        self.laws = list(LAWS)
        self.less = False
        """The bundle in force knows no mandatory minimum."""
        self.facts: dict[int, list[Happened]] = {}
        self.wanted: dict[tuple[int, int], set[str]] = {}
        self.stored: dict[tuple[int, int], int] = {}
        self.erased: dict[int, int] = {}
        self.gone: set[tuple[int, int, str]] = set()
        self.holds: list[tuple[str, int, str]] = []

    async def begin(self) -> None:
        """Let everybody write, over two years."""
        for who, law in enumerate(LAWS):
            for number in range(4):
                at = self.clock.now() - self.random.randrange(1, 700 * DAY)
                author, name = person(who + 1), who * 100 + number
                await take_at(self.node, at, message(name, author, f"{name}"), self.status(name, author))
                self.stored[who, number], self.wanted[who, number] = at, set()
            self.facts[who] = []
            self.names.append(await of_law(self.node, who + 1, law))
        await govern(self.node, laws_of(*LAWS))
        await self.node.duties.ensure()

    @staticmethod
    def status(number: int, recipient) -> Status:
        """Give the status of a message."""
        return Status(
            channel="whatsapp", via="3", at=5, recipient=recipient, message_id=f"wamid.s{number}", status="read"
        )

    async def step(self) -> None:
        """Let something happen, and some time pass."""
        who, number = self.random.randrange(len(LAWS)), self.random.randrange(4)
        match self.random.choice(("recall", "recall", "erase", "place", "place", "release", "bundle", "move")):
            case "recall":
                await self.node.take(recall(who * 100 + number, person(who + 1)))
                self.wanted[who, number].add("recall")
            case "erase":
                await self.erase(who)
            case "place":
                await self.place(who, self.random.choice(tuple(BEGINS)))
            case "release" if self.holds:
                await self.release(*self.holds.pop(self.random.randrange(len(self.holds))))
            case "bundle":
                self.less = not self.less
                await govern(self.node, without_minimum(laws_of(*LAWS)) if self.less else laws_of(*LAWS))
            case "move" if not self.facts[who] and self.laws[who] != "MX":
                # Of whom nothing is held; what waits is asked again within a day.
                self.laws[who] = self.random.choice(("IN", "VN", "EU", "SG"))
                await of_law(self.node, who + 1, self.laws[who])
                self.clock.move(1.1)
        self.clock.move(self.random.choice((0.2, 1, 10, 31, 200)))

    async def erase(self, who: int) -> None:
        """Let somebody be forgotten."""
        if who not in self.erased:
            now = self.clock.now()
            self.erased[who] = (await self.node.rows("SELECT count(*) FROM message WHERE subject = :who", who=who + 1))[
                0
            ][0]
            await self.node.eraser.open_case(self.names[who], "subject_request")
            self.facts[who].append(Happened("decided", now))
            for key in self.wanted:
                if key[0] == who:
                    self.wanted[key].add("erase")
            self.holds += [
                (hold, who, "blocking")
                for (hold,) in await self.node.rows(
                    "SELECT id FROM hold WHERE subject = :who AND kind = 'blocking'", who=who + 1
                )
            ]

    async def place(self, who: int, reason: str) -> None:
        """Let an officer place a hold, if there is still somebody to hold and a law that knows it."""
        try:
            hold = await self.node.holder.place(self.names[who], reason=reason, review_at=LATER, beats=ALL)
        except (HoldTooLate, HoldUnfounded, SubjectUnknown):
            return
        kind = next(each.backing.kind for each in await self.node.holder.list() if each.id == hold)
        reason = "legal_claim" if kind == "hold" else reason
        self.facts[who].append(Happened(BEGINS[reason], self.clock.now()))
        if reason in ENDS:
            self.holds.append((hold, who, reason))

    async def release(self, hold: str, who: int, reason: str) -> None:
        """Let an officer end what was placed."""
        await self.node.holder.release(hold)
        self.facts[who].append(Happened(ENDS.get(reason, "block_lifted"), self.clock.now()))

    def keep(self, who: int, number: int, data_class: str, at: int, wanted: set[str]) -> str:
        """Say what the table says of a record."""
        laws = (self.laws[who], "ID")
        facts = [Happened("stored", self.stored[who, number]), *self.facts[who]]
        return resolve(self.node.policy.tables, laws, data_class, wanted, facts, at).keep

    async def check(self) -> None:
        """Compare the store with the table, record by record; what became free a moment ago may still be there."""
        now = self.clock.now()
        there = {(row[0] - 1, row[1]) for row in await self.node.rows("SELECT subject, received_at FROM message")}
        told = {(row[0] - 1, row[1]) for row in await self.node.rows("SELECT subject, received_at FROM event")}
        shown = {
            (row[0] - 1, row[1])
            for row in await self.node.rows(
                "SELECT m.subject, m.received_at FROM message m JOIN subject s ON s.id = m.subject "
                "WHERE m.keep = 'active' AND s.keep = 'active'"
            )
        }
        for (who, number), at in self.stored.items():
            for data_class, rows, wanted in (
                ("message_text", there, self.wanted[who, number]),
                ("delivery_metadata", told, self.wanted[who, number] & {"erase"}),
            ):
                found, record = (who, at) in rows, (who, number, data_class)
                kept = [self.keep(who, number, data_class, when, wanted) != "tombstoned" for when in (now - LAG, now)]
                if not any(kept) or record in self.gone:
                    self.gone.add(record)
                    assert not found, (self.laws[who], record, wanted)
                elif all(kept):
                    assert found, (self.laws[who], record, wanted)
                elif not found:
                    self.gone.add(record)
            assert ((who, at) in shown) == (not self.wanted[who, number])
        gone = {row[0] - 1 for row in await self.node.rows("SELECT id FROM subject WHERE keep = 'gone'")}
        assert not {who for who, _ in there | told} & gone
        for subject, messages in await self.node.rows(_RECEIPTS):
            recalled = any(self.wanted[key] & {"recall"} for key in self.wanted if key[0] == subject - 1)
            assert recalled or messages == self.erased[subject - 1]


def without_minimum(policy: Policy) -> Policy:
    """Leave the mandatory minimums out."""
    files = tuple(
        msgspec.structs.replace(file, duty=tuple(each for each in file.duty if each.kind != "minimum"))
        for file in policy.jurisdictions
    )
    return msgspec.structs.replace(policy, jurisdictions=files)


@pytest.mark.parametrize("seed", [6, 14, 15, 23])
async def test_what_the_table_keeps_is_there_and_what_it_lets_go_is_gone(open_bench, monkeypatch, seed):
    clock = MovedClock("2027-06-15")
    async with at_date(open_bench, monkeypatch, clock) as node:
        history = History(node, clock, seed)
        await history.begin()
        for _ in range(14):
            await history.step()
            await node.settle()
            await history.check()
        for each in history.holds:
            await history.release(*each)
        for _ in range(2):
            clock.move(800)
            await node.settle()
            await history.check()
        # Nothing waits for ever: everybody who was to be forgotten is, and each receipt says how much that was.
        assert await node.rows("SELECT count(*) FROM log_entry WHERE state <> 'done'") == [(0,)]
        gone = {row[0] - 1 for row in await node.rows("SELECT id FROM subject WHERE keep = 'gone'")}
        assert gone == set(history.erased)
        await node.check_keys()
