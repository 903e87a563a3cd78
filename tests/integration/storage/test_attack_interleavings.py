"""One process at work, and between any two of its calls another one does a whole piece of work: both end well."""

import pytest

from shared.database import ScriptRefused, Step
from shared.database.sqlite import open_sqlite
from tests.integration.storage.test_attack_crashes import NOTICE, STORY, check
from tests.support.mortal import make_mortal
from tests.support.stores import bench, edit, message, person, recall

ANN, BEN, CAT = person(1, phone=11), person(2, phone=22), person(3, phone=22)


async def remove(node) -> None:
    """Remove as the remover's task does: a round that is refused is begun anew."""
    while True:
        try:
            return await node.remove()
        except ScriptRefused:
            continue


async def live(node) -> None:
    """Take the whole story in, removing after each batch."""
    for batch in STORY:
        await node.take(*batch)
        await remove(node)


async def the_same(node) -> None:
    """Do the same work from beginning to end."""
    await live(node)


async def only_what_changes(node) -> None:
    """Take back and change what the first process may just be sealing, and remove at once."""
    await node.take(recall(1, ANN), edit(3, ANN, "three, changed", at=5000), edit(5, BEN, "five, changed", at=6000))
    await remove(node)


async def the_number_passes_on(node) -> None:
    """Let the number pass on, which refuses what is on its way with another counter."""
    await node.take(message(2, BEN, "two"))
    await node.take(message(4, CAT, "her number now"), NOTICE)


async def remove_under_the_others_lease(node) -> None:
    """Remove while the first still believes that it holds the lease."""
    await node.content.run([Step("DELETE FROM lease")])
    await remove(node)


ACTS = (the_same, only_what_changes, the_number_passes_on, remove_under_the_others_lease)


@pytest.mark.parametrize("act", ACTS)
async def test_another_process_in_between_any_two_calls_changes_nothing_of_the_end(
    tmp_path, monkeypatch, act, long_run
):
    fate = make_mortal(monkeypatch)
    async with bench(tmp_path / "whole") as node:
        fate.turns = 0
        await live(node)
        turns = fate.turns
    wrong = {}
    for turn in range(1, turns + 1) if long_run else range(3, turns + 1, 4):
        try:
            await between(tmp_path / str(turn), fate, turn, act)
        except Exception as error:  # noqa: BLE001 - gathered, so that one run tells of all moments
            wrong[turn] = repr(error)[:300]
    assert wrong == {}


async def between(folder, fate, turn: int, act) -> None:
    """Live the story with ``act`` of another process right before call ``turn``."""
    async with bench(folder) as one:
        with pytest.MonkeyPatch.context() as plain:
            plain.setattr("edge_node.stores.open_sqlite", open_sqlite)  # the other one's calls are not counted
            async with bench(folder) as two:
                fate.let_another(turn, lambda: act(two))
                await live(one)
                await one.content.run([Step("DELETE FROM lease")])
                await check(one)
