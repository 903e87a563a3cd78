"""Settings of who is spoken with: the tables ``[platforms]`` and ``[relay]``, and checks beyond a field's form."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from shared.errors import SettingsInvalid
from shared.settings_file import AbsolutePath

ADDRESS = r"\A((\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}|unix:/[^\x00]{1,90})\Z"
Address = Annotated[str, Meta(pattern=ADDRESS)]
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Relay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How this node meets other nodes, and who looks at what they show."""

    listen: Annotated[
        Address | None,
        Meta(description="host:port or unix:/path for other nodes; without it none can ask this one"),
    ] = None
    desk_listen: Annotated[
        Address | None,
        Meta(description="loopback host:port or unix:/path for live views; without it there are none"),
    ] = None
    ca_file: Annotated[
        AbsolutePath | None,
        Meta(description="absolute path of a PEM file: who vouches for relay addresses; default public CAs"),
    ] = None
    home_seconds: Annotated[
        float, Meta(ge=0.1, le=10, description="seconds a webhook waits for its home node; LINE waits 2. 0.1 to 10")
    ] = 1.5
    view_hours: Annotated[
        float,
        Meta(
            ge=0.001,
            le=72,
            description="hours after which a view ends and its copies go, sooner if policy says so. 0.001 to 72",
        ),
    ] = 8.0


def check_listeners(addresses: Mapping[str, str | None], desk: str | None) -> None:
    """Check addresses by setting: ports, each its own, and a desk that nobody outside this machine can reach."""
    taken: set[str] = set()
    for name, address in addresses.items():
        if address is None:
            continue
        if not address.startswith("unix:") and int(address.rpartition(":")[2]) > 65_535:
            raise SettingsInvalid(field_name=name, wants="a port from 0 to 65535")
        if address in taken and not address.endswith(":0"):
            raise SettingsInvalid(field_name=name, wants="another address than listen and every other one")
        taken.add(address)
    if desk is not None and not desk.startswith("unix:") and desk.rpartition(":")[0] not in _LOOPBACK:
        raise SettingsInvalid(
            field_name="relay.desk_listen", wants="a loopback address or unix:/path: it shows content"
        )


def check_base(field_name: str, base: str) -> None:
    """Refuse a platform base to which a token must not go: plain http off this machine, credentials, a query."""
    try:
        parts = urlsplit(base)
        local = parts.hostname in {"127.0.0.1", "::1", "localhost"}
        whole = parts.hostname and not (parts.username or parts.password or parts.query or parts.fragment)
        parts.port  # noqa: B018  raises ValueError where it is no port
    except ValueError:
        whole, local, parts = None, False, urlsplit("")
    if not whole or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise SettingsInvalid(field_name=field_name, wants="an https address, or http on this machine")
