"""What changes between two policies besides answers: articles, values, mechanisms, deadlines, duties, instruments."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from shared.policy.assembling import PARTS
from shared.policy.model import Policy
from shared.policy.names import qualified


class FactChange(msgspec.Struct, frozen=True):
    """An entry that came, went, or says something else."""

    table: str
    name: str
    what: Literal["added", "removed", "changed"]
    keys: tuple[str, ...] = ()
    """Of a changed one: what says something else, as ``key: old > new``."""


def fact_changes(old: Policy, new: Policy) -> list[FactChange]:
    """Give every entry that differs, in the order of tables and names."""
    before, after = dict(_entries(old)), dict(_entries(new))
    found = []
    for table, name in sorted(before.keys() | after.keys()):
        one, two = before.get((table, name)), after.get((table, name))
        if one is None or two is None:
            found.append(FactChange(table, name, "added" if one is None else "removed"))
        elif one != two:
            found.append(FactChange(table, name, "changed", tuple(_keys(one, two))))
    return found


def _entries(policy: Policy) -> Iterator[tuple[tuple[str, str], msgspec.Struct]]:
    """Give every entry by table and name."""
    for file in policy.jurisdictions:
        for table in PARTS:
            yield from (((table, qualified(file.code, each.id)), each) for each in getattr(file, table))
        whole = dict.fromkeys(PARTS, ())
        yield ("jurisdiction", file.code), msgspec.structs.replace(file, **whole)
    for platform in policy.platforms:
        for table in ("law", "article", "condition"):
            yield from (((table, f"{platform.channel}.{each.id}"), each) for each in getattr(platform, table))
    for table, listed in (
        ("instrument", policy.instruments),
        ("rule", policy.rules),
        ("case", policy.cases),
        ("group", policy.groups),
        ("class", policy.classes),
        ("purpose", policy.purposes),
        ("role", policy.roles),
    ):
        yield from (((table, each.id), each) for each in listed)
    yield from ((("region", each.name), each) for each in policy.regions)
    yield from ((("override", each.statement.of), each) for each in policy.overrides)


def _keys(one: msgspec.Struct, two: msgspec.Struct) -> Iterator[str]:
    """Say which keys differ."""
    for key in one.__struct_fields__:
        old, new = getattr(one, key), getattr(two, key, None)
        if old != new:
            yield f"{key.rstrip('_')}: {_written(old)} > {_written(new)}"


def _written(value: object) -> str:
    """Write a value: a word as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
