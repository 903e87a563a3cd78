"""What a platform's terms ask for before something is done with data that came over it, and what of it is met.  Pure.

A decision names the conditions of every platform that its operation, class and purpose concern; those of the channel
over which the data in hand came must be met, or the answer is no.  Some of it the node sees to by itself; everything
else somebody states of an account, by name and with the day.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec

from edge_node.core.accounts import Account
from shared.policy.deciding import NOTHING, Decision
from shared.policy.model import Policy

UNMET = "condition_unmet"
"""The reason of a refusal: the policy allows it, and the platform's terms ask for something that is not so."""

SEEN_TO: Mapping[str, str] = {
    "not_taken_back": "what is taken back is removed; until then it is shown to no desk and used for nothing",
    "tombstone_kept_seven_days": "what remains of a removed message lives for thirty days at least",
}
"""By demand: how the node itself sees to it, for every account."""


class Demanded(NamedTuple):
    """One condition of a platform, as the policy in force has it."""

    name: str
    channel: str
    demands: str
    article: str
    says: str


def demanded(policy: Policy) -> dict[str, Demanded]:
    """Give every platform condition of a policy by its name."""
    return {
        each.id: Demanded(each.id, platform.channel, each.demands, each.article, each.says)
        for platform in policy.platforms
        for each in platform.condition
    }


def of_channel(conditions: Mapping[str, Demanded], channel: str) -> list[Demanded]:
    """Give the conditions of one platform, by name."""
    return sorted(each for each in conditions.values() if each.channel == channel)


def is_met(demand: str, account: Account) -> bool:
    """Say whether a demand is met for an account: by the node itself, or because somebody stated so."""
    return demand in SEEN_TO or any(each.demand == demand for each in account.met)


def unmet(names: Iterable[str], account: Account, conditions: Mapping[str, Demanded]) -> list[Demanded]:
    """Give those of some conditions that are the account's platform's and not met, by name.

    A name that the policy in force does not know counts as not met: nobody can say what it asks for.
    """
    known = (conditions.get(name, Demanded(name, account.channel, name, "", "")) for name in names)
    return sorted(each for each in known if each.channel == account.channel and not is_met(each.demands, account))


def with_conditions(decision: Decision, account: Account, conditions: Mapping[str, Demanded]) -> Decision:
    """Give the answer for data that came over an account: the decision, or a no that cites what is not met.

    Only takes away: a no stays as it is.
    """
    missing = unmet(decision.must.conditions, account, conditions) if decision.allowed else []
    if not missing:
        return decision
    cites = tuple(sorted({each.article for each in missing if each.article}))
    return msgspec.structs.replace(
        decision, outcome="deny", rule=None, reason=UNMET, citations=cites, must=NOTHING, relied=(), rules=()
    )


def stateable(conditions: Mapping[str, Demanded], channel: str) -> Collection[str]:
    """Give the demands of a platform that somebody may state of an account, in order."""
    return sorted({each.demands for each in of_channel(conditions, channel)} - SEEN_TO.keys())
