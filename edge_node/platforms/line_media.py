"""A file at LINE, by the id of its message; or, where LINE does not hold it, at an address of somebody else.

Source: Messaging API reference, getting content (2026-08-07): 200, 202 while a film or sound is prepared, 404, and 410
once it was unsent; ``.../content/transcoding`` says ``processing``, ``succeeded`` or ``failed``.  An external address
(``contentProvider``) is never sent the token.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import msgspec

from edge_node.core.fetching import Wanted
from edge_node.platforms.media_client import MediaClient, Reach, read_small
from edge_node.platforms.opened_media import Opened, opened, range_from
from shared.errors.media import MediaNotFetched

_PREPARED = frozenset({"video", "audio", "voice"})
_ENDINGS = {404: "not_found", 410: "gone"}


class _Transcoding(msgspec.Struct, frozen=True):
    status: str = ""


@asynccontextmanager
async def open_line(client: MediaClient, base: str, reach: Reach, file: Wanted, offset: int) -> AsyncIterator[Opened]:
    """Begin to fetch a file from byte ``offset`` on; ``MediaNotFetched`` where it is not sent."""
    content = f"{base.rstrip('/')}/v2/bot/message/{quote(file.message_id, safe='')}/content"
    async with client.get(content, reach, range_from(offset)) as answer:
        if answer.status == 202:
            raise MediaNotFetched(reason=await _prepared(client, content, reach, file))
        if answer.status in _ENDINGS:
            raise MediaNotFetched(reason=_ENDINGS[answer.status])
        yield opened(answer, offset)


@asynccontextmanager
async def open_external(client: MediaClient, file: Wanted, offset: int) -> AsyncIterator[Opened]:
    """Begin to fetch a file that somebody else holds: no token, and no private address."""
    nobody = Reach(None, frozenset(), frozenset())
    async with client.get(file.url or "", nobody, range_from(offset)) as answer:
        if answer.status in {404, 410}:
            raise MediaNotFetched(reason="not_found")
        yield opened(answer, offset)


async def _prepared(client: MediaClient, content: str, reach: Reach, file: Wanted) -> str:
    """Ask how far a file's preparation is; give the ending that it means for now."""
    if file.media not in _PREPARED:
        return "preparing"
    async with client.get(f"{content}/transcoding", reach) as answer:
        try:
            status = msgspec.json.decode(await read_small(answer), type=_Transcoding).status
        except (msgspec.MsgspecError, UnicodeDecodeError):
            status = ""
    if answer.status == 410:
        return "gone"
    return "transcoding_failed" if status == "failed" else "preparing"
