"""Whose receipts count: the node's keys in force, and keys it gave up for what it signed in their time."""

import pytest

from control_plane.usecases.roster_keeper import RosterKeeper
from shared.crypto.signing import fingerprint
from shared.errors.trust import SignatureInvalid
from shared.roster import ControlPlane, SignedRoster
from shared.roster.edits import retire_node, set_node_keys
from shared.wire import sign_receipt
from tests.support.control import Officers
from tests.support.node_double import NodeDouble

OLD, NEW, OTHER = (NodeDouble(name, "http://127.0.0.1:1", None) for name in ("eu", "eu", "ap"))
CHANGED_AT = 1_795_000_000_000


def keeper(roster):
    """Give a keeper with a roster in force."""
    made = RosterKeeper(None, "http://127.0.0.1:1", OTHER.keys.public)
    made._signed = SignedRoster(roster, ())
    return made


@pytest.fixture
def roster():
    officers = Officers(ControlPlane("http://127.0.0.1:1", OTHER.keys.public, fingerprint(OTHER.keys.public)))
    return set_node_keys(officers.take_in(OLD.introduction).roster, NEW.introduction, CHANGED_AT)


def signed(node, finished_at):
    return sign_receipt(node.keys, node.receipt(finished_at=finished_at))


def test_keys_in_force_count_whenever_they_signed(roster):
    assert keeper(roster).open_receipt("eu", signed(NEW, CHANGED_AT + 5)).finished_at == CHANGED_AT + 5


def test_keys_that_were_given_up_count_for_their_time(roster):
    assert keeper(roster).open_receipt("eu", signed(OLD, CHANGED_AT)).finished_at == CHANGED_AT
    with pytest.raises(SignatureInvalid):
        keeper(roster).open_receipt("eu", signed(OLD, CHANGED_AT + 1))


@pytest.mark.parametrize("node", ["ap", "nobody"])
def test_keys_of_nobody_in_the_roster_count_for_nothing(roster, node):
    with pytest.raises(SignatureInvalid):
        keeper(roster).open_receipt(node, signed(OTHER, 1))


def test_a_retired_node_signs_and_asks_nothing_more(roster):
    retired = keeper(retire_node(roster, "eu", CHANGED_AT))
    assert retired.key_of("eu") is None
    with pytest.raises(SignatureInvalid):
        retired.open_receipt("eu", signed(NEW, 1))
