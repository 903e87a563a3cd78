"""When is it due?  The one entry of this package: stage by stage, each step written down for an officer."""

from shared.clock import DAY
from shared.policy.clocks.calendar import HOUR_MS, NOW_MS_MAX, Calendar
from shared.policy.clocks.conventions import COUNTING
from shared.policy.clocks.extending import extended
from shared.policy.clocks.model import Definition, Due, Escalation, Event, Stage, StageDue, State
from shared.policy.clocks.reckoning import Reckoning
from shared.policy.clocks.story import read


def deadline(definition: Definition, events: tuple[Event, ...], calendar: Calendar, now_ms: int) -> Due:
    """Say when ``definition`` is due in a case with ``events``, as seen at ``now_ms``.

    What does not fit is left out of account and named in ``faults``.  Raises ``ValueError`` for a convention that does
    not exist or a ``now_ms`` outside of 0 to :data:`NOW_MS_MAX`.
    """
    if definition.counting not in COUNTING:
        raise ValueError(f"no convention is called {definition.counting}")
    if not 0 <= now_ms <= NOW_MS_MAX:
        raise ValueError("now lies outside of what is computed")
    reckoning = Reckoning(definition, read(definition, events, now_ms), calendar, now_ms)
    reckoning.say("counting", f"{definition.counting}: {reckoning.rules.source}")
    reckoning.say("calendar", f"{calendar.name} by {calendar.source}")
    reckoning.steps += reckoning.story.steps
    stages = _stages(reckoning)
    current = next((stage for stage in stages if stage.done_ms is None), stages[-1])
    state = current.state
    if all(stage.done_ms is not None for stage in stages):
        state = "missed" if any(stage.state == "missed" for stage in stages) else "met"
    return Due(
        clock=definition.id,
        state=state,
        due_ms=current.due_ms,
        stages=stages,
        escalation=_escalation(reckoning, current),
        steps=tuple(reckoning.steps),
        faults=tuple(dict.fromkeys(reckoning.faults)),
    )


def _stages(reckoning: Reckoning) -> tuple[StageDue, ...]:
    """Go through the stages; each begins when the one before it is done, or should have been."""
    starts = reckoning.definition.starts
    begins_ms = reckoning.story.starts_ms
    if begins_ms is None:
        reckoning.say("waiting", f"nothing {starts} yet")
    else:
        reckoning.say("starts", f"{starts} on {reckoning.day(begins_ms)}")
        begins_ms = _restarted(reckoning, begins_ms)
    done, found = _done(reckoning), list[StageDue]()
    for place, stage in enumerate(reckoning.definition.stages):
        if begins_ms is None:
            found.append(StageDue(phase=stage.phase, state="waiting", starts_ms=None, due_ms=None, done_ms=None))
            continue
        due = _stage(reckoning, place, stage, begins_ms, done)
        found.append(due)
        begins_ms = None if due.done_ms is None else min(due.done_ms, due.due_ms or due.done_ms)
    return tuple(found)


def _restarted(reckoning: Reckoning, starts_ms: int) -> int:
    """Give the start of the first stage: where the law says so, the latest of the event and what was awaited."""
    limit = reckoning.definition.stages[0].limit
    counting = reckoning.count(reckoning.story.completed_ms)
    for pause in reckoning.restarts:
        if limit.unit == "without_delay" or pause.from_ms > counting.end(starts_ms, (limit,)).due_ms:
            reckoning.fault("pause_too_late", pause.from_ms, f"{pause.reason}: asked for when the limit was over")
            reckoning.too_late.add(pause)
            continue
        again_ms = reckoning.until(pause, reckoning.story.completed_ms)
        if counting.end(again_ms, (limit,)).due_ms > counting.end(starts_ms, (limit,)).due_ms:
            starts_ms = again_ms
            reckoning.say("restarts", f"{pause.reason} until {reckoning.day(again_ms)}: the limit begins anew then")
    return starts_ms


def _done(reckoning: Reckoning) -> list[int | None]:
    """Give for each stage when it was done: by its own event, or by the completion of the case."""
    phases = [stage.phase for stage in reckoning.definition.stages]
    done: list[int | None] = []
    for event in reckoning.story.done:
        if len(done) < len(phases) and event.phase in {"", phases[len(done)]}:
            done.append(event.at_ms)
        else:
            what = event.phase or "a stage"
            reckoning.fault("phase_unknown", event.at_ms, f"{what} done, but it was not its turn")
    return done + [reckoning.story.completed_ms] * (len(phases) - len(done))


def _stage(reckoning: Reckoning, place: int, stage: Stage, starts_ms: int, done: list[int | None]) -> StageDue:
    """Compute one stage that has begun."""
    done_ms = done[place]
    if stage.limit.unit == "without_delay":
        reckoning.say("without_delay", f"{stage.phase}: without delay; the law gives no number")
        state: State = "due" if done_ms is None else "met"
        return StageDue(phase=stage.phase, state=state, starts_ms=starts_ms, due_ms=None, done_ms=done_ms)
    last = len(reckoning.definition.stages) - 1
    asked = tuple(
        event
        for event in reckoning.story.extended
        if (event.phase == stage.phase if event.phase else min(_before(event.at_ms, done), last) == place)
    )
    end = extended(reckoning, stage, starts_ms, reckoning.count(done_ms), asked)
    reckoning.explain(stage, starts_ms, done_ms, end)
    state = _state(reckoning, end.due_ms, done_ms)
    return StageDue(phase=stage.phase, state=state, starts_ms=starts_ms, due_ms=end.due_ms, done_ms=done_ms)


def _before(at_ms: int, done: list[int | None]) -> int:
    """Give how many stages were done before an instant."""
    return sum(done_ms is not None and done_ms < at_ms for done_ms in done)


def _state(reckoning: Reckoning, due_ms: int, done_ms: int | None) -> State:
    """Say where a stage stands."""
    if done_ms is not None:
        return "met" if done_ms <= due_ms else "missed"
    lasting = [pause for pause in reckoning.story.pauses if pause.until_ms is None and pause not in reckoning.too_late]
    if reckoning.now_ms > due_ms:
        for pause in lasting:
            reckoning.fault("pause_too_late", pause.from_ms, f"{pause.reason}: asked for when the limit was over")
        return "overdue"
    if lasting:
        return "paused"
    return "due" if due_ms - reckoning.now_ms <= DAY else "running"


def _escalation(reckoning: Reckoning, stage: StageDue) -> Escalation | None:
    """Give the next moment at which more people look at it."""
    if stage.starts_ms is None or stage.due_ms is None or stage.state not in {"running", "due"}:
        return None
    length_ms = stage.due_ms - stage.starts_ms
    moments = [
        *(Escalation("alert", stage.starts_ms + hours * HOUR_MS) for hours in reckoning.definition.alerts_hours),
        Escalation("half_time", stage.starts_ms + length_ms // 2),
        Escalation("last_quarter", stage.starts_ms + length_ms * 3 // 4),
        Escalation("overdue", stage.due_ms + 1),
    ]
    return min((each for each in moments if each.at_ms > reckoning.now_ms), key=lambda each: each.at_ms, default=None)
