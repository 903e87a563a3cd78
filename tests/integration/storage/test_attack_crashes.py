"""Every call to a store fails once, before it is done or after it; then the platform sends again, and all must stand.

A process that dies is opened anew; one whose store failed goes on.  After that nothing acknowledged is missing, nothing
is doubled, every row opens, no key is left that seals nothing, and what was taken back is gone from both stores.
"""

from functools import partial

import pytest

from edge_node.storage.sweep import AGE, sweep_unused_keys
from shared.database import Step
from shared.errors import StoreUnavailable
from shared.message import Notice
from tests.support.interleave import Died
from tests.support.mortal import make_mortal
from tests.support.stores import bench, edit, message, person, recall

ANN, BEN, CAT = person(1, phone=11), person(2, phone=22), person(3, phone=22)
NOTICE = Notice(channel="whatsapp", via="3", at=1, topic="quality", detail={"number": 1})

STORY = (
    (message(1, ANN, "one"), message(2, BEN, "two"), NOTICE),
    (message(1, ANN, "one"), message(3, ANN, "three")),
    (edit(3, ANN, "three, changed", at=5000), edit(2, ANN, "not hers", at=5000), message(4, CAT, "her number now")),
    (recall(1, ANN), recall(9, ANN), message(5, BEN, "five")),
    (message(9, ANN, "comes too late"), edit(5, BEN, "five, changed", at=6000)),
)
"""Batches: first contacts, repetitions, edits, a number that passes on, recalls before and after."""
ENDS = ["five, changed", "her number now", "three, changed", "two"]


async def check(node) -> None:
    """Hold both stores to what the story must end as."""
    await node.remove()
    await sweep_unused_keys(node.keys, node.content, node.stores.clock.now() + AGE + 60_000)
    assert await node.texts() == ENDS
    assert await node.rows("SELECT kind, count(*) FROM event GROUP BY kind ORDER BY kind") == [
        ("edit", 1),
        ("notice", 1),
    ]
    assert await node.rows("SELECT count(*) FROM log_entry WHERE state <> 'done'") == [(0,)]
    assert await node.rows("SELECT count(*) FROM tombstone") == [(2,)]
    assert await node.rows("SELECT count(*) FROM subject") == [(3,)]
    await node.check_keys()
    used = "SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM event) + (SELECT count(*) FROM identity) + 1"
    assert await node.key_rows("SELECT count(*) FROM row_key") == await node.rows(used)
    journaled = {entry.log_entry for entry in node.stores.journal.read()}
    assert {name for (name,) in await node.rows("SELECT id FROM log_entry")} <= journaled
    lost = "SELECT count(*) FROM row_key r LEFT JOIN bucket_key b ON b.id = r.id / 256 WHERE b.id IS NULL"
    assert await node.key_rows(lost) == [(0,)]


async def calls_of_the_story(folder, fate) -> int:
    """Count the calls of an undisturbed life, which also has to end well."""
    async with bench(folder) as node:
        fate.arm(10**9, Died())
        for batch in STORY:
            await node.take(*batch)
            await node.remove()
        calls = fate.calls
        fate.disarm()
        await check(node)
    return calls


async def begin(node, fate, at: int, error: BaseException) -> int:
    """Live the story until something fails at call ``at``; give the batch it happened in, or how many there are."""
    fate.arm(at, error)
    try:
        for number, batch in enumerate(STORY):
            try:
                await node.take(*batch)
                await node.remove()
            except type(error):
                return number
    finally:
        fate.disarm()
    return len(STORY)


async def go_on(node, begun: int) -> None:
    """Let the platform send again what was not acknowledged, and the rest."""
    for batch in STORY[begun:]:
        await node.take(*batch)
        await node.remove()
    await check(node)


async def end_and_begin_anew(open_bench, fate, at: int, *, dies: bool) -> None:
    """Live a life that is cut at call ``at``, by the end of the process or by a store that fails once."""
    async with open_bench() as node:
        begun = await begin(node, fate, at, Died() if dies else StoreUnavailable(cause="failed"))
        if not dies:
            await go_on(node, begun)
    if dies:
        async with open_bench() as node:
            await node.content.run([Step("DELETE FROM lease")])  # what the dead process held runs out
            await go_on(node, begun)


@pytest.mark.parametrize("dies", [True, False])
async def test_a_failure_at_any_call_loses_and_doubles_nothing(tmp_path, monkeypatch, long_run, dies):
    fate = make_mortal(monkeypatch)
    calls = await calls_of_the_story(tmp_path / "whole", fate)
    wrong = {}
    for at in range(1, calls + 1, 1 if long_run else 3):
        try:
            await end_and_begin_anew(partial(bench, tmp_path / str(at)), fate, at, dies=dies)
        except Exception as error:  # noqa: BLE001 - gathered, so that one run tells of all moments
            wrong[at] = repr(error)[:300]
    assert wrong == {}


@pytest.mark.parametrize("dies", [True, False])
async def test_a_failure_at_any_call_loses_nothing_on_postgresql(
    tmp_path, monkeypatch, postgres_cluster, long_run, dies
):
    fate = make_mortal(monkeypatch)
    calls = await calls_of_the_story(tmp_path / "whole", fate)
    wrong = {}
    for at in range(1, calls + 1, 1 if long_run else 13):
        url = postgres_cluster.create()
        try:
            await end_and_begin_anew(partial(bench, tmp_path / str(at), url), fate, at, dies=dies)
        except Exception as error:  # noqa: BLE001 - gathered, so that one run tells of all moments
            wrong[at] = repr(error)[:300]
        postgres_cluster.drop(url)
    assert wrong == {}
