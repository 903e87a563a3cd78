"""Showing a subject's messages to another node: decide, open, seal to the asker, record, and only then answer.

The policy decides, for each class of message.  Every shown message is a disclosure of its own, with the rule that
allowed it, on record and synced before its bytes leave.  What is on record
may have never arrived (the answer is lost, the node dies); what arrived is always on record.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from edge_node.core.showing import shown
from edge_node.core.viewing import Seen, Unseen, named_rule
from edge_node.metrics import Metrics
from edge_node.storage.content import disclosures
from edge_node.storage.content.disclosures import NEWEST, Found, Position, Showing, Shown, Timeline
from edge_node.storage.content.quarantine import refuse_in_quarantine
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.company.members import Member
from edge_node.usecases.governing.border import Border
from edge_node.usecases.views.gate import Looking, ViewGate, ViewGates, open_page
from shared import wire
from shared.clock import Clock
from shared.database.contract import Database
from shared.errors.trust import WireMalformed
from shared.ids import draw_opaque_id
from shared.message import Edit, Message
from shared.roster import Node
from shared.telemetry import logger
from shared.wire.sealed import seal_shown
from shared.wire.types import ShowingRule

LOOKS_MAX = 20
"""Pages that are looked through for one message that may be shown, where the policy leaves whole pages out."""


class _Granted(NamedTuple):
    """Whose messages may be shown, and what the policy says of each."""

    timeline: Timeline
    showing: Showing
    gate: ViewGate


class _Item(NamedTuple):
    """A message that may be shown, and on what ground."""

    found: Found
    event: Message | Edit
    seen: Seen


class Shower:
    """Answers other nodes that ask to be shown something."""

    def __init__(
        self,
        content: Database,
        keys: KeyStore,
        gates: ViewGates,
        border: Border,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        """Take the open stores, and what asks the policy."""
        self._content = content
        self._keys = keys
        self._gates = gates
        self._border = border
        self._metrics = metrics
        self._clock = clock

    async def show(self, here: Member, asker: Node, ask: wire.ViewAsk) -> wire.ShownContent | wire.ViewRefused:
        """Show a page of a subject's messages, or say which rule refuses it.

        Raises ``WireMalformed`` where the message names another asker than the node that signed it, or a disclosure
        that this view was not shown; ``InQuarantine`` while this node shows nothing.
        """
        granted = await self._grant(asker, ask)
        if isinstance(granted, wire.ViewRefused):
            return granted
        items, more, unseen = await self._page(granted, await self._position(ask, granted.showing))
        if unseen is not None and ask.after is None:
            return self._refuse(ask, unseen.code, unseen)
        shows = await self._show(here, asker, granted, items)
        self._metrics.peers.showings.labels("shown").inc()
        return wire.ShownContent(
            protocol=wire.PROTOCOL, view=ask.view, form=granted.gate.form(), items=tuple(shows), more=more
        )

    async def follow(self, here: Member, asker: Node, ask: wire.ViewFollow) -> wire.ViewNews | wire.ViewRefused:
        """Show what has come since to an open view, and name what it shows in old words; decided anew each time.

        Raises ``WireMalformed`` where the message names another asker than the node that signed it.
        """
        granted = await self._grant(asker, ask)
        if isinstance(granted, wire.ViewRefused):
            return granted
        if ask.after is not None:
            await disclosures.confirm(self._content, granted.showing, ask.after)
        news = await disclosures.read_news(self._content, granted.timeline, granted.showing, wire.SHOWN_MAX)
        page = draw_opaque_id(self._keys.entropy)
        items = self._allowed(granted.gate, await open_page(self._keys, news.found))
        shows = await self._show(here, asker, granted, items, page)
        return wire.ViewNews(
            protocol=wire.PROTOCOL,
            view=ask.view,
            page=page,
            form=granted.gate.form(),
            items=tuple(shows),
            gone=tuple(news.gone),
        )

    async def close(self, here: Member, asker: Node, closed: wire.ViewClosed) -> wire.ViewNoted | wire.RelayProblem:  # noqa: ARG002 - as every handler
        """Note that the asking node destroyed what it was shown in a view."""
        await disclosures.close(self._content, asker.name, closed.view, self._clock.now())
        purpose = await disclosures.purpose_of(self._content, asker.name, closed.view)
        # The view's name is the asking node's own; where nothing was shown for it, it stands for nobody.
        message = wire.ViewNoted if purpose is not None else wire.RelayAnswer
        law = self._border.law_there(asker.region)
        if not self._border.ask(message, asker.region, law, purpose=purpose or "").allowed:
            return wire.RelayProblem(protocol=wire.PROTOCOL, code="policy_denied")
        return wire.ViewNoted(protocol=wire.PROTOCOL, view=closed.view)

    async def _grant(self, asker: Node, ask: wire.ViewAsk | wire.ViewFollow) -> _Granted | wire.ViewRefused:
        """Ask the policy."""
        if ask.asker != asker.name:
            raise WireMalformed(reason="asker")
        await refuse_in_quarantine(self._content)
        timeline = await disclosures.find_timeline(self._content, ask.pseudonym)
        if timeline is None:
            return self._refuse(ask, "subject_unknown")
        gate = await self._gates.of(timeline, Looking(asker.region, ask.role, ask.purpose, sent=True))
        refused = gate.refusal()
        if refused is not None:
            return self._refuse(ask, refused.code, refused)
        return _Granted(timeline, Showing(asker.name, ask.purpose, ask.view, ask.role), gate)

    async def _page(self, granted: _Granted, position: Position) -> tuple[list[_Item], bool, Unseen | None]:
        """Give a page of what may be shown, and whether there is something older; what may not be is passed over.

        With nothing to show although there are messages comes the reason for the newest of them.
        """
        unseen: Unseen | None = None
        for _ in range(LOOKS_MAX):
            page = await disclosures.read_page(self._content, granted.timeline, position, wire.SHOWN_MAX + 1)
            more, page = len(page) > wire.SHOWN_MAX, page[: wire.SHOWN_MAX]
            opened = await open_page(self._keys, page)
            items = self._allowed(granted.gate, opened)
            if items:
                return items, more, None
            unseen = unseen or next((granted.gate.why_not(event) for _, event in opened), None)
            if not more:
                break
            position = page[-1].at, page[-1].id
        return [], False, unseen

    def _allowed(self, gate: ViewGate, opened: Sequence[tuple[Found, Message | Edit]]) -> list[_Item]:
        """Give what may be shown of messages; all of them go on record as decided."""
        gate.note(event for _, event in opened)
        answers = [(found, event, gate.of_message(event)) for found, event in opened]
        return [_Item(found, event, answer) for found, event, answer in answers if isinstance(answer, Seen)]

    async def _position(self, ask: wire.ViewAsk, showing: Showing) -> Position:
        """Find where the page begins."""
        if ask.after is None:
            return NEWEST
        position = await disclosures.position_of(self._content, ask.after, showing)
        if position is None:
            raise WireMalformed(reason="after")
        return position

    async def _show(
        self, here: Member, asker: Node, granted: _Granted, items: Sequence[_Item], page: str | None = None
    ) -> list[wire.ShownItem]:
        """Seal what may be shown, put it on record, and give what still may be."""
        if not items:
            return []
        sealed = await self._seal(here, asker, granted.showing.view, items)
        shows = [Shown(item.disclosure, each.found, each.seen) for item, each in zip(sealed, items, strict=True)]
        now = self._clock.now()
        kept = await disclosures.record(self._content, granted.timeline, granted.showing, shows, now, page)
        for each in shows:
            if each.disclosure in kept:
                self._metrics.peers.disclosures.labels(each.grounds.form).inc()
        return [item for item in sealed if item.disclosure in kept]

    async def _seal(self, here: Member, asker: Node, view: str, items: Sequence[_Item]) -> list[wire.ShownItem]:
        """Seal each message to the asking node alone, under a freshly drawn name; off the event loop."""
        names = [draw_opaque_id(self._keys.entropy) for _ in items]

        def seal(name: str, item: _Item) -> wire.ShownItem:
            found = item.found
            message = shown(item.event, item.seen.form, at=found.at, edited=found.edited_at > 0)
            place = {"shower": here.self.name, "asker": asker.name, "view": view, "disclosure": name}
            return wire.ShownItem(name, found.at, seal_shown(asker.keys.hpke, message, **place))

        return await asyncio.to_thread(lambda: [seal(*each) for each in zip(names, items, strict=True)])

    def _refuse(
        self, ask: wire.ViewAsk | wire.ViewFollow, rule: ShowingRule, unseen: Unseen | None = None
    ) -> wire.ViewRefused:
        """Refuse by rule; counted and logged without naming anybody."""
        self._metrics.peers.showings.labels(rule).inc()
        logger().warning("alert_showing_refused", reason=rule, code=(unseen.rule or "") if unseen else "")
        named = named_rule(unseen.rule) if unseen is not None else None
        return wire.ViewRefused(protocol=wire.PROTOCOL, view=ask.view, rule=rule, policy_rule=named)
