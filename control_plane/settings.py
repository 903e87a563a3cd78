"""Every setting of the control plane, with its range, its default and what it is for: ``control.toml``.

Environment variables ``HOMEPORT_CONTROL_<NAME>`` overlay the file; a setting of a table is
``HOMEPORT_CONTROL_HOOKS_RETRY_FIRST_SECONDS``; ``hooks.allow`` stands in the file only.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from shared import settings_file
from shared.addresses import program_address_fault
from shared.errors import SettingsInvalid
from shared.settings_file import Form

ENVIRONMENT_PREFIX = "HOMEPORT_CONTROL_"
CONFIG_VARIABLE = "HOMEPORT_CONTROL_CONFIG"

_LISTEN = r"\A((\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}|unix:/[^\x00]{1,90})\Z"
_ADDRESS = r"\Ahttps?://([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]{2,39}\])(:[0-9]{1,5})?\Z"
_REGION = r"\A[a-z](?:-?[a-z0-9]){0,47}\Z"
_HOST_PORT = r"\A([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]{2,39}\]):[0-9]{1,5}\Z"


class Hooks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the company's own systems are told of events."""

    allow: Annotated[
        tuple[Annotated[str, Meta(pattern=_HOST_PORT)], ...],
        Meta(max_length=100, description="host:port of own systems at private addresses, also over http; exact"),
    ] = ()
    retry_first_seconds: Annotated[
        float, Meta(ge=0.05, le=3_600, description="wait before a delivery is tried again; doubles. 0.05 to 3600")
    ] = 5.0
    attempts_max: Annotated[int, Meta(ge=1, le=30, description="deliveries tried before one is given up. 1 to 30")] = 16
    answer_seconds_max: Annotated[
        float, Meta(ge=0.1, le=60, description="seconds a hook may take to answer. 0.1 to 60")
    ] = 15.0


class ControlSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of a control plane, checked; paths are absolute."""

    address: Annotated[
        str,
        Meta(
            pattern=_ADDRESS,
            description="how nodes and programs reach it: scheme, host and port. Nodes sign for it; rosters name it",
        ),
    ]
    data_dir: Annotated[Path, Meta(description="folder of the store and of the keys; relative to this file")]
    region: Annotated[
        Annotated[str, Meta(pattern=_REGION)] | None,
        Meta(
            description="the region it stands in, by the policy's name; nodes tell it nothing of a person without",
        ),
    ] = None
    listen: Annotated[
        str, Meta(pattern=_LISTEN, description="host:port or unix:/path for nodes and programs; port 0: a free one")
    ] = "127.0.0.1:8090"
    private_listen: Annotated[
        str, Meta(pattern=_LISTEN, description="host:port or unix:/path for health and metrics; never public")
    ] = "127.0.0.1:8091"
    database_url: Annotated[
        str | None, Meta(description='store as "postgresql://..."; without it SQLite in data_dir')
    ] = None
    log_level: Annotated[
        Literal["info", "warning", "error"], Meta(description="least level that is logged: info, warning, error")
    ] = "info"
    log_form: Annotated[Literal["json", "console"], Meta(description="form of the log: json, console")] = "json"
    drain_seconds: Annotated[
        float, Meta(ge=1, le=300, description="seconds a stop may take to finish what was begun. 1 to 300")
    ] = 20.0
    connections_max: Annotated[
        int, Meta(ge=16, le=65_536, description="connections open at once; over it 503. 16 to 65536")
    ] = 4_096
    heartbeat_seconds: Annotated[
        float, Meta(ge=0.1, le=60, description="seconds between comments on a silent event stream. 0.1 to 60")
    ] = 15.0
    hooks: Hooks = Hooks()

    @property
    def pid_file(self) -> Path:
        """Where a running control plane of these settings is found."""
        return self.data_dir / "control.pid"

    @property
    def keys_file(self) -> Path:
        """Where its private keys lie."""
        return self.data_dir / "control-plane.keys"

    @property
    def mint_file(self) -> Path:
        """Where the secret lies from which tokens and hook secrets are minted."""
        return self.data_dir / "mint.key"

    def __repr__(self) -> str:
        """Name the address only: a database address may hold a password."""
        return f"ControlSettings(address={self.address!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Name the address only, to rich as well."""
        return [("address", self.address)]


_FORM = Form(ControlSettings, {"hooks": Hooks}, ENVIRONMENT_PREFIX, CONFIG_VARIABLE, ("data_dir",))


def load_settings(path: Path, environ: Mapping[str, str]) -> ControlSettings:
    """Read ``path``, overlay ``environ``, check, and give the settings; ``SettingsInvalid`` names what is wrong."""
    settings = settings_file.load(_FORM, path, environ)
    if program_address_fault(settings.address) is not None:
        raise SettingsInvalid(field_name="address", wants="https://HOST:PORT; http on this machine only")
    for name, listen in (("listen", settings.listen), ("private_listen", settings.private_listen)):
        if not listen.startswith("unix:") and int(listen.rpartition(":")[2]) > 65_535:
            raise SettingsInvalid(field_name=name, wants="a port from 0 to 65535")
    if settings.listen == settings.private_listen and not settings.listen.endswith(":0"):
        raise SettingsInvalid(field_name="private_listen", wants="another address than listen")
    if settings.database_url is not None and not settings.database_url.startswith("postgresql://"):
        raise SettingsInvalid(field_name="database_url", wants="postgresql://..., or no such setting for SQLite")
    return settings


def describe() -> Iterator[tuple[str, object, str]]:
    """Give every setting as (dotted name, default or ``None``, help), in the order of the file."""
    return settings_file.describe(_FORM)


def example_toml(address: str, data_dir: str, region: str | None = None) -> str:
    """Give a ``control.toml`` that sets what must be set and shows the rest, commented out with its default."""
    given = {"address": address, "data_dir": data_dir} | ({"region": region} if region is not None else {})
    return settings_file.example(_FORM, "Settings of a Homeport control plane.", given)
