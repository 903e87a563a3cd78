"""Who is believed: forged answers move nothing, and an enrolment believes only what its token names."""

import msgspec
import pytest

from edge_node.uplink.client import ControlClient
from shared import wire
from shared.errors import HomeportError
from shared.errors.trust import AnswerRefused, RosterRootUnknown
from shared.errors.uplink import ControlUnknown, EnrolledElsewhere, TokenExpired, TokenUnaccepted
from tests.integration.uplink.conftest import enrolled, identity_of, names_of, running, until
from tests.support.control_double import STRANGER
from tests.support.stores import message, person


@pytest.mark.parametrize("lie", ["another key", "unsigned body", "another answer"])
async def test_a_forged_answer_moves_nothing(open_bench, control, lie):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        await node.take(message(1, person(1), "one"))
        (name,) = await names_of(node)
        control.command("erase", wire.SubjectTarget(name))
        identity, clock = identity_of(node), node.stores.clock
        ask = wire.CommandAsk(protocol=1, after=0, wait_seconds=0)
        if lie == "another key":
            control.signing = STRANGER
        async with ControlClient("eu", identity, clock, node.stores.entropy, seconds_max=5) as client:
            plane = control.roster.control_plane
            if lie == "another key":
                with pytest.raises(AnswerRefused):
                    await client.tell(plane, "/node/v1/commands", ask, wire.CommandPage)
            else:
                page = await client.tell(plane, "/node/v1/commands", ask, wire.CommandPage)
                assert len(page.commands) == 1
                with pytest.raises(HomeportError):
                    await client.tell(plane, "/node/v1/commands", ask, wire.BeatAnswer)
        if lie == "another key":
            async with running(node, control):
                await until(lambda: len(control.bodies) > 6)
            assert await node.rows("SELECT count(*) FROM command") == [(0,)]
        assert await node.texts() == ["one"]


@pytest.mark.parametrize("address", ["http://control.example", "http://127.0.0.2.example:80"])
async def test_nothing_is_said_in_the_clear_wherever_a_roster_says_the_control_plane_is(open_bench, control, address):
    async with open_bench() as node:
        await enrolled(node, control)
        identity, stores = identity_of(node), node.stores
        plane = msgspec.structs.replace(control.roster.control_plane, address=address)
        ask = wire.CommandAsk(protocol=1, after=0, wait_seconds=0)
        async with ControlClient("eu", identity, stores.clock, stores.entropy, seconds_max=1) as client:
            with pytest.raises(ControlUnknown):
                await client.tell(plane, "/node/v1/commands", ask, wire.CommandPage)
            with pytest.raises(ControlUnknown):
                await client.roster(address)


async def test_enrolment_believes_only_what_the_token_names(open_bench, control):
    async with open_bench() as node:
        with pytest.raises(TokenExpired):
            await enrolled(node, control, until=1)
        with pytest.raises(RosterRootUnknown):
            await enrolled(node, control, root="0" * 64)
        with pytest.raises(ControlUnknown):
            await enrolled(node, control, control_plane="0" * 64)
        with pytest.raises(ControlUnknown):
            await enrolled(node, control, address="http://control.example")
        control.signing = STRANGER
        with pytest.raises(AnswerRefused):
            await enrolled(node, control)
        assert control.of(wire.Enrolment) == []
        control.signing = type(control)().signing
        honest, control.lie = control.lie, lambda path, status, body: (401, b"") if "enrol" in path else (status, body)
        with pytest.raises(TokenUnaccepted):
            await enrolled(node, control)
        control.lie = honest
        await enrolled(node, control)
        await enrolled(node, control)
        with pytest.raises(EnrolledElsewhere):
            await enrolled(node, control, name="ap")
