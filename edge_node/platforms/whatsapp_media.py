"""A file at WhatsApp: its id leads to an address, the address to the bytes.

Source: business-phone-numbers/media (2026-06-16): ``GET /{media-id}?phone_number_id=`` gives ``url``, ``mime_type``,
``sha256``, ``file_size``; the address is good for 5 minutes and wants the token.  It stands at lookaside.fbsbx.com, the
one host beside the API's own that is sent the token.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import msgspec

from edge_node.core.fetching import Wanted, hex_digest
from edge_node.platforms.media_client import MediaClient, Reach, place_of, read_small, refusal
from edge_node.platforms.opened_media import Opened, opened, range_from
from edge_node.platforms.whatsapp import GRAPH_VERSION
from shared.addresses import HostPort
from shared.errors.media import MediaNotFetched
from shared.errors.outgoing import AddressRefused

LOOKASIDE = HostPort("lookaside.fbsbx.com", 443)
_BUSY = frozenset({4, 80007, 130429, 131056})
"""Graph's codes for too many calls (error codes page, 2026-05-15)."""
_TOKEN = frozenset({0, 10, 190})


class _Described(msgspec.Struct, frozen=True):
    """What an id leads to."""

    url: str
    mime_type: str | None = None
    sha256: str | None = None
    file_size: int | None = None


class _Error(msgspec.Struct, frozen=True):
    code: int = 0


class _Refusal(msgspec.Struct, frozen=True):
    error: _Error


@asynccontextmanager
async def open_whatsapp(
    client: MediaClient, base: str, reach: Reach, file: Wanted, offset: int
) -> AsyncIterator[Opened]:
    """Begin to fetch a file from byte ``offset`` on; ``MediaNotFetched`` where it is not sent."""
    told = await _describe(client, base, reach, file)
    if told.file_size is not None and told.file_size > file.bytes_max:
        raise MediaNotFetched(reason="too_large")
    if not _leads_home(told.url, reach):
        raise MediaNotFetched(reason="foreign_address")
    async with client.get(told.url, reach, range_from(offset)) as answer:
        if answer.status in {404, 410}:
            raise MediaNotFetched(reason="address_expired")
        begun = opened(answer, offset, hex_digest(told.sha256), told.mime_type)
        size = told.file_size if told.file_size is not None else begun.size
        yield begun._replace(size=size)


async def _describe(client: MediaClient, base: str, reach: Reach, file: Wanted) -> _Described:
    """Ask what an id leads to; with the number's id, so that the file of another number is not read."""
    path = f"{base.rstrip('/')}/{GRAPH_VERSION}/{quote(file.media_id or '', safe='')}"
    async with client.get(f"{path}?phone_number_id={quote(file.via, safe='')}", reach) as answer:
        body = await read_small(answer)
        if answer.status == 200:
            try:
                return msgspec.json.decode(body, type=_Described)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                raise MediaNotFetched(reason="unexpected_shape") from None
        try:
            code = msgspec.json.decode(body, type=_Refusal).error.code
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise refusal(answer) from None
        if code in _BUSY:
            raise MediaNotFetched(reason="busy")
        if code in _TOKEN and answer.status < 500:
            raise MediaNotFetched(reason="token_refused")
        if answer.status in {400, 404}:
            raise MediaNotFetched(reason="not_found")
        raise refusal(answer)


def _leads_home(url: str, reach: Reach) -> bool:
    """Say whether an address is one that the token goes to."""
    try:
        return place_of(url) in reach.token_hosts
    except (AddressRefused, ValueError):
        return False
