"""Settings of the platforms' addresses and of files that come with messages: ``[platforms]`` and ``[media]``."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

WHATSAPP_API = "https://graph.facebook.com"
LINE_API = "https://api.line.me"
LINE_DATA_API = "https://api-data.line.me"
"""Where LINE's files are (Messaging API reference, getting content, 2026-08-07)."""


class MediaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is fetched from the platforms after a message is safe."""

    fetch: Annotated[bool, Meta(description="whether files of messages are fetched: true, false")] = True
    external: Annotated[
        bool, Meta(description="whether files are fetched that LINE only names an address of, without a token")
    ] = False
    bytes_max: Annotated[
        int, Meta(ge=1_048_576, le=2_147_483_648, description="bytes of one file; a larger one is not fetched")
    ] = 268_435_456
    at_once: Annotated[int, Meta(ge=1, le=16, description="files fetched at the same time. 1 to 16")] = 3


class Platforms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the platforms' own interfaces are; nothing else is ever sent a token."""

    whatsapp_api: Annotated[str, Meta(description="Meta's Graph API: https address, or http on this machine")] = (
        WHATSAPP_API
    )
    line_api: Annotated[str, Meta(description="LINE Messaging API: https address, or http on this machine")] = LINE_API
    line_data_api: Annotated[
        str | None,
        Meta(description="where LINE's files are; without it api-data.line.me, or line_api where that is set"),
    ] = None

    @property
    def line_data(self) -> str:
        """The address of LINE's files: with a stand-in for LINE, at the stand-in."""
        return self.line_data_api or (LINE_DATA_API if self.line_api == LINE_API else self.line_api)

    def bases(self) -> Iterator[tuple[str, str]]:
        """Give each address by the name of its setting."""
        yield "whatsapp_api", self.whatsapp_api
        yield "line_api", self.line_api
        yield "line_data_api", self.line_data

    def set_by_operator(self) -> Iterator[str]:
        """Give the addresses that an operator set: these alone may be private ones."""
        known = {WHATSAPP_API, LINE_API, LINE_DATA_API}
        return (base for _, base in self.bases() if base not in known)
