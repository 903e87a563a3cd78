"""What answering a subject starts from, read on each engine: the newest message that still rests, and who they are."""

from edge_node.storage.content.conversations import read_head_of
from edge_node.storage.opening import open_sealed
from shared.message import Identifier, Message, Text
from tests.support.stores import edit, message, person, recall

ANN, BEN = person(1, phone=11), person(2, phone=22)
GROUP = Identifier("whatsapp_group", "team")


async def pseudonym(node):
    return (await node.rows("SELECT pseudonym FROM subject ORDER BY id LIMIT 1"))[0][0]


async def newest(node, subject):
    head = await read_head_of(node.content, subject)
    row = head.newest
    (plain,) = (await open_sealed(node.keys, "message", [(row.key, row.sealed)], owner=subject)).values()
    return row, plain


async def test_the_newest_message_is_the_one_said_last_whenever_it_came(open_bench):
    async with open_bench() as node:
        await node.take(message(2, ANN, "second", at=2_000), message(1, ANN, "first", at=1_000))
        await node.take(message(3, BEN, "another's", at=9_000), edit(1, ANN, "first, mended", at=9_500))
        row, plain = await newest(node, await pseudonym(node))
        assert (row.at, row.answers) == (2_000, 0)
        assert b"second" in plain


async def test_what_was_taken_back_is_not_the_newest(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "stays", at=1_000), message(2, ANN, "goes", at=2_000), recall(2, ANN))
        row, plain = await newest(node, await pseudonym(node))
        assert row.at == 1_000
        assert b"stays" in plain


async def test_an_answer_is_counted(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "hello"))
        out = Message(
            channel="whatsapp", via="3", at=5_000, message_id="wamid.out", content=Text("hi"), direction="out", to=ANN
        )
        await node.take(out)
        row, plain = await newest(node, await pseudonym(node))
        assert (row.answers, b"hello" in plain) == (1, True)


async def test_only_identities_that_are_theirs_now_are_given(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "hello"))
        await node.take(message(2, person(3, phone=11), "the number is mine now", at=3_000))
        subject = await pseudonym(node)
        head = await read_head_of(node.content, subject)
        names = await open_sealed(node.keys, "identity", head.identities, owner=subject)
        assert [b"ID.1" in name for name in names.values()] == [True]


async def test_groups_are_told_apart_and_strangers_are_none(open_bench):
    async with open_bench() as node:
        await node.take(message(1, ANN, "to all", group=GROUP))
        head = await read_head_of(node.content, await pseudonym(node))
        assert (head.newest, head.in_groups) == (None, True)
        assert await read_head_of(node.content, "0" * 32) is None
