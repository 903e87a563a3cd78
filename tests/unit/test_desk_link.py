"""A command that asks its node's desk: what it says where there is none."""

import pytest

from edge_node.relay.desk_link import DeskLink
from shared.errors import SettingsInvalid


def test_a_node_without_a_desk_is_not_said_to_be_down(tmp_path):
    with pytest.raises(SettingsInvalid, match=r"relay\.desk_listen"):
        DeskLink("", tmp_path / "desk.token")
