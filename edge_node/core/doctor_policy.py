"""Whether the policy in force lets anything rest here, and for whom of the accounts: facts in, findings out.  Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge_node.core.findings import Finding
from shared.message.events import Channel


class PolicyFact(NamedTuple):
    """The policy in force: the node's region, whether it names that region, whether it has not outlived its grace."""

    region: str
    names_region: bool
    is_fresh: bool


class AccountFact(NamedTuple):
    """An account whose home is here: its name, its country, whether the policy in force knows a law of that country."""

    name: str
    channel: Channel
    country: str | None
    has_law: bool


def policy_finding(policy: PolicyFact | None) -> Finding:
    """Judge whether there is a policy by which anything could rest here."""
    if policy is None:
        remedy = "homeport edge policy install; an enrolled node is handed one once it is published (control_plane)."
        return Finding("policy", "warning", "there is none: everything is refused", remedy)
    if not policy.names_region:
        what = f"the bundle in force knows no region {policy.region}: everything is refused"
        remedy = "Officers add the region; or set up anew: homeport edge init --region with a name of vocabulary.toml."
        return Finding("policy", "warning", what, remedy)
    if not policy.is_fresh:
        remedy = "See why the control plane is not heard: the node's log, homeport edge policy status."
        return Finding("policy", "warning", "its grace is over: nothing is shown, sent or linked", remedy)
    return Finding("policy", "ok", "one is in force that knows this region")


def account_findings(policy: PolicyFact | None, accounts: Sequence[AccountFact]) -> Iterable[Finding]:
    """Name the accounts for which nothing, or less than meant, can rest here: LINE's ids say nothing of a country."""
    if policy is None:
        return
    remedy = "homeport edge account set-country NAME COUNTRY (edge_node/README.md)."
    for each in accounts:
        if each.country is not None and not each.has_law:
            what = f"{each.name}: the policy knows no law of its country {each.country}"
            yield Finding("account", "warning", what, remedy)
        elif each.country is None and each.channel == "line":
            yield Finding("account", "warning", f"{each.name}: no country, so whoever writes is refused", remedy)
