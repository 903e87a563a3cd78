"""What a law keeps, and what waits for it, is known to a restored store, one that has yet to learn its policy, too."""

import asyncio

import msgspec
import pytest
from click.testing import CliRunner

from edge_node.commands import edge
from edge_node.storage.content.duties import await_step
from shared.clock import DAY
from tests.support.backups import backed_up, lose, put_back, quarantined
from tests.support.governed import govern, laws_of, of_law, take_at
from tests.support.keeping import LATER
from tests.support.stores import OPEN, bench, message, person, recall, settings

ANN, BEN = person(1), person(2)


@pytest.mark.parametrize("known", ["this", "older", "none"])
async def test_what_waits_for_a_law_waits_in_a_restored_store(tmp_path, known):
    """Whichever policy the backup knows."""
    policy = with_minimum(laws_of("VN"))
    async with bench(tmp_path, bundle=None if known == "none" else OPEN) as node:
        now = node.stores.clock.now()
        await take_at(node, now - DAY, message(1, ANN, "one"), message(2, ANN, "two"), message(3, BEN, "three"))
        await of_law(node, 1, "VN")
        name = await of_law(node, 2, "VN")
        if known == "older":
            await node.duties.ensure()
        if known == "this":
            await govern(node, policy)
            await node.duties.ensure()
        done = await backed_up(node, tmp_path / "backups")
        if known != "this":
            await govern(node, policy)
            await node.duties.ensure()
        await node.take(recall(1, ANN))
        await node.eraser.open_case(name, "subject_request")
        await node.settle()
        assert await node.rows("SELECT keep FROM message ORDER BY id") == [("held",), ("active",), ("active",)]
    lose(settings(tmp_path), keys=False)
    await put_back(settings(tmp_path), done.backup.folder)
    async with bench(tmp_path, bundle=None) as node:
        store = await quarantined(node)
        await store.lift()
        await node.policy.look()
        await node.settle()
        assert await node.rows("SELECT keep FROM message ORDER BY id") == [("held",), ("active",), ("active",)]
        assert await node.rows("SELECT keep FROM subject ORDER BY id") == [("active",), ("held",)]
        if known != "this":
            if known == "older":  # it is taken over here again, as version 2; nothing went by version 1
                assert (await node.rows("SELECT version, awaited FROM law_duties"))[0] == (1, 2)
            await govern(node, policy)
            await node.settle()
            assert await node.rows("SELECT keep FROM message ORDER BY id") == [("held",), ("active",), ("active",)]
        await govern(node, laws_of())
        await node.settle()
        # A policy that knows no such duty lets them go.
        assert await node.rows("SELECT keep FROM message ORDER BY id") == [("active",)]
        assert await node.rows("SELECT keep FROM subject ORDER BY id") == [("active",), ("gone",)]
        await node.check_keys()


def test_the_command_says_what_a_restored_store_awaits(tmp_path):
    async def waits():
        async with bench(tmp_path) as node:
            await node.content.run([await_step(2)])

    asyncio.run(waits())
    config = tmp_path / "node.toml"
    config.write_text('region = "id-test"\ndata_dir = "data"\njournal_dir = "journal"\n')
    found = CliRunner().invoke(edge, ["policy", "status", "--config", str(config)])
    assert found.exit_code == 1
    assert "version 2, by which removals wait" in found.output


async def test_a_hold_released_before_the_law_is_known_again_lets_nothing_go(tmp_path):
    async with bench(tmp_path) as node:
        await take_at(node, node.stores.clock.now() - DAY, message(1, ANN, "one"))
        name = await of_law(node, 1, "VN")
        await node.duties.ensure()
        done = await backed_up(node, tmp_path / "backups")
        await govern(node, with_minimum(laws_of("VN")))
        await node.duties.ensure()
        hold = await node.holder.place(name, reason="complaint", review_at=LATER, beats=("recall",))
        await node.take(recall(1, ANN))
        await node.settle()
    lose(settings(tmp_path), keys=False)
    await put_back(settings(tmp_path), done.backup.folder)
    async with bench(tmp_path) as node:
        await (await quarantined(node)).lift()
        await node.policy.look()
        await node.holder.release(hold)
        await node.settle()
        assert await node.rows("SELECT keep FROM message") == [("held",)]
        await govern(node, with_minimum(laws_of("VN")))
        await node.settle()
        assert await node.rows("SELECT keep FROM message") == [("held",)]
        await govern(node, laws_of())
        await node.settle()
        assert await node.rows("SELECT count(*) FROM message") == [(0,)]
        await node.check_keys()


def with_minimum(policy):
    """Let the law of Vietnam keep everything for its two years, whoever wants it gone."""
    files = tuple(
        file
        if file.code != "VN"
        else msgspec.structs.replace(
            file,
            duty=tuple(
                each
                if each.kind != "minimum"
                else msgspec.structs.replace(each, classes=("personal",), beats=("recall", "erase", "expire"))
                for each in file.duty
            ),
        )
        for file in policy.jurisdictions
    )
    return msgspec.structs.replace(policy, jurisdictions=files)
