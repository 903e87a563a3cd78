"""Whether the files of jurisdictions, platforms and instruments hold together."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from shared.policy.assembling import Assembled
from shared.policy.model import Clock, Condition, Duty, JurisdictionFile, Localisation, Mechanism, PlatformFile
from shared.policy.names import Names, Unknown, qualified
from shared.policy.problems import Problem
from shared.policy.sound_values import moment_problems
from shared.policy.spans import FOR_EVER, is_span, moment_ms
from shared.policy.terms import ANY, BY_LAW

_KEEPING = frozenset({"held", "restricted", "blocked"})


def law_problems(made: Assembled, names: Names) -> Iterator[Problem]:
    """Give what is wrong in jurisdictions, platforms and instruments."""
    policy = made.policy
    countries = Counter(country for each in policy.jurisdictions for country in each.countries)
    files: tuple[JurisdictionFile | PlatformFile, ...] = (*policy.jurisdictions, *policy.platforms)
    articles = Counter(each.id for file in files for each in file.article)
    for jurisdiction in policy.jurisdictions:
        where = made.where("jurisdiction", jurisdiction.code, "countries")
        for country in sorted(set(jurisdiction.countries)):
            if countries[country] > 1:
                yield Problem(
                    "named_twice", where, f"has {country}, which another jurisdiction has, too.", "Each once."
                )
        yield from _Jurisdiction(made, names, jurisdiction).problems()
    for platform in policy.platforms:
        yield from _articles(made, platform, "")
        for condition in platform.condition:
            yield from _condition(made, names, condition, {each.id for each in platform.article})
    for handle in sorted(handle for handle, count in articles.items() if count > 1):
        yield Problem(
            "named_twice", made.where("article", handle), f"{handle} stands for two articles.", "Each handle once."
        )
    for instrument in policy.instruments:
        yield from moment_problems(made, "instrument", instrument.id, instrument.valid_from, instrument.valid_until)
        if instrument.kind in BY_LAW:
            yield Problem(
                "instrument_needless",
                made.where("instrument", instrument.id, "kind"),
                f"{instrument.kind} holds by law.",
                "Write it as a mechanism of the jurisdiction.",
            )


def _articles(made: Assembled, file: JurisdictionFile | PlatformFile, code: str) -> Iterator[Problem]:
    """Look whether each article's law is there."""
    laws = {law.id for law in file.law}
    for article in file.article:
        if article.law not in laws:
            where = made.where("article", qualified(code, article.id) if code else article.id, "law")
            yield Problem("name_unknown", where, f"{article.law} is no [[law]] of this file.")
    for law in file.law:
        yield from moment_problems(made, "law", qualified(code, law.id) if code else law.id, law.in_force, None)


def _condition(made: Assembled, names: Names, condition: Condition, articles: set[str]) -> Iterator[Problem]:
    """Look at a platform's condition."""
    if condition.article not in articles:
        where = made.where("condition", condition.id, "article")
        yield Problem("article_unknown", where, f"{condition.article} is no [[article]] of this file.")
    for key in ("classes", "purposes"):
        try:
            names.chosen(key, getattr(condition, key))
        except Unknown as wrong:
            yield Problem("name_unknown", made.where("condition", condition.id, key), f"{wrong.name} {wrong.why}.")


class _Jurisdiction:
    """Looks at one jurisdiction's file."""

    def __init__(self, made: Assembled, names: Names, file: JurisdictionFile) -> None:
        """Take the file and what it may refer to."""
        self._made, self._names, self._file = made, names, file
        self._parameters = {each.id: each for each in file.parameter}
        self._articles = {each.id for each in file.article}

    def problems(self) -> Iterator[Problem]:
        """Give everything."""
        yield from _articles(self._made, self._file, self._file.code)
        for table in ("parameter", "mechanism", "localisation", "duty", "filing", "counter"):
            for entry in getattr(self._file, table):
                if entry.article not in self._articles:
                    yield self._problem(
                        "article_unknown",
                        table,
                        entry.id,
                        "article",
                        f"{entry.article} is no [[article]] of this file.",
                    )
        for parameter in self._file.parameter:
            if (parameter.value is None) != (parameter.unit == "without_delay"):
                yield self._problem(
                    "unit_wrong",
                    "parameter",
                    parameter.id,
                    "value",
                    "needs a value in its unit; without_delay has none.",
                )
        for table in ("mechanism", "localisation", "clock", "duty"):
            for entry in getattr(self._file, table):
                entry_name = qualified(self._file.code, entry.id)
                yield from moment_problems(self._made, table, entry_name, entry.valid_from, entry.valid_until)
        yield from self._mechanisms()
        yield from self._clocks()
        yield from self._duties()
        yield from self._counters()

    def _problem(self, code: str, table: str, entry: str, key: str, what: str) -> Problem:
        """Make a problem of an entry of this file."""
        return Problem(code, self._made.where(table, qualified(self._file.code, entry), key), what)

    def _named(
        self, table: str, entry: str, key: str, name: str | None, of: str, *, spans: bool = True
    ) -> Iterator[Problem]:
        """Look whether a name is one of a table of this file; a parameter must be a span of time, or without delay."""
        if name is None:
            return
        known = {each.id for each in getattr(self._file, of)}
        if name not in known:
            yield self._problem("name_unknown", table, entry, key, f"{name} is no [[{of}]] of this file.")
        elif of == "parameter":
            unit = self._parameters[name].unit
            right = is_span(unit) or unit == "without_delay" if spans else unit in {"people", "records"}
            if not right:
                yield self._problem("unit_wrong", table, entry, key, f"{name} is in {unit}, which does not fit here.")

    def _mechanisms(self) -> Iterator[Problem]:
        """Look at references, and that no two say the same at one time."""
        for each in self._file.mechanism:
            yield from self._named("mechanism", each.id, "filing", each.filing, "filing")
            yield from self._named("mechanism", each.id, "counter", each.counter, "counter")
            if each.to != ANY and self._file.code in each.to:
                yield self._problem("place_wrong", "mechanism", each.id, "to", "leads to where it comes from.")
        yield from self._overlaps("mechanism", self._file.mechanism, _same_way)

    def _clocks(self) -> Iterator[Problem]:
        """Look at the parameters of clocks, and that no two of one right run at one time."""
        for clock in self._file.clock:
            yield from self._named("clock", clock.id, "acknowledge", clock.acknowledge, "parameter")
            for phase in clock.phase:
                for key in ("limit", "extension", "third_party", "third_party_extension"):
                    yield from self._named("clock", clock.id, f"phase.{key}", getattr(phase, key), "parameter")
        yield from self._overlaps("clock", self._file.clock, _same_right)
        for filing in self._file.filing:
            yield from self._named("filing", filing.id, "limit", filing.limit, "parameter")

    def _duties(self) -> Iterator[Problem]:
        """Look at duties and localisation."""
        both: tuple[Duty | Localisation, ...] = (*self._file.duty, *self._file.localisation)
        for entry in both:
            table = "duty" if isinstance(entry, Duty) else "localisation"
            try:
                self._names.chosen("classes", entry.classes)
            except Unknown as wrong:
                yield self._problem("name_unknown", table, entry.id, "classes", f"{wrong.name} {wrong.why}.")
        for duty in self._file.duty:
            yield from self._named("duty", duty.id, "period", duty.period, "parameter")
            if duty.period is not None and getattr(self._parameters.get(duty.period), "unit", "") == "business_days":
                what = "is in business days; a duty to keep runs in calendar time."
                yield self._problem("unit_wrong", "duty", duty.id, "period", what)
            if duty.keeps not in _KEEPING:
                yield self._problem("state_wrong", "duty", duty.id, "keeps", "keeps: held, restricted or blocked.")

    def _counters(self) -> Iterator[Problem]:
        """Look at thresholds."""
        for counter in self._file.counter:
            for step in counter.step:
                yield from self._named("counter", counter.id, "step.above", step.above, "parameter", spans=False)

    def _overlaps(self, table: str, entries: Sequence[Any], alike: Any) -> Iterator[Problem]:
        """Find two entries that say the same and are valid at one time."""
        for one, other in combinations(entries, 2):
            if alike(one, other) and _together(one, other):
                what = f"is valid at the same time as {one.id}, and says the same."
                yield self._problem("validity_overlaps", table, other.id, "valid_from", f"{what} One at a time.")


def _same_way(one: Mechanism, other: Mechanism) -> bool:
    """Say whether two mechanisms are one ground to one place; a law may offer several kinds of clauses."""
    if one.kind != other.kind or one.kind not in BY_LAW:
        return False
    return ANY in {one.to, other.to} or bool(set(one.to) & set(other.to))


def _same_right(one: Clock, other: Clock) -> bool:
    """Say whether two clocks are of one right and of the same cases."""
    return (one.right, one.applies) == (other.right, other.applies)


def _together(one: Any, other: Any) -> bool:
    """Say whether two validities share a moment; one that is no moment shares none."""
    try:
        (start, end), (begin, finish) = (
            (_edge(each.valid_from, 0), _edge(each.valid_until, FOR_EVER)) for each in (one, other)
        )
    except ValueError:
        return False
    return start < finish and begin < end


def _edge(moment: str | None, default: int) -> int:
    """Give a moment, or what stands for none."""
    return default if moment is None else moment_ms(moment)
