"""Batches into both stores: every order, every repetition, every kind of owner."""

import itertools

import pytest

from shared.message import Identifier, Notice, Person, Status, Text, Unclassified
from shared.message import Message as MessageEvent
from tests.support.stores import edit, message, person, recall

ANN, BEN = person(1, phone=11), person(2, phone=22)


async def test_messages_rest_sealed_and_open_under_their_own_keys(open_bench):
    async with open_bench() as node:
        outcome = await node.take(message(1, ANN, "one"), message(2, BEN, "two"), message(3, ANN, "three"))
        assert outcome.stored == 3
        assert await node.texts() == ["one", "three", "two"]
        assert await node.rows("SELECT count(*) FROM subject") == [(2,)]
        await node.check_keys()


async def test_a_repetition_changes_nothing_also_for_another_process(open_bench):
    async with open_bench() as node:
        assert (await node.take(message(1, ANN, "one"), message(1, ANN, "one"))).duplicates == 1
        assert (await node.take(message(1, ANN, "one"))).duplicates == 1
    async with open_bench() as other:
        outcome = await other.take(message(1, ANN, "one"), message(2, ANN, "two"))
        assert (outcome.stored, outcome.duplicates) == (1, 1)
        assert await other.texts() == ["one", "two"]
        await other.check_keys()
        keys = await other.key_rows("SELECT count(*) FROM row_key")
        used = await other.rows("SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM identity) + 1")
        assert keys == used  # the duplicate's key was discarded; one more key is the account's


STORY = (message(1, ANN, "first", at=1000), edit(1, ANN, "second", at=2000), edit(1, ANN, "third", at=3000))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("together", [True, False])
async def test_the_newest_edit_wins_in_every_order(open_bench, order, together):
    async with open_bench() as node:
        events = [STORY[index] for index in order]
        if together:
            await node.take(*events)
        else:
            for event in events:
                await node.take(event)
        await node.remove()
        assert await node.texts() == ["third"]
        assert await node.rows("SELECT edited_at FROM message") == [(3000,)]
        assert await node.rows("SELECT count(*) FROM log_entry WHERE state <> 'done'") == [(0,)]
        await node.check_keys()
        if not together:
            assert await node.rows("SELECT at FROM message") == [(1000,)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("together", [True, False])
async def test_a_recall_wins_in_every_order(open_bench, order, together):
    story = (STORY[0], STORY[1], recall(1, ANN))
    async with open_bench() as node:
        batches = [[story[index] for index in order]] if together else [[story[index]] for index in order]
        for batch in batches:
            await node.take(*batch)
            if not together:
                await node.remove()
        await node.remove()
        assert await node.rows("SELECT count(*) FROM message") == [(0,)]
        assert await node.rows("SELECT count(*) FROM tombstone") == [(1,)]
        await node.take(message(1, ANN, "again"))
        assert await node.rows("SELECT count(*) FROM message") == [(0,)]
        await node.check_keys()
    async with open_bench() as other:
        assert (await other.take(message(1, ANN, "again"))).tombstoned == 1
        assert await other.texts() == []


async def test_a_recall_destroys_the_key_and_leaves_the_neighbours_readable(open_bench):
    async with open_bench() as node:
        await node.take(*(message(number, ANN, f"text {number}") for number in range(300)))
        ((key,),) = await node.rows("SELECT max(key) FROM message WHERE key IN (SELECT key FROM message LIMIT 1)")
        before = await node.key_rows("SELECT wrapped FROM owner_key WHERE kind = 'subject'")
        await node.take(recall(0, ANN))
        await node.remove()
        assert len(await node.texts()) == 299
        assert await node.key_rows("SELECT 1 FROM row_key WHERE id = :key", key=key) == []
        assert await node.key_rows("SELECT wrapped FROM owner_key WHERE kind = 'subject'") != before
        assert await node.key_rows("SELECT generation FROM key_store") == [(2,)]
        journal = list(node.stores.journal.read())
        assert [entry.key for entry in journal] == [key]
        await node.check_keys()
        await node.take(message(500, ANN, "after"))
        assert len(await node.texts()) == 300
        await node.check_keys()


async def test_the_id_of_a_destroyed_key_is_never_given_again(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "one"), message(2, ANN, "two"))
        ((last,),) = await node.rows("SELECT max(key) FROM message")
        await node.take(recall(2, ANN))
        await node.remove()
    async with open_bench() as other:
        await other.take(message(3, ANN, "three"))
        assert await other.rows("SELECT max(key) FROM message") == [(last + 1,)]


async def test_an_edit_by_somebody_else_is_kept_apart_and_goes_with_the_message(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "hers"))
        outcome = await node.take(edit(1, BEN, "his", at=5000))
        assert outcome.foreign_edits == 1
        assert await node.texts() == ["hers"]
        assert await node.rows("SELECT kind FROM event") == [("edit",)]
        await node.take(recall(1, ANN))
        await node.remove()
        assert await node.rows("SELECT count(*) FROM event") == [(0,)]
        await node.check_keys()


async def test_an_unclassified_message_can_be_taken_back_before_and_after(open_bench):
    def unknown(number: int, event_id: str) -> Unclassified:
        return Unclassified(
            channel="whatsapp", via="3", at=1, author=ANN, reason="unknown_kind", raw=b"{}",
            event_id=event_id, message_id=f"wamid.{number}",
        )  # fmt: skip

    async with open_bench() as node:
        await node.take(unknown(1, "a"), unknown(2, "b"), unknown(1, "c"))
        await node.take(recall(1, ANN), recall(3, ANN))
        await node.take(unknown(3, "d"), unknown(1, "e"))
        await node.remove()
        assert await node.rows("SELECT count(*) FROM event") == [(1,)]
        await node.check_keys()


async def test_nobody_known_is_sealed_under_the_days_key_of_group_or_account(open_bench):
    group = Identifier("line_group", "Cgroup")
    withheld = {"channel": "line", "via": "U", "at": 1, "author": Person(), "group": group}
    async with open_bench() as node:
        await node.take(
            MessageEvent(**withheld, message_id="1", content=Text("a")),
            MessageEvent(**withheld, message_id="2", content=Text("b")),
            Notice(channel="line", via="U", at=1, topic="quality", detail={"x": 1}),
        )
        await node.take(MessageEvent(**withheld, message_id="3", content=Text("c")))
        assert await node.texts() == ["a", "b", "c"]
        assert await node.rows("SELECT kind, count(*) FROM conversation GROUP BY kind") == [("group", 1)]
        kinds = await node.key_rows("SELECT kind, count(*) FROM owner_key GROUP BY kind ORDER BY kind")
        assert kinds == [("account", 2), ("conversation", 1)]
        await node.check_keys()


async def test_people_are_found_again_by_what_lasts(open_bench):
    async with open_bench() as node:
        await node.take(message(1, person(0, phone=11), "by phone alone"))
        await node.take(message(2, person(1, phone=11), "now with a BSUID"))
        await node.take(message(3, person(1), "and without the phone"))
        assert await node.rows("SELECT count(*) FROM subject") == [(1,)]
        await node.take(message(4, person(9, phone=11), "the number was given to another"))
        assert await node.rows("SELECT count(*) FROM subject") == [(2,)]
        ended = await node.rows("SELECT kind, valid_to FROM identity WHERE valid_to IS NOT NULL")
        assert ended == [("whatsapp_phone", 1000)]
        await node.take(message(5, person(0, phone=11), "by phone alone, again"))
        assert await node.rows("SELECT subject, count(*) FROM message GROUP BY subject ORDER BY subject") == [
            (1, 3),
            (2, 2),
        ]
        await node.check_keys()


async def test_two_who_claim_one_number_in_a_batch_do_not_pass_it_on_forever(open_bench):
    async with open_bench() as node:
        claims = [message(number, person(number % 2 + 1, phone=11), "mine") for number in range(6)]
        assert (await node.take(*claims)).stored == 6
        assert await node.rows("SELECT count(*) FROM subject") == [(2,)]
        assert await node.rows("SELECT count(*) FROM identity WHERE valid_to IS NULL") == [(3,)]
        await node.check_keys()


async def test_a_status_belongs_to_the_subject_addressed(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "hello"))
        sent = Status(channel="whatsapp", via="3", at=2, message_id="wamid.out", status="sent", recipient=ANN)
        read = Status(channel="whatsapp", via="3", at=3, message_id="wamid.out", status="read", recipient=ANN)
        assert (await node.take(sent, read, sent)).duplicates == 1
        assert await node.rows("SELECT subject, count(*) FROM event GROUP BY subject") == [(1, 2)]
