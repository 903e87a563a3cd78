"""One computation under way: what it stands on, and the steps and faults it gathers for an officer."""

from datetime import date

from shared.policy.clocks.calendar import Calendar
from shared.policy.clocks.conventions import COUNTING, Counting
from shared.policy.clocks.counting import Count, End, Stop
from shared.policy.clocks.model import Definition, Fault, FaultCode, Stage, Step
from shared.policy.clocks.story import Pause, Story


class Reckoning:
    """What one deadline is computed from, and what is said on the way."""

    def __init__(self, definition: Definition, story: Story, calendar: Calendar, now_ms: int) -> None:
        self.definition = definition
        self.story = story
        self.calendar = calendar
        self.now_ms = now_ms
        self.rules: Counting = COUNTING[definition.counting]
        self.steps: list[Step] = []
        self.faults: list[Fault] = list(story.faults)
        self.too_late: set[Pause] = set()
        """Pauses that began when nothing could be paused any more."""
        self.restarts = tuple(pause for pause in story.pauses if pause.reason in self.rules.restarts)

    def say(self, code: str, text: str) -> None:
        """Add a step."""
        self.steps.append(Step(code, text))

    def fault(self, code: FaultCode, at_ms: int | None, text: str) -> None:
        """Add a fault."""
        self.faults.append(Fault(code, at_ms, text))

    def day(self, at_ms: int) -> date:
        """Give the local day of an instant."""
        return self.calendar.day_of(at_ms)

    def until(self, pause: Pause, done_ms: int | None) -> int:
        """Give the end of a pause; one that lasts ends, for now, when the stage was done, else now."""
        return next(at_ms for at_ms in (pause.until_ms, done_ms, self.now_ms) if at_ms is not None)

    def count(self, done_ms: int | None) -> Count:
        """Give the counting of a stage that was done at ``done_ms``, or is not done."""
        halts = (pause for pause in self.story.pauses if pause not in self.restarts)
        stops = (Stop(pause.from_ms, max(pause.from_ms, self.until(pause, done_ms))) for pause in halts)
        return Count(self.rules, self.calendar, tuple(stops))

    def explain(self, stage: Stage, starts_ms: int, done_ms: int | None, end: End) -> None:
        """Say which pauses and which days of the calendar were taken into account, and where it does not reach."""
        for pause in self.story.pauses:
            if pause not in self.restarts and starts_ms <= self.until(pause, done_ms) and pause.from_ms <= end.due_ms:
                ends = self.day(self.until(pause, done_ms)) if pause.until_ms or done_ms else "now, and lasts"
                self.say("paused", f"{stage.phase}: {pause.reason} from {self.day(pause.from_ms)} to {ends}")
        if end.last_day != end.counted_to:
            self.say("moved", f"{stage.phase}: {end.counted_to} is moved to {end.last_day}, the next day that counts")
        if end.consulted is not None:
            self._explain_days(stage, *end.consulted)
        self.say("ends", f"{stage.phase}: ends on {end.last_day} by the days of {self.calendar.zone}")

    def _explain_days(self, stage: Stage, first: date, last: date) -> None:
        """Name the special days from ``first`` to ``last``, and what the calendar does not know of them."""
        has = self.calendar
        kinds = {"holidays": has.holidays, "worked_weekends": has.workdays, "estimated_not_counted": has.estimated}
        for code, days in kinds.items():
            found = sorted(day for day in days if first <= day <= last)
            if found:
                self.say(code, f"{stage.phase}: {', '.join(map(str, found))}")
        if first.year < has.first_year or last.year > has.last_year:
            self.fault("holidays_unknown", None, f"the calendar reaches from {has.first_year} to {has.last_year}")
        elif last.year > has.announced_through:
            self.fault("holidays_unannounced", None, f"days are announced to the end of {has.announced_through} only")
