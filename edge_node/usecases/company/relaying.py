"""Webhooks that belong in another region: sealed to their home node here, stored before anybody is answered there.

Nothing of such an event is written at the node that received it: it is in memory while the home node is asked, and
where that node does not say that it is stored, the platform is told to send again.
"""

import asyncio
from collections.abc import Mapping, Sequence

from edge_node.core.homecoming import refuses
from edge_node.metrics import Metrics
from edge_node.usecases.account_book import AccountBook
from edge_node.usecases.company.members import Company, Member, Peers, member
from edge_node.usecases.receiving.admitting import Admitter
from edge_node.usecases.receiving.committer import Committer
from edge_node.usecases.receiving.filing import Taken
from shared import wire
from shared.clock import Clock
from shared.errors import HomeportError, HomeUnreachable
from shared.message import Event
from shared.roster import Node
from shared.telemetry import logger
from shared.wire.sealed import SealedWebhook, open_webhook, seal_webhook
from shared.wire.types import ChannelCode

Bound = tuple[str, ChannelCode, str]
"""Where a group of events belongs: home node, channel, account."""


class Relayer:
    """Sends events home."""

    def __init__(self, company: Company, peers: Peers, metrics: Metrics, seconds_max: float) -> None:
        """Take who this node is, what asks other nodes, and how long a platform may be kept waiting (seconds)."""
        self._company = company
        self._peers = peers
        self._metrics = metrics
        self._seconds_max = seconds_max
        self.waiting = 0
        """Events that are on their way home now."""

    async def send_home(self, groups: Mapping[Bound, Sequence[Event]], received_at: int) -> None:
        """Send each group of events to its home node; on return all of them rest there.

        Raises ``HomeUnreachable`` with the number of events that do not, as far as is known here: the platform sends
        the whole body again, and what is stored already is stored once.
        """
        sent = await asyncio.gather(*(self._send(bound, events, received_at) for bound, events in groups.items()))
        missing = sum(len(events) for stored, events in zip(sent, groups.values(), strict=True) if not stored)
        if missing:
            raise HomeUnreachable(events=missing)

    async def _send(self, bound: Bound, events: Sequence[Event], received_at: int) -> bool:
        """Send one group; say whether its home node has stored it."""
        self.waiting += len(events)
        try:
            outcome = await self._ask(bound, events, received_at)
        except HomeportError as error:
            outcome = error.code
        finally:
            self.waiting -= len(events)
        self._metrics.peers.relayed.labels(outcome).inc(len(events))
        if outcome != "stored":
            logger().warning("alert_home_unreachable", account=bound[2], code=outcome, events=len(events))
        return outcome == "stored"

    async def _ask(self, bound: Bound, events: Sequence[Event], received_at: int) -> str:
        """Seal one group and ask its home node to store it; give what became of it, as a code."""
        home, channel, account = bound
        here = member(self._company)
        peer = here.other(home) if here is not None else None
        if here is None or peer is None:
            return "node_unknown"
        sealed = await asyncio.to_thread(
            seal_webhook,
            peer.keys.hpke,
            SealedWebhook(events=tuple(events), received_at=received_at),
            sender=here.self.name,
            home=home,
            channel=channel,
            account=account,
        )
        message = wire.RelayedWebhook(protocol=wire.PROTOCOL, channel=channel, account=account, sealed=sealed)
        answer = await self._peers.ask(home, message, self._seconds_max)
        if isinstance(answer, wire.RelayAnswer):
            return answer.outcome
        return answer.code if isinstance(answer, wire.RelayProblem) else "wire_malformed"


class Homecoming:
    """Takes in what other nodes received for accounts whose home is here."""

    def __init__(
        self, book: AccountBook, admitter: Admitter, committer: Committer, metrics: Metrics, clock: Clock
    ) -> None:
        """Take the accounts, who asks the policy, and what commits."""
        self._book = book
        self._admitter = admitter
        self._committer = committer
        self._metrics = metrics
        self._clock = clock

    async def receive(self, here: Member, sender: Node, message: wire.RelayedWebhook) -> wire.RelayAnswer:
        """Take a relayed webhook in; ``stored`` once all of it is synced in both stores, or was there before.

        Raises ``SealBroken`` or ``WireMalformed`` where it is not for this node, account and sender; ``QueueFull``,
        ``StoreUnavailable`` or ``ShuttingDown`` where it has to be sent again.
        """
        stored = self._book.find(message.channel, message.account)
        webhook = await asyncio.to_thread(
            open_webhook,
            here.self.sealing,
            message.sealed,
            sender=sender.name,
            home=here.self.name,
            channel=message.channel,
            account=message.account,
        )
        account = stored.account if stored is not None else None
        rule = refuses(self._book.all, account, sender.name, message.channel, webhook.events)
        if rule is None and account is not None and not self._admitter.all_rest(account, webhook.events):
            rule = "policy_denied"
        if rule is not None or stored is None:
            reason = rule or "account_not_here"
            self._metrics.peers.homecoming.labels(reason).inc(len(webhook.events))
            # Only a name of our own: what a peer says instead is its words.
            known = message.account if stored is not None else ""
            logger().warning("alert_relayed_webhook_refused", account=known, reason=reason)
            return wire.RelayAnswer(protocol=wire.PROTOCOL, outcome="refused")
        # Another node's clock may be ahead; nothing was received later than now.
        received_at = max(0, min(webhook.received_at, self._clock.now()))
        taken = [
            Taken(event, stored.id, stored.account.name, stored.account.scope, received_at, stored.account.country)
            for event in webhook.events
        ]
        self._metrics.read(message.channel, webhook.events)
        await self._committer.submit(taken, len(message.sealed))
        self._metrics.peers.homecoming.labels("stored").inc(len(webhook.events))
        return wire.RelayAnswer(protocol=wire.PROTOCOL, outcome="stored")
