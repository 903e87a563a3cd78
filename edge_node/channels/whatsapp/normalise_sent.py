"""What another sender on the same number sent to canonical events.  Pure.

Not carried over, because the event says the same otherwise: ``messaging_product``, ``type`` (the form), and
``recipient_type`` (whether there is a ``group``).
"""

from collections.abc import Callable
from typing import Any

from edge_node.channels.whatsapp import payload_messages as kinds
from edge_node.channels.whatsapp import payload_sent as sent
from edge_node.channels.whatsapp.frame import Frame
from edge_node.channels.whatsapp.normalise_content import FORMS
from edge_node.channels.whatsapp.normalise_messages import moment
from edge_node.channels.whatsapp.people import Extra, joined
from shared.message import Composed, Content, ExternalMedia, Identifier, Media, Message, Person, Reaction

_TO = ("message.recipient", "message.recipient", "message.to")
"""The addressee's properties."""


def event_of_sent(echo: sent.SentEcho, extra: Extra, frame: Frame) -> Message | Reaction:
    """Turn an echo into its event; ``extra`` is what the structs did not name."""
    request = echo.message
    at, extra = moment(echo.timestamp, joined(extra, frame.extra))
    spare: dict[str, Any] = {}
    if request.messaging_product not in (None, "whatsapp"):
        spare["message.messaging_product"] = request.messaging_product
    group: Identifier | None = None
    to: Person | None = None
    more: Extra = None
    if request.recipient_type == "group" and request.to:
        group = Identifier("whatsapp_group", request.to)
        if request.recipient:
            spare["message.recipient"] = request.recipient
    else:
        to, more = frame.people.person(_TO, request.recipient, None, request.to)
        if request.recipient_type not in (None, "individual"):
            spare["message.recipient_type"] = request.recipient_type
    quoted = request.context.message_id if request.context is not None else None
    common: dict[str, Any] = {"channel": "whatsapp", "via": frame.via, "at": at, "group": group, "to": to}
    common |= {"direction": "out", "message_id": echo.id, "extra": joined(extra, spare, more)}
    if isinstance(request, sent.SentReaction):
        mark = request.reaction
        if quoted is not None:
            common["extra"] = joined(common["extra"], {"message.context.message_id": quoted})
        return Reaction(**common, target_message_id=mark.message_id, emoji=mark.emoji or None)
    return Message(**common, content=_FORMS[type(request)](request), quoted_message_id=quoted)


def _media(kind: Any, body: sent.SentMedia) -> Media:
    """Return a file's form."""
    return Media(
        media=kind,
        media_id=body.id,
        caption=body.caption,
        file_name=body.filename,
        external=ExternalMedia(body.link) if body.link is not None else None,
    )


_FORMS: dict[type, Callable[[Any], Content]] = {
    sent.SentText: FORMS[kinds.TextMessage],
    sent.SentImage: lambda request: _media("image", request.image),
    sent.SentVideo: lambda request: _media("video", request.video),
    sent.SentAudio: lambda request: _media("audio", request.audio),
    sent.SentDocument: lambda request: _media("document", request.document),
    sent.SentSticker: lambda request: _media("sticker", request.sticker),
    sent.SentLocation: FORMS[kinds.LocationMessage],
    sent.SentContacts: FORMS[kinds.ContactsMessage],
    sent.SentInteractive: lambda request: Composed("interactive", request.interactive),
    sent.SentTemplate: lambda request: Composed("template", request.template),
}
"""The form of each kind of request that says something."""
