"""Files of both platforms behind one door: which address, which token, which hosts."""

from contextlib import AbstractAsyncContextManager

from edge_node.core.fetching import Wanted
from edge_node.platforms.line_media import open_external, open_line
from edge_node.platforms.media_client import MediaClient, Reach, place_of
from edge_node.platforms.opened_media import Opened
from edge_node.platforms.whatsapp_media import LOOKASIDE, open_whatsapp
from edge_node.settings_media import Platforms
from shared.checked_connections import Resolve, resolve
from shared.errors.media import MediaNotFetched


class PlatformMedia:
    """Opens files at the platforms."""

    def __init__(self, platforms: Platforms, resolve_: Resolve = resolve) -> None:
        """Take the platforms' addresses: a token goes there, and to the one host that WhatsApp documents besides."""
        self._platforms = platforms
        self._client = MediaClient(resolve_)
        self._trusted = frozenset(place_of(base) for base in platforms.set_by_operator())

    def open(self, file: Wanted, token: str | None, offset: int) -> AbstractAsyncContextManager[Opened]:
        """Begin to fetch a file from byte ``offset`` on; ``MediaNotFetched`` (reason) where it is not sent."""
        if file.url is not None:
            return open_external(self._client, file, offset)
        if token is None:
            raise MediaNotFetched(reason="no_token")
        if file.channel == "line":
            base = self._platforms.line_data
            return open_line(self._client, base, Reach(token, frozenset({place_of(base)}), self._trusted), file, offset)
        base = self._platforms.whatsapp_api
        hosts = frozenset({place_of(base), LOOKASIDE})
        return open_whatsapp(self._client, base, Reach(token, hosts, self._trusted), file, offset)
