"""A roster, and what changed from one to another, in words for the officers who must decide to sign."""

import datetime as dt
from collections.abc import Iterator

from shared.crypto.signing import fingerprint, in_groups
from shared.roster.model import Node, Roster
from shared.roster.rules import root_fingerprint
from shared.roster.texts import grouped_node_fingerprints

_CALENDAR_END = 253_402_300_799_999
"""The end of the year 9999 (ms)."""


def differences(old: Roster, new: Roster) -> list[str]:
    """Say in sentences what ``new`` changes; an empty list says that nothing but version and date does."""
    return [*_heads(old, new), *_officers(old, new), *_nodes(old, new), *_witnesses(old, new)]


def moment(at_ms: int) -> str:
    """Write an instant to the second, in UTC; a file may name any, also one that no calendar has."""
    if at_ms > _CALENDAR_END:
        return "after the year 9999"
    return dt.datetime.fromtimestamp(at_ms // 1000, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _heads(old: Roster, new: Roster) -> Iterator[str]:
    """Compare company, threshold, root and control plane."""
    if old.company != new.company:
        yield f"THE COMPANY CHANGES from {old.company} to {new.company}."
    if old.threshold != new.threshold:
        yield f"The threshold changes from {old.threshold} to {new.threshold} officers."
    if root_fingerprint(old) != root_fingerprint(new):
        yield f"The root fingerprint becomes {in_groups(root_fingerprint(new))}."
    before, after = old.control_plane, new.control_plane
    if before.address != after.address:
        yield f"The control plane moves from {before.address} to {after.address}."
    if before.region != after.region:
        yield f"The control plane stands in {after.region or 'no region'} instead of {before.region or 'no region'}."
    if before.keys != after.keys:
        yield f"The control plane gets new keys: {in_groups(after.fingerprint)}."


def _officers(old: Roster, new: Roster) -> Iterator[str]:
    """Compare officers."""
    before = {officer.person: officer.keys for officer in old.officers}
    after = {officer.person: officer.keys for officer in new.officers}
    for person in sorted(before.keys() - after.keys()):
        yield f"Officer {person} leaves."
    for person in sorted(after.keys() - before.keys()):
        yield f"Officer {person} joins, with key {in_groups(fingerprint(after[person]))}."
    for person in sorted(before.keys() & after.keys()):
        if before[person] != after[person]:
            yield f"Officer {person} gets a new key: {in_groups(fingerprint(after[person]))}."


def _nodes(old: Roster, new: Roster) -> Iterator[str]:
    """Compare nodes."""
    before = {node.name: node for node in old.nodes}
    after = {node.name: node for node in new.nodes}
    for name in sorted(before.keys() - after.keys()):
        yield f"NODE {name} IS FORGOTTEN, which no program accepts."
    for name in sorted(after.keys() - before.keys()):
        node = after[name]
        yield f"Node {name} of region {node.region} ({node.jurisdiction}) is taken in, with {_keys(node)}."
    for name in sorted(before.keys() & after.keys()):
        yield from _node(before[name], after[name])


def _node(before: Node, after: Node) -> Iterator[str]:
    """Compare a node with itself."""
    name = after.name
    if (before.state, after.state) == ("active", "retired"):
        yield f"Node {name} is retired for good."
    if (before.state, after.state) == ("retired", "active"):
        yield f"RETIRED NODE {name} COMES BACK, which no program accepts."
    if before.keys != after.keys:
        yield f"Node {name} gets new keys: {_keys(after)}."
    if before.relay != after.relay:
        yield f"Node {name} is reached at {after.relay or 'no address'} instead of {before.relay or 'no address'}."
    if (before.region, before.jurisdiction) != (after.region, after.jurisdiction):
        yield f"NODE {name} CHANGES its region or jurisdiction to {after.region} ({after.jurisdiction})."
    if after.former[: len(before.former)] != before.former:
        yield f"FORMER KEYS OF NODE {name} CHANGE, which no program accepts."


def _witnesses(old: Roster, new: Roster) -> Iterator[str]:
    """Compare witnesses."""
    before = {witness.name: witness for witness in old.witnesses}
    after = {witness.name: witness for witness in new.witnesses}
    for name in sorted(before.keys() - after.keys()):
        yield f"Witness {name} leaves."
    for name in sorted(after.keys() - before.keys()):
        yield f"Witness {name} joins."
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            yield f"Witness {name} gets a new key."


def _keys(node: Node) -> str:
    """Name a node's keys."""
    signing, sealing = grouped_node_fingerprints(node.keys)
    return f"signing key {signing} and sealing key {sealing}"
