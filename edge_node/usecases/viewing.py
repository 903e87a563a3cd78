"""Looking at a subject's timeline: at another node, whose messages are kept sealed while the view is open, or at this.

A view is noted before anybody is asked, so that whatever was shown for it is destroyed and told, even where this node
dies in between.  Each copy is sealed under a row key of its own before it is written.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge_node.storage.content.disclosures import NEWEST, find_timeline, read_page
from edge_node.storage.content.quarantine import refuse_in_quarantine
from edge_node.storage.content.view_news import is_retracted, read_own_news, take_out
from edge_node.storage.content.views import Copy, View, Views
from edge_node.storage.keys.destruction import discard_unused
from edge_node.storage.keys.draft import Draft
from edge_node.storage.keys.store import DayScope, KeyStore
from edge_node.uplink.work import Retracted
from edge_node.usecases.company import Company, Peers, member_or_refuse
from shared import wire
from shared.clock import DAY, Clock
from shared.crypto import content_place, seal_once
from shared.database.contract import Database, ScriptRefused
from shared.errors import HomeportError, KeyCurrentChanged, SealBroken, StoreUnavailable
from shared.errors.relay import NodeUnknown, NodeUnreachable, RetractionPending, ShowingRefused, ViewUnknown
from shared.errors.trust import WireMalformed
from shared.ids import draw_opaque_id
from shared.wire.sealed import open_shown, write_shown
from shared.wire.types import PurposeCode, ReasonCode

ASK_SECONDS_MAX = 10.0
FOLLOW_SECONDS_MAX = 5.0
RETRACT_SECONDS_MAX = 20.0
"""How long a retraction waits for the remover before it says that it has to be asked again."""

_ATTEMPTS = 5
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
        self, content: Database, keys: KeyStore, company: Company, peers: Peers, clock: Clock, view_hours: float
    ) -> None:
        """Take the open stores, who this node is, what asks other nodes, and how long a view may stay open (hours)."""
        self._content = content
        self._keys = keys
        self._company = company
        self._peers = peers
        self._clock = clock
        self._view_ms = int(view_hours * 3_600_000)
        self._views = Views(content)
        # Two drafts of one process must not begin a bucket of the same owner at once.
        self._drawing = asyncio.Lock()
        self.on_removal: Callable[[], None] = lambda: None
        self.on_change: Callable[[], None] = lambda: None

    async def open(self, node: str | None, pseudonym: str, purpose: PurposeCode) -> Page:
        """Open a view of a subject: at ``node``, or where that is ``None`` or this node's own name, here.

        Raises ``ShowingRefused`` with the rule, ``NodeUnknown``, ``NodeUnreachable``, ``InQuarantine``.
        """
        await refuse_in_quarantine(self._content)
        this = self._company.self()
        at = "" if node is None or (this is not None and node == this.name) else node
        peer = member_or_refuse(self._company).other(at) if at else None
        if at and (peer is None or peer.relay is None):
            raise NodeUnknown(node=at)
        view = View(draw_opaque_id(self._keys.entropy), at, pseudonym, purpose, "", "open", None)
        now = self._clock.now()
        await self._views.open(view, now, now + self._view_ms)
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

        ``False`` where the other node's rules, or its knowing nobody of that pseudonym any more, say no.
        Raises ``NodeUnknown``, ``NodeUnreachable``.
        """
        if not view.node:
            await self._follow_here(view)
            return True
        here = member_or_refuse(self._company)
        ask = wire.ViewFollow(
            protocol=wire.PROTOCOL,
            view=view.id,
            pseudonym=view.pseudonym,
            purpose=view.purpose,
            asker=here.self.name,
            after=view.news or None,
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
            opened = await asyncio.to_thread(self._open, view, answer.items[::-1])
            await self._keep(view, answer.form, opened, news=answer.page)
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
        except ShowingRefused:
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
        """Show this node's own newest messages: nothing is copied, the view names them."""
        timeline = await find_timeline(self._content, view.pseudonym)
        if timeline is None:
            raise ShowingRefused(rule="subject_unknown")
        found = await read_page(self._content, timeline, NEWEST, wire.SHOWN_MAX)
        copies = [
            Copy(draw_opaque_id(self._keys.entropy), each.at, timeline.subject, each.mark) for each in reversed(found)
        ]
        kept = await self._views.keep(view, copies, form="full", next_page=None)
        return Page(view.id, "full", len(kept), more=False)

    async def _remote_page(self, view: View) -> Page:
        """Ask the other node, open what it sealed to this one, and keep each message under a key of its own."""
        here = member_or_refuse(self._company)
        ask = wire.ViewAsk(
            protocol=wire.PROTOCOL,
            view=view.id,
            pseudonym=view.pseudonym,
            purpose=view.purpose,
            asker=here.self.name,
            after=view.next,
        )
        answer = await self._peers.ask(view.node, ask, ASK_SECONDS_MAX)
        if isinstance(answer, wire.ViewRefused):
            raise ShowingRefused(rule=answer.rule)
        if not isinstance(answer, wire.ShownContent) or answer.view != view.id:
            raise NodeUnreachable(reason=answer.code if isinstance(answer, wire.RelayProblem) else "wire_malformed")
        opened = await asyncio.to_thread(self._open, view, answer.items)
        next_page = answer.items[-1].disclosure if answer.items and answer.more else None
        kept = await self._keep(view, answer.form, opened, next_page)
        return Page(view.id, answer.form, kept, more=next_page is not None)

    def _open(self, view: View, items: Sequence[wire.ShownItem]) -> list[tuple[wire.ShownItem, bytes]]:
        """Open shown messages, oldest first; ``NodeUnreachable`` where one is not for this node and view, or none."""
        here = member_or_refuse(self._company).self
        if len({item.disclosure for item in items}) < len(items):
            raise NodeUnreachable(reason="wire_malformed")

        def plain(item: wire.ShownItem) -> bytes:
            place = {"shower": view.node, "asker": here.name, "view": view.id, "disclosure": item.disclosure}
            return write_shown(open_shown(here.sealing, item.sealed, **place))

        try:
            return [(item, plain(item)) for item in reversed(items)]
        except (SealBroken, WireMalformed) as error:
            raise NodeUnreachable(reason=error.code) from None

    async def _keep(
        self,
        view: View,
        form: str,
        opened: Sequence[tuple[wire.ShownItem, bytes]],
        next_page: str | None = None,
        news: str | None = None,
    ) -> int:
        """Seal copies, keys first, and keep them; give how many are kept."""
        if not opened:
            await self._views.keep(view, [], form=form, next_page=next_page)
            return 0
        async with self._drawing:
            for _ in range(_ATTEMPTS):
                try:
                    draft, copies = await self._seal(opened)
                    await self._keys.commit(draft, self._clock.now())
                    kept = await self._views.keep(
                        view, copies, form=form, next_page=next_page, news=news, intent=draft.id
                    )
                except (KeyCurrentChanged, ScriptRefused):
                    continue
                unused = [each.key for each in copies if each.key is not None and each.disclosure not in kept]
                if unused:
                    await discard_unused(self._keys, unused, [], [draft.id])
                else:
                    self._keys.settle(draft)
                return len(kept)
        raise StoreUnavailable(store="keys")

    async def _seal(self, opened: Sequence[tuple[wire.ShownItem, bytes]]) -> tuple[Draft, list[Copy]]:
        """Draw a key for each copy, under the day's owner of shown copies, and seal it."""
        now = self._clock.now()
        scope: DayScope = ("account", "shown/copies", now // DAY)  # no account's name holds a slash
        owner = (await self._keys.remember_days([scope])).get(scope)
        await self._keys.reserve(len(opened) + 8)
        draft = self._keys.draft([owner] if owner else [], now)
        if owner is None:
            owner = draw_opaque_id(self._keys.entropy)
            draft.owner(owner, *scope)
        copies = []
        for item, plain in opened:
            key, secret, nonce = draft.row(owner, "shown", item.disclosure.encode())
            place = content_place(self._keys.region, owner, "shown", "sealed", key)
            sealed = seal_once(secret, nonce, plain, place)
            copies.append(Copy(item.disclosure, item.at, key=key, sealed=sealed))
        return draft, copies
