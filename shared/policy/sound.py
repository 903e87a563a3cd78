"""Whether a policy holds together: what must be so before it is compiled.

Every name stands for something, no choice is empty, what belongs together is there.  Nothing here looks at what the
policy allows.
"""

from collections.abc import Iterator

from shared.policy.assembling import Assembled
from shared.policy.model import Rule
from shared.policy.names import PLACES, Names, Unknown, names_of, near
from shared.policy.problems import Problem
from shared.policy.sound_cases import case_problems
from shared.policy.sound_law import law_problems
from shared.policy.sound_values import article_owners, moment_problems, period_problems
from shared.policy.terms import ANY, ASKING, RELATIVE

_RESERVED = frozenset({ANY, "-", *RELATIVE})


def soundness(made: Assembled) -> list[Problem]:
    """Give everything that keeps a policy from being compiled; an empty list: it may be."""
    names = names_of(made.policy)
    problems = [*_vocabulary(made, names), *law_problems(made, names)]
    for rule in made.policy.rules:
        problems += _rule(made, names, rule)
    problems += case_problems(made, names)
    if not made.policy.rules:
        problems.append(
            Problem(
                "empty",
                made.where("rule", ""),
                "has no rule at all.",
                "No rule means that nothing is allowed; an empty policy is taken for a mistake.",
            )
        )
    return problems


def _vocabulary(made: Assembled, names: Names) -> Iterator[Problem]:
    """Look at regions, groups, and what must not be called alike."""
    for axis in ("classes", "purposes", "roles", "jurisdictions", "regions"):
        if not names.members[axis]:
            yield Problem("empty", made.where("", ""), f"names no {axis}.", "At least one.")
    for region in made.policy.regions:
        if region.jurisdiction not in names.members["jurisdictions"]:
            what = (
                f"stands under {region.jurisdiction}, for which there is no jurisdictions/{region.jurisdiction}.toml."
            )
            yield Problem("name_unknown", made.where("region", region.name, "jurisdiction"), what)
        if region.name in _RESERVED:
            yield Problem("name_reserved", made.where("region", region.name), "has a name that means something else.")
    axes = {name: axis for axis, members in names.members.items() for name in members}
    for group in made.policy.groups:
        where = made.where("group", group.id, "members")
        if group.id in axes or group.id in _RESERVED:
            yield Problem("named_twice", where, "has a name that means something else already.", "Call it otherwise.")
        try:
            names.spelled((group.of,), [group.id])
        except Unknown as wrong:
            code = "circular" if "itself" in wrong.why else "name_unknown"
            yield Problem(code, where, f"{wrong.name} {wrong.why}.")


def _rule(made: Assembled, names: Names, rule: Rule) -> Iterator[Problem]:
    """Look at one rule."""
    for axes, key in (
        (("classes",), "classes"),
        (("purposes",), "purposes"),
        (("jurisdictions",), "subjects"),
        (PLACES, "nodes"),
        (PLACES, "askers"),
        (("roles",), "roles"),
    ):
        yield from _choice(made, names, rule, axes, key)
    yield from _asking(made, rule)
    if rule.effect == "deny" and (rule.needs or rule.obligations is not None):
        yield Problem(
            "deny_needs",
            made.where("rule", rule.id),
            "denies, so it can neither need nor oblige.",
            "Leave needs and obligations out, or write it as an allow.",
        )
    if rule.localised is not None and rule.effect == "allow":
        what = "allows, but what a law keeps in its country can only be denied elsewhere."
        yield Problem("localised_allow", made.where("rule", rule.id, "localised"), what, 'effect = "deny".')
    if rule.localised is None and not rule.cites:
        what = "cites nothing."
        yield Problem("key_missing", made.where("rule", rule.id, "cites"), what, "Each rule stands on an article.")
    yield from moment_problems(made, "rule", rule.id, rule.valid_from, rule.valid_until)
    owners = article_owners(made.policy)
    for article in rule.cites:
        if article not in owners:
            yield Problem(
                "article_unknown",
                made.where("rule", rule.id, "cites"),
                f"cites {article}, which no file has.",
                "Add it to the jurisdiction's [[article]]s.",
            )
    if rule.obligations is not None:
        yield from period_problems(made, rule)
        for role in rule.obligations.second_approver:
            if role not in names.members["roles"]:
                where = made.where("rule", rule.id, "obligations.second_approver")
                yield Problem("name_unknown", where, f"{role} is no role of this policy.")


def _choice(made: Assembled, names: Names, rule: Rule, axes: tuple[str, ...], key: str) -> Iterator[Problem]:
    """Look at what a rule chooses on one axis, and whether its exceptions leave anything of it."""
    choice, but = getattr(rule, key), getattr(rule, f"{key}_except", None)
    meant = {}
    for part, given in ((key, choice), (f"{key}_except", but)):
        if given is None or given == ANY:
            continue
        try:
            meant[part] = names.spelled(axes, given)
        except Unknown as wrong:
            code = "circular" if "itself" in wrong.why else "name_unknown"
            yield Problem(
                code, made.where("rule", rule.id, part), f"{wrong.name} {wrong.why}.", near(names, wrong.name)
            )
            return
        if "here" in given and part.startswith("nodes"):
            yield Problem(
                "place_wrong",
                made.where("rule", rule.id, part),
                '"here" is where the node stands itself.',
                'For askers only; nodes know "home".',
            )
    if but is None or choice is None:
        return
    everything = frozenset(name for axis in axes for name in names.members[axis])
    if not meant.get(key, everything) - meant[f"{key}_except"]:
        where = made.where("rule", rule.id, f"{key}_except")
        yield Problem("empty", where, f"takes out all that {key} chooses.", "A rule that matches nothing is a mistake.")


def _asking(made: Assembled, rule: Rule) -> Iterator[Problem]:
    """Look at who asks: part of view and transfer, and of nothing else."""
    asking = [each for each in rule.operations if each in ASKING]
    for key in ("askers", "roles"):
        given = getattr(rule, key)
        where = made.where("rule", rule.id, key)
        if asking and given is None:
            yield Problem(
                "asker_missing", where, f"does not say {key}.", 'For view and transfer it must; "any" is all.'
            )
        elif given is not None and not asking:
            yield Problem(
                "asker_unexpected", where, f"says {key}, but nobody asks.", "Only view and transfer have an asker."
            )
        elif asking and len(asking) < len(rule.operations) and given != ANY:
            yield Problem(
                "asker_unexpected",
                where,
                f"narrows {key}, but has operations in which nobody asks.",
                'Write "any", or a rule of its own for view and transfer.',
            )
    if rule.askers_except is not None and len(asking) < len(rule.operations):
        what = "takes out of operations in which nobody asks."
        yield Problem("asker_unexpected", made.where("rule", rule.id, "askers_except"), what)
    for need in rule.needs:
        if need.to == "asker" and len(asking) < len(rule.operations):
            yield Problem(
                "asker_unexpected",
                made.where("rule", rule.id, "needs"),
                "needs a mechanism to an asker, but has operations in which nobody asks.",
            )
        if (need.from_, need.to) == ("node", "node"):
            yield Problem(
                "place_wrong", made.where("rule", rule.id, "needs"), "needs a mechanism from the node to itself."
            )
