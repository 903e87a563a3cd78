"""What is past its time and kept all the same, by a law or a hold: it stays, and is named with the article."""

import pytest

from edge_node.usecases.letting_go.kept_listing import list_kept
from shared.database.contract import Step
from shared.message import Status
from shared.policy.spans import moment_ms
from tests.support.governed import MovedClock, at_date, govern, kept_for, laws_of, of_law, take_at
from tests.support.keeping import LATER, sweep
from tests.support.stores import message, person

ANN, BEN = person(1, phone=11), person(2, phone=22)


@pytest.fixture
def clock():
    """Give a clock that stands in September 2027."""
    return MovedClock("2027-09-01")


@pytest.fixture
def open_at(open_bench, monkeypatch, clock):
    """Give what opens a node whose time is the clock's."""
    return lambda: at_date(open_bench, monkeypatch, clock)


def status(number: int, recipient) -> Status:
    """Give a status of a message sent."""
    return Status(channel="whatsapp", via="3", at=5, recipient=recipient, message_id=f"wamid.{number}", status="read")


async def test_what_a_law_or_a_hold_keeps_of_showings_is_not_swept(open_at, clock):
    """Though the settings, and a policy that forgot the law, would let the records go."""
    async with open_at() as node:
        people = [person(number) for number in (1, 2, 3)]
        await take_at(
            node, moment_ms("2022-01-01"), *(message(number, each, "x") for number, each in enumerate(people))
        )
        names = [await of_law(node, place, code) for place, code in enumerate(("VN", "TH", "TH"), 1)]
        await govern(node, laws_of("VN"))
        for subject in (1, 2, 3):
            for day in ("2023-01-01", "2027-08-01"):
                row = (f"{subject}-{day}", "n", "p", "v", subject, moment_ms(day), 1, moment_ms(day))
                sql = "INSERT INTO disclosure (id, node, purpose, view, subject, at, key, closed_at) VALUES "
                await node.content.run([Step(f"{sql} (:id, :node, :p, :view, :subject, :at, :key, :closed)", [row])])
        hold = await node.holder.place(names[1], reason="complaint", review_at=LATER, beats=("expire",))
        assert await sweep(node, ("disclosure", 5)) == 3
        left = "SELECT id FROM disclosure ORDER BY id"
        assert await node.rows(left) == [("1-2027-08-01",), ("2-2023-01-01",), ("2-2027-08-01",)]
        await node.holder.release(hold)
        clock.move_to("2029-08-02")
        assert await sweep(node, ("disclosure", 5)) == 3
        assert await node.rows(left) == []


async def test_what_is_past_its_time_and_kept_is_listed_with_its_article(open_at):
    async with open_at() as node:
        said = moment_ms("2026-01-01")
        await take_at(node, said, message(1, ANN, "one"), status(1, ANN), message(2, BEN, "two"), status(2, BEN))
        await take_at(node, moment_ms("2027-08-20"), message(3, BEN, "new"))
        name, other = await of_law(node, 1, "VN"), await of_law(node, 2, "EU")
        await govern(node, laws_of("VN", "EU", rules=[kept_for("all", at_most="400 days")]))
        await node.duties.ensure()
        assert await sweep(node) == 3
        await node.holder.place(other, reason="legal_claim", review_at=LATER, beats=("expire",))
        assert await sweep(node, ("message", 1)) == 0

        async def listed(pseudonym):
            retaining, now = node.retaining(("message", 1)), node.stores.clock.now()
            found = await list_kept(node.content, node.policy, retaining, pseudonym, now)
            return [(*each[:4], each.article, each.last_until, each.amount) for each in found.rows], len(found.holds)

        until = moment_ms("2028-01-01")
        passed = ("expire", "delivery_metadata", "active", "passed_over", "dec-vn-53", until, 1)
        assert await listed(name) == ([passed], 0)
        held = ("expire", "message_text", "active", "passed_over", "gdpr-17-3-e", None, 1)
        assert await listed(other) == ([held], 1)
