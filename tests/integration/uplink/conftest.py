"""A node's parts over stores on both engines, enrolled with a control plane that speaks the real protocol."""

import asyncio
import contextlib
import time
from functools import partial

import pytest

from edge_node.metrics import Metrics
from edge_node.settings_uplink import Uplink as UplinkSettings
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.uplink import UplinkStore
from edge_node.storage.identity import ensure_identity
from edge_node.stores import key_places
from edge_node.uplink.enrolling import Introduction, enrol
from edge_node.uplink.roster import RosterInForce
from edge_node.uplink.runner import LEASE_MILLISECONDS, Uplink
from edge_node.uplink.work import Retracted, Waiting
from edge_node.usecases.governing.border import Border
from edge_node.usecases.letting_go.remnants import RemnantsHere
from shared.enrolment_token import read_token
from shared.errors import StoreUnavailable
from tests.support.control_double import control_double
from tests.support.postgres import postgres_cluster, postgres_url
from tests.support.stores import bench

__all__ = ["postgres_cluster", "postgres_url"]

PATIENCE_S = 30.0


@pytest.fixture(params=["sqlite", "postgresql"])
def open_bench(request, tmp_path):
    """Give what opens a node's parts: again and again the same stores, on one of the engines."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    return partial(bench, tmp_path, url)


@pytest.fixture
def control():
    """Give a running control plane."""
    with control_double() as running:
        yield running


class Shown:
    """What other nodes showed this one, in memory."""

    def __init__(self):
        self.copies = {}
        self.asked = []

    async def retract(self, node, disclosure, reason):
        """Take a copy back; the first time that anything is asked it says that it goes on."""
        self.asked.append((node, disclosure, reason))
        if len(self.asked) == 1:
            raise StoreUnavailable(store="keys")
        return Retracted(1, 1) if self.copies.pop((node, disclosure), None) else Retracted(0, 0)


class Joined:
    """An enrolled node: its parts, its uplink, and what it holds of others."""

    def __init__(self, node, control, uplink, shown):
        self.node, self.control, self.uplink, self.shown = node, control, uplink, shown

    @property
    def store(self):
        """Give the uplink's store."""
        return UplinkStore(self.node.content)


async def names_of(node):
    """Give the pseudonyms of everybody at a node."""
    return [name for (name,) in await node.rows("SELECT pseudonym FROM subject WHERE keep = 'active' ORDER BY id")]


def identity_of(node):
    """Give a node's keys."""
    return ensure_identity(key_places(node.stores.settings), node.stores.entropy)


async def enrolled(node, control, name="eu", settings=None, **changes):
    """Enrol a node."""
    stores = node.stores
    token = read_token(control.token(name, **changes))
    store = UplinkStore(node.content)
    introduction = Introduction("id-test", "DE", None)
    parts = (settings or UplinkSettings(), stores.clock, stores.entropy, Border(node.policy))
    return await enrol(store, identity_of(node), token, introduction, *parts)


def uplink_of(node, shown, **settings):
    """Make a node's uplink, not started."""
    stores = node.stores
    store = UplinkStore(node.content)
    uplink = Uplink(
        store,
        identity_of(node),
        RosterInForce(store, stores.clock),
        node.eraser,
        shown,
        Lease(node.content, "uplink", stores.entropy.draw(8).hex(), LEASE_MILLISECONDS),
        UplinkSettings(**{"beat_seconds": 1, "poll_seconds": 1, "timeout_seconds": 2.0} | settings),
        Metrics(),
        stores.clock,
        stores.entropy,
        lambda: Waiting(events=3, relays=2),
        "file",
        RemnantsHere(node.content, node.keys, stores.settings, stores.clock),
        Border(node.policy),
    )
    uplink.on_ordered = node.remover.wake
    node.eraser.on_done = uplink.wake
    return uplink


@contextlib.asynccontextmanager
async def running(node, control, **settings):
    """Run an enrolled node's uplink and remover for the block."""
    shown = Shown()
    uplink = uplink_of(node, shown, **settings)
    uplink.start()
    node.remover.start()
    try:
        yield Joined(node, control, uplink, shown)
    finally:
        await uplink.stop()
        await node.remover.stop()


async def until(happened, patience_s=PATIENCE_S):
    """Wait until ``happened()`` is true, and give what it gave."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        seen = happened()
        seen = await seen if asyncio.iscoroutine(seen) else seen
        if seen:
            return seen
        await asyncio.sleep(0.02)
    raise AssertionError(f"did not happen within {patience_s} s")
