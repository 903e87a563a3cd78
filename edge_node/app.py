"""A node, put together: which part is handed to which, in the order in which they start and stop."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from litestar.types import ASGIApp

from edge_node.app_custody import custody_parts
from edge_node.app_media import media_part
from edge_node.app_relay import relay_apps, relay_parts
from edge_node.assembly import assemble_gate, assemble_judge
from edge_node.channels.registry import BUS_FORMS, CHANNELS
from edge_node.core.retention import periods_of
from edge_node.http.private import private_app
from edge_node.http.public import BodyLimits, Webhooks, public_app
from edge_node.metrics import Metrics
from edge_node.settings import EdgeSettings, load_settings
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.uplink import UplinkStore
from edge_node.storage.identity import ensure_identity
from edge_node.stores import Stores, initialise, key_places, open_stores
from edge_node.uplink.roster import RosterInForce
from edge_node.uplink.runner import LEASE_MILLISECONDS as UPLINK_LEASE
from edge_node.uplink.runner import Uplink
from edge_node.uplink.work import Waiting
from edge_node.usecases.account_book import AccountBook
from edge_node.usecases.custody.quarantine import Gate
from edge_node.usecases.governing.judging import Judge
from edge_node.usecases.letting_go.remnants import RemnantsHere
from edge_node.usecases.receiving.admitting import Admitter
from edge_node.usecases.receiving.bus import BusIntake
from edge_node.usecases.receiving.committer import Committer
from edge_node.usecases.receiving.handshake import Handshake
from edge_node.usecases.receiving.intake import Intake
from shared.errors import HomeportError
from shared.ids import draw_opaque_id
from shared.telemetry import logger

__all__ = ["Node", "initialise", "open_node", "open_stores"]


class Node:
    """One process of a node, at work."""

    def __init__(
        self,
        stores: Stores,
        committer: Committer,
        gate: Gate,
        book: AccountBook,
        judge: Judge,
        metrics: Metrics,
    ) -> None:
        """Take the open stores and what works on them."""
        self._policy = judge.book
        settings = stores.settings
        holder = draw_opaque_id(stores.entropy)
        self._stores = stores
        self._committer = committer
        self._book = book
        self._custody = custody_parts(stores, committer, gate, metrics, holder, judge, book)
        self._opening: asyncio.Task[None] | None = None
        self._fetcher = media_part(stores, judge, book, committer, metrics, holder)
        self._relay = relay_parts(stores, judge.book, metrics, holder)
        self._uplink = self._join(Lease(stores.content, "uplink", holder, UPLINK_LEASE), metrics)
        self._uplink.on_ordered = self._custody.remover.wake
        self._custody.eraser.on_done = self._uplink.wake
        relayer = self._relay.relayer
        admitter = Admitter(judge, self._relay.membership)
        intake = Intake(CHANNELS, book, admitter, committer, relayer, stores.content, metrics, stores.clock)
        limits = BodyLimits(settings.limits.body_bytes_max, settings.limits.body_seconds_max)
        handshakes = {"whatsapp": Handshake(book)}
        buses = {name: BusIntake(CHANNELS[name], form, book, intake) for name, form in BUS_FORMS.items()}
        webhooks = {
            name: Webhooks(channel, intake, handshakes.get(name), metrics, limits, buses.get(name))
            for name, channel in CHANNELS.items()
        }
        self.apps: dict[str, ASGIApp] = {
            "public": public_app(webhooks),
            "private": private_app(metrics, self.unready),
            **relay_apps(self._relay, stores, book, admitter, committer, self._custody.remover, metrics),
        }

    def _join(self, lease: Lease, metrics: Metrics) -> Uplink:
        """Make the uplink; it does nothing while the node is not enrolled."""
        stores, store = self._stores, UplinkStore(self._stores.content)
        return Uplink(
            store,
            ensure_identity(key_places(stores.settings), stores.entropy),
            RosterInForce(store, stores.clock),
            self._custody.eraser,
            self._relay.viewer,
            lease,
            stores.settings.uplink,
            metrics,
            stores.clock,
            stores.entropy,
            lambda: Waiting(self._committer.waiting, self._relay.relayer.waiting),
            stores.settings.key_provider,
            RemnantsHere(stores.content, stores.keys, stores.settings, stores.clock),
            self._relay.border,
        )

    async def start(self) -> None:
        """Begin to work."""
        await self._policy.open()
        self._warn_of_policy()
        await self._book.open()
        await self._custody.duties.ensure()
        self._committer.start()
        self._custody.start()
        await self._relay.start()
        self._uplink.start()
        self._opening = asyncio.create_task(self._open(), name="opening")

    def _warn_of_policy(self) -> None:
        """Say at start-up that nothing can be taken in, and what to do."""
        in_force, region = self._policy.in_force, self._stores.settings.region
        if in_force is None:
            remedy = "everything is refused: take a bundle over with homeport edge policy install"
            logger().warning("alert_policy_missing", reason=remedy)
        elif all(each.name != region for each in in_force.bundle.policy.regions):
            reason = "the bundle in force does not know this region, so everything is refused"
            logger().warning("alert_policy_region_unknown", field_name="region", reason=reason)

    async def _open(self) -> None:
        """Begin what opens and shows, sends and sweeps: at once, or when a restored store may be opened."""
        await self._custody.quarantine.opened.wait()
        self._custody.start_sweeping()
        if self._stores.settings.media.fetch:
            self._fetcher.start()
        self._relay.start_following()

    async def step_back(self) -> None:
        """Leave background work to another process; requests are still taken in."""
        if self._opening is not None:
            self._opening.cancel()
        await self._uplink.stop()
        await self._relay.step_back()
        await self._fetcher.stop()
        await self._custody.stop()

    async def stop(self) -> None:
        """Commit what waits, then end in the reverse order of the start."""
        await self._fetcher.stop()
        await self._committer.stop()
        await self.step_back()
        await self._relay.stop()
        await self._book.close()
        await self._policy.close()
        await self._stores.keys.flush()

    async def unready(self) -> dict[str, str]:
        """Give the parts that would keep a webhook from being taken, with the error's code."""
        missing: dict[str, str] = {}
        for name, database in (("keys", self._stores.keys.database), ("content", self._stores.content)):
            try:
                async with database.read() as transaction:
                    await transaction.fetch("SELECT 1")
            except HomeportError as error:
                missing[name] = error.code
        return missing


@asynccontextmanager
async def open_node(settings_path: Path) -> AsyncIterator[Node]:
    """Open a node from its settings, serve inside the block, drain and close after it."""
    settings = load_settings(settings_path, os.environ)
    async with open_stores(settings) as stores:
        _warn(settings)
        metrics = Metrics()
        node = await assemble(stores, metrics)
        await node.start()
        try:
            yield node
        finally:
            await node.stop()


async def assemble(stores: Stores, metrics: Metrics) -> Node:
    """Put the parts together that take a message in."""
    judge = await assemble_judge(stores, metrics)
    gate = await assemble_gate(stores, judge)
    limits = stores.settings.limits
    committer = Committer(
        gate, metrics, stores.clock, events_max=limits.queue_events_max, bytes_max=limits.queue_bytes_max
    )
    book = AccountBook(stores.accounts, stores.clock, stores.entropy)
    return Node(stores, committer, gate, book, judge, metrics)


def _warn(settings: EdgeSettings) -> None:
    """Say at start-up what the operator should know."""
    if settings.journal_dir_is_default:
        logger().warning("journal_beside_data", field_name="journal_dir", path=str(settings.journal_dir))
    kept = periods_of(settings.retention, settings.custody.backup_days_max).kept_for_ever()
    if kept:
        reason = f"no period is given for: {', '.join(kept)}"
        logger().warning("retention_none", field_name="retention", reason=reason)
    if settings.key_provider == "file":
        logger().warning("key_provider_file", reason="destroying a key is no better than deleting a file")
