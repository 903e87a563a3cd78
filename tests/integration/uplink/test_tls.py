"""A control plane behind a company's own certificates: only who is vouched for is spoken to."""

import pytest

from edge_node.settings_uplink import Uplink
from shared import wire
from shared.errors import SettingsInvalid
from shared.errors.uplink import ControlUnreachable
from tests.integration.uplink.conftest import enrolled, running, until
from tests.support.certificates import self_made
from tests.support.control_double import ControlDouble
from tests.support.stores import bench


@pytest.fixture
def certificate(tmp_path):
    """Give a certificate for this machine, which vouches for itself, and its key."""
    return self_made(tmp_path)


async def test_only_who_is_vouched_for_is_spoken_to(tmp_path, certificate):
    control = ControlDouble(*certificate).start()
    ours = Uplink(ca_file=str(certificate[0]))
    try:
        async with bench(tmp_path / "node") as node:
            with pytest.raises(ControlUnreachable):
                await enrolled(node, control)
            with pytest.raises(SettingsInvalid):
                await enrolled(node, control, settings=Uplink(ca_file=str(certificate[1])))
            assert control.bodies == []
            await enrolled(node, control, settings=ours)
            control.take_in("eu")
            async with running(node, control, ca_file=ours.ca_file):
                await until(lambda: control.of(wire.Beat))
    finally:
        control.stop()
