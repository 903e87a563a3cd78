"""From a batch of filed events to sealed rows: draw a key for each, seal it, and say where it goes.

Nothing here writes: the keys drawn count when the key store has taken the draft, the rows when the content store has.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from edge_node.storage.content.messages import EventRow, MessageRow, Replacing
from edge_node.storage.keys.draft import Draft
from edge_node.storage.keys.store import DayScope, KeyStore
from edge_node.usecases.receiving.filing import Filed
from edge_node.usecases.receiving.resolving import Home
from shared.clock import DAY
from shared.crypto import content_table, seal_once
from shared.ids import draw_opaque_id
from shared.message import Edit, Media, Message

_AS_MESSAGE = (Message, Edit)
_encoder = msgspec.json.Encoder()

DayOwners = dict[DayScope, tuple[str, bool]]
"""By conversation or account and day: the name of its key, and whether it is drawn only now."""


class Sealed(msgspec.Struct):
    """The rows of a batch by the statement that takes them; ``filed`` finds them by key."""

    messages: list[MessageRow] = msgspec.field(default_factory=list)
    events: list[EventRow] = msgspec.field(default_factory=list)
    edits: list[Replacing] = msgspec.field(default_factory=list)
    displacing: list[Replacing] = msgspec.field(default_factory=list)
    filed: dict[int, Filed] = msgspec.field(default_factory=dict)


class _Place(NamedTuple):
    """Under whose key a row is sealed and where it belongs."""

    owner: str
    subject: int | None
    conversation: int | None


class Sealer:
    """Seals the rows of a region."""

    def __init__(self, keys: KeyStore) -> None:
        """Take the open key store."""
        self._keys = keys

    async def seal(self, rows: Sequence[Filed], homes: Sequence[Home], now: int) -> tuple[Draft, Sealed]:
        """Seal ``rows``, each for its home; ``KeyCurrentChanged`` where keys changed meanwhile: repeat."""
        scopes = [
            _day_scope(filed, group.name if group else None, now) if subject is None else None
            for filed, (subject, group) in zip(rows, homes, strict=True)
        ]
        days = await day_owners(self._keys, [scope for scope in scopes if scope is not None])
        places = [_place(home, scope, days) for home, scope in zip(homes, scopes, strict=True)]
        standing = {place.owner for place in places} - {name for name, new in days.values() if new}
        await self._keys.reserve(3 * len(rows) + 8)
        await self._keys.remember(list(standing))
        draft = self._keys.draft(standing, now)
        for (kind, scope, day), (name, new) in days.items():
            if new:
                draft.owner(name, kind, scope, day)
        sealed = Sealed()
        tables: dict[tuple[str, str], bytes] = {}
        for filed, place in zip(rows, places, strict=True):
            self._seal_row(draft, sealed, tables, filed, place)
        return draft, sealed

    def _seal_row(
        self, draft: Draft, sealed: Sealed, tables: dict[tuple[str, str], bytes], filed: Filed, place: _Place
    ) -> None:
        """Seal one row under a key of its own; ``tables`` remembers the common part of places in this batch."""
        event, owner = filed.event, place.owner
        as_message = type(event) in _AS_MESSAGE and not filed.as_event
        table, lookup = ("message", filed.message or b"") if as_message else ("event", filed.mark)
        key, secret, nonce = draft.row(owner, table, lookup)
        common = tables.get((table, owner))
        if common is None:
            common = tables[table, owner] = content_table(self._keys.region, owner, table, "sealed")
        content = seal_once(secret, nonce, _encoder.encode(event), b"%b%d" % (common, key))
        sealed.filed[key] = filed
        if as_message and isinstance(event, Message | Edit):
            row = _message_row(filed, event, place, key, content)
            if filed.displaces:
                sealed.displacing.append(Replacing(draw_opaque_id(self._keys.entropy), row))
            elif isinstance(event, Edit):
                sealed.edits.append(Replacing(draw_opaque_id(self._keys.entropy), row))
            else:
                sealed.messages.append(row)
        else:
            sealed.events.append(_event_row(filed, place, key, content))


async def day_owners(keys: KeyStore, scopes: Sequence[DayScope]) -> DayOwners:
    """Find or name the day keys that rows without a known person need."""
    wanted = sorted(set(scopes))
    found = await keys.remember_days(wanted)
    return {
        scope: (found[scope], False) if scope in found else (draw_opaque_id(keys.entropy), True) for scope in wanted
    }


def _day_scope(filed: Filed, group: str | None, now: int) -> DayScope:
    """Name the conversation or account whose key of the day seals a row of nobody known."""
    if group is not None:
        return ("conversation", group, now // DAY)
    return ("account", filed.taken.account_name, now // DAY)


def _place(home: Home, scope: DayScope | None, days: DayOwners) -> _Place:
    """Say under whose key a row goes and to which subject and conversation it belongs."""
    subject, group = home
    if subject is None or scope is not None:
        return _Place(days[scope][0] if scope else "", None, group.conversation if group else None)
    return _Place(subject.pseudonym, subject.subject, group.conversation if group else subject.conversation)


def _message_row(filed: Filed, event: Message | Edit, place: _Place, key: int, content: bytes) -> MessageRow:
    """Give the row of a message or an edit."""
    received_at = filed.taken.received_at
    return MessageRow(
        mark=filed.message or b"",
        account=filed.taken.account,
        conversation=place.conversation,
        subject=place.subject,
        direction=event.direction,
        kind=_form(event),
        at=event.at,
        received_at=received_at,
        edited_at=max(event.at, 1) if isinstance(event, Edit) else 0,
        edit=filed.mark if isinstance(event, Edit) else b"",
        grouped=int(event.group is not None),
        key=key,
        sealed=content,
        tombstone=filed.tombstone or b"",
    )


def _event_row(filed: Filed, place: _Place, key: int, content: bytes) -> EventRow:
    """Give the row of any other event."""
    return EventRow(
        mark=filed.mark,
        about=filed.message,
        account=filed.taken.account,
        conversation=place.conversation,
        subject=place.subject,
        kind=str(filed.event.__struct_config__.tag),
        at=filed.event.at,
        received_at=filed.taken.received_at,
        key=key,
        sealed=content,
        tombstone=filed.tombstone,
    )


def _form(event: Message | Edit) -> str:
    """Name the form of a message's content for the clear column: text, voice, sticker."""
    content = event.content
    return content.media if isinstance(content, Media) else str(content.__struct_config__.tag)
