"""Two other ways to answer the same questions: a plain chain of ifs, and Cedar with the policy translated to it.

Neither shares the product's tables.  They answer allow or deny and nothing else: no reason, article or obligation.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import Any

from shared.policy.deciding import Question
from shared.policy.model import Need, Policy, Rule
from shared.policy.names import PLACES, Names, names_of
from shared.policy.spans import FOR_EVER, moment_ms
from shared.policy.terms import ANY, ASKING, BY_LAW, NO_ASKER

Way = tuple[str, frozenset[str] | None, int, int]
"""From which jurisdiction, to which ones (``None``: to all), from when, until when (ms)."""


def plain(policy: Policy) -> Callable[[Question], bool]:
    """Give a function that walks all rules for each question: deny wins, nothing else allows."""
    names = names_of(policy)
    chain = [_conditions(policy, names, rule) for rule in policy.rules]
    of = {**names.jurisdiction, NO_ASKER: NO_ASKER}

    def decide(asked: Question) -> bool:
        allowed = False
        party = {"subject": asked.subject, "node": of[asked.node], "asker": of[asked.asker]}
        for deny, operations, classes, purposes, subjects, kept, begin, end, node, asker, roles, needs in chain:
            if kept is not None and not any(
                asked.subject == law and asked.data_class in some and since <= asked.at < until
                for law, some, since, until in kept
            ):
                continue
            if asked.operation not in operations or asked.data_class not in classes or asked.purpose not in purposes:
                continue
            if asked.subject not in subjects or not begin <= asked.at < end or not node(asked.node, party):
                continue
            if asked.operation in ASKING and not (asked.role in roles and asker(asked.asker, party)):
                continue
            if deny:
                return False
            if not allowed and all(_open(ways, party[source], party[to], asked.at) for source, to, ways in needs):
                allowed = True
        return allowed

    return decide


def cedar(policy: Policy) -> Callable[[list[Question]], list[bool]] | None:
    """Give a function that asks Cedar, its policies parsed once; ``None`` where it is not installed."""
    if find_spec("cedarpy") is None:
        return None
    import cedarpy  # noqa: PLC0415 - only this bench has it

    policies = cedarpy.PolicySet.from_str(cedar_text(policy))
    entities = cedarpy.Entities.from_json_str("[]")
    of = {**names_of(policy).jurisdiction, NO_ASKER: NO_ASKER}

    def request(asked: Question) -> dict[str, Any]:
        return {
            "principal": f'Role::"{asked.role}"',
            "action": f'Action::"{asked.operation}"',
            "resource": f'Class::"{asked.data_class}"',
            "context": {
                "purpose": asked.purpose,
                "subject": asked.subject,
                "node": asked.node,
                "node_law": of[asked.node],
                "asker": asked.asker,
                "asker_law": of[asked.asker],
                "role": asked.role,
                "data_class": asked.data_class,
                "at": asked.at,
            },
        }

    def decide(questions: list[Question]) -> list[bool]:
        asked = [request(each) for each in questions]
        return [answer.allowed for answer in cedarpy.is_authorized_batch(asked, policies, entities)]

    return decide


def cedar_text(policy: Policy) -> str:
    """Translate a policy: groups spelled out, mechanisms as conditions on parties and time."""
    names = names_of(policy)
    return "\n".join(_cedar_rule(policy, names, rule) for rule in policy.rules)


def _conditions(policy: Policy, names: Names, rule: Rule) -> tuple[Any, ...]:
    """Give what the chain asks of a rule."""
    begin = moment_ms(rule.valid_from) if rule.valid_from else -FOR_EVER
    return (
        rule.effect == "deny",
        frozenset(rule.operations),
        names.chosen("classes", rule.classes, rule.classes_except),
        names.chosen("purposes", rule.purposes, rule.purposes_except),
        names.chosen("jurisdictions", rule.subjects, rule.subjects_except),
        None if rule.localised is None else list(_kept(policy, names, rule)),
        begin,
        moment_ms(rule.valid_until) if rule.valid_until else FOR_EVER,
        _place(names, rule.nodes, rule.nodes_except),
        _place(names, rule.askers or ANY, rule.askers_except),
        names.chosen("roles", rule.roles or ANY),
        [(need.from_, need.to, list(_ways(policy, need.kinds))) for need in rule.needs],
    )


def _kept(policy: Policy, names: Names, rule: Rule) -> Iterator[tuple[str, frozenset[str], int, int]]:
    """Give what laws keep in their country by a rule's demand: law, classes, from when, until when (ms)."""
    for file in policy.jurisdictions:
        for each in file.localisation:
            if each.demands == rule.localised:
                yield file.code, names.chosen("classes", each.classes), *_edges(each.valid_from, each.valid_until)


def _place(
    names: Names, choice: str | tuple[str, ...], but: tuple[str, ...] | None
) -> Callable[[str, dict[str, str]], bool]:
    """Give a function that says whether a region is chosen."""
    meant = None if choice == ANY else names.spelled(PLACES, choice)
    out = names.spelled(PLACES, but) if but else frozenset()

    def within(some: frozenset[str], region: str, party: dict[str, str]) -> bool:
        law = names.jurisdiction[region]
        home, here = law == party["subject"], law == party["node"]
        return region in some or law in some or ("home" in some and home) or ("here" in some and here)

    def chosen(region: str, party: dict[str, str]) -> bool:
        return (meant is None or within(meant, region, party)) and not within(out, region, party)

    return chosen


def _open(ways: list[Way], source: str, to: str, at: int) -> bool:
    """Say whether a way is open; none is needed within a jurisdiction."""
    return source == to or any(
        source == begins and (ends is None or to in ends) and start <= at < end for begins, ends, start, end in ways
    )


def _ways(policy: Policy, kinds: Iterable[str]) -> Iterator[Way]:
    """Give every mechanism of some kinds; one that needs an instrument as the two are open together."""
    wanted = set(kinds)
    for file in policy.jurisdictions:
        for each in file.mechanism:
            if each.kind not in wanted:
                continue
            start, end = _edges(each.valid_from, each.valid_until)
            to = None if each.to == ANY else frozenset(each.to)
            if each.kind in BY_LAW:
                yield file.code, to, start, end
                continue
            for instrument in policy.instruments:
                if instrument.kind == each.kind and file.code in instrument.from_:
                    begin, finish = _edges(instrument.valid_from, instrument.valid_until)
                    both = frozenset(instrument.to) if to is None else to & frozenset(instrument.to)
                    yield file.code, both, max(start, begin), min(end, finish)


def _edges(valid_from: str | None, valid_until: str | None) -> tuple[int, int]:
    """Give a validity in milliseconds."""
    return (moment_ms(valid_from) if valid_from else -FOR_EVER, moment_ms(valid_until) if valid_until else FOR_EVER)


def _cedar_rule(policy: Policy, names: Names, rule: Rule) -> str:
    """Translate a rule."""
    actions = ", ".join(f'Action::"{each}"' for each in rule.operations)
    when = [
        _among("data_class", names.chosen("classes", rule.classes, rule.classes_except)),
        _among("purpose", names.chosen("purposes", rule.purposes, rule.purposes_except)),
        _among("subject", names.chosen("jurisdictions", rule.subjects, rule.subjects_except)),
        *_cedar_place(names, "node", rule.nodes, rule.nodes_except),
        *_cedar_time(rule.valid_from, rule.valid_until),
    ]
    if rule.localised is not None:
        kept = [
            " && ".join((f'context.subject == "{law}"', _among("data_class", some), *_cedar_between(since, until)))
            for law, some, since, until in _kept(policy, names, rule)
        ]
        when.append(f"({' || '.join(f'({each})' for each in kept) or 'false'})")
    if rule.askers is not None:
        asking = " && ".join(
            [*_cedar_place(names, "asker", rule.askers, rule.askers_except), "true"]
            if rule.roles in {None, ANY}
            else [
                *_cedar_place(names, "asker", rule.askers, rule.askers_except),
                _among("role", names.chosen("roles", rule.roles or ANY)),
            ]
        )
        when.append(f'(context.asker == "{NO_ASKER}" || ({asking}))')
    when += [_cedar_need(policy, need) for need in rule.needs]
    word = "permit" if rule.effect == "allow" else "forbid"
    return f"{word}(principal, action in [{actions}], resource) when {{ {' && '.join(when)} }};"


def _among(key: str, some: Iterable[str]) -> str:
    """Write that a value is one of some."""
    return f"{json.dumps(sorted(some))}.contains(context.{key})"


def _cedar_place(names: Names, party: str, choice: str | tuple[str, ...], but: tuple[str, ...] | None) -> Iterator[str]:
    """Write where a party must stand, and must not."""
    for given, word in ((choice, ""), (but, "!")):
        if given is None or given == ANY:
            continue
        some = names.spelled(PLACES, given)
        ways = [
            _among(party, some & set(names.jurisdiction)),
            _among(f"{party}_law", some & set(names.members["jurisdictions"])),
        ]
        ways += [f"context.{party}_law == context.subject"] if "home" in some else []
        ways += [f"context.{party}_law == context.node_law"] if "here" in some else []
        yield f"{word}({' || '.join(ways)})"


def _cedar_time(valid_from: str | None, valid_until: str | None) -> Iterator[str]:
    """Write a validity."""
    yield from _cedar_between(*_edges(valid_from, valid_until))


def _cedar_between(since: int, until: int) -> Iterator[str]:
    """Write from when until when (ms), as far as it is not for ever."""
    if since > -FOR_EVER:
        yield f"context.at >= {since}"
    if until < FOR_EVER:
        yield f"context.at < {until}"


def _cedar_need(policy: Policy, need: Need) -> str:
    """Write a need: within one jurisdiction, or a way that is open."""
    key = {"subject": "subject", "node": "node_law", "asker": "asker_law"}
    source, to = f"context.{key[need.from_]}", key[need.to]
    ways = [f"{source} == context.{to}"]
    for begins, ends, start, end in _ways(policy, need.kinds):
        parts = [f'{source} == "{begins}"', *([_among(to, ends)] if ends is not None else [])]
        parts += _cedar_between(start, end)
        ways.append(f"({' && '.join(parts)})")
    return f"({' || '.join(ways)})"
