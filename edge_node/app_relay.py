"""The part of a node that meets other nodes, put together: relay, showing, views, and their listeners."""

import msgspec
from litestar.types import ASGIApp

from edge_node.http.desk import desk_app
from edge_node.http.relay import Handler, RelayDoor, relay_app
from edge_node.metrics import Metrics
from edge_node.relay import RelayClient
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.nonces import StoredNonces
from edge_node.storage.content.uplink import UplinkStore
from edge_node.storage.content.views import Views
from edge_node.storage.identity import ensure_identity
from edge_node.stores import Stores, key_places
from edge_node.usecases.account_book import AccountBook
from edge_node.usecases.company.membership import Membership
from edge_node.usecases.company.relaying import Homecoming, Relayer
from edge_node.usecases.governing.border import Border
from edge_node.usecases.governing.policy_book import PolicyBook
from edge_node.usecases.letting_go.removal import Remover
from edge_node.usecases.receiving.admitting import Admitter
from edge_node.usecases.receiving.committer import Committer
from edge_node.usecases.views.following import LEASE_MILLISECONDS as FOLLOW_LEASE
from edge_node.usecases.views.following import ViewFollower
from edge_node.usecases.views.gate import ViewGates
from edge_node.usecases.views.keeping import LEASE_MILLISECONDS, ViewKeeper
from edge_node.usecases.views.live import LiveViews
from edge_node.usecases.views.showing import Shower
from edge_node.usecases.views.shown_here import ShownHere
from edge_node.usecases.views.viewing import Viewer
from shared import private_files, wire
from shared.errors import SettingsInvalid

_TOKEN_BYTES = 32
_TOKEN_FILE_BYTES_MAX = 256


class RelayParts(msgspec.Struct):
    """What works between this node and others."""

    membership: Membership
    client: RelayClient
    relayer: Relayer
    viewer: Viewer
    live: LiveViews
    keeper: ViewKeeper
    follower: ViewFollower
    shower: Shower
    border: Border
    apps: dict[str, ASGIApp] = msgspec.field(default_factory=dict)

    async def start(self) -> None:
        """Read who this node is."""
        await self.membership.open()

    def start_following(self) -> None:
        """Begin to look after views."""
        self.keeper.start()
        self.follower.start()

    async def step_back(self) -> None:
        """Leave background work to another process, and let live views come back to it."""
        self.live.stop()
        await self.follower.stop()
        await self.keeper.stop()

    async def stop(self) -> None:
        """End."""
        await self.membership.close()
        await self.client.close()


def relay_parts(stores: Stores, policy: PolicyBook, metrics: Metrics, holder: str) -> RelayParts:
    """Put the parts together that need no committer; :func:`relay_apps` adds the listeners."""
    settings, clock = stores.settings, stores.clock
    identity = ensure_identity(key_places(settings), stores.entropy)
    membership = Membership(UplinkStore(stores.content), identity, clock)
    client = RelayClient(membership, clock, stores.entropy, ca_file=settings.relay.ca_file)
    gates, border = ViewGates(stores.content, policy, clock), Border(policy)
    here = ShownHere(policy, membership)
    shower = Shower(stores.content, stores.keys, gates, border, metrics, clock)
    hours = settings.relay.view_hours
    viewer = Viewer(stores.content, stores.keys, membership, client, gates, border, here, clock, hours)
    views = Views(stores.content)
    keeping = Lease(stores.content, "views", holder, LEASE_MILLISECONDS)
    return RelayParts(
        membership=membership,
        client=client,
        relayer=Relayer(membership, client, metrics, settings.relay.home_seconds),
        viewer=viewer,
        live=LiveViews(views, stores.keys, gates, here, clock),
        keeper=ViewKeeper(views, viewer, membership, client, border, keeping, clock),
        follower=ViewFollower(stores.content, viewer, Lease(stores.content, "news", holder, FOLLOW_LEASE), clock),
        shower=shower,
        border=border,
    )


def relay_apps(
    parts: RelayParts,
    stores: Stores,
    book: AccountBook,
    admitter: Admitter,
    committer: Committer,
    remover: Remover,
    metrics: Metrics,
) -> dict[str, ASGIApp]:
    """Give the applications of the listeners that the settings open, and let orders wake those who wait for them."""
    settings, apps = stores.settings.relay, dict[str, ASGIApp]()

    def removal_ordered() -> None:
        remover.wake()
        parts.live.wake()

    committer.on_removal = removal_ordered
    parts.viewer.on_removal = remover.wake
    parts.viewer.on_change = parts.live.wake
    if settings.listen is not None:
        homecoming = Homecoming(book, admitter, committer, metrics, stores.clock)
        handlers: dict[type[wire.Message], Handler] = {
            wire.RelayedWebhook: homecoming.receive,
            wire.ViewAsk: parts.shower.show,
            wire.ViewFollow: parts.shower.follow,
            wire.ViewClosed: parts.shower.close,
        }
        nonces = StoredNonces(stores.content)
        apps["relay"] = relay_app(RelayDoor(parts.membership, handlers, nonces, parts.border, metrics, stores.clock))
    if settings.desk_listen is not None:
        apps["desk"] = desk_app(parts.viewer, parts.live, _desk_token(stores))
    return apps


def _desk_token(stores: Stores) -> str:
    """Read the desk token, drawing it at the first start."""
    path = stores.settings.desk_token_file
    try:
        if not path.exists():
            private_files.replace(path, stores.entropy.draw(_TOKEN_BYTES).hex().encode() + b"\n")
        token = private_files.read(path, bytes_max=_TOKEN_FILE_BYTES_MAX, private=True).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsInvalid(path=str(path), wants="a desk token that this process alone may read") from None
    if len(token) < _TOKEN_BYTES:
        raise SettingsInvalid(path=str(path), wants="a token of 32 characters or more; remove it to draw one")
    return token
