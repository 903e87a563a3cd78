"""What laws keep in their country: a rule that is ``localised`` becomes one for each ``[[localisation]]`` it holds for.

A localisation says which law, which classes, since when, by which article; a rule says what that forbids.  Only denies
are localised, so what a law asks for can take away and never permit.
"""

from collections.abc import Iterator

import msgspec

from shared.policy.model import JurisdictionFile, Localisation, Policy, Rule
from shared.policy.names import Names
from shared.policy.spans import moment_ms


def spelled_out(policy: Policy, names: Names) -> tuple[Rule, ...]:
    """Give every rule in its order; in place of a localised one those that it stands for, all of its name, or none."""
    return tuple(each for rule in policy.rules for each in _of(policy, names, rule))


def localisations(policy: Policy, rule: Rule) -> Iterator[tuple[JurisdictionFile, Localisation]]:
    """Give what laws ask for that a localised rule carries out."""
    for file in policy.jurisdictions:
        for each in file.localisation:
            if each.demands == rule.localised:
                yield file, each


def _of(policy: Policy, names: Names, rule: Rule) -> Iterator[Rule]:
    """Give what one rule stands for."""
    if rule.localised is None:
        yield rule
        return
    subjects = names.chosen("jurisdictions", rule.subjects, rule.subjects_except)
    classes = names.chosen("classes", rule.classes, rule.classes_except)
    for file, each in localisations(policy, rule):
        common = classes & names.chosen("classes", each.classes)
        begin, end = _later(rule.valid_from, each.valid_from), _earlier(rule.valid_until, each.valid_until)
        ever = begin is None or end is None or moment_ms(begin) < moment_ms(end)
        if file.code in subjects and common and ever:
            yield msgspec.structs.replace(
                rule,
                localised=None,
                classes=tuple(sorted(common)),
                classes_except=None,
                subjects=(file.code,),
                subjects_except=None,
                valid_from=begin,
                valid_until=end,
                cites=tuple(dict.fromkeys((each.article, *rule.cites))),
            )


def _later(one: str | None, other: str | None) -> str | None:
    """Give the later of two beginnings; ``None`` is no beginning."""
    given = [each for each in (one, other) if each is not None]
    return max(given, key=moment_ms, default=None)


def _earlier(one: str | None, other: str | None) -> str | None:
    """Give the earlier of two ends; ``None`` is no end."""
    given = [each for each in (one, other) if each is not None]
    return min(given, key=moment_ms, default=None)
