"""What a message on the WhatsApp Business Platform can hold, exactly as Meta names it.

Source: WhatsApp Business Platform, webhooks reference "messages" (2026-06-17) with its pages "edit" (2026-07-20),
"revoke" (2026-05-21), "unsupported" (2026-03-20), "smb_message_echoes" (2026-05-21), and "Business-scoped user ids"
(2026-05-28).  What those pages call required and real webhooks lack is optional here.
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
