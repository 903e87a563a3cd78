"""Looking at a subject's timeline: at another node, whose messages are kept sealed while the view is open, or at this.

A view is noted before anybody is asked, so that whatever was shown for it is destroyed and told, even where this node
dies in between.  Each copy is sealed under a row key of its own before it is written.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from edge_node.core.classes import class_of_form
from edge_node.core.viewing import Seen
from edge_node.storage.content.disclosures import NEWEST, find_timeline, read_page
from edge_node.storage.content.quarantine import refuse_in_quarantine
from edge_node.storage.content.view_news import is_retracted, read_own_news, take_out
from edge_node.storage.content.views import Copy, View, Views
from edge_node.storage.keys.store import KeyStore
from edge_node.uplink.work import Retracted
from edge_node.usecases.company.members import Company, Peers, member_or_refuse
from edge_node.usecases.governing.border import Border
from edge_node.usecases.views.copies import Copies, Opened
from edge_node.usecases.views.gate import ViewGates, denied, open_page
from edge_node.usecases.views.shown_here import ShownHere
from shared import wire
from shared.clock import Clock
from shared.database.contract import Database
from shared.errors import HomeportError
from shared.errors.policy import PolicyDenies
from shared.errors.relay import NodeUnknown, NodeUnreachable, RetractionPending, ShowingRefused, ViewUnknown
from shared.ids import draw_opaque_id
from shared.wire.sealed import read_shown
from shared.wire.types import PurposeCode, ReasonCode, RoleCode

ASK_SECONDS_MAX = 10.0
FOLLOW_SECONDS_MAX = 5.0
RETRACT_SECONDS_MAX = 20.0
"""How long a retraction waits for the remover before it says that it has to be asked again."""

_LOOK_SECONDS = 0.02


class Page(NamedTuple):
    """What came of opening a view, or of asking for what is older."""

    view: str
    form: str
    shown: int
    more: bool


class Viewer:
    """Opens, pages, closes and retracts."""

    def __init__(
        self,
        content: Database,
        keys: KeyStore,
        company: Company,
        peers: Peers,
        gates: ViewGates,
        border: Border,
        here: ShownHere,
        clock: Clock,
        view_hours: float,
    ) -> None:
        """Take the open stores, who this node is, what asks other nodes and the policy, the longest of a view (hours).

        ``here`` says what may rest at this node of what others show.
        """
        self._content = content
        self._keys = keys
        self._company = company
        self._peers = peers
        self._gates = gates
        self._border = border
        self._here = here
        self._clock = clock
        self._view_ms = int(view_hours * 3_600_000)
        self._views = Views(content)
        self._copies = Copies(self._views, keys, company, clock)
        self.on_removal: Callable[[], None] = lambda: None
        self.on_change: Callable[[], None] = lambda: None

    async def open(self, node: str | None, pseudonym: str, purpose: PurposeCode, role: RoleCode = "agent") -> Page:
        """Open a view of a subject: at ``node``, or where that is ``None`` or this node's own name, here.

        Raises ``ShowingRefused`` with the other node's rule, ``PolicyDenies`` with this one's, ``NodeUnknown``,
        ``NodeUnreachable``, ``InQuarantine``.
        """
        await refuse_in_quarantine(self._content)
        this = self._company.self()
        at = "" if node is None or (this is not None and node == this.name) else node
        peer = member_or_refuse(self._company).other(at) if at else None
        if at and (peer is None or peer.relay is None):
            raise NodeUnknown(node=at)
        view = View(draw_opaque_id(self._keys.entropy), at, pseudonym, purpose, "", "open", None, role=role)
        now = self._clock.now()
        ends_at = now + self._view_ms
        await self._views.open(view, now, self._here.until(view, now, ends_at) if at else ends_at)
        return await self._page_or_close(view)

    async def older(self, view_id: str) -> Page:
        """Show what is older than all that an open view shows; ``ViewUnknown`` where it is not open."""
        await refuse_in_quarantine(self._content)
        view = await self._views.find(view_id)
        if view is None or view.state != "open":
            raise ViewUnknown
        if view.next is None:
            return Page(view.id, view.form, 0, more=False)
        return await self._page_or_close(view)

    async def close(self, view_id: str) -> None:
        """Close a view: its copies are destroyed, then the other node is told; ``ViewUnknown`` where it is not open."""
        if not await self._views.close(view_id, draw_opaque_id(self._keys.entropy), self._clock.now()):
            raise ViewUnknown
        self.on_removal()
        self.on_change()

    async def retract(self, node: str, disclosure: str, reason: ReasonCode = "sender_recalled") -> Retracted:
        """Destroy what ``node`` showed here as ``disclosure``, take it out of live views, and keep it out.

        Returns when key and row are gone, also from the write-ahead logs, with how many there were when it was first
        asked; repeated, also by another process, the same.
        ``RetractionPending`` where removal does not get through in time: it goes on, ask again.
        """
        entry = draw_opaque_id(self._keys.entropy)
        copies = await self._views.retract(node, disclosure, reason=reason, log_entry=entry, now=self._clock.now())
        self.on_removal()
        self.on_change()
        end = self._clock.elapsed() + RETRACT_SECONDS_MAX
        while await self._views.rests(node, disclosure):
            if self._clock.elapsed() > end:
                raise RetractionPending
            await self._clock.sleep(_LOOK_SECONDS)
        return Retracted(copies, copies)

    async def follow(self, view: View) -> bool:
        """Bring an open view up to date: what came since, and edited messages anew; say whether it is still shown.

        ``False`` where the other node's rules, or its knowing nobody of that pseudonym any more, or the policy here
        say no.
        Raises ``NodeUnknown``, ``NodeUnreachable``.
        """
        if not view.node:
            await self._follow_here(view)
            return True
        here = member_or_refuse(self._company)
        if not self._may_ask(view, wire.ViewFollow):
            return False
        ask = wire.ViewFollow(
            protocol=wire.PROTOCOL,
            view=view.id,
            pseudonym=view.pseudonym,
            purpose=view.purpose,
            asker=here.self.name,
            after=view.news or None,
            role=view.role,
        )
        answer = await self._peers.ask(view.node, ask, FOLLOW_SECONDS_MAX)
        if isinstance(answer, wire.ViewRefused):
            return False
        if not isinstance(answer, wire.ViewNews) or answer.view != view.id:
            raise NodeUnreachable(reason=answer.code if isinstance(answer, wire.RelayProblem) else "wire_malformed")
        for disclosure in answer.gone:
            if not await is_retracted(self._content, view.node, disclosure):
                entry, now = draw_opaque_id(self._keys.entropy), self._clock.now()
                await self._views.retract(view.node, disclosure, reason="edited", log_entry=entry, now=now)
                self.on_removal()
        if answer.items:
            opened = self._allowed(view, await asyncio.to_thread(self._copies.open, view, answer.items[::-1]))
            await self._copies.keep(view, answer.form, opened, news=answer.page)
        if answer.items or answer.gone:
            self.on_change()
        return True

    async def _follow_here(self, view: View) -> None:
        """Do the same with this node's own messages, of which the view holds no copies."""
        timeline = await find_timeline(self._content, view.pseudonym)
        if timeline is None:
            return
        old, new = await read_own_news(self._content, view.id, timeline, wire.SHOWN_MAX)
        copies = [Copy(draw_opaque_id(self._keys.entropy), at, timeline.subject, mark) for at, mark in new]
        if old:
            await take_out(self._content, view.id, old)
        if copies:
            await self._views.keep(view, copies, form=view.form, news=draw_opaque_id(self._keys.entropy))
        if old or copies:
            self.on_change()

    async def _page_or_close(self, view: View) -> Page:
        """Get a page; a view whose first page fails is closed, so that what was shown for it is told gone."""
        try:
            page = await (self._remote_page(view) if view.node else self._local_page(view))
        except (ShowingRefused, PolicyDenies):
            if view.next is None:  # nothing was shown, so nobody needs to be told
                await self._views.close(view.id, draw_opaque_id(self._keys.entropy), self._clock.now())
                await self._views.forget(view.id)
            raise
        except (HomeportError, TimeoutError):
            if view.next is None:
                await self._views.close(view.id, draw_opaque_id(self._keys.entropy), self._clock.now())
                self.on_removal()
                self.on_change()
            raise
        self.on_change()
        return page

    async def _local_page(self, view: View) -> Page:
        """Show this node's own newest messages: nothing is copied, the view names them.

        Each is asked for again at the moment it is said: see :mod:`edge_node.usecases.views.live`.
        """
        timeline = await find_timeline(self._content, view.pseudonym)
        if timeline is None:
            raise ShowingRefused(rule="subject_unknown")
        gate = await self._gates.here(timeline, view.purpose, view.role)
        gate.refuse()
        page = await read_page(self._content, timeline, NEWEST, wire.SHOWN_MAX)
        opened = await open_page(self._keys, page)
        found = [found for found, event in opened if isinstance(gate.of_message(event), Seen)]
        if opened and not found:
            gate.note(event for _, event in opened)
            raise denied(next(unseen for _, event in opened if (unseen := gate.why_not(event)) is not None))
        copies = [
            Copy(draw_opaque_id(self._keys.entropy), each.at, timeline.subject, each.mark) for each in reversed(found)
        ]
        kept = await self._views.keep(view, copies, form=gate.form(), next_page=None)
        return Page(view.id, gate.form(), len(kept), more=False)

    def _may_ask(self, view: View, message: type[wire.ViewAsk] | type[wire.ViewFollow]) -> bool:
        """Say whether the policy here lets the other node be asked; the pseudonym is that region's own."""
        peer = member_or_refuse(self._company).other(view.node)
        if peer is None:
            raise NodeUnknown(node=view.node)
        crossing = self._border.ask(message, peer.region, self._border.law_there(peer.region), purpose=view.purpose)
        if message is wire.ViewAsk:
            self._border.refuse(crossing)
        return crossing.allowed

    def _allowed(self, view: View, opened: list[Opened]) -> list[Opened]:
        """Leave out what may not rest here; the node that showed it learns that it is gone when the view ends."""
        classes = [class_of_form(read_shown(plain).kind) for _, plain in opened]
        return [each for each, name in zip(opened, classes, strict=True) if self._here.may_rest(view, name)]

    async def _remote_page(self, view: View) -> Page:
        """Ask the other node, open what it sealed to this one, and keep each message under a key of its own."""
        here = member_or_refuse(self._company)
        self._may_ask(view, wire.ViewAsk)
        ask = wire.ViewAsk(
            protocol=wire.PROTOCOL,
            view=view.id,
            pseudonym=view.pseudonym,
            purpose=view.purpose,
            asker=here.self.name,
            after=view.next,
            role=view.role,
        )
        answer = await self._peers.ask(view.node, ask, ASK_SECONDS_MAX)
        if isinstance(answer, wire.ViewRefused):
            named = {"policy_rule": answer.policy_rule} if answer.policy_rule is not None else {}
            raise ShowingRefused(rule=answer.rule, **named)
        if not isinstance(answer, wire.ShownContent) or answer.view != view.id:
            raise NodeUnreachable(reason=answer.code if isinstance(answer, wire.RelayProblem) else "wire_malformed")
        opened = self._allowed(view, await asyncio.to_thread(self._copies.open, view, answer.items))
        next_page = answer.items[-1].disclosure if answer.items and answer.more else None
        kept = await self._copies.keep(view, answer.form, opened, next_page)
        return Page(view.id, answer.form, kept, more=next_page is not None)
