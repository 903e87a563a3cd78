"""Which duties of the law keep what lies in this store, and what becomes of what somebody wants gone.  Pure.

:mod:`shared.policy.conflicts` resolves; this page brings its words and the store's together.  Duties that begin when a
record is stored, or when an erasure is ordered, become rows that statements look up (:func:`law_duties`), so that none
is asked too late; those that an officer begins (a hold, a restriction, a refused request) become holds of the person
(:func:`backing_of`).  What a statement kept is put before the table once more (:func:`judged`): it names the article.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from edge_node.core.keeping import REMOVALS, Keep, Removal
from edge_node.core.stored import EVERYTHING, kinds_kept
from shared.clock import Milliseconds
from shared.policy.compiling import Tables
from shared.policy.conflicts import Happened, Kept, resolve
from shared.policy.model import Duty
from shared.policy.names import qualified
from shared.policy.spans import FOR_EVER, Span, after, before, holds, span_of
from shared.policy.terms import DutyKind, Fact

AHEAD: Milliseconds = 180_000
"""A duty that begins within this time stands already: so often, at least, what statements look up is written anew."""

HoldKind = Literal["hold", "restriction", "preservation", "blocking"]
_FACTS: dict[HoldKind, Fact] = {
    "hold": "hold_placed",
    "restriction": "restriction_placed",
    "preservation": "refused",
    "blocking": "decided",
}
_NOWHERE = kinds_kept(())


class LawDuty(NamedTuple):
    """A duty that begins by itself; field order is that of the columns of ``law_duty``."""

    duty: str
    """Its name outside its file: ``IN.one-year``."""
    law: str
    """Whose people's data it keeps; '' everybody's, as it is the law where the node stands."""
    kind: DutyKind
    keeps: Keep
    article: str
    period: str
    """``24 months``; '' until somebody ends it."""
    kinds: str
    """Which rows: :func:`edge_node.core.stored.kinds_kept`."""
    stops_recall: int
    stops_erase: int
    stops_expire: int
    kept_after: Milliseconds
    """Rows that arrived after it are kept now; :data:`FOR_EVER` where none is by its arrival alone."""


class Backing(NamedTuple):
    """The law's word on a hold that somebody wants to place."""

    kind: HoldKind = "hold"
    keeps: Keep = "held"
    duty: str = ""
    article: str = ""
    """'': none is known for it."""
    stops: frozenset[Removal] = frozenset(REMOVALS)
    """What it may stop."""
    kinds: str = EVERYTHING
    ends_at: Milliseconds | None = None


class Covering(NamedTuple):
    """A hold that covers a record, or covered it."""

    kind: HoldKind
    placed_at: Milliseconds
    released_at: Milliseconds | None
    stops: frozenset[Removal]


def law_duties(tables: Tables, own: str | None, now: Milliseconds) -> list[LawDuty]:
    """Give the duties that begin by themselves under a policy; ``own``: whose law applies where the node stands.

    One that holds at ``now`` or within :data:`AHEAD` stands.
    """
    found = []
    for file in tables.policy.jurisdictions:
        periods = {each.id: Span(each.value or 0, each.unit) for each in file.parameter}
        for duty in file.duty:
            if duty.starts not in {"stored", "decided"} or not _stands(duty, now):
                continue
            kinds = kinds_kept(tables.names.chosen("classes", duty.classes))
            if kinds == _NOWHERE:
                continue
            span = None if duty.period is None else periods[duty.period]
            kept_after = FOR_EVER
            if duty.starts == "stored":
                kept_after = -1 if span is None else before(now, span)
            recall, erase, expire = (int(removal in duty.beats) for removal in REMOVALS)
            for law in (file.code, "") if file.code == own else (file.code,):
                name = qualified(file.code, duty.id)
                period = "" if span is None else str(span)
                found.append(
                    LawDuty(
                        name, law, duty.kind, duty.keeps, duty.article, period, kinds, recall, erase, expire, kept_after
                    )
                )
    return found


def backing_of(
    tables: Tables | None,
    laws: Iterable[str],
    reason: str,
    wanted: Iterable[Removal],
    now: Milliseconds,
    placed_at: Milliseconds | None = None,
) -> Backing | None:
    """Say what backs a hold that is wanted for ``reason``, and what it stops; ``None``: no law here knows of one.

    A refused access is preserved where a law says so, for as long as it says; a restriction stands only where a law
    knows it.  Any other hold stands whether or not an article is known for it: what is destroyed cannot be brought
    back, and an officer must decide.
    """
    asked = frozenset(wanted)
    kind: HoldKind = "restriction" if reason == "restriction" else "hold"
    found = [] if tables is None else list(_duties(tables, frozenset(laws), now, placed_at))
    if reason == "access_refused" and any(duty.kind == "preservation" for _, duty, _, _ in found):
        kind = "preservation"
    found = [each for each in found if each[1].kind == kind]
    if not found:
        return None if kind == "restriction" else Backing(stops=asked)
    name, strongest, _, _ = min(found, key=lambda each: each[0])
    stops = frozenset(removal for _, duty, _, _ in found for removal in duty.beats)
    ends = [end for _, _, _, end in found if end is not None]
    return Backing(
        kind,
        strongest.keeps,
        name,
        strongest.article,
        asked & stops if kind == "hold" else stops,
        EVERYTHING if kind == "hold" else kinds_kept({each for _, _, classes, _ in found for each in classes}),
        max(ends) if len(ends) == len(found) else None,
    )


def judged(
    tables: Tables | None,
    laws: Iterable[str],
    data_class: str,
    removal: Removal,
    stored_at: Milliseconds,
    covering: Sequence[Covering],
    now: Milliseconds,
) -> Kept:
    """Say what becomes of a record that somebody wants gone, by the table; ``laws`` are its subject's and the node's.

    A hold counts where it stops this removal, as whoever placed it may have wanted less than the law allows.
    """
    facts = [Happened("stored", stored_at), *_happened(covering, removal)]
    if tables is None:
        stands = any(each.released_at is None for each in covering if removal in each.stops)
        return Kept("held", "hold_unbacked", won="hold", waiting=(removal,)) if stands else _gone(removal)
    return resolve(tables, laws, data_class, (removal,), facts, now)


def blocked_until(period: str, decided_at: Milliseconds) -> Milliseconds | None:
    """Say until when what was cancelled is blocked; ``None``: until an officer lifts it."""
    return after(decided_at, span_of(period)) if period else None


def _gone(removal: Removal) -> Kept:
    """Say that nothing keeps it."""
    return Kept("tombstoned", "removal_ordered", won=removal)


def _happened(covering: Sequence[Covering], removal: Removal) -> Iterator[Happened]:
    """Give the facts that holds are."""
    for each in covering:
        if removal not in each.stops:
            continue
        if each.released_at is None:
            yield Happened(_FACTS[each.kind], each.placed_at)
        elif each.kind == "blocking":
            yield Happened("block_lifted", each.released_at)


def _stands(duty: Duty, now: Milliseconds) -> bool:
    """Say whether a duty holds, or will soon."""
    return any(holds(duty.valid_from, duty.valid_until, at) for at in (now, now + AHEAD))


def _duties(
    tables: Tables, laws: frozenset[str], now: Milliseconds, placed_at: Milliseconds | None
) -> Iterator[tuple[str, Duty, frozenset[str], Milliseconds | None]]:
    """Give the duties of some laws that hold at ``now``: name, duty, classes, and when what began then ends."""
    since = now if placed_at is None else placed_at
    for file in tables.policy.jurisdictions:
        if file.code not in laws:
            continue
        periods = {each.id: Span(each.value or 0, each.unit) for each in file.parameter}
        for duty in file.duty:
            if holds(duty.valid_from, duty.valid_until, now):
                end = None if duty.period is None else after(since, periods[duty.period])
                yield qualified(file.code, duty.id), duty, tables.names.chosen("classes", duty.classes), end
