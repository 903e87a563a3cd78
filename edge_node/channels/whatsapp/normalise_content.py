"""The content of messages to the forms both channels share.  Pure.

Not carried over, because the form says the same otherwise: ``voice: true`` (``media`` is then ``voice``), the
``type`` of a choice (``choice`` names it).
"""

from collections.abc import Callable
from typing import Any

import msgspec

from edge_node.channels.whatsapp import payload_contents as meta
from edge_node.channels.whatsapp import payload_messages as kinds
from shared.message import CardContent, Content, Location, Media, Order, Reply, Text, Unsupported

_CHOICES = {
    "button_reply": "button",
    "list_reply": "list",
    "nfm_reply": "flow",
    "call_permission_reply": "call_permission",
}
"""Our word for each kind of interactive answer; a newer kind keeps Meta's."""


def _media(kind: Any, body: meta.MediaBody, name: str | None = None, animated: bool | None = None) -> Media:
    """Return a file's form; ``size`` in bytes."""
    return Media(
        media=kind,
        media_id=body.id,
        mime_type=body.mime_type,
        sha256=body.sha256,
        caption=body.caption,
        file_name=name,
        size=body.file_size,
        animated=animated,
        url=body.url,
    )


def _audio(body: meta.AudioBody) -> Media:
    """Return a sound's form: a voice message where it says so."""
    return _media("voice" if body.voice else "audio", body)


def _location(message: kinds.LocationMessage) -> Location:
    """Return a place."""
    place = message.location
    return Location(place.latitude, place.longitude, place.name, place.address, place.url)


def _cards(message: kinds.ContactsMessage) -> CardContent:
    """Return contact cards as they came; ``origin`` stands in each card, and once for all of them."""
    origins = [origin for card in message.contacts if isinstance(origin := card.get("origin"), str)]
    origin = "contact_request" if "contact_request" in origins else next(iter(origins), None)
    return CardContent(tuple(message.contacts), origin)


def _reply(message: kinds.InteractiveMessage) -> Reply | Unsupported:
    """Return a choice.  What a newer kind holds is in the event's ``extra``, since no struct names it."""
    body = message.interactive
    if body is None:
        return Unsupported("interactive", tuple(message.errors or ()))
    said = {name: value for name in _CHOICES if (value := getattr(body, name)) is not None}
    chosen = said.pop(body.type, None)
    choice = _CHOICES.get(body.type, body.type)
    detail: dict[str, Any] = {name: msgspec.to_builtins(value) for name, value in said.items()}
    if isinstance(chosen, meta.Choice):
        return Reply(choice, chosen.id, chosen.title, chosen.description, detail=detail or None)
    if isinstance(chosen, meta.FlowReply):
        response = chosen.response_json
        if response is not None and not isinstance(response, str):
            detail["response_json"] = response
            response = None
        if chosen.name is not None:
            detail["name"] = chosen.name
        return Reply(choice, title=chosen.body, response=response, detail=detail or None)
    if chosen is not None:
        detail.update(chosen)
    return Reply(choice, detail=detail or None)


def _order(message: kinds.OrderMessage) -> Order:
    """Return a basket."""
    order = message.order
    return Order(order.catalog_id, order.text, tuple(order.product_items or ()))


def _unsupported(message: kinds.UnsupportedMessage) -> Unsupported:
    """Return what is known of a content that Meta keeps: its kind, and why."""
    what = message.unsupported.type if message.unsupported is not None else None
    return Unsupported(what, tuple(message.errors or ()))


FORMS: dict[type, Callable[[Any], Content]] = {
    kinds.TextMessage: lambda message: Text(message.text.body),
    kinds.ImageMessage: lambda message: _media("image", message.image),
    kinds.VideoMessage: lambda message: _media("video", message.video),
    kinds.AudioMessage: lambda message: _audio(message.audio),
    kinds.VoiceMessage: lambda message: _media("voice", message.voice),
    kinds.DocumentMessage: lambda message: _media("document", message.document, name=message.document.filename),
    kinds.StickerMessage: lambda message: _media("sticker", message.sticker, animated=message.sticker.animated),
    kinds.LocationMessage: _location,
    kinds.ContactsMessage: _cards,
    kinds.InteractiveMessage: _reply,
    kinds.ButtonMessage: lambda message: Reply("template_button", message.button.payload, message.button.text),
    kinds.OrderMessage: _order,
    kinds.UnsupportedMessage: _unsupported,
    kinds.UnknownMessage: lambda message: Unsupported("unknown", tuple(message.errors or ())),
}
"""The form of each kind of message that says something."""

EDITED: dict[type, Callable[[Any], Content]] = {
    meta.EditedText: FORMS[kinds.TextMessage],
    meta.EditedImage: FORMS[kinds.ImageMessage],
    meta.EditedVideo: FORMS[kinds.VideoMessage],
    meta.EditedAudio: FORMS[kinds.AudioMessage],
    meta.EditedDocument: FORMS[kinds.DocumentMessage],
}
"""The form of each kind of edited content."""
