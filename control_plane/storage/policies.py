"""Policy bundles as officers signed them; versions only rise, none is ever changed or removed."""

from typing import Literal, NamedTuple

from shared.database.contract import Transaction
from shared.policy.bundling import SignedBundle

_COLUMNS = "version, hash, name, label, published_by, accepted_at"
_NEWEST = f"SELECT {_COLUMNS} FROM policy_bundle ORDER BY version DESC LIMIT 1"  # noqa: S608  our own words
_ALL = f"SELECT {_COLUMNS} FROM policy_bundle ORDER BY version"  # noqa: S608
_SIGNED = "SELECT signed FROM policy_bundle WHERE version = :version"
_NEXT = "SELECT signed FROM policy_bundle WHERE version > :version ORDER BY version LIMIT 1"
_ADD = """
INSERT INTO policy_bundle (version, hash, name, label, signed, published_by, accepted_at)
VALUES (:version, :hash, :name, :label, :signed, :by, :at)
"""


class Published(NamedTuple):
    """What is known of a bundle without reading it; field order is that of the queries."""

    version: int
    hash: str
    name: str
    label: Literal["demonstration", "production"]
    published_by: str
    accepted_at: int


async def newest(t: Transaction) -> Published | None:
    """Give the bundle in force; ``None`` before there is any."""
    rows = await t.fetch(_NEWEST)
    return Published(*rows[0]) if rows else None


async def everything(t: Transaction) -> list[Published]:
    """Give every bundle that ever was in force, by version."""
    return [Published(*row) for row in await t.fetch(_ALL)]


async def signed(t: Transaction, version: int) -> bytes | None:
    """Give the file of a version; ``None`` where there is none."""
    rows = await t.fetch(_SIGNED, {"version": version})
    return bytes(rows[0][0]) if rows else None


async def following(t: Transaction, after: int) -> bytes | None:
    """Give the file of the first version after another; ``None`` where there is none."""
    rows = await t.fetch(_NEXT, {"version": after})
    return bytes(rows[0][0]) if rows else None


async def add(t: Transaction, accepted: SignedBundle, file: bytes, by: str, at: int) -> Published:
    """Keep a bundle that was accepted: from now on it is in force."""
    bundle = accepted.bundle
    made = Published(bundle.version, accepted.hash, bundle.name, bundle.label, by, at)
    await t.execute(
        _ADD,
        {
            "version": made.version,
            "hash": made.hash,
            "name": made.name,
            "label": made.label,
            "signed": file,
            "by": made.published_by,
            "at": made.accepted_at,
        },
    )
    return made
