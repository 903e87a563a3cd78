"""A case's events, put in order and judged: what started a clock, what stopped it, what is to be left out of account.

Events may come in any order and any number of times.  What happened after the completion, or lies after now, is no part
of the story.
"""

from typing import NamedTuple

from shared.policy.clocks.model import Definition, Event, Fault, Kind, Step

_ASKED: dict[Kind, str] = {"identity_requested": "identity_unverified", "clarification_requested": "clarification"}
_ANSWERED: dict[Kind, str] = {"identity_verified": "identity_unverified", "clarification_received": "clarification"}
_FIRST: tuple[Kind, ...] = ("paused", "identity_requested", "clarification_requested")
_LAST: tuple[Kind, ...] = ("resumed", "identity_verified", "clarification_received", "phase_done", "completed")


class Pause(NamedTuple):
    """A time in which a clock stands still; ``until_ms`` is None while it lasts."""

    reason: str
    from_ms: int
    until_ms: int | None


class Story(NamedTuple):
    """What of a case matters to one clock."""

    starts_ms: int | None
    completed_ms: int | None
    pauses: tuple[Pause, ...]
    extended: tuple[Event, ...]
    third_party_ms: int | None
    done: tuple[Event, ...]
    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]


def read(definition: Definition, events: tuple[Event, ...], now_ms: int) -> Story:
    """Put the events that concern ``definition`` and are not after ``now_ms`` in order, and judge them."""
    mine = {event for event in events if event.clock in {"", definition.id} and event.at_ms <= now_ms}
    starts_ms = min((event.at_ms for event in mine if event.kind == definition.starts), default=None)
    completed = sorted(event.at_ms for event in mine if event.kind == "completed")
    faults = [
        Fault("completed_before_start", at_ms, "completed before anything started this clock")
        for at_ms in completed
        if starts_ms is None or at_ms < starts_ms
    ]
    completed_ms = next((at_ms for at_ms in completed if starts_ms is not None and at_ms >= starts_ms), None)
    if completed_ms is not None:
        mine = {event for event in mine if event.at_ms <= completed_ms}
    ordered = sorted(mine, key=_place)
    pauses, steps, wrong = _pauses(definition, ordered)
    return Story(
        starts_ms=starts_ms,
        completed_ms=completed_ms,
        pauses=pauses,
        extended=tuple(event for event in ordered if event.kind == "extended"),
        third_party_ms=next((event.at_ms for event in ordered if event.kind == "third_party_involved"), None),
        done=tuple(event for event in ordered if event.kind == "phase_done"),
        steps=tuple(steps),
        faults=(*faults, *wrong),
    )


def _place(event: Event) -> tuple[int, int, str, str, str, bool]:
    """Order events by time; at one instant what ends something comes last."""
    rank = 1 + _LAST.index(event.kind) if event.kind in _LAST else 0
    return event.at_ms, rank, event.kind, event.reason, event.phase, event.notice


def _pauses(definition: Definition, ordered: list[Event]) -> tuple[tuple[Pause, ...], list[Step], list[Fault]]:
    """Find the pauses that the law lets count."""
    pauses: list[Pause] = []
    open_since: dict[str, int] = {}
    steps: list[Step] = []
    faults: list[Fault] = []
    for event in ordered:
        reason = _ASKED.get(event.kind) or _ANSWERED.get(event.kind) or event.reason
        if event.kind in _FIRST:
            if reason not in definition.pauses:
                if event.kind == "paused":
                    faults.append(Fault("pause_not_permitted", event.at_ms, f"no pause for {reason}: it runs on"))
                else:
                    steps.append(Step("runs_on", f"{event.kind}: this clock does not stand still for {reason}"))
            elif reason in open_since:
                faults.append(Fault("pause_twice", event.at_ms, f"already paused for {reason}"))
            else:
                open_since[reason] = event.at_ms
        elif event.kind in {"resumed", *_ANSWERED}:
            if reason in open_since:
                pauses.append(Pause(reason, open_since.pop(reason), event.at_ms))
            elif event.kind == "resumed":
                faults.append(Fault("resume_without_pause", event.at_ms, f"not paused for {reason}"))
    pauses += [Pause(reason, from_ms, None) for reason, from_ms in open_since.items()]
    return tuple(sorted(pauses, key=lambda pause: (pause.from_ms, pause.reason))), steps, faults
