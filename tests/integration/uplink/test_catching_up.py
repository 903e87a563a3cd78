"""A node that was away while officers changed more than once takes the rosters between, one after the other."""

import msgspec
import pytest

from shared import wire
from shared.crypto.signing import draw_signing_keys, fingerprint
from shared.database import Step
from shared.errors.trust import RosterUndersigned
from shared.roster import ControlPlane, Officer, accept
from shared.roster.edits import add_officer, retire_officer
from tests.integration.uplink.conftest import enrolled, running, until
from tests.support.control_double import OFFICER
from tests.support.trust import Seeded, drawn

BEN, CHO = (draw_signing_keys(Seeded(f"officer {name}")) for name in ("ben", "cho"))


def hand_over(control, old, new, keys):
    """Let one officer follow another: both sign."""
    control.kept.append(control.signed())
    control._next(retire_officer(add_officer(control.roster, Officer(new, keys.public)), old))
    control.signers = {old: control.signers[old], new: keys}


async def test_officers_that_changed_twice_are_believed_step_by_step(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        async with running(node, control):
            await until(lambda: control.of(wire.Beat))
        known = control.roster
        hand_over(control, "ada", "ben", BEN)
        hand_over(control, "ben", "cho", CHO)
        with pytest.raises(RosterUndersigned):
            accept(known, control.signed())
        command = control.command("erase", wire.SubjectTarget(drawn("nobody")))
        async with running(node, control):
            await until(lambda: any(beat.roster_version == 4 for beat in control.of(wire.Beat)))
            await until(lambda: command.id in control.receipts)
        assert await node.rows("SELECT version FROM roster ORDER BY version") == [(1,), (2,), (3,), (4,)]


async def test_a_step_that_officers_in_force_did_not_sign_ends_the_walk(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        async with running(node, control):
            await until(lambda: control.of(wire.Beat))
        hand_over(control, "ada", "ben", BEN)
        control.signers = {"ben": BEN}  # the officer who leaves never signed
        hand_over(control, "ben", "cho", CHO)
        control.asked_rosters.clear()
        async with running(node, control):
            await until(lambda: len(control.asked_rosters) > 1)
        assert set(control.asked_rosters) == {"after=2"}
        assert await node.rows("SELECT max(version) FROM roster") == [(2,)]


async def test_a_control_plane_may_have_changed_its_keys_on_the_way(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        control.take_in("eu")
        async with running(node, control):
            await until(lambda: control.of(wire.Beat))
        for name in ("second", "third"):
            control.kept.append(control.signed())
            control.signing = draw_signing_keys(Seeded(f"control plane, {name}"))
            plane = ControlPlane(
                control.address, control.signing.public, fingerprint(control.signing.public), "eu-test"
            )
            control._next(msgspec.structs.replace(control.roster, control_plane=plane))
        async with running(node, control):
            await until(lambda: any(beat.roster_version == 4 for beat in control.of(wire.Beat)))


async def test_a_node_that_never_got_its_first_roster_begins_at_the_pinned_root(open_bench, control):
    async with open_bench() as node:
        await enrolled(node, control)
        await node.content.run([Step("DELETE FROM roster")])
        control.take_in("eu")
        hand_over(control, "ada", "ben", BEN)
        assert control.signers.keys() == {"ada", "ben"}
        assert control.signers["ada"] is OFFICER
        async with running(node, control):
            await until(lambda: any(beat.roster_version == 3 for beat in control.of(wire.Beat)))
