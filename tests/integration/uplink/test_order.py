"""Commands late, doubled, replayed or not understood, and a control plane whose keys changed."""

import msgspec
import pytest

from edge_node.storage.content.commands import CommandStore
from edge_node.storage.content.uplink import UplinkStore
from edge_node.uplink.client import ControlClient
from edge_node.usecases.letting_go.erasing import Eraser
from shared import wire
from shared.crypto.signing import draw_signing_keys, fingerprint
from shared.errors import StoreUnavailable
from shared.roster.model import ControlPlane
from tests.integration.uplink.conftest import enrolled, names_of, running, until
from tests.support.stores import message, person
from tests.support.trust import Seeded, drawn


async def cursor_of(joined):
    """Give the cursor after which a node asks."""
    return (await joined.store.load()).cursor


async def test_pages_in_any_order_are_done_once_and_a_cursor_never_goes_back(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        await node.take(message(1, person(1), "one"), message(2, person(2), "two"))
        names = await names_of(node)
        commands = [control.command("erase", wire.SubjectTarget(name)) for name in names]
        pages = [
            wire.CommandPage(protocol=1, commands=(commands[1],), next=2),
            wire.CommandPage(protocol=1, commands=(commands[1], commands[0]), next=9),
            wire.CommandPage(protocol=1, commands=(commands[0],), next=3),
            wire.CommandPage(protocol=1, commands=(), next=0),
        ]

        def replay(_path, told):
            return pages.pop(0) if isinstance(told, wire.CommandAsk) and pages else None

        control.answer_with = replay
        async with running(node, control) as joined:
            await until(lambda: len(control.receipts) == 2)
            await until(lambda: not pages)
            assert await cursor_of(joined) == 9
        assert await node.rows("SELECT count(*) FROM erasure") == [(2,)]
        assert {push.envelope.payload for push in control.of(wire.ReceiptPush)} == {
            push.envelope.payload for push in control.of(wire.ReceiptPush)[:2]
        }


async def test_what_is_not_understood_moves_no_cursor(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        command = control.command("erase", wire.SubjectTarget(drawn("nobody")))
        good = wire.encode(wire.CommandPage(protocol=1, commands=(command,), next=1))
        lies = [
            good.replace(
                b'"protocol":1,"type":"downlink.command_page"', b'"protocol":2,"type":"downlink.command_page"'
            ),
            good.replace(b'"kind":"erase"', b'"kind":"destroy_everything"'),
            good.replace(b'"protocol":1,"reason"', b'"protocol":2,"reason"'),
        ]
        assert len({*lies, good}) == 4
        left = list(lies)

        def lie(path, status, body):
            return (status, left.pop(0)) if path == "/node/v1/commands" and left else (status, body)

        control.lie = lie
        async with running(node, control) as joined:
            await until(lambda: not left)
            assert await node.rows("SELECT count(*) FROM command WHERE id <> :id", id=command.id) == [(0,)]
            await until(lambda: command.id in control.receipts)
            assert await cursor_of(joined) == 1


async def test_a_control_plane_may_change_its_keys_if_officers_say_so(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        async with running(node, control):
            await until(lambda: control.of(wire.Beat))
            fresh = draw_signing_keys(Seeded("control plane, later"))
            control.signing = fresh
            plane = ControlPlane(control.address, fresh.public, fingerprint(fresh.public), "eu-test")
            control._next(msgspec.structs.replace(control.roster, control_plane=plane))
            command = control.command("erase", wire.SubjectTarget(drawn("nobody")))
            await until(lambda: command.id in control.receipts)
        assert control.receipts[command.id].roster_version == 3


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_every_step_of_the_uplink_may_fail_once(open_bench, control, monkeypatch, moment):
    failed = set()

    def fragile(owner, name):
        real = getattr(owner, name)

        async def step(*arguments, **more):
            if name in failed:
                return await real(*arguments, **more)
            failed.add(name)
            if moment == "after":
                await real(*arguments, **more)
            raise StoreUnavailable(store="content")

        monkeypatch.setattr(owner, name, step)

    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        await node.take(*(message(number, person(number), "text") for number in (1, 2, 3)))
        names = await names_of(node)
        steps = [(CommandStore, each) for each in ("keep", "waiting", "close", "finished", "told", "untold")]
        steps += [(UplinkStore, each) for each in ("write_beat", "acknowledge_beat", "keep_roster")]
        steps += [(Eraser, "obey"), (ControlClient, "tell")]
        for step in steps:
            fragile(*step)
        commands = [control.command("erase", wire.SubjectTarget(name)) for name in names[:2]]
        async with running(node, control):
            await until(lambda: len(control.receipts) == 2)
            await until(lambda: names[2] in control.pseudonyms)
        assert failed == {name for _, name in steps}
        assert await names_of(node) == names[2:]
        assert await node.rows("SELECT count(*) FROM erasure") == [(2,)]
        counts = [{each.store: each.count for each in control.receipts[command.id].results} for command in commands]
        assert [each["messages"] for each in counts] == [1, 1]
