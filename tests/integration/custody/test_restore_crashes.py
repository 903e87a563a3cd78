"""A quarantine cut at any call of a store, by the end of the process or a store that fails once, loses nothing."""

from functools import partial

import pytest

from shared.database.contract import Step
from shared.errors import StoreUnavailable
from tests.support.backups import backed_up, lose, put_back, quarantined
from tests.support.interleave import Died
from tests.support.keeping import LATER
from tests.support.mortal import make_mortal
from tests.support.stores import bench, edit, message, person, recall, settings

ANN, BEN, CAM = person(1), person(2), person(3)
COMES = (
    (message(10, ANN, "ten"), message(11, BEN, "eleven")),
    (recall(11, BEN), recall(1, ANN), message(12, CAM, "twelve", at=LATER), edit(2, ANN, "two, edited", 5_000)),
)
LEFT = ["ben", "ten", "three", "twelve", "two, edited"]


async def restored(folder) -> None:
    """Put a store back of which a message was taken back, and a person erased, since its backup."""
    async with bench(folder) as node:
        words = (message(1, ANN, "one"), message(2, ANN, "two"), message(3, ANN, "three"), message(4, ANN, "four"))
        await node.take(*words, message(5, BEN, "ben"), message(6, CAM, "gone"))
        done = await backed_up(node, folder / "backups")
        await node.take(recall(4, ANN))
        [(name,)] = await node.rows("SELECT pseudonym FROM subject WHERE id = 3")
        await node.eraser.open_case(name, "subject_request")
        await node.remove()
    lose(settings(folder), keys=True)
    await put_back(settings(folder), done.backup.folder)


async def live(node, begun: int) -> int:
    """Take in what comes and come out of quarantine; an exception says at which batch in its note."""
    store = await quarantined(node)
    for batch in COMES[begun:]:
        await store.take(*batch)
        begun += 1
        node.acknowledged = begun
    await store.lift()
    return begun


async def check(node) -> None:
    """See that all of it is there, and nothing that was taken back."""
    node.taking_in.look_again()
    assert await node.texts() == LEFT
    assert await node.rows("SELECT count(*) FROM quarantined") == [(0,)]
    assert await node.rows("SELECT count(*) FROM log_entry WHERE state <> 'done'") == [(0,)]
    await node.check_keys()


async def one_life(open_bench, fate, at: int, *, dies: bool) -> int:
    """Live a quarantine that is cut at call ``at``; give how many calls there were until then."""
    begun = 0
    async with open_bench() as node:
        node.acknowledged = 0
        fate.arm(at, Died() if dies else StoreUnavailable(cause="failed"))
        try:
            await live(node, 0)
        except (Died, StoreUnavailable):
            pass
        finally:
            fate.disarm()
        begun, calls = node.acknowledged, fate.calls
        if not dies:
            await live(node, begun)
            await check(node)
    if dies:
        async with open_bench() as node:
            await node.content.run([Step("DELETE FROM lease")])  # what the dead process held runs out
            await live(node, begun)
            await check(node)
    return calls


@pytest.mark.parametrize("dies", [True, False])
async def test_a_quarantine_that_fails_at_any_call_loses_and_doubles_nothing(tmp_path, monkeypatch, long_run, dies):
    fate = make_mortal(monkeypatch)
    await restored(tmp_path / "whole")
    calls = await one_life(partial(bench, tmp_path / "whole"), fate, 100_000, dies=False)
    wrong = {}
    for at in range(1, calls + 1, 1 if long_run else 61):
        await restored(tmp_path / str(at))
        try:
            await one_life(partial(bench, tmp_path / str(at)), fate, at, dies=dies)
        except Exception as error:  # noqa: BLE001 - gathered, so that one run tells of all moments
            wrong[at] = repr(error)[:300]
    assert wrong == {}
