"""Where duties conflict: what becomes of one record that somebody wants gone, and the article that won.  A pure table.

Removals are wanted (``recall``, ``erase``, ``expire``); duties of the law keep.  A duty stands while its fact does (a
hold until it is released, a restriction until it is lifted) or while its period runs (a minimum since the record was
stored, a preservation since a request was refused, a blocking since erasure was decided, until it is lifted).

1. A removal that no standing duty beats is carried out: ``tombstoned``.
2. Else the duty that comes first in :data:`ORDER` wins, and says how the record is kept until then.
3. A hold for which this law's file has no article keeps all the same, since what is destroyed cannot be brought back:
   ``held``, ``hold_unbacked``, and an officer must decide.

Nothing is skipped in silence: every answer is a state with its reason.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from shared.policy.compiling import Tables
from shared.policy.model import Duty, JurisdictionFile
from shared.policy.names import qualified
from shared.policy.spans import Span, after, holds
from shared.policy.terms import DutyKind, Fact, KeepState, Removal

ORDER: tuple[DutyKind, ...] = ("hold", "minimum", "preservation", "restriction", "blocking")
"""Which duty is named where several keep: a court before a statute, a statute before a dispute."""
REMOVALS: tuple[Removal, ...] = ("recall", "erase", "expire")

Reason = Literal[
    "removal_ordered",  # nothing stops it
    "kept_by_duty",  # the removal waits
    "hold_unbacked",  # a hold keeps it, but no article of this law is known for that
    "restricted",  # nobody wants it gone; it is used for nothing but what the restriction allows
    "blocked",
    "nothing_wanted",
]
_PLACED: dict[DutyKind, tuple[Fact, Fact]] = {
    "hold": ("hold_placed", "hold_released"),
    "restriction": ("restriction_placed", "restriction_lifted"),
}


class Happened(msgspec.Struct, frozen=True):
    """A fact about a record and when it came about (ms)."""

    what: Fact
    at: int


class Standing(msgspec.Struct, frozen=True):
    """A duty that stands, and until when (ms); ``None``: until somebody ends it."""

    duty: str
    """Its name outside its file: ``IN.logs-one-year``."""
    kind: DutyKind
    keeps: KeepState
    beats: tuple[Removal, ...]
    article: str
    until: int | None


class Kept(msgspec.Struct, frozen=True):
    """What becomes of a record."""

    keep: KeepState
    reason: Reason
    won: DutyKind | Removal | None = None
    duty: str | None = None
    article: str | None = None
    until: int | None = None
    """When the duty that won ends; what waits is asked again then."""
    waiting: tuple[Removal, ...] = ()


def resolve(
    tables: Tables,
    jurisdictions: Iterable[str],
    data_class: str,
    wanted: Iterable[Removal],
    facts: Iterable[Happened],
    at: int,
) -> Kept:
    """Say what becomes of a record of a class under the law of some jurisdictions: the subject's, and the node's."""
    happened = tuple(fact for fact in facts if fact.at <= at)
    ordered = tuple(each for each in REMOVALS if each in set(wanted))
    duties = standing(tables, jurisdictions, data_class, happened, at, ordered)
    held = _since(happened, *_PLACED["hold"]) is not None
    backed = {removal for each in duties if each.kind == "hold" for removal in each.beats}
    stopped: list[Removal] = []
    for removal in ordered:
        if not any(removal in each.beats for each in duties) and not (held and not backed):
            return Kept("tombstoned", "removal_ordered", won=removal)
        stopped.append(removal)
    if not ordered:
        return _unwanted(duties)
    won = next((each for each in duties if set(stopped) & set(each.beats)), None)
    if won is None:
        return Kept("held", "hold_unbacked", won="hold", waiting=tuple(stopped))
    return Kept(won.keeps, "kept_by_duty", won.kind, won.duty, won.article, won.until, tuple(stopped))


def standing(
    tables: Tables,
    jurisdictions: Iterable[str],
    data_class: str,
    facts: tuple[Happened, ...],
    at: int,
    ordered: tuple[Removal, ...] = (),
) -> tuple[Standing, ...]:
    """Give the duties that stand for a record, the strongest first."""
    codes = set(jurisdictions)
    found = [
        each
        for file in tables.policy.jurisdictions
        if file.code in codes
        for each in _of(tables, file, data_class, facts, at, ordered)
    ]
    return tuple(sorted(found, key=lambda each: (ORDER.index(each.kind), -(each.until or 2**62), each.duty)))


def _of(
    tables: Tables,
    file: JurisdictionFile,
    data_class: str,
    facts: tuple[Happened, ...],
    at: int,
    ordered: tuple[Removal, ...],
) -> Iterator[Standing]:
    """Give the duties of one jurisdiction that stand."""
    periods = {each.id: Span(each.value or 0, each.unit) for each in file.parameter}
    for duty in file.duty:
        if not holds(duty.valid_from, duty.valid_until, at):
            continue
        if data_class not in tables.names.chosen("classes", duty.classes):
            continue
        started = _started(duty, facts, at, ordered)
        if started is None:
            continue
        until = None if duty.period is None else after(started, periods[duty.period])
        if until is None or at < until:
            name = qualified(file.code, duty.id)
            yield Standing(name, duty.kind, duty.keeps, duty.beats, duty.article, until)


def _started(duty: Duty, facts: tuple[Happened, ...], at: int, ordered: tuple[Removal, ...]) -> int | None:
    """Say since when a duty stands; ``None`` where it does not."""
    if duty.kind in _PLACED:
        return _since(facts, *_PLACED[duty.kind])
    begun = max((fact.at for fact in facts if fact.what == duty.starts), default=None)
    if duty.kind == "blocking" and any(fact.what == "block_lifted" and fact.at >= (begun or 0) for fact in facts):
        return None
    if begun is None and duty.kind == "blocking" and set(ordered) & set(duty.beats):
        return at  # what is ordered now is decided now
    return begun


def _since(facts: tuple[Happened, ...], begins: Fact, ends: Fact) -> int | None:
    """Give when the oldest of what began and did not end began: one end ends one beginning, the oldest."""
    begun = sorted(fact.at for fact in facts if fact.what == begins)
    ended = sum(fact.what == ends for fact in facts)
    return begun[ended] if ended < len(begun) else None


def _unwanted(duties: tuple[Standing, ...]) -> Kept:
    """Say how a record is kept that nobody wants gone: a hold changes nothing that anyone sees."""
    for kind, state in (("blocking", "blocked"), ("restriction", "restricted")):
        for each in duties:
            if each.kind == kind:
                keep: KeepState = "blocked" if state == "blocked" else "restricted"
                reason: Reason = "blocked" if state == "blocked" else "restricted"
                return Kept(keep, reason, each.kind, each.duty, each.article, each.until)
    return Kept("active", "nothing_wanted")
