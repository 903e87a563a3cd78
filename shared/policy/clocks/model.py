"""What a clock is made of: the definition that a law gives, the events of a case, and the answer: when it is due."""

from typing import Literal

import msgspec

from shared.policy.terms import ClockFault, ClockState, Happening, PauseReason, Start

LENGTH_MAX = 10_000
"""No law counts further: 10,000 days are 27 years, 10,000 months more than eight centuries."""

Unit = Literal["hours", "days", "business_days", "weeks", "months", "years", "without_delay"]
"""``days`` are calendar days; ``without_delay`` is a duty without a number."""
Kind = Happening
State = ClockState
FaultCode = ClockFault


class Length(msgspec.Struct, frozen=True):
    """A span of time as a law writes it: ``value`` (1 to :data:`LENGTH_MAX`, 0 for ``without_delay``) and ``unit``."""

    value: int
    unit: Unit

    def __post_init__(self) -> None:
        """Refuse, with ``ValueError``, a number that no law can mean."""
        least, most = (0, 0) if self.unit == "without_delay" else (1, LENGTH_MAX)
        if not least <= self.value <= most:
            raise ValueError(f"a length in {self.unit} is {least} to {most}, not {self.value}")

    def __str__(self) -> str:
        """Write it for an officer: ``15 business days``."""
        if self.unit == "without_delay":
            return "without delay"
        unit = self.unit.replace("_", " ")
        return f"{self.value} {unit.removesuffix('s') if self.value == 1 else unit}"


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of a clock; a later one starts when the one before it is done."""

    phase: str
    """What is done in it: ``answer``, ``decide``, ``execute``."""
    limit: Length
    extension: Length | None = None
    """How much longer, if extended."""
    extensions_max: int = 1
    notice: bool = True
    """Whether an extension holds only if the subject was told of it within the limit."""
    third_party: Length | None = None
    """The limit instead, where a processor or third party is involved."""
    third_party_extension: Length | None = None
    """The extension instead, in that case."""


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A clock as a jurisdiction's law gives it."""

    id: str
    right: str
    """What it measures: ``access``, ``erasure``, ``breach_authority``, ``filing``."""
    starts: Start
    stages: tuple[Stage, ...]
    pauses: tuple[PauseReason, ...] = ()
    """Reasons for which the law lets it stand still."""
    counting: str = "no_roll"
    """A name of :data:`shared.policy.clocks.conventions.COUNTING`."""
    alerts_hours: tuple[int, ...] = ()
    """Hours after the start at which somebody inside must know, beside the usual escalations."""

    def __post_init__(self) -> None:
        """Refuse, with ``ValueError``, a clock without a stage."""
        if not self.stages:
            raise ValueError("a clock has at least one stage")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a case, in codes and numbers only."""

    kind: Kind
    at_ms: int
    """When: milliseconds since 1970-01-01T00:00:00Z."""
    reason: str = ""
    """Of ``paused`` and ``resumed``: a :data:`PauseReason`."""
    phase: str = ""
    """Of ``phase_done`` and ``extended``: the stage meant; empty means the one that is running."""
    clock: str = ""
    """The :class:`Definition` meant; empty means every clock of the case."""
    notice: bool = False
    """Of ``extended``: the subject was told of it, with the reason, at ``at_ms``."""


class Step(msgspec.Struct, frozen=True):
    """One step of how a deadline was computed: a code for programs, a sentence of dates and codes for officers."""

    code: str
    text: str


class Fault(msgspec.Struct, frozen=True):
    """Something that does not fit; it was left out of account, so that the earlier deadline counts."""

    code: FaultCode
    at_ms: int | None
    """When the event happened that does not fit; None where it is the calendar that does not reach."""
    text: str


class Escalation(msgspec.Struct, frozen=True):
    """A moment at which more people look at a case: ``alert``, ``half_time``, ``last_quarter``, ``overdue``."""

    code: Literal["alert", "half_time", "last_quarter", "overdue"]
    at_ms: int


class StageDue(msgspec.Struct, frozen=True, kw_only=True):
    """Where one stage stands; ``due_ms`` is the last millisecond in time, None for ``without_delay`` or not begun."""

    phase: str
    state: State
    starts_ms: int | None
    due_ms: int | None
    done_ms: int | None


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """When it is due, where it stands, and how that was found."""

    clock: str
    state: State
    due_ms: int | None
    """Last millisecond in time of the stage that is running (of the last one, when all are done).  While ``paused``:
    what it would be if the clock went on now.  None while ``waiting``, and for ``without_delay``."""
    stages: tuple[StageDue, ...]
    escalation: Escalation | None
    """The next one after now; None while paused, and when nothing is left to escalate."""
    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]
