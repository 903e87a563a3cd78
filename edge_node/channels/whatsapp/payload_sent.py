"""What another sender on the same number sent, as its echo shows it: the request to send, within ``message``.

Source: WhatsApp Business Platform, webhooks reference "standby" (2026-08-04), whose echoes hold the exact body of the
request, and "Send messages" (2026-04-23).  Echoes of the business's own phone (``smb_message_echoes``) have the shape
of messages instead.  Properties not named here, such as ``template`` and ``flow`` beside ``message`` (the definitions
of what was sent), are kept by their path like any other.
"""

from typing import Any

from edge_node.channels.whatsapp.payload_contents import LocationBody, MessageId, Part, ReactionBody, TextBody


class SentMedia(Part, frozen=True, kw_only=True):
    """A file: by the id of its upload, or by an address."""

    id: str | None = None
    link: str | None = None
    caption: str | None = None
    filename: str | None = None


class SentContext(Part, frozen=True, kw_only=True):
    """What is quoted."""

    message_id: str | None = None


class Sent(Part, frozen=True, kw_only=True, tag_field="type"):
    """What every request has: ``to`` is a phone or, with ``recipient_type: group``, a group; ``recipient`` a BSUID."""

    messaging_product: str | None = None
    recipient_type: str | None = None
    to: str | None = None
    recipient: str | None = None
    context: SentContext | None = None


class SentText(Sent, frozen=True, kw_only=True, tag="text"):
    """Words."""

    text: TextBody


class SentImage(Sent, frozen=True, kw_only=True, tag="image"):
    """An image."""

    image: SentMedia


class SentVideo(Sent, frozen=True, kw_only=True, tag="video"):
    """A video."""

    video: SentMedia


class SentAudio(Sent, frozen=True, kw_only=True, tag="audio"):
    """Sound."""

    audio: SentMedia


class SentDocument(Sent, frozen=True, kw_only=True, tag="document"):
    """A document."""

    document: SentMedia


class SentSticker(Sent, frozen=True, kw_only=True, tag="sticker"):
    """A sticker."""

    sticker: SentMedia


class SentLocation(Sent, frozen=True, kw_only=True, tag="location"):
    """A place."""

    location: LocationBody


class SentContacts(Sent, frozen=True, kw_only=True, tag="contacts"):
    """Contact cards."""

    contacts: list[dict[str, Any]]


class SentReaction(Sent, frozen=True, kw_only=True, tag="reaction"):
    """A reaction put or taken off."""

    reaction: ReactionBody


class SentInteractive(Sent, frozen=True, kw_only=True, tag="interactive"):
    """Buttons, a list, a flow, an address, a product."""

    interactive: dict[str, Any]


class SentTemplate(Sent, frozen=True, kw_only=True, tag="template"):
    """A template and what was put into it."""

    template: dict[str, Any]


AnySent = (
    SentText
    | SentImage
    | SentVideo
    | SentAudio
    | SentDocument
    | SentSticker
    | SentLocation
    | SentContacts
    | SentReaction
    | SentInteractive
    | SentTemplate
)


class SentEcho(Part, frozen=True, kw_only=True):
    """One echo."""

    id: MessageId
    timestamp: str | int | float | None = None
    message: AnySent
