"""How a record is kept: six states, what moves it between them, and which duty wins where two meet.  One table.

``active``      kept, and shown where showing is allowed
``restricted``  kept, used for nothing but what the restriction allows
``blocked``     kept, locked away until it is decided what becomes of it
``held``        would be gone, but a hold (or another duty) keeps it: shown to no desk, its removal waits
``tombstoned``  its removal is ordered; nobody sees it any more, keys and bytes follow
``expunged``    gone; nothing leads out of here

Which removals a hold, a restriction or a blocking stops is the law's to say and is handed in (:class:`Duties`); the
table says what becomes of the record then.  Only a removal that waits makes a record ``held``: a hold on a record that
nobody wants gone changes nothing that anyone sees.
"""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

Keep = Literal["active", "restricted", "blocked", "held", "tombstoned", "expunged"]
Removal = Literal["recall", "erase", "expire"]
Event = Literal[
    "recall",  # the sender took it back
    "erase",  # the person is to be forgotten
    "expire",  # its period of retention is over
    "hold",  # a hold was placed that covers it
    "release",  # a hold that covered it was released; others may still stand
    "restrict",
    "unrestrict",
    "block",
    "unblock",
    "carried_out",  # key destroyed, row gone, write-ahead logs empty
]
Duty = Literal["recall", "erasure", "retention", "hold", "restriction", "blocking"]
Reason = Literal[
    "removal_ordered",  # it is on its way out
    "kept_by_duty",  # the removal waits
    "passed_over",  # an expiry is not noted: the sweep comes again
    "hold_stands",  # nothing to be seen of it, until somebody wants the record gone
    "nothing_waits",  # no removal waits for this release
    "resumed",  # what the hold stopped goes on
    "changed",
    "unchanged",  # it is so already
    "gone",  # carried out
    "expunged",  # refused: nothing is left
    "not_restricted",
    "not_blocked",
    "not_ordered",  # refused: nothing was ordered that could be carried out
    "removal_waits",  # refused: a removal waits; only that, or a release, moves it
]
Does = Literal["move", "stay", "wait", "refuse"]

KEEPS: tuple[Keep, ...] = get_args(Keep)
EVENTS: tuple[Event, ...] = get_args(Event)
REMOVALS: tuple[Removal, ...] = get_args(Removal)

GONE = "gone"
"""The word by which the content store calls an expunged subject; of an expunged message no row is left to say it."""

_DUTY: Mapping[str, Duty] = {"recall": "recall", "erase": "erasure", "expire": "retention"}
_NOTHING: frozenset[Removal] = frozenset()


class Duties(msgspec.Struct, frozen=True):
    """Which removals are stopped at a record: by the holds that cover it, and by its being restricted or blocked."""

    holds: frozenset[Removal] = _NOTHING
    """What any standing hold that covers the record beats."""
    restriction: frozenset[Removal] = _NOTHING
    blocking: frozenset[Removal] = _NOTHING


class Standing(msgspec.Struct, frozen=True):
    """How one record is kept: its state, those it returns to (the nearest last), and which removals wait."""

    keep: Keep = "active"
    beneath: tuple[Keep, ...] = ()
    waiting: frozenset[Removal] = _NOTHING


class Cell(msgspec.Struct, frozen=True):
    """What one event does to one state."""

    does: Does | Literal["remove", "resume", "return"]
    """``remove``: goes where no duty stops it.  ``resume``: what waits is asked again.  ``return``: to what was."""
    reason: Reason
    to: Keep | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What became of an event: how the record is kept now, why, and which duty won."""

    does: Does
    standing: Standing
    reason: Reason
    won: Duty | None = None


def _removed() -> dict[Event, Cell]:
    """Give what removals do to a record that may be removed."""
    return {removal: Cell("remove", "removal_ordered", "tombstoned") for removal in REMOVALS}


def _all(events: tuple[Event, ...], does: Does, reason: Reason) -> dict[Event, Cell]:
    """Give the same cell for several events."""
    return {event: Cell(does, reason) for event in events}


_LIMITING: tuple[Event, ...] = ("restrict", "unrestrict", "block", "unblock")
_HOLDS: dict[Event, Cell] = {"hold": Cell("stay", "hold_stands"), "release": Cell("resume", "nothing_waits")}
_UNORDERED: dict[Event, Cell] = {"carried_out": Cell("refuse", "not_ordered")}

TABLE: Mapping[Keep, Mapping[Event, Cell]] = {
    "active": _removed()
    | _HOLDS
    | _UNORDERED
    | {
        "restrict": Cell("move", "changed", "restricted"),
        "unrestrict": Cell("refuse", "not_restricted"),
        "block": Cell("move", "changed", "blocked"),
        "unblock": Cell("refuse", "not_blocked"),
    },
    "restricted": _removed()
    | _HOLDS
    | _UNORDERED
    | {
        "restrict": Cell("stay", "unchanged"),
        "unrestrict": Cell("return", "changed"),
        "block": Cell("move", "changed", "blocked"),
        "unblock": Cell("refuse", "not_blocked"),
    },
    # Blocking is the stricter: a restriction beneath it is come back to, one on top of it would add nothing.
    "blocked": _removed()
    | _HOLDS
    | _UNORDERED
    | {
        "restrict": Cell("stay", "unchanged"),
        "unrestrict": Cell("refuse", "not_restricted"),
        "block": Cell("stay", "unchanged"),
        "unblock": Cell("return", "changed"),
    },
    "held": _removed() | _HOLDS | _UNORDERED | _all(_LIMITING, "refuse", "removal_waits"),
    "tombstoned": _all((*REMOVALS, "release"), "stay", "removal_ordered")
    | _all(("hold", *_LIMITING), "refuse", "removal_ordered")
    | {"carried_out": Cell("move", "gone", "expunged")},
    "expunged": _all((*REMOVALS, "release", "carried_out"), "stay", "expunged")
    | _all(("hold", *_LIMITING), "refuse", "expunged"),
}


def decide(standing: Standing, event: Event, duties: Duties = Duties()) -> Outcome:  # noqa: B008 - frozen
    """Say what ``event`` does to a record, given the duties that stand when it comes (a released hold no more)."""
    cell = TABLE[standing.keep][event]
    match cell.does:
        case "remove":
            return _remove(standing, frozenset(each for each in REMOVALS if each == event), duties)
        case "resume":
            return _resume(standing, duties)
        case "return":
            keep = standing.beneath[-1] if standing.beneath else "active"
            return Outcome("move", Standing(keep, standing.beneath[:-1], standing.waiting), cell.reason)
        case "move" if cell.to in {"tombstoned", "expunged"}:
            return Outcome("move", Standing(cell.to), cell.reason)
        case "move" if cell.to is not None:
            moved = Standing(cell.to, (*standing.beneath, standing.keep), standing.waiting)
            return Outcome("move", moved, cell.reason)
        case "refuse":
            return Outcome("refuse", standing, cell.reason)
        case _:
            return Outcome("stay", standing, cell.reason)


def stopped_by(standing: Standing, removal: Removal, duties: Duties) -> Duty | None:
    """Say which duty keeps a record from a removal; a hold before all others, ``None`` where nothing does."""
    if removal in duties.holds:
        return "hold"
    around = (*standing.beneath, standing.keep)
    if "restricted" in around and removal in duties.restriction:
        return "restriction"
    if "blocked" in around and removal in duties.blocking:
        return "blocking"
    return None


def _remove(standing: Standing, wanted: frozenset[Removal], duties: Duties) -> Outcome:
    """Remove a record, or say which duty keeps it; ``wanted`` is what is asked for now."""
    won: Duty | None = None
    for removal in REMOVALS:
        if removal in wanted:
            won = stopped_by(standing, removal, duties)
            if won is None:
                return Outcome("move", Standing("tombstoned"), "removal_ordered", _DUTY[removal])
    # The sweep comes again by itself: an expiry leaves no mark on what it passes over.
    noted = wanted - {"expire"}
    if not noted:
        return Outcome("wait", standing, "passed_over", won)
    waiting = standing.waiting | noted
    if standing.keep == "held":
        return Outcome("wait", Standing("held", standing.beneath, waiting), "kept_by_duty", won)
    return Outcome("wait", Standing("held", (*standing.beneath, standing.keep), waiting), "kept_by_duty", won)


def _resume(standing: Standing, duties: Duties) -> Outcome:
    """Take up what a released hold stopped: all that waits and that nothing else stops."""
    if not standing.waiting:
        return Outcome("stay", standing, "nothing_waits")
    asked = _remove(standing, standing.waiting, duties)
    if asked.does == "move":
        return Outcome("move", asked.standing, "resumed", asked.won)
    return Outcome("wait", standing, "kept_by_duty", asked.won)


class Hold(msgspec.Struct, frozen=True):
    """A hold on a subject: from when until when (ms, both within) what was said is covered, and what it beats."""

    beats: frozenset[Removal] = frozenset(REMOVALS)
    from_at: int = 0
    until_at: int = 2**62

    def covers(self, at: int) -> bool:
        """Say whether it covers what was said at ``at`` (ms)."""
        return self.from_at <= at <= self.until_at

    @property
    def whole(self) -> bool:
        """Say whether it covers everything of its subject."""
        return self.from_at <= 0 and self.until_at >= 2**62
