"""The messages in ``messages[]`` and ``message_echoes[]``, one struct for each ``type``, exactly as Meta names them.

Source: WhatsApp Business Platform, webhooks reference "messages" (2026-06-17) with its pages "edit" (2026-07-20),
"revoke" (2026-05-21), "unsupported" (2026-03-20), "smb_message_echoes" (2026-05-21), and "Business-scoped user ids"
(2026-05-28).  What those pages call required and real webhooks lack (``from``, ``timestamp``) is optional here.
"""

from typing import Any

from edge_node.channels.whatsapp.payload_contents import (
    AudioBody,
    ButtonBody,
    Context,
    DocumentBody,
    EditBody,
    InteractiveBody,
    LocationBody,
    MediaBody,
    MessageId,
    OrderBody,
    Part,
    ReactionBody,
    RevokeBody,
    StickerBody,
    SystemBody,
    TextBody,
    UnsupportedBody,
)


class MessageObject(Part, frozen=True, kw_only=True, tag_field="type"):
    """What every message has.

    ``from`` is the sender's phone and absent where it is withheld, but a BSUID was seen in it too; in an echo it is
    the business's own number and ``to`` the subject's.  ``identity`` is there where the identity check is on.
    """

    id: MessageId
    timestamp: str | int | float | None = None
    from_: str | None = None
    from_user_id: str | None = None
    from_parent_user_id: str | None = None
    to: str | None = None
    to_user_id: str | None = None
    to_parent_user_id: str | None = None
    group_id: str | None = None
    context: Context | None = None
    referral: dict[str, Any] | None = None
    errors: list[dict[str, Any]] | None = None
    identity: dict[str, Any] | None = None


class TextMessage(MessageObject, frozen=True, kw_only=True, tag="text"):
    """Words."""

    text: TextBody


class ImageMessage(MessageObject, frozen=True, kw_only=True, tag="image"):
    """An image."""

    image: MediaBody


class VideoMessage(MessageObject, frozen=True, kw_only=True, tag="video"):
    """A video."""

    video: MediaBody


class AudioMessage(MessageObject, frozen=True, kw_only=True, tag="audio"):
    """Sound, or a voice message."""

    audio: AudioBody


class VoiceMessage(MessageObject, frozen=True, kw_only=True, tag="voice"):
    """A voice message as older versions sent it."""

    voice: AudioBody


class DocumentMessage(MessageObject, frozen=True, kw_only=True, tag="document"):
    """A document."""

    document: DocumentBody


class StickerMessage(MessageObject, frozen=True, kw_only=True, tag="sticker"):
    """A sticker."""

    sticker: StickerBody


class LocationMessage(MessageObject, frozen=True, kw_only=True, tag="location"):
    """A place."""

    location: LocationBody


class ContactsMessage(MessageObject, frozen=True, kw_only=True, tag="contacts"):
    """Contact cards; each may hold ``vcard`` and ``origin``."""

    contacts: list[dict[str, Any]]


class InteractiveMessage(MessageObject, frozen=True, kw_only=True, tag="interactive"):
    """An answer to an interactive message; without the answer where Meta withholds it (``value.errors`` says why)."""

    interactive: InteractiveBody | None = None


class ButtonMessage(MessageObject, frozen=True, kw_only=True, tag="button"):
    """A template's quick reply."""

    button: ButtonBody


class OrderMessage(MessageObject, frozen=True, kw_only=True, tag="order"):
    """A basket."""

    order: OrderBody


class ReactionMessage(MessageObject, frozen=True, kw_only=True, tag="reaction"):
    """A reaction put or taken off."""

    reaction: ReactionBody


class SystemMessage(MessageObject, frozen=True, kw_only=True, tag="system"):
    """News about the subject."""

    system: SystemBody


class UnsupportedMessage(MessageObject, frozen=True, kw_only=True, tag="unsupported"):
    """Something that Meta does not hand on; ``errors`` says 131051 or 131060."""

    unsupported: UnsupportedBody | None = None


class UnknownMessage(MessageObject, frozen=True, kw_only=True, tag="unknown"):
    """The same, as older versions sent it."""


class WelcomeMessage(MessageObject, frozen=True, kw_only=True, tag="request_welcome"):
    """The subject opened the chat for the first time; nothing was said."""


class EditMessage(MessageObject, frozen=True, kw_only=True, tag="edit"):
    """An edit; ``id`` is the edit's own."""

    edit: EditBody


class RevokeMessage(MessageObject, frozen=True, kw_only=True, tag="revoke"):
    """A message taken back; ``id`` is this event's own."""

    revoke: RevokeBody


AnyMessage = (
    TextMessage
    | ImageMessage
    | VideoMessage
    | AudioMessage
    | VoiceMessage
    | DocumentMessage
    | StickerMessage
    | LocationMessage
    | ContactsMessage
    | InteractiveMessage
    | ButtonMessage
    | OrderMessage
    | ReactionMessage
    | SystemMessage
    | UnsupportedMessage
    | UnknownMessage
    | WelcomeMessage
    | EditMessage
    | RevokeMessage
)
