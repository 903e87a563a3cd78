"""Clocks, filings and counters of a jurisdiction's file, in the form in which they are computed."""

from datetime import UTC, datetime, timedelta
from typing import get_args

from shared.policy.clocks.conventions import counting_for
from shared.policy.clocks.model import Definition, Length, Stage, Unit
from shared.policy.clocks.volumes import Band
from shared.policy.model import Clock, ClockPhase, Filing, JurisdictionFile

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def definitions_of(file: JurisdictionFile, at_ms: int) -> dict[str, Definition]:
    """Give every clock of ``file`` that is in force at ``at_ms``, by id: ``TH.access``.

    A clock with an acknowledgement gives a second one, ``TH.access_acknowledge``; each filing gives one.  Raises
    ``ValueError`` where a limit names no parameter, or one that is no span of time.
    """
    found: dict[str, Definition] = {}
    for clock in file.clock:
        if not _is_in_force(clock, at_ms):
            continue
        stages = tuple(_stage(file, phase) for phase in clock.phase)
        for name, right_stages in _with_acknowledgement(file, clock, stages).items():
            found[name] = Definition(
                id=name,
                right=clock.right,
                starts=clock.starts,
                stages=right_stages,
                pauses=clock.pauses if right_stages is stages else (),
                counting=counting_for(file.code, clock.right),
            )
    for filing in file.filing:
        found[f"{file.code}.{filing.id}"] = _filing(file, filing)
    return found


def names_of_clocks(file: JurisdictionFile) -> tuple[str, ...]:
    """Give the names of every clock, acknowledgement and filing of ``file``, in force or not."""
    clocks = (f"{file.code}.{each.id}" for each in file.clock)
    receipts = (_acknowledgement(f"{file.code}.{each.id}") for each in file.clock if each.acknowledge is not None)
    return (*clocks, *receipts, *(f"{file.code}.{each.id}" for each in file.filing))


def bands_of(file: JurisdictionFile, counter: str) -> tuple[Band, ...]:
    """Give the bands of one counter of ``file``.  Raises ``ValueError`` where it, or a number, is not there."""
    steps = next((each.step for each in file.counter if each.id == counter), None)
    if steps is None:
        raise ValueError(f"{file.code} has no counter {counter}")
    values = {parameter.id: parameter.value for parameter in file.parameter}
    bands = []
    for step in steps:
        number = values.get(step.above)
        if number is None:
            raise ValueError(f"{file.code}.{step.above} gives no number")
        bands.append(Band(number, step.kinds))
    return tuple(bands)


def _with_acknowledgement(
    file: JurisdictionFile, clock: Clock, stages: tuple[Stage, ...]
) -> dict[str, tuple[Stage, ...]]:
    """Give the stages of a clock and of its acknowledgement, by name."""
    name = f"{file.code}.{clock.id}"
    if clock.acknowledge is None:
        return {name: stages}
    receipt = Stage(phase="acknowledge", limit=_length(file, clock.acknowledge))
    return {name: stages, _acknowledgement(name): (receipt,)}


def _acknowledgement(name: str) -> str:
    """Name the clock of the acknowledgement that a clock has beside it."""
    return f"{name}_acknowledge"


def _stage(file: JurisdictionFile, phase: ClockPhase) -> Stage:
    """Give one stage, its parameters looked up."""
    return Stage(
        phase=phase.phase,
        limit=_length(file, phase.limit),
        extension=_length(file, phase.extension) if phase.extension else None,
        third_party=_length(file, phase.third_party) if phase.third_party else None,
        third_party_extension=_length(file, phase.third_party_extension) if phase.third_party_extension else None,
    )


def _filing(file: JurisdictionFile, filing: Filing) -> Definition:
    """Give the clock of a filing."""
    stage = Stage(phase="file", limit=_length(file, filing.limit))
    name, counting = f"{file.code}.{filing.id}", counting_for(file.code, "filing")
    return Definition(id=name, right="filing", starts=filing.starts, stages=(stage,), counting=counting)


def _length(file: JurisdictionFile, name: str) -> Length:
    """Give a parameter as a length of time."""
    parameter = next((each for each in file.parameter if each.id == name), None)
    unit: Unit | None = next((unit for unit in get_args(Unit) if parameter and parameter.unit == unit), None)
    if parameter is None or unit is None or (parameter.value is None) != (unit == "without_delay"):
        raise ValueError(f"{file.code}.{name} is no span of time of this file")
    return Length(parameter.value or 0, unit)


def _is_in_force(clock: Clock, at_ms: int) -> bool:
    """Say whether a clock is in force; a date means 00:00 UTC of that day."""
    begins = _instant(clock.valid_from) if clock.valid_from else at_ms
    return begins <= at_ms and (clock.valid_until is None or at_ms < _instant(clock.valid_until))


def _instant(moment: str) -> int:
    """Give the milliseconds of a date or moment of a file."""
    read = datetime.fromisoformat(moment)
    return ((read if read.tzinfo else read.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1)
