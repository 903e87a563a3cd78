"""What is left of a message that is shown, in each form: ``full``, ``masked`` or ``metadata``.  Pure.

Whether it may be seen at all, and in which form, is decided in :mod:`edge_node.core.viewing`.
"""

import msgspec

from shared.message import Content, Edit, Media, Message, Text
from shared.wire.sealed import ShownMessage
from shared.wire.types import FormCode

MASK = "\N{BULLET}"
"""What stands for each character that is withheld."""

_TELLING = frozenset("@/\\+#")
"""Characters of addresses and numbers; a word that holds one is withheld like one with a digit."""


def shown(event: Message | Edit, form: FormCode, *, at: int, edited: bool) -> ShownMessage:
    """Give a message as it is shown in ``form``; ``at`` (ms) and ``edited`` are the stored row's."""
    content = event.content
    return ShownMessage(
        form=form,
        channel=event.channel,
        direction=event.direction,
        at=at,
        edited=edited,
        kind=content.media if isinstance(content, Media) else str(content.__struct_config__.tag),
        content=_part(content, form),
    )


def masked(text: str) -> str:
    """Withhold every word that holds a digit or a character of addresses, whole; the other words stay.

    It takes numbers, e-mail and web addresses out; names and what is told in plain words stay readable.  In scripts
    without spaces a whole run of text is one word, so that more is withheld, never less.
    """
    out: list[str] = []
    word: list[str] = []
    for character in (*text, " "):
        if character.isspace():
            hides = any(each.isnumeric() or each in _TELLING for each in word)
            out += [MASK] * len(word) if hides else word
            out.append(character)
            word = []
        else:
            word.append(character)
    return "".join(out[:-1])


def _part(content: Content, form: FormCode) -> Content | None:
    """Give what ``form`` leaves of a content, without the platform's own ids."""
    match form, content:
        case "full", Text(text=text):
            return Text(text)
        case "full", Media():
            changes = {"media_id": None, "url": None, "external": None, "image_set": None, "sha256": None}
            return msgspec.structs.replace(content, **changes)
        case "full", _:
            return content
        case "masked", Text(text=text):
            return Text(masked(text))
        case _:
            return None
