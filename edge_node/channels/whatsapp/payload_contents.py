"""What a message on the WhatsApp Business Platform can hold, exactly as Meta names it.

Source: WhatsApp Business Platform, webhooks reference "messages" (2026-06-17) with its pages "edit" (2026-07-20),
"revoke" (2026-05-21), "unsupported" (2026-03-20), "smb_message_echoes" (2026-05-21), and "Business-scoped user ids"
(2026-05-28).  What those pages call required and real webhooks lack is optional here.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

MessageId = Annotated[str, Meta(min_length=1)]
"""A message's id; under an empty one, any two would be taken for the same."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    """Base of every payload struct: a property it does not name is never dropped without a word.

    Each struct repeats ``frozen`` and ``kw_only``, because the type checker does not inherit them.
    """


class TextBody(Part, frozen=True, kw_only=True):
    """Words."""

    body: str


class MediaBody(Part, frozen=True, kw_only=True):
    """A file; the id lives 7 days, ``url`` 5 minutes; ``sha256`` comes as base64 or hex."""

    id: str | None = None
    mime_type: str | None = None
    sha256: str | None = None
    caption: str | None = None
    url: str | None = None
    file_size: int | None = None


class DocumentBody(MediaBody, frozen=True, kw_only=True):
    """A document."""

    filename: str | None = None


class AudioBody(MediaBody, frozen=True, kw_only=True):
    """Sound; ``voice`` where it was recorded in the chat."""

    voice: bool | None = None


class StickerBody(MediaBody, frozen=True, kw_only=True):
    """A sticker, which on WhatsApp is a file."""

    animated: bool | None = None


class LocationBody(Part, frozen=True, kw_only=True):
    """A place."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None
    url: str | None = None


class Choice(Part, frozen=True, kw_only=True):
    """A reply button pressed or a list row chosen."""

    id: str | None = None
    title: str | None = None
    description: str | None = None


class FlowReply(Part, frozen=True, kw_only=True):
    """A flow or address form sent back; ``response_json`` is JSON in a string."""

    name: str | None = None
    body: str | None = None
    response_json: Any = None


class InteractiveBody(Part, frozen=True, kw_only=True):
    """An answer to an interactive message; ``type`` names the property that holds it."""

    type: str
    button_reply: Choice | None = None
    list_reply: Choice | None = None
    nfm_reply: FlowReply | None = None
    call_permission_reply: dict[str, Any] | None = None


class ButtonBody(Part, frozen=True, kw_only=True):
    """A template's quick reply pressed."""

    payload: str | None = None
    text: str | None = None


class ReactionBody(Part, frozen=True, kw_only=True):
    """A reaction; ``emoji`` is empty or absent where it was taken back."""

    message_id: str
    emoji: str | None = None


class OrderBody(Part, frozen=True, kw_only=True):
    """A basket."""

    catalog_id: str | None = None
    text: str | None = None
    product_items: list[dict[str, Any]] | None = None


class SystemBody(Part, frozen=True, kw_only=True):
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


class UnsupportedBody(Part, frozen=True, kw_only=True):
    """What the sender sent that Meta does not hand on; the page's own example says ``edit``, its list does not."""

    type: str | None = None


class Context(Part, frozen=True, kw_only=True):
    """What a message refers to; ``from`` is the author of the quoted message."""

    from_: str | None = None
    id: str | None = None
    forwarded: bool | None = None
    frequently_forwarded: bool | None = None
    referred_product: dict[str, Any] | None = None


class Edited(Part, frozen=True, kw_only=True, tag_field="type"):
    """The new content inside an edit."""

    context: Context | None = None


class EditedText(Edited, frozen=True, kw_only=True, tag="text"):
    """New words."""

    text: TextBody


class EditedImage(Edited, frozen=True, kw_only=True, tag="image"):
    """A new caption of an image."""

    image: MediaBody


class EditedVideo(Edited, frozen=True, kw_only=True, tag="video"):
    """A new caption of a video."""

    video: MediaBody


class EditedAudio(Edited, frozen=True, kw_only=True, tag="audio"):
    """A sound, as edited."""

    audio: AudioBody


class EditedDocument(Edited, frozen=True, kw_only=True, tag="document"):
    """A new caption of a document."""

    document: DocumentBody


AnyEdited = EditedText | EditedImage | EditedVideo | EditedAudio | EditedDocument


class EditBody(Part, frozen=True, kw_only=True):
    """An edit (Coexistence numbers only, within 15 minutes)."""

    original_message_id: MessageId
    message: AnyEdited


class RevokeBody(Part, frozen=True, kw_only=True):
    """A message taken back (Coexistence numbers only, within two days)."""

    original_message_id: MessageId
