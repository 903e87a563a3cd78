"""Every setting of an edge node, with its range, its default and what it is for.

``node.toml`` gives the settings, environment variables ``HOMEPORT_EDGE_<NAME>`` overlay it (a setting of a table as
``HOMEPORT_EDGE_LIMITS_BODY_BYTES_MAX``); lists stand in the file only.  What is unknown or out of range is refused.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

from edge_node.core.retention import RetentionEntry, periods_of
from edge_node.settings_custody import RETENTION_EXAMPLE, Custody
from edge_node.settings_keys import Keys, Pkcs11, check_keys
from edge_node.settings_limits import Limits
from edge_node.settings_media import MediaSettings, Platforms
from edge_node.settings_relay import ADDRESS, Relay, check_base, check_listeners
from edge_node.settings_uplink import Uplink
from shared.errors import SettingsInvalid
from shared.settings_file import toml_refused

ENVIRONMENT_PREFIX = "HOMEPORT_EDGE_"
CONFIG_VARIABLE = "HOMEPORT_EDGE_CONFIG"
"""Where the command line looks for ``node.toml``; not a setting itself."""

_SLUG = r"\A[a-z][a-z0-9-]{0,47}\Z"
_ENTRIES_MAX = 1_000


class EdgeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of one node, checked; paths are absolute."""

    region: Annotated[
        str, Meta(pattern=_SLUG, description="name of the node's region: a-z first, then a-z 0-9 and -, at most 48")
    ]
    data_dir: Annotated[Path, Meta(description="folder of the stores; relative to this file")]
    journal_dir: Annotated[
        Path, Meta(description="folder of the tombstone journal: another disk; default <data_dir>-journal")
    ]
    key_dir: Annotated[
        Path, Meta(description="first key place (second: <journal_dir>/keyring); default <data_dir>/keyring")
    ]
    journal_dir_is_default: bool = False
    """Whether nobody chose ``journal_dir``: it then shares the disk of the stores, and start-up warns."""
    key_provider: Annotated[
        Literal["file", "pkcs11"], Meta(description='who keeps region and epoch keys: "file", "pkcs11"')
    ] = "file"
    listen: Annotated[
        str, Meta(pattern=ADDRESS, description="host:port or unix:/path for webhooks; port 0: a free one")
    ] = "127.0.0.1:8080"
    private_listen: Annotated[
        str, Meta(pattern=ADDRESS, description="host:port or unix:/path for health and metrics; never public")
    ] = "127.0.0.1:8081"
    database_url: Annotated[
        str | None, Meta(description='content store as "postgresql://..."; without it SQLite in data_dir')
    ] = None
    log_level: Annotated[
        Literal["info", "warning", "error"], Meta(description="least level that is logged: info, warning, error")
    ] = "info"
    log_form: Annotated[Literal["json", "console"], Meta(description="form of the log: json, console")] = "json"
    drain_seconds: Annotated[
        float, Meta(ge=1, le=300, description="seconds a stop may take to finish what was begun. 1 to 300")
    ] = 20.0
    limits: Limits = Limits()
    platforms: Platforms = Platforms()
    keys: Keys = Keys()
    pkcs11: Pkcs11 = Pkcs11()
    media: MediaSettings = MediaSettings()
    relay: Relay = Relay()
    uplink: Uplink = Uplink()
    custody: Custody = Custody()
    retention: Annotated[tuple[RetentionEntry, ...], Meta(max_length=_ENTRIES_MAX)] = ()
    """How long which class is kept; see :mod:`edge_node.core.retention`."""

    @property
    def second_key_dir(self) -> Path:
        """The second place of the key provider, beside the journal."""
        return self.journal_dir / "keyring"

    @property
    def key_backup_dir(self) -> Path:
        """Where the key backup lies."""
        return Path(self.keys.backup_dir) if self.keys.backup_dir else self.journal_dir / "key-backup"

    @property
    def pid_file(self) -> Path:
        """Where a running node of these settings is found."""
        return self.data_dir / "node.pid"

    @property
    def desk_token_file(self) -> Path:
        """What opens the desk listener: made at the first start, for this account alone."""
        return self.data_dir / "desk.token"

    def __repr__(self) -> str:
        """Name the region only: a database address may hold a password."""
        return f"EdgeSettings(region={self.region!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Name the region only, to rich as well."""
        return [("region", self.region)]


_RESOLVED = frozenset({"journal_dir_is_default"})
_GONE = {
    "admit": "no such list any more: the policy in force says what may rest here; take the list out, and for an "
    "account with another home run homeport edge account set-home NAME NODE before the node starts",
    "show": "no such list any more: the policy in force says who is shown what; take the list out",
}
"""Lists of earlier settings files, and what there is instead."""
_TABLES: dict[str, type[msgspec.Struct]] = {
    "limits": Limits,
    "platforms": Platforms,
    "keys": Keys,
    "pkcs11": Pkcs11,
    "media": MediaSettings,
    "relay": Relay,
    "uplink": Uplink,
    "custody": Custody,
}


def load_settings(path: Path, environ: Mapping[str, str]) -> EdgeSettings:
    """Read ``path``, overlay ``environ`` (handed in), check, and give the settings.

    Raises ``SettingsInvalid`` with ``field_name`` and, in ``wants``, what would be right.  Values are never
    repeated: one may be a password.
    """
    raw = _read(path)
    for name in raw.keys() & _RESOLVED:
        raise SettingsInvalid(field_name=name, wants="no such setting; it follows from journal_dir")
    for name in sorted(raw.keys() & _GONE):
        raise SettingsInvalid(field_name=name, wants=_GONE[name])
    _overlay(raw, environ)
    _resolve_paths(raw, path.parent.absolute())
    try:
        settings = msgspec.convert(raw, EdgeSettings, strict=False, dec_hook=_path_hook)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    _check_together(settings)
    return settings


def describe() -> Iterator[tuple[str, object, str]]:
    """Give every setting as (dotted name, default or ``None``, help), in the order of the file."""
    structs: dict[str, type[msgspec.Struct]] = {"": EdgeSettings, **_TABLES}
    for table, struct in structs.items():
        prefix = f"{table}." if table else ""
        hints = get_type_hints(struct, include_extras=True)
        for field in msgspec.structs.fields(struct):
            notes = [note for note in getattr(hints[field.name], "__metadata__", ()) if isinstance(note, Meta)]
            if notes and notes[0].description:
                default = None if field.default is msgspec.NODEFAULT else field.default
                yield prefix + field.name, default, notes[0].description


def example_toml(region: str = "my-region", data_dir: str = "data") -> str:
    """Give a ``node.toml`` that sets what must be set and shows the rest, commented out with its default."""
    lines = [
        "# Settings of a Homeport edge node.  Environment variables HOMEPORT_EDGE_<NAME> overlay this file.",
        "# A setting that this release does not know is refused.",
    ]
    given = {"region": region, "data_dir": data_dir}
    table = ""
    for name, default, help_text in describe():
        head, _, leaf = name.rpartition(".")
        if head != table:
            lines += [*RETENTION_EXAMPLE, ""] if not table else [""]
            lines.append(f"[{head}]")
            table = head
        lines.append(f"\n# {help_text}")
        if leaf in given:
            lines.append(f"{leaf} = {_toml(given[leaf])}")
        else:
            lines.append(f"# {leaf} = {_toml(default)}")
    return "\n".join(lines) + "\n"


def _read(path: Path) -> dict[str, Any]:
    """Read the file as TOML."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        wanted = "a settings file: go where it lies, or name it with --config; homeport edge init writes a new one"
        raise SettingsInvalid(path=str(path), wants=wanted) from None
    except (OSError, UnicodeDecodeError):
        raise SettingsInvalid(path=str(path), wants="a file of UTF-8 text that this process may read") from None
    except tomllib.TOMLDecodeError as error:
        raise toml_refused(path, error) from None


def _overlay(raw: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Put the values of ``HOMEPORT_EDGE_*`` over those of the file; refuse a name that is no setting."""
    names = {ENVIRONMENT_PREFIX + name.replace(".", "_").upper(): name for name, _, _ in describe()}
    for variable in sorted(environ):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable == CONFIG_VARIABLE:
            continue
        if variable not in names:
            raise SettingsInvalid(field_name=variable, wants="the name of a setting; there is none such")
        table, _, leaf = names[variable].rpartition(".")
        target = raw.setdefault(table, {}) if table else raw
        if not isinstance(target, dict):
            raise SettingsInvalid(field_name=table, wants="a table")
        target[leaf] = environ[variable]


def _resolve_paths(raw: dict[str, Any], base: Path) -> None:
    """Make paths absolute, relative ones from ``base``, and fill in those that follow from ``data_dir``."""
    for name in ("data_dir", "journal_dir", "key_dir"):
        if name in raw:
            if not isinstance(raw[name], str) or not raw[name] or "\0" in raw[name]:
                raise SettingsInvalid(field_name=name, wants="the path of a folder")
            raw[name] = str(base / raw[name])
    if "data_dir" in raw:
        data_dir = Path(raw["data_dir"])
        if not data_dir.name:
            raise SettingsInvalid(field_name="data_dir", wants="a folder with a name of its own, not /")
        raw["journal_dir_is_default"] = "journal_dir" not in raw
        raw.setdefault("journal_dir", str(data_dir.with_name(data_dir.name + "-journal")))
        raw.setdefault("key_dir", str(data_dir / "keyring"))


def _check_together(settings: EdgeSettings) -> None:
    """Check what no single field can: addresses, folders apart, platform bases, periods."""
    relay, own = settings.relay, {"listen": settings.listen, "private_listen": settings.private_listen}
    check_listeners({**own, "relay.listen": relay.listen, "relay.desk_listen": relay.desk_listen}, relay.desk_listen)
    data, journal = settings.data_dir, settings.journal_dir
    if journal == data or data in journal.parents or journal in data.parents:
        raise SettingsInvalid(field_name="journal_dir", wants="a folder neither within data_dir nor around it")
    if settings.key_dir == settings.second_key_dir:
        raise SettingsInvalid(field_name="key_dir", wants="another folder than <journal_dir>/keyring")
    if settings.database_url is not None and not settings.database_url.startswith("postgresql://"):
        raise SettingsInvalid(field_name="database_url", wants="postgresql://..., or no such setting for SQLite")
    for name, base in settings.platforms.bases():
        check_base(f"platforms.{name}", base)
    check_keys(settings.key_provider, settings.keys, settings.pkcs11, (settings.key_dir, settings.second_key_dir))
    periods_of(settings.retention, settings.custody.backup_days_max)


def _path_hook(kind: type, value: object) -> object:
    """Convert to ``Path`` what msgspec does not."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError


def _invalid(message: str) -> SettingsInvalid:
    """Turn a decoder's message into an error that names the field and what it wants, without its value."""
    what, _, place = message.partition(" - at `$")
    place = place.rstrip("`").lstrip(".")
    for opening in ("Object contains unknown field `", "Object missing required field `"):
        if what.startswith(opening):
            name = ".".join(filter(None, (place, what.removeprefix(opening).rstrip("`"))))
            wants = "no such setting" if "unknown" in opening else "a value; it has no default"
            return SettingsInvalid(field_name=name, wants=wants)
    helps = {name: help_text for name, _, help_text in describe()}
    helps["retention"] = "a list of [[retention]], each with class = a class and days = a whole number"
    helps |= dict.fromkeys(_TABLES, "a table of settings")
    return SettingsInvalid(field_name=place, wants=helps.get(place) or helps[place.partition("[")[0]])


def _toml(value: object) -> str:
    """Write a default as TOML; one that is not fixed, as an empty string."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return '""' if value is None else str(value)
