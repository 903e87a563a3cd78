"""Settings of a program from a TOML file, overlaid by environment variables: read, checked, listed, written as example.

A program gives its settings as one msgspec struct with tables below it; every field that an operator may set has a
``description``.  An unknown setting or variable and a value out of range are refused: a misspelt limit must not
silently become the default.  Values are never repeated in an error: one may be a password.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

import msgspec
from msgspec import Meta

from shared.errors import SettingsInvalid

S = TypeVar("S", bound=msgspec.Struct)

AbsolutePath = Annotated[str, Meta(pattern=r"\A/[^\x00]{1,500}\Z")]
"""Of a file or folder that is somebody else's or on another disk: a relative one would mislead."""


class Form(msgspec.Struct, Generic[S], frozen=True):
    """What a program's settings look like."""

    struct: type[S]
    tables: Mapping[str, type[msgspec.Struct]]
    prefix: str
    """Of environment variables, with its underscore: ``HOMEPORT_CONTROL_``."""
    config_variable: str
    """Where the command line looks for the file; not a setting itself."""
    paths: tuple[str, ...]
    """Settings that are folders, relative to the file."""


def describe(form: Form[S]) -> Iterator[tuple[str, object, str]]:
    """Give every setting as (dotted name, default or ``None``, help), in the order of the file."""
    structs: dict[str, type[msgspec.Struct]] = {"": form.struct, **form.tables}
    for table, struct in structs.items():
        prefix = f"{table}." if table else ""
        hints = get_type_hints(struct, include_extras=True)
        for field in msgspec.structs.fields(struct):
            notes = [note for note in getattr(hints[field.name], "__metadata__", ()) if isinstance(note, Meta)]
            if notes and notes[0].description:
                default = None if field.default is msgspec.NODEFAULT else field.default
                yield prefix + field.name, default, notes[0].description


def example(form: Form[S], heading: str, given: Mapping[str, str]) -> str:
    """Give a file that sets ``given`` and shows the rest, commented out with its default."""
    lines = [
        f"# {heading}  Environment variables {form.prefix}<NAME> overlay this file.",
        "# A setting that this release does not know is refused.",
    ]
    table = ""
    for name, default, help_text in describe(form):
        head, _, leaf = name.rpartition(".")
        if head != table:
            lines += ["", f"[{head}]"]
            table = head
        lines.append(f"\n# {help_text}")
        lines.append(f"{leaf} = {_toml(given[name])}" if name in given else f"# {leaf} = {_toml(default)}")
    return "\n".join(lines) + "\n"


def load(form: Form[S], path: Path, environ: Mapping[str, str]) -> S:
    """Read ``path``, overlay ``environ`` (handed in), check, and give the settings; paths are absolute.

    Raises ``SettingsInvalid`` with ``field_name`` and, in ``wants``, what would be right.
    """
    raw = _read(path)
    _overlay(form, raw, environ)
    for name in form.paths:
        if name in raw:
            if not isinstance(raw[name], str) or not raw[name] or "\0" in raw[name]:
                raise SettingsInvalid(field_name=name, wants="the path of a folder")
            raw[name] = str(path.parent.absolute() / raw[name])
    try:
        return msgspec.convert(raw, form.struct, strict=False, dec_hook=_path_hook)
    except msgspec.ValidationError as error:
        raise _invalid(form, str(error)) from None


def _read(path: Path) -> dict[str, Any]:
    """Read the file as TOML."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        wanted = "a settings file: go where it lies, or name it with --config; init writes a new one"
        raise SettingsInvalid(path=str(path), wants=wanted) from None
    except (OSError, UnicodeDecodeError):
        raise SettingsInvalid(path=str(path), wants="a file of UTF-8 text that this process may read") from None
    except tomllib.TOMLDecodeError as error:
        raise toml_refused(path, error) from None


def toml_refused(path: Path, error: tomllib.TOMLDecodeError) -> SettingsInvalid:
    """Give the refusal of a file that is no TOML: where it goes wrong, and nothing of what stands there."""
    words = str(error)
    twice = words.startswith(("Cannot declare", "Cannot overwrite"))
    wants = "each table and each name once" if twice else "TOML 1.0; strings stand in quotes"
    line = re.search(r"at line (\d+)", words)
    return SettingsInvalid(path=str(path), wants=wants, **({"line": int(line[1])} if line else {}))


def _overlay(form: Form[S], raw: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Put the values of the environment over those of the file; refuse a name that is no setting."""
    names = {form.prefix + name.replace(".", "_").upper(): name for name, _, _ in describe(form)}
    for variable in sorted(environ):
        if not variable.startswith(form.prefix) or variable == form.config_variable:
            continue
        if variable not in names:
            raise SettingsInvalid(field_name=variable, wants="the name of a setting; there is none such")
        table, _, leaf = names[variable].rpartition(".")
        target = raw.setdefault(table, {}) if table else raw
        if not isinstance(target, dict):
            raise SettingsInvalid(field_name=table, wants="a table")
        target[leaf] = environ[variable]


def _path_hook(kind: type, value: object) -> object:
    """Convert to ``Path`` what msgspec does not."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError


def _invalid(form: Form[S], message: str) -> SettingsInvalid:
    """Turn a decoder's message into an error that names the field and what it wants, without its value."""
    what, _, place = message.partition(" - at `$")
    place = place.rstrip("`").lstrip(".")
    for opening in ("Object contains unknown field `", "Object missing required field `"):
        if what.startswith(opening):
            name = ".".join(filter(None, (place, what.removeprefix(opening).rstrip("`"))))
            wants = "no such setting" if "unknown" in opening else "a value; it has no default"
            return SettingsInvalid(field_name=name, wants=wants)
    helps = {name: help_text for name, _, help_text in describe(form)} | dict.fromkeys(form.tables, "a table")
    return SettingsInvalid(field_name=place, wants=helps.get(place) or helps.get(place.partition("[")[0], "a setting"))


def _toml(value: object) -> str:
    """Write a default as TOML; one that is not fixed, as an empty string."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return '""' if value is None else str(value)
