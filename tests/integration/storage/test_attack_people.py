"""Who is this?  Numbers that pass on, names that come one by one, in every order, in one batch and in many."""

import asyncio
import itertools

import msgspec
import pytest

from edge_node.storage.content.people import People
from shared.message import Identifier, Person
from tests.support.stores import bench, message, person, taken

NUMBER = 11
EVENTS = (
    message(1, person(1, phone=NUMBER), "one"),
    message(2, person(2, phone=NUMBER), "two"),
    message(3, person(1), "one"),
    message(4, person(2), "two"),
    message(5, person(0, phone=NUMBER), "nobody knows"),
)


def named(bsuid: str | None = None, parent: str | None = None, phone: str | None = None) -> Person:
    """Give a person by any of the three names."""
    names = (("whatsapp_user", bsuid), ("whatsapp_parent_user", parent), ("whatsapp_phone", phone))
    return Person(tuple(Identifier(kind, value) for kind, value in names if value is not None))


async def subjects(node) -> dict[str, set[int]]:
    """Give the subjects that each text was filed under."""
    found: dict[str, set[int]] = {}
    for subject, key, sealed in await node.rows("SELECT subject, key, sealed FROM message"):
        found.setdefault((await node.open("message", key, sealed)).content.text, set()).add(subject)
    return found


async def hold_to_the_rules(node) -> None:
    """Hold the store to what is true of people whatever happened."""
    twice = "SELECT blind FROM identity WHERE valid_to IS NULL GROUP BY blind HAVING count(*) > 1"
    assert await node.rows(twice) == []
    lasting = (
        "SELECT subject FROM identity WHERE kind = 'whatsapp_user' AND valid_to IS NULL "
        "GROUP BY subject HAVING count(*) > 1"
    )
    assert await node.rows(lasting) == []
    assert await node.rows("SELECT id FROM subject WHERE id NOT IN (SELECT subject FROM identity)") == []
    assert await node.rows("SELECT id FROM identity WHERE valid_to < valid_from") == []
    await node.check_keys()


@pytest.mark.parametrize("first", range(5))
@pytest.mark.parametrize("size", [1, 2, 5])
async def test_two_people_with_one_number_stay_two_in_every_order(tmp_path, first, size):
    rest = [event for place, event in enumerate(EVENTS) if place != first]
    for place, tail in enumerate(itertools.permutations(rest)):
        order = (EVENTS[first], *tail)
        async with bench(tmp_path / str(place)) as node:
            for start in range(0, 5, size):
                await node.take(*order[start : start + size])
            found = await subjects(node)
            assert (len(found["one"]), len(found["two"])) == (1, 1), order
            assert found["one"].isdisjoint(found["two"]), order
            await hold_to_the_rules(node)


async def test_a_late_delivery_does_not_take_a_number_back_to_whom_it_was_before(open_bench):
    async with open_bench() as node:
        await node.take(message(1, person(1, phone=NUMBER), "old owner", at=1_000))
        await node.take(message(2, person(2, phone=NUMBER), "new owner", at=9_000))
        await node.take(message(3, person(1, phone=NUMBER), "old owner", at=2_000))  # delivered again, late
        await node.take(message(4, person(0, phone=NUMBER), "new owner", at=9_500))
        found = await subjects(node)
        assert (len(found["old owner"]), len(found["new owner"])) == (1, 1)
        await hold_to_the_rules(node)


async def test_a_number_that_passes_on_by_a_late_delivery_ends_after_it_began(open_bench):
    async with open_bench() as node:
        await node.take(message(1, person(1, phone=NUMBER), "one", at=9_000))
        await node.take(message(2, person(2, phone=NUMBER), "two", at=1_000))
        await hold_to_the_rules(node)


async def test_a_parent_name_alone_keeps_two_people_apart(open_bench):
    async with open_bench() as node:
        await node.take(message(1, named(parent="A", phone="11"), "one"))
        await node.take(message(2, named(bsuid="2", parent="B", phone="11"), "two"))
        found = await subjects(node)
        assert found["one"].isdisjoint(found["two"])


async def test_a_parent_name_leads_from_one_account_of_a_portfolio_to_the_other(open_bench):
    async with open_bench() as node:
        await node.take(message(1, named(bsuid="1", parent="A", phone="11"), "one"))
        await node.take(message(2, named(bsuid="2", parent="A"), "one"), message(3, named(parent="A"), "one"))
        await node.take(message(4, named(bsuid="9", phone="11"), "two"))
        found = await subjects(node)
        assert (len(found["one"]), len(found["two"])) == (1, 1)
        assert found["one"].isdisjoint(found["two"])


async def test_portfolios_do_not_share_people_and_accounts_of_one_do(open_bench):
    who = person(1, phone=NUMBER)
    async with open_bench() as node:
        first = taken(message(1, who, "a"))
        same = msgspec.structs.replace(taken(message(2, who, "a")), account=2, account_name="second")
        other = msgspec.structs.replace(taken(message(3, who, "b")), account=3, account_name="third", scope="elsewhere")
        await node.taking_in.take_in([first, same, other])
        found = await subjects(node)
        assert (len(found["a"]), len(found["b"])) == (1, 1)
        assert found["a"].isdisjoint(found["b"])


async def test_the_first_contact_is_the_first_of_the_batch(open_bench):
    async with open_bench() as node:
        await node.take(message(1, person(1), "one", at=1_000), message(2, person(1), "two", at=5_000))
        assert await node.rows("SELECT first_contact_at FROM subject") == [(1_000,)]
        assert await node.rows("SELECT valid_from FROM identity") == [(1_000,)]


async def test_a_thousand_newcomers_in_one_batch_are_a_thousand_people(open_bench):
    async with open_bench() as node:
        await node.take(*(message(number, person(number + 1, phone=number), "text") for number in range(1000)))
        assert await node.rows("SELECT count(*) FROM subject") == [(1000,)]
        await hold_to_the_rules(node)


async def test_whoever_wrote_long_ago_is_not_forgotten_in_the_middle_of_a_batch(open_bench, monkeypatch):
    """A full memory makes room for strangers; the regular who writes beside them is not the one to go."""
    monkeypatch.setattr("edge_node.storage.content.people.REMEMBERED_MAX", 24)
    async with open_bench() as node:
        for start in range(0, 80, 8):
            strangers = [person(number, phone=number) for number in range(start + 10, start + 17)]
            who = [person(1, phone=1), *strangers]
            await node.take(*(message(start + place, each, "text") for place, each in enumerate(who)))
        assert await node.rows("SELECT count(*) FROM subject") == [(71,)]
        assert await node.key_rows("SELECT generation FROM key_store") == [(1,)]  # nothing was drawn in vain
        await hold_to_the_rules(node)


async def test_two_batches_at_once_do_not_forget_people_under_each_other(open_bench, monkeypatch):
    reached, gate = asyncio.Event(), asyncio.Event()
    async with open_bench() as one, open_bench() as two:
        await one.take(message(1, person(1, phone=NUMBER), "one", at=1_000))
        await one.take(message(2, person(2, phone=NUMBER), "two", at=9_000))
        real = People.others

        async def others(people: People, subject: int) -> list[tuple[str, bytes]]:
            reached.set()
            await gate.wait()
            return await real(people, subject)

        monkeypatch.setattr(People, "others", others)
        late = asyncio.create_task(one.take(message(3, person(1, phone=NUMBER), "one", at=2_000)))
        await reached.wait()  # the first batch looks its person up
        monkeypatch.setattr(People, "others", real)
        await two.take(message(4, person(2, phone=12), "two", at=10_000))
        await two.take(message(5, person(3, phone=12), "three", at=11_000))  # closes an identity: what one knows is old
        other = asyncio.create_task(one.take(message(6, person(4), "four", at=12_000)))
        await asyncio.wait({other}, timeout=0.5)
        gate.set()
        await asyncio.gather(late, other)
        found = await subjects(one)
        assert (len(found["one"]), len(found["two"])) == (1, 1)
        assert None not in found["one"]
        await hold_to_the_rules(one)
