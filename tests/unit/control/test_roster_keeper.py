"""Whose receipts count: the node's keys in force, and keys it gave up for what it signed in their time."""

import asyncio
import contextlib
from types import SimpleNamespace

import msgspec
import pytest

from control_plane.usecases import roster_keeper
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


async def test_a_look_that_began_earlier_never_takes_a_later_roster_back(monkeypatch, roster):
    later = SignedRoster(msgspec.structs.replace(roster, version=roster.version + 1), ())
    store, slow = Snapshots(), asyncio.Event()
    kept = {1: SignedRoster(roster, ()), 2: later}

    async def version(snapshot):
        return kept[snapshot].roster.version

    async def newest(snapshot):
        if snapshot == 1:
            await slow.wait()
        return kept[snapshot]

    async def barred(snapshot):
        return frozenset({"eu"} if snapshot == 2 else ())

    monkeypatch.setattr(roster_keeper.rosters, "version", version)
    monkeypatch.setattr(roster_keeper.rosters, "newest", newest)
    monkeypatch.setattr(roster_keeper.nodes, "barred", barred)
    made = RosterKeeper(SimpleNamespace(database=store), "http://127.0.0.1:1", OTHER.keys.public)
    first = asyncio.create_task(made.refresh())
    await asyncio.sleep(0)
    second = asyncio.create_task(made.refresh())
    for _ in range(10):
        await asyncio.sleep(0)
    slow.set()
    await asyncio.gather(first, second)
    assert made.roster.version == later.roster.version
    assert made.barred("eu")


class Snapshots:
    """A database in which every look sees one more commit."""

    def __init__(self):
        self.commits = 0

    @contextlib.asynccontextmanager
    async def read(self):
        """Give the number of the snapshot."""
        self.commits += 1
        yield self.commits
