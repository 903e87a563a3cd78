"""The forms that the content of a message can take, the same for both channels."""

from typing import Any, Literal

import msgspec


class _Form(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="form", tag=str.lower):
    """Base of every form; the field ``form`` names it."""


class Emoji(msgspec.Struct, frozen=True):
    """A LINE emoji standing in a text as a placeholder such as ``(love)``."""

    index: int
    """Position in UTF-16 code units."""
    length: int
    product_id: str
    emoji_id: str


class Mention(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody named in a text."""

    target: str
    """``user``, ``all``, or a value the platform added since."""
    index: int
    """Position in UTF-16 code units."""
    length: int
    user_id: str | None = None
    is_self: bool | None = None
    """Whether the business's own account is meant."""


class Text(_Form, frozen=True):
    """Words."""

    text: str
    emojis: tuple[Emoji, ...] = ()
    mentions: tuple[Mention, ...] = ()


class ExternalMedia(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a file lies that the platform does not hold itself.  The account's token is never sent there."""

    url: str | None = None
    preview_url: str | None = None


class ImageSet(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which of several images sent together this is; they arrive one by one, in no order."""

    id: str
    index: int | None = None
    total: int | None = None


class Media(_Form, frozen=True):
    """A file: fetched from the platform after the message is safe."""

    media: Literal["image", "video", "audio", "voice", "document", "sticker"]
    media_id: str | None = None
    """The id to fetch it by; for LINE the message id itself, so none here."""
    mime_type: str | None = None
    sha256: str | None = None
    """As the platform wrote it: hex or base64."""
    caption: str | None = None
    file_name: str | None = None
    size: int | None = None
    """Bytes."""
    duration: int | None = None
    """Milliseconds."""
    animated: bool | None = None
    url: str | None = None
    """A short-lived address at the platform itself (WhatsApp)."""
    external: ExternalMedia | None = None
    image_set: ImageSet | None = None


class Sticker(_Form, frozen=True):
    """A LINE sticker; its picture belongs to others and is not fetched."""

    package_id: str
    sticker_id: str
    resource_type: str
    keywords: tuple[str, ...] = ()
    text: str | None = None
    """Words the sender put on it."""


class Location(_Form, frozen=True):
    """A place."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None
    url: str | None = None


class CardContent(_Form, frozen=True, tag="cards"):
    """Contact cards, as the platform structures them; about third parties."""

    cards: tuple[dict[str, Any], ...]
    origin: str | None = None
    """``contact_request`` where the sender answered a request for their number."""


class Reply(_Form, frozen=True):
    """A choice made in something the business sent: button, list row, flow, permission."""

    choice: str
    """``button``, ``list``, ``template_button``, ``flow``, ``call_permission``, or a newer kind's own name."""
    id: str | None = None
    """The id or payload that the business gave the choice."""
    title: str | None = None
    description: str | None = None
    response: str | None = None
    """A flow's answers: the JSON text as the platform sent it."""
    detail: dict[str, Any] | None = None


class Order(_Form, frozen=True):
    """A basket sent from a catalogue."""

    catalog_id: str | None = None
    text: str | None = None
    items: tuple[dict[str, Any], ...] = ()


class Call(_Form, frozen=True):
    """A voice call's notice; the call itself is not carried."""

    detail: dict[str, Any]


class Composed(_Form, frozen=True):
    """What the business put together of parts: a template, or an interactive message; words in many places."""

    what: str
    """``template``, ``interactive``: the platform's word for it."""
    detail: dict[str, Any]
    """The parts, as they were handed to the platform."""


class Unsupported(_Form, frozen=True):
    """The sender sent something that the platform does not hand on."""

    what: str | None = None
    """The platform's word for it, e.g. ``poll_creation``, ``edit``."""
    errors: tuple[dict[str, Any], ...] = ()


Content = Text | Media | Sticker | Location | CardContent | Reply | Order | Call | Composed | Unsupported
