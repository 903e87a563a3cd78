"""The n-th call fails while what laws keep is judged, resumed, or bound to another bundle: it ends the same, once."""

import contextlib

import pytest

from shared.database.contract import Step
from shared.errors import HomeportError, StoreUnavailable
from shared.message import Status
from shared.policy.spans import moment_ms
from tests.support.faulty import make_all_mortal
from tests.support.governed import MovedClock, at_date, govern, laws_of, take_at
from tests.support.interleave import Died
from tests.support.keeping import LATER
from tests.support.stores import message, person, recall

STRIDE = {"sqlite": 13, "postgresql": 29}
"""A short run tries some of the calls, a long one all."""
STORED = moment_ms("2027-08-01")
KEPT = """
SELECT s.pseudonym, k.class, k.store, k.keep, k.article, k.until, k.count FROM kept k JOIN subject s ON s.id = k.subject
WHERE s.pseudonym IN (:ann, :ben, :cat) ORDER BY s.id, k.class, k.store
"""
LEFT = """
SELECT s.pseudonym, m.keep FROM {0} m JOIN subject s ON s.id = m.subject
WHERE s.pseudonym IN (:ann, :ben, :cat) ORDER BY s.id, m.id
"""


class Story:
    """Three people: one takes back what a law keeps, one is erased where a law keeps some, one under a hold."""

    def __init__(self, node, at: int) -> None:
        self.node, self.at = node, at
        self.names: dict[str, str] = {}
        self.entry, self.hold = "", ""

    async def begin(self) -> None:
        """Let them write, under their laws."""
        for place, (who, law) in enumerate((("ann", "IN"), ("ben", "VN"), ("cat", "EU"))):
            self.number = 10 * self.at + place
            author = person(self.number)
            status = Status(
                channel="whatsapp", via="3", at=5, recipient=author, message_id=f"wamid.s{self.number}", status="read"
            )
            await take_at(self.node, STORED, message(self.number, author, who), status)
            ((row, self.names[who]),) = await self.node.rows(
                "SELECT id, pseudonym FROM subject ORDER BY id DESC LIMIT 1"
            )
            await self.node.content.run(
                [Step("UPDATE subject SET jurisdiction = :code, others = '' WHERE id = :id", [(law, row)])]
            )
        self.hold = await self.node.holder.place(
            self.names["cat"], reason="legal_claim", review_at=LATER, beats=("recall", "erase", "expire")
        )
        await self.node.take(recall(10 * self.at, person(10 * self.at)), recall(self.number, person(self.number)))
        _, self.entry = await self.node.eraser.open_case(self.names["ben"], "subject_request")

    async def stands(self) -> list[list[tuple]]:
        """Give what is kept, why, and what is left."""
        who = self.names
        return [
            await self.node.rows(KEPT, **who),
            await self.node.rows(LEFT.format("message"), **who),
            await self.node.rows(LEFT.format("event"), **who),
            await self.node.rows(
                "SELECT messages, events, identities, keys_kept FROM erasure WHERE log_entry = :entry", entry=self.entry
            ),
        ]

    def kept(self) -> list[list[tuple]]:
        """Give what is to be kept, before any date."""
        ann, ben, cat = self.names.values()
        year, two = moment_ms("2028-08-01"), moment_ms("2029-08-01")
        return [
            [
                (ann, "message_text", "messages", "restricted", "dpdr-in-8-3", year, 1),
                (ben, "delivery_metadata", "events", "restricted", "dec-vn-53", two, 1),
                (cat, "message_text", "messages", "held", "gdpr-17-3-e", None, 1),
            ],
            [(ann, "held"), (cat, "held")],
            [(ann, "active"), (ben, "active"), (cat, "active")],
            [(1, 0, 1, 1)],
        ]

    def gone(self) -> list[list[tuple]]:
        """Give what is left once only the hold keeps."""
        ann, _, cat = self.names.values()
        return [
            [(cat, "message_text", "messages", "held", "gdpr-17-3-e", None, 1)],
            [(cat, "held")],
            [(ann, "active"), (cat, "active")],
            [(1, 1, 1, 1)],
        ]


async def quietly(node) -> None:
    """Do everything that is due, whatever fails."""
    with contextlib.suppress(Died, HomeportError):
        await node.settle()


@pytest.mark.parametrize("dies", [False, True], ids=["fails", "dies"])
@pytest.mark.parametrize("when", ["judged", "resumed", "bound"])
async def test_what_is_kept_ends_the_same_wherever_it_fails(open_bench, monkeypatch, long_run, dies, when):
    fate, at, reached = make_all_mortal(monkeypatch), 1 + dies, True
    clock = MovedClock("2027-09-01")
    laws = laws_of("IN", "VN", "EU")
    async with at_date(open_bench, monkeypatch, clock) as node:
        await govern(node, laws)
        stride = 1 if long_run else STRIDE[node.content.engine]
    while reached:
        clock.move_to("2027-09-01")
        async with at_date(open_bench, monkeypatch, clock) as node:
            story = Story(node, at)
            await node.duties.ensure()
            await story.begin()
            if when != "judged":
                await node.settle()
                assert await story.stands() == story.kept()
            if when == "resumed":
                clock.move_to("2029-08-02")
            if when == "bound":
                await govern(node, laws_of("EU"))
            fate.arm(at, Died() if dies else StoreUnavailable(cause="failed"))
            try:
                await quietly(node)
            finally:
                reached = fate.calls >= at
                fate.disarm()
        async with at_date(open_bench, monkeypatch, clock) as node:
            await node.content.run([Step("DELETE FROM lease")])  # what a dead process held runs out
            story.node = node
            await node.settle()
            assert await story.stands() == (story.kept() if when == "judged" else story.gone())
            await node.check_keys()
            # What stands is bound to each bundle: it must not become more with every try.
            await node.holder.release(story.hold)
            if when == "bound":
                await govern(node, laws)
        at += stride
    assert at > 40
