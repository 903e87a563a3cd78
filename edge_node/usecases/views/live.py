"""What a live view says, in order: shown, retracted, closed; and a heartbeat while nothing happens.

Content is opened at the moment it is said and nowhere kept in the clear.  A view can be followed by any process of the
node and taken up again after any event: order and numbers are the store's.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Literal, NamedTuple

from edge_node.core.classes import class_of_form
from edge_node.core.showing import shown
from edge_node.core.viewing import Seen
from edge_node.storage.content.disclosures import Found, find_timeline
from edge_node.storage.content.quarantine import refuse_in_quarantine
from edge_node.storage.content.views import Copy, Told, View, Views
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.views.gate import ViewGates, open_page
from edge_node.usecases.views.shown_here import ShownHere
from shared.clock import Clock
from shared.crypto import Cipher, content_place
from shared.errors.relay import ViewUnknown
from shared.wire.sealed import ShownMessage, read_shown

LOOK_SECONDS = 0.5
"""How soon a change by another process is seen; changes by this one are seen at once."""
HEARTBEAT_SECONDS = 10.0


class Said(NamedTuple):
    """One event of a live view."""

    kind: Literal["shown", "retracted", "heartbeat", "closed"]
    number: int
    """The event's number, to go on after; 0 where it has none."""
    disclosure: str = ""
    message: ShownMessage | None = None
    """Only with ``shown``."""


class LiveViews:
    """Follows views."""

    def __init__(self, views: Views, keys: KeyStore, gates: ViewGates, here: ShownHere, clock: Clock) -> None:
        """Take the stored views, the key store, and what asks the policy: for messages that rest here, for copies."""
        self._views = views
        self._keys = keys
        self._gates, self._here = gates, here
        self._clock = clock
        self._stopping = False
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Let every follower look at once."""
        self._changed.set()
        self._changed = asyncio.Event()

    def stop(self) -> None:
        """End every stream; its reader comes back to another process and goes on after the last event."""
        self._stopping = True
        self.wake()

    async def follow(self, view_id: str, after: int) -> AsyncIterator[Said]:
        """Give what a view says after event ``after``; ends with ``closed``, or where this process steps back.

        ``ViewUnknown`` and ``InQuarantine`` come before the first event.
        """
        await refuse_in_quarantine(self._views.content)
        if await self._views.find(view_id) is None:
            raise ViewUnknown
        return self._follow(view_id, after)

    async def _follow(self, view_id: str, after: int) -> AsyncIterator[Said]:
        """Look, say, wait, and again."""
        quiet_since = self._clock.elapsed()
        while not self._stopping:
            changed = self._changed
            view = await self._views.find(view_id)
            if view is None or view.state != "open":
                yield Said("closed", 0)
                return
            told = await self._views.events(view_id, after)
            for event in told:
                said = await self._say(view, event)
                after = event.number
                if said is not None:
                    quiet_since = self._clock.elapsed()
                    yield said
            if told:
                continue
            if self._clock.elapsed() - quiet_since > HEARTBEAT_SECONDS:
                quiet_since = self._clock.elapsed()
                yield Said("heartbeat", 0)
            await _either(changed, LOOK_SECONDS)

    async def _say(self, view: View, event: Told) -> Said | None:
        """Put an event into words.

        A message that was taken back meanwhile is passed over, its retraction follows; so is one that this desk may
        not see.
        """
        if event.kind == "retracted":
            return Said("retracted", event.number, event.disclosure)
        copy = await self._views.copy(view.id, event.disclosure)
        message = await self._open(view, copy) if copy is not None else None
        return Said("shown", event.number, event.disclosure, message) if message is not None else None

    async def _open(self, view: View, copy: Copy) -> ShownMessage | None:
        """Open a copy, or the message that rests here; ``None`` where its key is gone."""
        if copy.mark is not None:
            return await self._open_here(view, copy)
        if copy.key is None or copy.sealed is None:
            return None
        keys = await self._keys.open_rows([copy.key])
        if copy.key not in keys:
            return None
        place = content_place(self._keys.region, keys[copy.key].owner, "shown", "sealed", copy.key)
        message = read_shown(Cipher(keys[copy.key].key).open(copy.sealed, place))
        return message if self._here.may_be_seen(view, class_of_form(message.kind)) else None

    async def _open_here(self, view: View, copy: Copy) -> ShownMessage | None:
        """Open a message that rests here, as the policy lets this desk see it now; ``None`` where it does not."""
        rows = [Found(*row) for row in await self._views.message(view.id, copy.disclosure)]
        timeline = await find_timeline(self._views.content, view.pseudonym)
        opened = await open_page(self._keys, rows) if timeline is not None else []
        if timeline is None or not opened:
            return None
        found, event = opened[0]
        gate = await self._gates.here(timeline, view.purpose, view.role)
        gate.note([event])
        answer = gate.of_message(event)
        if not isinstance(answer, Seen):
            return None
        return shown(event, answer.form, at=found.at, edited=found.edited_at > 0)


async def _either(changed: asyncio.Event, seconds: float) -> None:
    """Wait for a change, and no longer than ``seconds``."""
    try:
        await asyncio.wait_for(changed.wait(), seconds)
    except TimeoutError:
        return
