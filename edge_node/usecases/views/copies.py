"""Copies of what another node showed: opened, sealed anew under row keys of their own, and kept.

Keys come first, so that what a crash leaves opens, or is swept.
"""

import asyncio
from collections.abc import Sequence

from edge_node.storage.content.views import Copy, View, Views
from edge_node.storage.keys.destruction import discard_unused
from edge_node.storage.keys.draft import Draft
from edge_node.storage.keys.store import DayScope, KeyStore
from edge_node.usecases.company.members import Company, member_or_refuse
from shared import wire
from shared.clock import DAY, Clock
from shared.crypto import content_place, seal_once
from shared.database.contract import ScriptRefused
from shared.errors import KeyCurrentChanged, SealBroken, StoreUnavailable
from shared.errors.relay import NodeUnreachable
from shared.errors.trust import WireMalformed
from shared.ids import draw_opaque_id
from shared.wire.sealed import open_shown, write_shown

_ATTEMPTS = 5

Opened = tuple[wire.ShownItem, bytes]
"""What was shown, and its plain bytes."""


class Copies:
    """Keeps them for views of this node."""

    def __init__(self, views: Views, keys: KeyStore, company: Company, clock: Clock) -> None:
        """Take the stored views, the key store, and who this node is."""
        self._views, self._keys, self._company, self._clock = views, keys, company, clock
        # Two drafts of one process must not begin a bucket of the same owner at once.
        self._drawing = asyncio.Lock()

    def open(self, view: View, items: Sequence[wire.ShownItem]) -> list[Opened]:
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

    async def keep(
        self,
        view: View,
        form: str,
        opened: Sequence[Opened],
        next_page: str | None = None,
        news: str | None = None,
    ) -> int:
        """Seal copies, keys first, and keep them; give how many are kept."""
        if not opened:
            await self._views.keep(view, [], form=form, next_page=next_page, news=news)
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

    async def _seal(self, opened: Sequence[Opened]) -> tuple[Draft, list[Copy]]:
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
