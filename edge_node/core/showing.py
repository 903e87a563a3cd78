"""May another node be shown this, and how much of it?  A short list in the settings, closed by default.

Rules, in this order:

1. An empty list shows nothing to anybody: ``list_empty``.
2. A node that no entry names is refused: ``asker_not_listed``.
3. A purpose that no entry of that node names is refused: ``purpose_not_listed``.
4. What is left is shown in the form of the entry: ``full``, ``masked`` or ``metadata``.

That the asking node is one of the company's, the roster says before anybody asks here.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.errors import SettingsInvalid
from shared.message import Content, Edit, Media, Message, Text
from shared.wire.sealed import ShownMessage
from shared.wire.types import FormCode, NodeName, PurposeCode, ShowingRule

PURPOSES_MAX = 16
MASK = "\N{BULLET}"
"""What stands for each character that is withheld."""

_TELLING = frozenset("@/\\+#")
"""Characters of addresses and numbers; a word that holds one is withheld like one with a digit."""


class ShowEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ``[[show]]`` entry of the settings; there is no wildcard, so that each node is a decision of its own."""

    asker: NodeName
    """The asking node's name in the roster."""
    purposes: Annotated[tuple[PurposeCode, ...], Meta(min_length=1, max_length=PURPOSES_MAX)]
    """What it may ask for."""
    form: FormCode
    """How much of each message it is shown."""


class Shows(msgspec.Struct, frozen=True):
    """The request is granted, in this form."""

    form: FormCode


class Refuses(msgspec.Struct, frozen=True):
    """The request is refused; the rule is named to the asking node."""

    rule: ShowingRule


def check_entries(entries: Iterable[ShowEntry]) -> None:
    """Raise ``SettingsInvalid`` where two entries speak of one node and purpose: which form holds must not be luck."""
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        for purpose in entry.purposes:
            if (entry.asker, purpose) in seen:
                raise SettingsInvalid(field_name="show", wants="each purpose of an asker named once")
            seen.add((entry.asker, purpose))


def decide(entries: Sequence[ShowEntry], asker: str, purpose: str) -> Shows | Refuses:
    """Say whether node ``asker`` is shown a subject's messages for ``purpose``, and in which form."""
    if not entries:
        return Refuses("list_empty")
    of_asker = [entry for entry in entries if entry.asker == asker]
    if not of_asker:
        return Refuses("asker_not_listed")
    found = next((entry for entry in of_asker if purpose in entry.purposes), None)
    return Refuses("purpose_not_listed") if found is None else Shows(found.form)


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
