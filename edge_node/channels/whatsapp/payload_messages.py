"""The messages in ``messages[]`` and ``message_echoes[]``, exactly as Meta names them.

Source: WhatsApp Business Platform, webhooks reference "messages" (2026-06-17) with its pages "edit" (2026-07-20),
"revoke" (2026-05-21), "unsupported" (2026-03-20), "smb_message_echoes" (2026-05-21), and "Business-scoped user ids"
(2026-05-28).  What those pages call required and real webhooks lack (``from``, ``timestamp``) is optional here.
"""

from typing import Any

import msgspec


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    """Base of every payload struct: a property it does not name is never dropped without a word."""


class TextBody(Part):
    """Words."""

    body: str


class MediaBody(Part):
    """A file; the id lives 7 days, ``url`` 5 minutes; ``sha256`` comes as base64 or hex."""

    id: str | None = None
    mime_type: str | None = None
    sha256: str | None = None
    caption: str | None = None
    url: str | None = None
    file_size: int | None = None


class DocumentBody(MediaBody):
    """A document."""

    filename: str | None = None


class AudioBody(MediaBody):
    """Sound; ``voice`` where it was recorded in the chat."""

    voice: bool | None = None


class StickerBody(MediaBody):
    """A sticker, which on WhatsApp is a file."""

    animated: bool | None = None


class LocationBody(Part):
    """A place."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None
    url: str | None = None


class Choice(Part):
    """A reply button pressed or a list row chosen."""

    id: str | None = None
    title: str | None = None
    description: str | None = None


class FlowReply(Part):
    """A flow or address form sent back; ``response_json`` is JSON in a string."""

    name: str | None = None
    body: str | None = None
    response_json: Any = None


class InteractiveBody(Part):
    """An answer to an interactive message; ``type`` names the property that holds it."""

    type: str
    button_reply: Choice | None = None
    list_reply: Choice | None = None
    nfm_reply: FlowReply | None = None
    call_permission_reply: dict[str, Any] | None = None


class ButtonBody(Part):
    """A template's quick reply pressed."""

    payload: str | None = None
    text: str | None = None


class ReactionBody(Part):
    """A reaction; ``emoji`` is empty or absent where it was taken back."""

    message_id: str
    emoji: str | None = None


class OrderBody(Part):
    """A basket."""

    catalog_id: str | None = None
    text: str | None = None
    product_items: list[dict[str, Any]] = []


class SystemBody(Part):
    """News about the subject; ``wa_id``, ``user_id`` and ``parent_user_id`` are the new ones.

    ``new_wa_id``, ``customer`` (the old number) and ``identity`` (a hash) are of older versions.
    """

    type: str
    body: str | None = None
    wa_id: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    previous_user_id: str | None = None
    previous_parent_user_id: str | None = None
    new_wa_id: str | None = None
    customer: str | None = None
    identity: str | None = None


class UnsupportedBody(Part):
    """What the sender sent that Meta does not hand on; the page's own example says ``edit``, its list does not."""

    type: str | None = None


class Context(Part):
    """What a message refers to; ``from`` is the author of the quoted message."""

    from_: str | None = None
    id: str | None = None
    forwarded: bool | None = None
    frequently_forwarded: bool | None = None
    referred_product: dict[str, Any] | None = None


class Edited(Part, tag_field="type"):
    """The new content inside an edit."""

    context: Context | None = None


class EditedText(Edited, tag="text"):
    """New words."""

    text: TextBody


class EditedImage(Edited, tag="image"):
    """A new caption of an image."""

    image: MediaBody


class EditedVideo(Edited, tag="video"):
    """A new caption of a video."""

    video: MediaBody


class EditedAudio(Edited, tag="audio"):
    """A sound, as edited."""

    audio: AudioBody


class EditedDocument(Edited, tag="document"):
    """A new caption of a document."""

    document: DocumentBody


AnyEdited = EditedText | EditedImage | EditedVideo | EditedAudio | EditedDocument


class EditBody(Part):
    """An edit (Coexistence numbers only, within 15 minutes)."""

    original_message_id: str
    message: AnyEdited


class RevokeBody(Part):
    """A message taken back (Coexistence numbers only, within two days)."""

    original_message_id: str


class MessageObject(Part, tag_field="type"):
    """What every message has.

    ``from`` is the sender's phone and absent where it is withheld, but a BSUID was seen in it too; in an echo it is
    the business's own number and ``to`` the subject's.  ``identity`` is there where the identity check is on.
    """

    id: str
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


class TextMessage(MessageObject, tag="text"):
    """Words."""

    text: TextBody


class ImageMessage(MessageObject, tag="image"):
    """An image."""

    image: MediaBody


class VideoMessage(MessageObject, tag="video"):
    """A video."""

    video: MediaBody


class AudioMessage(MessageObject, tag="audio"):
    """Sound, or a voice message."""

    audio: AudioBody


class VoiceMessage(MessageObject, tag="voice"):
    """A voice message as older versions sent it."""

    voice: AudioBody


class DocumentMessage(MessageObject, tag="document"):
    """A document."""

    document: DocumentBody


class StickerMessage(MessageObject, tag="sticker"):
    """A sticker."""

    sticker: StickerBody


class LocationMessage(MessageObject, tag="location"):
    """A place."""

    location: LocationBody


class ContactsMessage(MessageObject, tag="contacts"):
    """Contact cards; each may hold ``vcard`` and ``origin``."""

    contacts: list[dict[str, Any]]


class InteractiveMessage(MessageObject, tag="interactive"):
    """An answer to an interactive message."""

    interactive: InteractiveBody


class ButtonMessage(MessageObject, tag="button"):
    """A template's quick reply."""

    button: ButtonBody


class OrderMessage(MessageObject, tag="order"):
    """A basket."""

    order: OrderBody


class ReactionMessage(MessageObject, tag="reaction"):
    """A reaction put or taken off."""

    reaction: ReactionBody


class SystemMessage(MessageObject, tag="system"):
    """News about the subject."""

    system: SystemBody


class UnsupportedMessage(MessageObject, tag="unsupported"):
    """Something that Meta does not hand on; ``errors`` says 131051 or 131060."""

    unsupported: UnsupportedBody | None = None


class UnknownMessage(MessageObject, tag="unknown"):
    """The same, as older versions sent it."""


class WelcomeMessage(MessageObject, tag="request_welcome"):
    """The subject opened the chat for the first time; nothing was said."""


class EditMessage(MessageObject, tag="edit"):
    """An edit; ``id`` is the edit's own."""

    edit: EditBody


class RevokeMessage(MessageObject, tag="revoke"):
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
