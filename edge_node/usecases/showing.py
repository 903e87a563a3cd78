"""Showing a subject's messages to another node: decide, open, seal to the asker, record, and only then answer.

Every shown message is a disclosure of its own, on record and synced before its bytes leave.  What is on record may
have never arrived (the answer is lost, the node dies); what arrived is always on record.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from edge_node.core.showing import Refuses, ShowEntry, decide, shown
from edge_node.metrics import Metrics
from edge_node.storage.content import disclosures
from edge_node.storage.content.disclosures import NEWEST, Found, Position, Showing
from edge_node.storage.content.quarantine import refuse_in_quarantine
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.company import Member
from shared import wire
from shared.clock import Clock
from shared.crypto import Cipher, content_place
from shared.database.contract import Database
from shared.errors import SealBroken
from shared.errors.trust import WireMalformed
from shared.ids import draw_opaque_id
from shared.message import Edit, Event, Message
from shared.roster import Node
from shared.telemetry import logger
from shared.wire.sealed import ShownMessage, seal_shown
from shared.wire.types import FormCode, ShowingRule

_event = msgspec.json.Decoder(Event)


class Shower:
    """Answers other nodes that ask to be shown something."""

    def __init__(
        self, content: Database, keys: KeyStore, entries: Sequence[ShowEntry], metrics: Metrics, clock: Clock
    ) -> None:
        """Take the open stores and the list that decides."""
        self._content = content
        self._keys = keys
        self._entries = tuple(entries)
        self._metrics = metrics
        self._clock = clock

    async def show(self, here: Member, asker: Node, ask: wire.ViewAsk) -> wire.ShownContent | wire.ViewRefused:
        """Show a page of a subject's messages, or say which rule refuses it.

        Raises ``WireMalformed`` where the message names another asker than the node that signed it, or a disclosure
        that this view was not shown; ``InQuarantine`` while this node shows nothing.
        """
        if ask.asker != asker.name:
            raise WireMalformed(reason="asker")
        await refuse_in_quarantine(self._content)
        decision = decide(self._entries, asker.name, ask.purpose)
        if isinstance(decision, Refuses):
            return self._refuse(ask, decision.rule)
        timeline = await disclosures.find_timeline(self._content, ask.pseudonym)
        if timeline is None:
            return self._refuse(ask, "subject_unknown")
        showing = Showing(asker.name, ask.purpose, ask.view)
        page = await disclosures.read_page(
            self._content, timeline, await self._position(ask, showing), wire.SHOWN_MAX + 1
        )
        more, page = len(page) > wire.SHOWN_MAX, page[: wire.SHOWN_MAX]
        items = await self._seal(here, asker, ask.view, await self.open(page, decision.form))
        shows = await self._record(timeline, showing, items, decision.form)
        self._metrics.peers.showings.labels("shown").inc()
        return wire.ShownContent(
            protocol=wire.PROTOCOL, view=ask.view, form=decision.form, items=tuple(shows), more=more
        )

    async def follow(self, here: Member, asker: Node, ask: wire.ViewFollow) -> wire.ViewNews | wire.ViewRefused:
        """Show what has come since to an open view, and name what it shows in old words; decided anew each time.

        Raises ``WireMalformed`` where the message names another asker than the node that signed it.
        """
        if ask.asker != asker.name:
            raise WireMalformed(reason="asker")
        await refuse_in_quarantine(self._content)
        decision = decide(self._entries, asker.name, ask.purpose)
        if isinstance(decision, Refuses):
            return self._refuse(ask, decision.rule)
        timeline = await disclosures.find_timeline(self._content, ask.pseudonym)
        if timeline is None:
            return self._refuse(ask, "subject_unknown")
        showing = Showing(asker.name, ask.purpose, ask.view)
        if ask.after is not None:
            await disclosures.confirm(self._content, showing, ask.after)
        news = await disclosures.read_news(self._content, timeline, showing, wire.SHOWN_MAX)
        page = draw_opaque_id(self._keys.entropy)
        items = await self._seal(here, asker, ask.view, await self.open(news.found, decision.form))
        shows = await self._record(timeline, showing, items, decision.form, page)
        return wire.ViewNews(
            protocol=wire.PROTOCOL,
            view=ask.view,
            page=page,
            form=decision.form,
            items=tuple(shows),
            gone=tuple(news.gone),
        )

    async def close(self, here: Member, asker: Node, closed: wire.ViewClosed) -> wire.ViewNoted:  # noqa: ARG002 - as every handler
        """Note that the asking node destroyed what it was shown in a view."""
        await disclosures.close(self._content, asker.name, closed.view, self._clock.now())
        return wire.ViewNoted(protocol=wire.PROTOCOL, view=closed.view)

    async def open(self, page: Sequence[Found], form: FormCode) -> list[tuple[Found, ShownMessage]]:
        """Open a page's messages as they are shown in ``form``; one whose key is being destroyed is left out."""
        keys = await self._keys.open_rows([found.key for found in page])
        opened: list[tuple[Found, ShownMessage]] = []
        for found in page:
            row_key = keys.get(found.key)
            if row_key is None:
                continue
            place = content_place(self._keys.region, row_key.owner, "message", "sealed", found.key)
            event = _event.decode(Cipher(row_key.key).open(found.sealed, place))
            if not isinstance(event, Message | Edit):
                raise SealBroken(table="message")
            opened.append((found, shown(event, form, at=found.at, edited=found.edited_at > 0)))
        return opened

    async def _position(self, ask: wire.ViewAsk, showing: Showing) -> Position:
        """Find where the page begins."""
        if ask.after is None:
            return NEWEST
        position = await disclosures.position_of(self._content, ask.after, showing)
        if position is None:
            raise WireMalformed(reason="after")
        return position

    async def _record(
        self,
        timeline: disclosures.Timeline,
        showing: Showing,
        items: Sequence[tuple[wire.ShownItem, Found]],
        form: FormCode,
        page: str | None = None,
    ) -> list[wire.ShownItem]:
        """Put what is about to be shown on record; give those that still may be."""
        if not items:
            return []
        named = [(item.disclosure, found) for item, found in items]
        kept = await disclosures.record(self._content, timeline, showing, named, self._clock.now(), page)
        self._metrics.peers.disclosures.labels(form).inc(len(kept))
        return [item for item, _ in items if item.disclosure in kept]

    async def _seal(
        self, here: Member, asker: Node, view: str, opened: Sequence[tuple[Found, ShownMessage]]
    ) -> list[tuple[wire.ShownItem, Found]]:
        """Seal each message to the asking node alone, under a freshly drawn name; off the event loop."""
        names = [draw_opaque_id(self._keys.entropy) for _ in opened]

        def seal() -> list[tuple[wire.ShownItem, Found]]:
            return [
                (
                    wire.ShownItem(
                        name,
                        message.at,
                        seal_shown(
                            asker.keys.hpke,
                            message,
                            shower=here.self.name,
                            asker=asker.name,
                            view=view,
                            disclosure=name,
                        ),
                    ),
                    found,
                )
                for name, (found, message) in zip(names, opened, strict=True)
            ]

        return await asyncio.to_thread(seal)

    def _refuse(self, ask: wire.ViewAsk | wire.ViewFollow, rule: ShowingRule) -> wire.ViewRefused:
        """Refuse by rule; counted and logged without naming anybody."""
        self._metrics.peers.showings.labels(rule).inc()
        logger().warning("alert_showing_refused", reason=rule)
        return wire.ViewRefused(protocol=wire.PROTOCOL, view=ask.view, rule=rule)
