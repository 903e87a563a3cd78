"""The n-th call to a store, the journal or a file fails while somebody is erased: the erasure ends the same, once."""

import pytest

from edge_node.commands import subjects
from edge_node.storage.journal import Journal
from shared.database.contract import Step
from shared.errors import HomeportError, StoreUnavailable
from shared.message import Identifier, Person
from tests.support.faulty import disk_error, make_all_mortal
from tests.support.interleave import Died
from tests.support.media import Files, media_desk, picture
from tests.support.stores import edit, message, person

STRIDE = {"sqlite": 7, "postgresql": 17}
"""A short run tries some of the calls, a long one all."""
PICTURE = b"\xff\xd8\xff" + bytes(range(256)) * 8
COUNTS = "SELECT keys, messages, events, identities, derivatives FROM erasure WHERE log_entry = :entry"


async def filled(node, desk, at) -> str:
    """Let a new person say all kinds of things, a picture among them, that is fetched; give the pseudonym."""
    who, one = person(at, phone=700 + at), 1_000 * at
    group = Identifier("whatsapp_group", "room")
    await node.take(message(one, who, "one"), message(one + 1, who, "in a group", group=group))
    await node.take(message(one + 2, Person(), "to them", direction="out", to=who), edit(one, who, "changed", at=2000))
    await node.take(picture(one + 3, who, "a"))
    await desk.fetcher.once()
    return (await node.rows("SELECT pseudonym FROM subject ORDER BY id DESC LIMIT 1"))[0][0]


async def erase(node, name) -> bool:
    """Order the erasure and carry it out; say whether it was acknowledged, whatever fails."""
    acknowledged = False
    try:
        await node.eraser.open_case(name, "subject_request")
        acknowledged = True
        await node.remove()
    except (Died, HomeportError):
        pass
    return acknowledged


async def ends_well(node, name, at, *, acknowledged) -> None:
    """Let the node go on, asked again only where nobody was told that it would."""
    await node.content.run([Step("DELETE FROM lease")])  # what a dead process held runs out
    if not acknowledged and not await node.rows("SELECT 1 FROM erasure WHERE finished_at IS NULL"):
        rest = await node.rows("SELECT keep FROM subject WHERE pseudonym = :name", name=name)
        if rest == [("active",)]:
            await node.eraser.open_case(name, "subject_request")
    await node.remove()
    of = "SELECT e.log_entry, s.keep FROM erasure e JOIN subject s ON s.id = e.subject WHERE s.pseudonym = :name"
    ((entry, keep),) = await node.rows(of, name=name)
    assert keep == "gone"
    # What a receipt says does not depend on where it was cut short.
    assert await node.rows(COUNTS, entry=entry) == [(7, 4, 0, 2, 1)]
    assert [each.owner for each in node.stores.journal.read() if each.log_entry == entry][-1] == name
    assert await node.key_rows("SELECT count(*) FROM owner_key WHERE name = :name", name=name) == [(0,)]
    assert await node.texts() == ["stays"]
    assert not [path for path in node.stores.blobs.folder.rglob("*") if path.is_file()]
    assert await node.rows("SELECT DISTINCT state FROM log_entry") == [("done",)]
    assert (await node.take(message(1_000 * at + 9, person(at, phone=700 + at), "late"))).suppressed == 1
    await node.check_keys()


@pytest.mark.parametrize("dies", [False, True], ids=["fails", "dies"])
async def test_an_erasure_that_fails_at_any_call_ends_the_same(open_bench, monkeypatch, long_run, dies):
    fate = make_all_mortal(monkeypatch)
    at, reached = 1 + dies, True
    async with open_bench() as node:
        await node.take(message(1, person(900_000), "stays"))
        stride = 1 if long_run else STRIDE[node.content.engine]
    while reached:
        async with open_bench() as node:
            name = await filled(node, await media_desk(node, Files(a=PICTURE)), at)
            fate.arm(at, Died() if dies else StoreUnavailable(cause="failed"))
            try:
                acknowledged = await erase(node, name)
            finally:
                reached = fate.calls >= at
                fate.disarm()
            if not dies:
                await ends_well(node, name, at, acknowledged=acknowledged)
        if dies:
            async with open_bench() as node:
                await ends_well(node, name, at, acknowledged=acknowledged)
        at += stride
    assert at > 40


async def test_the_command_says_that_it_is_ordered_while_the_journal_takes_nothing(open_bench, monkeypatch):
    async with open_bench() as node:
        await node.take(message(1, person(1), "one"))
        ((name,),) = await node.rows("SELECT pseudonym FROM subject")
        chosen = node.stores.settings
    monkeypatch.setattr(subjects, "_WAIT_SECONDS", 0.5)
    with monkeypatch.context() as full:
        full.setattr(Journal, "_append", refuse)
        _, said, _ = await subjects._erase(chosen, name, "subject_request")
    assert said == "Ordered; it goes on in the running node."
    async with open_bench() as node:
        await node.remove()
        assert await node.rows("SELECT keep FROM subject") == [("gone",)]


def refuse(*_) -> None:
    """Take nothing, as a full disk."""
    raise disk_error()
