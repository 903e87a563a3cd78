"""The message objects of LINE webhooks, exactly as the platform names them (camelCase on the wire).

Source: Messaging API reference, "Message event" and "Edit event" (2026-08-07), and line-openapi ``webhook.yml``
(2026-07-01).  What the reference requires but earlier webhooks lacked (``quoteToken``, ``contentProvider``,
``stickerResourceType``) is optional here.  Token and quote fields stand at every kind, because LINE has added them
kind by kind without notice.  Lengths and positions in a text are UTF-16 code units, durations milliseconds.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

MessageId = Annotated[str, Meta(min_length=1)]
"""A message's id; under an empty one, any two would be taken for the same."""


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of every object within an event."""


class Emoji(Part, frozen=True, kw_only=True):
    """A LINE emoji; the text holds a placeholder such as ``(love)`` in its place."""

    index: int
    length: int
    product_id: str
    emoji_id: str


class Mentionee(Part, frozen=True, kw_only=True):
    """Somebody mentioned: ``type`` is ``user`` or ``all``."""

    type: str
    index: int
    length: int
    user_id: str | None = None
    is_self: bool | None = None


class Mention(Part, frozen=True, kw_only=True):
    """All mentions of a text, at most 20."""

    mentionees: tuple[Mentionee, ...]


class ContentProvider(Part, frozen=True, kw_only=True):
    """Who holds a file: ``line`` (fetched by message id) or ``external`` (at the addresses given)."""

    type: str
    original_content_url: str | None = None
    preview_image_url: str | None = None


class ImageSet(Part, frozen=True, kw_only=True):
    """Images sent together; each comes in a webhook of its own, in no order.  ``index`` counts from 1."""

    id: str
    index: int | None = None
    total: int | None = None


class MessageObject(Part, frozen=True, kw_only=True, tag_field="type"):
    """What every kind of message has.  ``id`` is a decimal string of about 18 digits: more than 2**53."""

    id: MessageId
    quote_token: str | None = None
    quoted_message_id: str | None = None
    mark_as_read_token: str | None = None


class TextMessage(MessageObject, frozen=True, kw_only=True, tag="text"):
    """Words, up to 5,000 code units."""

    text: str
    emojis: tuple[Emoji, ...] | None = None
    mention: Mention | None = None


class ImageMessage(MessageObject, frozen=True, kw_only=True, tag="image"):
    """A picture."""

    content_provider: ContentProvider | None = None
    image_set: ImageSet | None = None


class VideoMessage(MessageObject, frozen=True, kw_only=True, tag="video"):
    """A film."""

    content_provider: ContentProvider | None = None
    duration: int | None = None


class AudioMessage(MessageObject, frozen=True, kw_only=True, tag="audio"):
    """A recording."""

    content_provider: ContentProvider | None = None
    duration: int | None = None


class FileMessage(MessageObject, frozen=True, kw_only=True, tag="file"):
    """A file; a film dragged in on a desktop comes as one too.  Size in bytes."""

    file_name: str
    file_size: int


class LocationMessage(MessageObject, frozen=True, kw_only=True, tag="location"):
    """A place; pins may lack a title."""

    latitude: float
    longitude: float
    title: str | None = None
    address: str | None = None


class StickerMessage(MessageObject, frozen=True, kw_only=True, tag="sticker"):
    """A sticker.  ``keywords`` are up to 15, a random choice for each event; ``text`` is typed by the sender."""

    package_id: str
    sticker_id: str
    sticker_resource_type: str = ""
    keywords: tuple[str, ...] | None = None
    text: str | None = None


AnyMessage = TextMessage | ImageMessage | VideoMessage | AudioMessage | FileMessage | LocationMessage | StickerMessage

MESSAGE_TYPES = frozenset({"text", "image", "video", "audio", "file", "location", "sticker"})
"""The kinds above, by their ``type``."""
