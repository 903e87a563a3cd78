"""Message objects of LINE to canonical content.  Pure.

What a message says beyond what the canonical forms hold is added to ``extra`` under its path from the event's root.
"""

from typing import Any, Literal

from edge_node.channels.line.payload_messages import (
    AnyMessage,
    AudioMessage,
    ContentProvider,
    FileMessage,
    ImageMessage,
    LocationMessage,
    StickerMessage,
    TextMessage,
    VideoMessage,
)
from shared.message import Content, Emoji, ExternalMedia, ImageSet, Location, Media, Mention, Sticker, Text


def content(message: AnyMessage, extra: dict[str, Any]) -> Content:
    """Return what the message says."""
    if isinstance(message, TextMessage):
        return _text(message)
    if isinstance(message, FileMessage):
        return Media(media="document", file_name=message.file_name, size=message.file_size)
    if isinstance(message, LocationMessage):
        return Location(message.latitude, message.longitude, name=message.title, address=message.address)
    if isinstance(message, StickerMessage):
        return Sticker(
            message.package_id,
            message.sticker_id,
            message.sticker_resource_type,
            keywords=message.keywords or (),
            text=message.text,
        )
    return _media(message, extra)


def _text(message: TextMessage) -> Text:
    """Return words with the emoji and people named in them."""
    if not message.emojis and message.mention is None:
        return Text(message.text)
    emojis = tuple(Emoji(one.index, one.length, one.product_id, one.emoji_id) for one in message.emojis or ())
    named = message.mention.mentionees if message.mention else ()
    mentions = tuple(
        Mention(one.type, one.index, one.length, user_id=one.user_id, is_self=one.is_self) for one in named
    )
    return Text(message.text, emojis, mentions)


def _media(message: ImageMessage | VideoMessage | AudioMessage, extra: dict[str, Any]) -> Media:
    """Return a file; it is fetched by the message's own id unless ``external`` says where it lies."""
    external = _external(message.content_provider, extra)
    if isinstance(message, ImageMessage):
        part = message.image_set
        together = ImageSet(part.id, index=part.index, total=part.total) if part else None
        return Media(media="image", external=external, image_set=together)
    kind: Literal["video", "audio"] = "video" if isinstance(message, VideoMessage) else "audio"
    return Media(media=kind, duration=message.duration, external=external)


def _external(provider: ContentProvider | None, extra: dict[str, Any]) -> ExternalMedia | None:
    """Return where a file lies that LINE does not hold, or ``None`` where LINE does.

    A provider this release does not know counts as external, so that the account's token is never sent to it.
    """
    if provider is None:
        return None
    at = "message.contentProvider"
    if provider.type == "line":
        if provider.original_content_url is not None:
            extra[f"{at}.originalContentUrl"] = provider.original_content_url
        if provider.preview_image_url is not None:
            extra[f"{at}.previewImageUrl"] = provider.preview_image_url
        return None
    if provider.type != "external":
        extra[f"{at}.type"] = provider.type
    return ExternalMedia(provider.original_content_url, provider.preview_image_url)
