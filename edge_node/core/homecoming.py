"""May a webhook that another node received rest here?  Closed by default, and never sent on: a relay ends at home.

Rules, in this order:

1. The account is one of this node, on that channel: else ``account_not_here``.
2. Its home is here: else ``home_elsewhere``.  An account whose home is another node is not passed on.
3. It names the node that received it in ``relayed_by``: else ``sender_not_listed``.  A node vouches for the platform's
   signature, so for whom it may do that is the operator's to say.
4. There is at least one event, and no more than a platform sends at once, none before 1970 or beyond what a store
   holds: else ``events_out_of_bounds``.
5. Every event is of that channel, and of that account by the account's own numbers: else ``event_of_another_account``.
   The relaying node vouches for the platform's signature, and for nothing that the account does not cover.

The policy in force is asked last, as for whatever arrives: else ``policy_denied``.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from edge_node.core.accounts import Account, account_of, is_app_level
from shared.canonical import INTEGER_MAX
from shared.limits import BODY_UPDATES_MAX
from shared.message import Event

HomecomingRule = Literal[
    "account_not_here",
    "home_elsewhere",
    "sender_not_listed",
    "events_out_of_bounds",
    "event_of_another_account",
    "policy_denied",
]


def refuses(
    accounts: Iterable[Account], account: Account | None, sender: str, channel: str, events: Sequence[Event]
) -> HomecomingRule | None:
    """Give the rule that keeps out what node ``sender`` relays for ``account``, or ``None`` where it may rest here."""
    if account is None or account.channel != channel:
        return "account_not_here"
    if account.home is not None:
        return "home_elsewhere"
    if sender not in account.relayed_by:
        return "sender_not_listed"
    if not 1 <= len(events) <= BODY_UPDATES_MAX or not all(0 <= event.at <= INTEGER_MAX for event in events):
        return "events_out_of_bounds"
    known = list(accounts)
    seen: set[tuple[str, bool]] = set()
    for event in events:
        named = (event.via, is_app_level(event))
        if event.channel != channel:
            return "event_of_another_account"
        if named not in seen:
            found = account_of(known, channel, account, named[0], app_level=named[1])
            if found is None or found.name != account.name:
                return "event_of_another_account"
            seen.add(named)
    return None
