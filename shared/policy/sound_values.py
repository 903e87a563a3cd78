"""Whether the moments, spans and articles of a policy exist and are in order."""

from collections.abc import Iterator, Mapping

from shared.policy.assembling import Assembled
from shared.policy.model import Article, Parameter, Policy, Rule
from shared.policy.names import qualified
from shared.policy.problems import Problem
from shared.policy.spans import is_span, moment_ms

_PERIODS = ("log_for", "retain_at_most", "retain_at_least")


def parameters(policy: Policy) -> dict[str, Parameter]:
    """Give every parameter by its qualified name."""
    return {qualified(each.code, one.id): one for each in policy.jurisdictions for one in each.parameter}


def article_owners(policy: Policy) -> Mapping[str, tuple[str, Article]]:
    """Give, by handle, every article with whose it is: a jurisdiction's code or a platform's channel."""
    owners: dict[str, tuple[str, Article]] = {}
    for jurisdiction in policy.jurisdictions:
        owners.update({each.id: (jurisdiction.code, each) for each in jurisdiction.article})
    for platform in policy.platforms:
        owners.update({each.id: (platform.channel, each) for each in platform.article})
    return owners


def moment_problems(
    made: Assembled, table: str, entry: str, valid_from: str | None, valid_until: str | None
) -> Iterator[Problem]:
    """Look whether moments exist, and whether the end comes after the beginning."""
    found = []
    for key, given in (("valid_from", valid_from), ("valid_until", valid_until)):
        if given is None:
            continue
        try:
            found.append(moment_ms(given))
        except ValueError:
            what = f"{given} is no moment there is."
            yield Problem("moment_wrong", made.where(table, entry, key), what, "A date, or a moment with its offset.")
            return
    if len(found) == 2 and found[0] >= found[1]:
        where = made.where(table, entry, "valid_until")
        yield Problem(
            "moment_wrong", where, "ends before it begins.", "valid_until is the first moment it holds no more."
        )


def period_problems(made: Assembled, rule: Rule) -> Iterator[Problem]:
    """Look whether a rule's spans are spans, or parameters that are."""
    known = parameters(made.policy)
    for key in _PERIODS:
        given = getattr(rule.obligations, key)
        if given is None or given[0].isdigit():
            continue
        where = made.where("rule", rule.id, f"obligations.{key}")
        if given not in known:
            yield Problem("name_unknown", where, f"{given} is no parameter of this policy.")
        elif not is_span(known[given].unit) or known[given].value is None:
            yield Problem("unit_wrong", where, f"{given} is in {known[given].unit}.", "A span of time is wanted.")
