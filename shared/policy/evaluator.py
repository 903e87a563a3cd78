"""Decides: one question, one answer, the same for the same question and bundle, whatever was asked before.

No rule means no; a deny wins over every allow; an allow holds only if every mechanism it needs is open; a fault is a
no.  Answers are kept by what they depend on, so that a question costs three look-ups and one AND.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping

import msgspec

from shared.policy.compiling import OPERATIONS, Row, compile_tables
from shared.policy.deciding import Decision, OwnReason, Question, Relied, united
from shared.policy.model import Need, Policy
from shared.policy.terms import ASKING, NO_ASKER, Outcome

Place = tuple[str, str, str, str]
"""Subject's jurisdiction, node's region, asker's region, role."""
Parties = tuple[str, str, str]
"""Whose laws a question concerns: the subject's jurisdiction, the node's, the asker's."""
_Relied = tuple[tuple[Relied, ...] | None, ...]
_EVER = 2**62


class Column:
    """What one column matches; columns in which nothing differs are one object."""

    __slots__ = ("decisions", "mask", "met", "parties", "relied", "rows")

    def __init__(self, rows: Mapping[Row, int], mask: int, met: int, relied: _Relied, parties: Parties) -> None:
        """Keep the rules that match, those whose needs are met, and on what."""
        self.rows = rows
        self.mask = mask
        self.met = met
        self.relied = relied
        self.parties = parties
        self.decisions: dict[int, Decision] = {}


class _Slice(msgspec.Struct, frozen=True):
    """The columns of one interval."""

    interval: int
    since: int
    until: int
    columns: dict[Place, Column]


class Evaluator:
    """A policy ready to decide."""

    def __init__(self, policy: Policy, bundle: str = "") -> None:
        """Compile a policy that holds together; ``bundle`` is the hash that its decisions bear."""
        self.tables = compile_tables(policy)
        self.bundle = bundle
        self._all = (1 << len(self.tables.rules) + len(self.tables.conditions)) - 1
        self._rule_bits = (1 << len(self.tables.rules)) - 1
        self._conditions = self._all ^ self._rule_bits
        self._own: dict[OwnReason, Decision] = {}
        self._slices: dict[int, _Slice] = {}
        self._open: dict[tuple[int, str, str, tuple[str, ...]], Relied | None] = {}
        self._met: dict[tuple[int, Parties], tuple[int, _Relied, int]] = {}
        self._kinds: dict[_Relied, int] = {}
        self._shared: dict[tuple[bool, int, int, Parties], Column] = {}
        self._slice = self._slice_at(0)

    def decide(self, question: Question) -> Decision:
        """Answer a question; what goes wrong on the way is an answer, too: deny, ``evaluator_failed``."""
        try:
            at = question.at
            now = self._slice
            if not now.since <= at < now.until:
                now = self._slice = self._slice_at(at)
            place = (question.subject, question.node, question.asker, question.role)
            column = now.columns.get(place)
            if column is None:
                reason = self._place_wrong(question)
                if reason is not None:
                    return self._no(reason)
                column = now.columns[place] = self.column(now.interval, place)
            row = column.rows.get((question.operation, question.data_class, question.purpose))
            if row is None:
                return self._no(self.row_wrong(question.operation, question.data_class, question.purpose))
            matched = row & column.mask
            decision = column.decisions.get(matched)
            if decision is None:
                decision = column.decisions[matched] = self.answer(column, matched)
        except Exception:  # noqa: BLE001 - whatever fails while deciding, the answer is no
            return self._no("evaluator_failed")
        return decision

    def interval(self, at: int) -> int:
        """Give the interval that a moment (ms) lies in."""
        return bisect_right(self.tables.instants, at)

    def column(self, interval: int, place: Place) -> Column:
        """Give the column of a place that exists."""
        tables = self.tables
        subject, node, asker, role = place
        of = tables.names.jurisdiction
        here = of[node]
        home = here == subject
        mask = tables.times[interval] & tables.subjects[subject] & tables.roles[role]
        mask &= tables.nodes[0].at(node, home=home, here=False) & ~tables.nodes[1].at(node, home=home, here=False)
        asks = asker != NO_ASKER
        there = of[asker] if asks else NO_ASKER
        if asks:
            near = {"home": there == subject, "here": there == here}
            mask &= tables.askers[0].at(asker, **near) & ~tables.askers[1].at(asker, **near)
        else:
            mask &= tables.unasked
        parties = (subject, here, there)
        met, relied, kind = self.needs_met(interval, parties)
        signature = (asks, mask, kind, parties)
        column = self._shared.get(signature)
        if column is None:
            rows = tables.asking if asks else tables.plain
            column = self._shared[signature] = Column(rows, mask | self._conditions, met, relied, parties)
        return column

    def weigh(self, matched: int, met: int) -> tuple[Outcome, int, OwnReason | None]:
        """Say what matching rules amount to: the outcome, the rules that made it, a reason that is no rule's."""
        matched &= self._rule_bits
        denies = matched & self.tables.deny
        if denies:
            return "deny", denies, None
        holding = matched & (~self.tables.needing | met)
        if holding:
            return "allow", holding, None
        return "deny", matched, "no_mechanism" if matched else "no_rule"

    def answer(self, column: Column, matched: int) -> Decision:
        """Decide what a set of matching rules amounts to in a column."""
        outcome, bits, reason = self.weigh(matched, column.met)
        if reason == "no_rule":
            return self._no(reason)
        conditions = matched >> len(self.tables.rules) if outcome == "allow" else 0
        decision = self._decision(outcome, column, bits, conditions)
        return decision if reason is None else msgspec.structs.replace(decision, reason=reason)

    def _decision(self, outcome: Outcome, column: Column, bits: int, conditions: int) -> Decision:
        """Write a decision down; ``bits`` are the rules that made it."""
        tables = self.tables
        numbers = list(set_bits(bits))
        rules = [tables.rules[number] for number in numbers]
        named = tuple(tables.conditions[number] for number in set_bits(conditions))
        relied: tuple[Relied, ...] = ()
        if outcome == "allow":
            needed = zip(tables.needs, column.relied, strict=True)
            every = {each for (_, having), ways in needed if ways and having & bits for each in ways}
            relied = tuple(sorted(every, key=lambda each: (each.mechanism, each.to, each.instrument or "")))
        citations = {article for rule in rules for article in self._concerning(rule.cites, column.parties)}
        citations |= {each.article for each in relied} | {article for _, article in named}
        owed = (rule.obligations for rule in rules if rule.obligations is not None)
        return Decision(
            outcome=outcome,
            rule=rules[0].id,
            reason=rules[0].reason,
            citations=tuple(sorted(citations)),
            must=united(owed if outcome == "allow" else (), tables.spans, relied, (name for name, _ in named)),
            relied=relied,
            rules=tuple(dict.fromkeys(rule.id for rule in rules)),
            bundle=self.bundle,
        )

    def _concerning(self, cites: tuple[str, ...], parties: Parties) -> tuple[str, ...]:
        """Leave out articles of jurisdictions that the question has nothing to do with, unless none would be left."""
        jurisdictions = self.tables.names.members["jurisdictions"]
        owners = self.tables.owners
        near = tuple(each for each in cites if owners[each] in parties or owners[each] not in jurisdictions)
        return near or cites

    def needs_met(self, interval: int, parties: Parties) -> tuple[int, _Relied, int]:
        """Give the rules whose needs are met between these parties, on what each set relies, and a number for that."""
        found = self._met.get((interval, parties))
        if found is None:
            met, relied = 0, []
            for needs, having in self.tables.needs:
                ways = self._ways(needs, interval, parties)
                relied.append(ways)
                if ways is not None:
                    met |= having
            kind = self._kinds.setdefault(tuple(relied), len(self._kinds))
            found = self._met[interval, parties] = (met, tuple(relied), kind)
        return found

    def _ways(self, needs: tuple[Need, ...], interval: int, parties: Parties) -> tuple[Relied, ...] | None:
        """Give what needs are met by; ``None`` where one is not.  Nothing is needed within a jurisdiction."""
        party = dict(zip(("subject", "node", "asker"), parties, strict=True))
        out = []
        for need in needs:
            source, to = party[need.from_], party[need.to]
            if source != to:
                key = (interval, source, to, need.kinds)
                if key not in self._open:
                    self._open[key] = self.tables.ways.open(source, to, need.kinds, self.tables.since(interval))
                way = self._open[key]
                if way is None:
                    return None
                out.append(way)
        return tuple(out)

    def _slice_at(self, at: int) -> _Slice:
        """Give the columns of the interval that a moment lies in."""
        interval = self.interval(at)
        found = self._slices.get(interval)
        if found is None:
            instants = self.tables.instants
            since = instants[interval - 1] if interval else -_EVER
            until = instants[interval] if interval < len(instants) else _EVER
            found = self._slices[interval] = _Slice(interval, since, until, {})
        return found

    def _place_wrong(self, question: Question) -> OwnReason | None:
        """Say which part of a question's place this policy does not know."""
        members = self.tables.names.members
        regions = members["regions"]
        if question.subject not in members["jurisdictions"]:
            return "jurisdiction_unknown"
        if question.node not in regions:
            return "region_unknown"
        if (question.asker == NO_ASKER) != (question.role == NO_ASKER):
            return "asker_missing"
        if question.asker != NO_ASKER and question.asker not in regions:
            return "region_unknown"
        return None if question.role in self.tables.roles else "role_unknown"

    def row_wrong(self, operation: str, data_class: str, purpose: str) -> OwnReason:
        """Say which part of a row this policy does not know, or that it goes with no such place."""
        members = self.tables.names.members
        if operation not in OPERATIONS:
            return "operation_unknown"
        if data_class not in members["classes"]:
            return "class_unknown"
        if purpose not in members["purposes"]:
            return "purpose_unknown"
        return "asker_missing" if operation in ASKING else "asker_unexpected"

    def _no(self, reason: OwnReason) -> Decision:
        """Deny without a rule."""
        found = self._own.get(reason)
        if found is None:
            found = self._own[reason] = Decision("deny", None, reason, bundle=self.bundle)
        return found


def set_bits(bits: int) -> Iterator[int]:
    """Give the numbers of the bits that are set, the lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
