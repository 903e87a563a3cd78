"""A policy as tables: for each part of a question, the rules that it matches, one bit a rule.

Rules stand in the order of their names, so bit 0 is the first of the alphabet; a localised rule is several, one for
each ``[[localisation]]`` it carries out.  What a question matches is the AND of a
**row** (operation, class, purpose) and a **column** (subject, node, asker, role, time).  Platform conditions are bits
above the rules': they match rows, and every column.
"""

from collections.abc import Iterable, Mapping

import msgspec

from shared.policy.localising import spelled_out
from shared.policy.mechanisms import Ways, validity
from shared.policy.model import Need, Policy, Rule
from shared.policy.names import PLACES, Names, names_of
from shared.policy.sound_values import article_owners, parameters
from shared.policy.spans import Span, span_of
from shared.policy.terms import ANY, ASKING, NO_ASKER, RELATIVE

OPERATIONS = ("link", "log", "process", "retain", "store", "transfer", "view")
Row = tuple[str, str, str]


class PlaceBits:
    """The rules that a place matches, with those that ask for the subject's or the node's own jurisdiction."""

    def __init__(self, names: Names) -> None:
        """Begin with no rule."""
        self._names = names
        self._of: dict[str, int] = dict.fromkeys(names.members["regions"], 0)
        self._relative = dict.fromkeys(RELATIVE, 0)

    def add(self, bit: int, choice: str | Iterable[str] | None) -> None:
        """Let a rule match the places of a choice."""
        if choice is None:
            return
        meant = None if choice == ANY else self._names.spelled(PLACES, choice)
        for region in self._of:
            if meant is None or region in meant or self._names.jurisdiction[region] in meant:
                self._of[region] |= bit
        for word in RELATIVE & (meant or frozenset()):
            self._relative[word] |= bit

    def at(self, region: str, *, home: bool, here: bool) -> int:
        """Give the rules that a region matches."""
        found = self._of[region]
        if home:
            found |= self._relative["home"]
        return found | self._relative["here"] if here else found


class Tables(msgspec.Struct, frozen=True):
    """A compiled policy."""

    policy: Policy
    names: Names
    rules: tuple[Rule, ...]
    """Localised ones spelled out, so several may have one name."""
    deny: int
    """Bits of rules that deny."""
    needing: int
    """Bits of allows that need a mechanism."""
    plain: Mapping[Row, int]
    """Rows of operations in which nobody asks."""
    asking: Mapping[Row, int]
    """Rows of view and transfer."""
    subjects: Mapping[str, int]
    nodes: tuple[PlaceBits, PlaceBits]
    """What rules choose, and what they except."""
    askers: tuple[PlaceBits, PlaceBits]
    unasked: int
    """Rules that match where nobody asks."""
    roles: Mapping[str, int]
    instants: tuple[int, ...]
    """The moments (ms) at which anything changes; interval ``n`` is before ``instants[n]``, the last is after all."""
    times: tuple[int, ...]
    """By interval: the rules that are valid."""
    ways: Ways
    needs: tuple[tuple[tuple[Need, ...], int], ...]
    """Each set of needs that rules have, and the rules that have it."""
    conditions: tuple[tuple[str, str], ...]
    """Name and article of each platform condition, in the order of their bits."""
    owners: Mapping[str, str]
    """By article: whose it is."""
    spans: Mapping[str, Span]
    """Every period that rules write."""

    def since(self, interval: int) -> int:
        """Give the first moment of an interval; 0 of the first."""
        return self.instants[interval - 1] if interval else 0


def compile_tables(policy: Policy) -> Tables:
    """Compile a policy that holds together (:mod:`shared.policy.sound`)."""
    names = names_of(policy)
    rules = spelled_out(policy, names)
    ways = Ways(policy)
    conditions = sorted((condition.id, condition) for platform in policy.platforms for condition in platform.condition)
    rows = _rows(names, rules)
    for number, (_, condition) in enumerate(conditions, len(rules)):
        for data_class in names.chosen("classes", condition.classes):
            for purpose in names.chosen("purposes", condition.purposes):
                for operation in condition.operations:
                    rows[operation, data_class, purpose] |= 1 << number
    valid = [validity(rule.valid_from, rule.valid_until) for rule in rules]
    edges = {edge for span in valid for edge in span} | set(ways.instants())
    instants = tuple(sorted(edge for edge in edges if 0 < edge < 2**53))
    starts = (0, *instants)
    return Tables(
        policy=policy,
        names=names,
        rules=rules,
        deny=_bits(rule.effect == "deny" for rule in rules),
        needing=_bits(bool(rule.needs) for rule in rules),
        plain={row: bits for row, bits in rows.items() if row[0] not in ASKING},
        asking={row: bits for row, bits in rows.items() if row[0] in ASKING},
        subjects=_axis(names, rules, "jurisdictions", "subjects"),
        nodes=_places(names, rules, "nodes"),
        askers=_places(names, rules, "askers"),
        unasked=_bits(rule.askers in {None, ANY} for rule in rules),
        roles={**_axis(names, rules, "roles", "roles"), NO_ASKER: _bits(rule.roles in {None, ANY} for rule in rules)},
        instants=instants,
        times=tuple(_bits(start <= at < end for start, end in valid) for at in starts),
        ways=ways,
        needs=tuple(
            (needs, _bits(rule.needs == needs for rule in rules))
            for needs in dict.fromkeys(rule.needs for rule in rules if rule.needs)
        ),
        conditions=tuple((name, condition.article) for name, condition in conditions),
        owners={handle: owner for handle, (owner, _) in article_owners(policy).items()},
        spans=_spans(policy),
    )


def _bits(flags: Iterable[bool]) -> int:
    """Give an integer whose bit ``n`` is the ``n``-th flag."""
    return sum(1 << number for number, flag in enumerate(flags) if flag)


def _rows(names: Names, rules: tuple[Rule, ...]) -> dict[Row, int]:
    """Give, for every row there is, the rules that match it."""
    rows = {
        (operation, data_class, purpose): 0
        for operation in OPERATIONS
        for data_class in names.members["classes"]
        for purpose in names.members["purposes"]
    }
    for number, rule in enumerate(rules):
        classes = names.chosen("classes", rule.classes, rule.classes_except)
        purposes = names.chosen("purposes", rule.purposes, rule.purposes_except)
        for operation in rule.operations:
            for data_class in classes:
                for purpose in purposes:
                    rows[operation, data_class, purpose] |= 1 << number
    return rows


def _axis(names: Names, rules: tuple[Rule, ...], axis: str, key: str) -> dict[str, int]:
    """Give, for every name of an axis, the rules that match it."""
    bits = dict.fromkeys(names.members[axis], 0)
    for number, rule in enumerate(rules):
        choice = getattr(rule, key)
        if choice is not None:
            for name in names.chosen(axis, choice, getattr(rule, f"{key}_except", None)):
                bits[name] |= 1 << number
    return bits


def _places(names: Names, rules: tuple[Rule, ...], key: str) -> tuple[PlaceBits, PlaceBits]:
    """Give what rules choose and except of places."""
    chosen, excepted = PlaceBits(names), PlaceBits(names)
    for number, rule in enumerate(rules):
        chosen.add(1 << number, getattr(rule, key))
        excepted.add(1 << number, getattr(rule, f"{key}_except"))
    return chosen, excepted


def _spans(policy: Policy) -> dict[str, Span]:
    """Give every period that obligations write: spans, and parameters of jurisdictions."""
    known = parameters(policy)
    written = {
        period
        for rule in policy.rules
        if rule.obligations is not None
        for period in (rule.obligations.log_for, rule.obligations.retain_at_most, rule.obligations.retain_at_least)
        if period is not None
    }
    spans = {}
    for period in written:
        if period[0].isdigit():
            spans[period] = span_of(period)
        else:
            spans[period] = Span(known[period].value or 0, known[period].unit, period)
    return spans
