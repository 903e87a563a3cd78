"""A person is erased: keys and rows go, old events stay out, new ones are a new person's; at every step one may die."""

import asyncio

import pytest

from edge_node.storage.journal import FILE
from edge_node.storage.keys.destruction import SubjectEntry, destroy_subject
from shared.errors import LogEntryRequired, StoreUnavailable
from shared.errors.uplink import SubjectUnknown
from shared.message import Identifier, Person
from tests.support.stores import edit, message, person, recall

REASON = "subject_request"
LATER = 4_000_000_000_000
"""A platform time after every erasure of these tests."""


async def pseudonym_of(node, number=1):
    """Give the pseudonym of the person who wrote a message of that text number first."""
    rows = await node.rows("SELECT pseudonym FROM subject WHERE keep = 'active' ORDER BY id")
    return rows[number - 1][0]


async def filled(node):
    """Take in two people's messages, a group's, and what else belongs to the first; give the first's pseudonym."""
    group = Identifier("whatsapp_group", "room")
    one, two = person(1, phone=81), person(2)
    await node.take(message(1, one, "one"), message(2, two, "two"), message(3, one, "in a group", group=group))
    await node.take(message(4, two, "also in a group", group=group))
    await node.take(message(5, Person(), "to one", direction="out", to=one), edit(1, one, "one, changed", at=2000))
    return await pseudonym_of(node)


async def test_everything_of_a_person_goes_and_nothing_else(open_bench):
    async with open_bench() as node:
        name = await filled(node)
        before = await node.key_rows("SELECT count(*) FROM owner_key WHERE kind = 'subject'")
        await node.eraser.open_case(name, REASON)
        await node.remove()
        assert await node.texts() == ["also in a group", "two"]
        assert await node.key_rows("SELECT count(*) FROM owner_key WHERE name = :name", name=name) == [(0,)]
        assert await node.key_rows("SELECT count(*) FROM owner_key WHERE kind = 'subject'") == [(before[0][0] - 1,)]
        assert await node.rows("SELECT keep FROM subject WHERE pseudonym = :name", name=name) == [("gone",)]
        gone = "SELECT count(*) FROM identity i JOIN subject s ON s.id = i.subject WHERE s.pseudonym = :name"
        assert await node.rows(gone, name=name) == [(0,)]
        counted = "SELECT keys, messages, identities FROM erasure WHERE finished_at IS NOT NULL"
        # One message by the person, one to the person, one in a group; two names.
        assert await node.rows(counted) == [(5, 3, 2)]
        await node.check_keys()
        journal = (node.stores.settings.journal_dir / FILE).read_text()
        assert name in journal


async def test_old_events_stay_out_and_new_ones_are_a_new_person(open_bench):
    async with open_bench() as node, open_bench() as other:
        name = await filled(node)
        await other.take(message(20, person(1, phone=81), "seen by the other process, too"))
        await node.eraser.open_case(name, REASON)
        for process in (node, other):
            outcome = await process.take(message(1, person(1, phone=81), "sent again"))
            assert outcome.suppressed + outcome.duplicates == 1
        assert (await other.take(message(6, person(1), "late, never seen"))).suppressed == 1
        assert (await node.take(message(7, person(0, phone=81), "by number alone, late"))).suppressed == 1
        assert (await node.take(message(8, person(1, phone=81), "hello again", at=LATER))).stored == 1
        assert (await other.take(message(9, person(1, phone=81), "late, after the new one"))).suppressed == 1
        await node.remove()
        assert (await other.take(message(10, person(1), "later still late"))).suppressed == 1
        assert (await node.take(recall(1, person(1)))).recalls == 1
        await node.remove()
        assert await node.texts() == ["also in a group", "hello again", "two"]
        names = [found for (found,) in await node.rows("SELECT pseudonym FROM subject WHERE keep = 'active'")]
        assert len(names) == 2
        assert name not in names
        await node.check_keys()


@pytest.mark.parametrize(("at", "stored", "suppressed"), [(LATER, 1, 0), (1_000, 0, 1)])
async def test_a_process_that_still_remembers_somebody_erased_looks_again(open_bench, at, stored, suppressed):
    async with open_bench() as node, open_bench() as other:
        name = await filled(node)
        await other.take(message(20, person(1, phone=81), "seen by the other process, too"))
        await node.eraser.open_case(name, REASON)
        await node.remove()
        for number, process in ((30, other), (31, node)):
            taken = await process.take(message(number, person(1, phone=81), "never seen", at=at))
            assert (taken.stored, taken.suppressed) == (stored, suppressed)
        await node.check_keys()


async def test_a_process_that_never_knew_somebody_erased_keeps_their_late_events_out(open_bench):
    async with open_bench() as node:
        name = await filled(node)
        async with open_bench() as other, open_bench() as third:
            assert not other.taking_in._resolver._people.any_erased
            await node.eraser.open_case(name, REASON)
            await node.remove()
            before = await node.rows("SELECT count(*) FROM subject")
            # By a newcomer in the same batch, and by a number that passes on to one, which raises the counter, too.
            for process, second in ((other, person(7)), (third, person(8, phone=81))):
                outcome = await process.take(
                    message(31, person(1, phone=81), "late, never seen"),
                    message(32, second, "of somebody else", at=LATER),
                )
                assert outcome.suppressed == 1
            assert await node.rows("SELECT count(*) FROM subject") == [(before[0][0] + 2,)]
            await node.check_keys()


async def test_a_number_that_had_passed_on_keeps_only_its_own_time_out(open_bench):
    async with open_bench() as node:
        await node.take(message(1, person(1, phone=81), "the first holder", at=1_000))
        await node.take(message(2, person(2, phone=81), "the second holder", at=5_000))
        first = await pseudonym_of(node)
        await node.eraser.open_case(first, REASON)
        await node.remove()
        assert (await node.take(message(3, person(2, phone=81), "the second holder, late", at=6_000))).stored == 1
        assert (await node.take(message(4, person(0, phone=81), "the first holder, late", at=2_000))).suppressed == 1
        assert await node.texts() == ["the second holder", "the second holder, late"]


async def test_nobody_is_erased_twice_or_by_a_wrong_name(open_bench):
    async with open_bench() as node:
        name = await filled(node)
        with pytest.raises(SubjectUnknown):
            await node.eraser.open_case("0" * 32, REASON)
        one, entry = await node.eraser.open_case(name, REASON)
        two, same = await node.eraser.open_case(name, REASON)
        assert one != two
        assert await node.rows("SELECT DISTINCT log_entry FROM command") == [(entry,)]
        assert same == entry
        await node.remove()
        with pytest.raises(SubjectUnknown):
            await node.eraser.open_case(name, REASON)
        assert await node.rows("SELECT count(*) FROM erasure") == [(1,)]


async def test_keys_of_a_subject_go_only_for_a_journaled_entry(open_bench):
    async with open_bench() as node:
        name = await filled(node)
        for entry in (
            SubjectEntry("", name, "journaled"),
            SubjectEntry("e", name, "ordered"),
            SubjectEntry("e", "", "journaled"),
        ):
            with pytest.raises(LogEntryRequired):
                await destroy_subject(node.keys, entry)
        await node.check_keys()


_STEPS = ("note_journaled", "freeze_erasure", "destroy_subject", "note_keys", "remove_rows", "finish_erasure")


@pytest.mark.parametrize("step", _STEPS)
@pytest.mark.parametrize("after", [False, True])
async def test_an_erasure_cut_short_is_taken_up_where_it_stands(open_bench, monkeypatch, step, after):
    async with open_bench() as node:
        name = await filled(node)
        await node.eraser.open_case(name, REASON)
        real = getattr(__import__("edge_node.usecases.letting_go.erasing", fromlist=[step]), step)

        async def die(*arguments, **named):
            if after:
                await real(*arguments, **named)
            raise StoreUnavailable(store="content")

        with monkeypatch.context() as broken:
            broken.setattr(f"edge_node.usecases.letting_go.erasing.{step}", die)
            with pytest.raises(StoreUnavailable):
                await node.remove()
        assert (await node.take(message(30, person(1), "late"))).suppressed == 1
    async with open_bench() as other:
        await other.remove()
        assert await other.texts() == ["also in a group", "two"]
        assert await other.rows("SELECT state FROM log_entry WHERE act = 'erase'") == [("done",)]
        assert await other.rows("SELECT keys, messages, identities FROM erasure") == [(5, 3, 2)]
        await other.check_keys()


async def test_taking_in_goes_on_while_people_are_erased(open_bench):
    async with open_bench() as one, open_bench() as two:

        async def write(node, first):
            for number in range(first, first + 40):
                await node.take(*(message(number * 10 + who, person(who), "text", at=LATER) for who in range(1, 6)))

        async def erase():
            for _ in range(6):
                names = [name for (name,) in await one.rows("SELECT pseudonym FROM subject WHERE keep = 'active'")]
                for name in names[:2]:
                    await one.eraser.open_case(name, REASON)
                await one.remove()
                await asyncio.sleep(0.02)

        await asyncio.gather(write(one, 0), write(two, 100), erase())
        await one.remove()
        await two.remove()
        orphans = "SELECT count(*) FROM message m LEFT JOIN subject s ON s.id = m.subject WHERE s.keep <> 'active'"
        assert await one.rows(orphans) == [(0,)]
        await one.check_keys()
        live = {name for (name,) in await one.rows("SELECT pseudonym FROM subject WHERE keep = 'active'")}
        owners = {name for (name,) in await one.key_rows("SELECT name FROM owner_key WHERE kind = 'subject'")}
        assert owners == live
