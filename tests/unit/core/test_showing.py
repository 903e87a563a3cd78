"""What is left of a message in each form, and what masking withholds."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_node.core.showing import MASK, masked, shown
from shared.message import CardContent, Edit, Identifier, Location, Media, Mention, Message, Person, Text
from shared.wire.sealed import read_shown, write_shown

AUTHOR = Person((Identifier("line_user", "U" + "0" * 32),), name="Anna")


def message(content):
    """Give a message of that content."""
    return Message(channel="line", via="U1", at=5, author=AUTHOR, message_id="1", content=content, reply_token="t")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ring me: +49 171 000 4711, please", "ring me: ••• ••• ••• ••••• please"),
        ("anna@example.org or t.me/anna", "•••••••••••••••• or •••••••••"),
        ("call #home", "call •••••"),
        ("٠١٢٣ and ½ and 一二三", "•••• and • and •••"),
        ("電話は09012345678です", "•" * len("電話は09012345678です")),
        ("two  spaces\nand lines", "two  spaces\nand lines"),
        ("", ""),
    ],
)
def test_masking_withholds_what_holds_digits_or_addresses(text, left):
    assert masked(text) == left


@settings(deadline=None)
@given(st.text())
def test_masking_keeps_the_shape_and_never_a_digit(text):
    found = masked(text)
    assert len(found) == len(text)
    assert not any(character.isnumeric() or character in "@/" for character in found)
    assert all(new in (old, MASK) for old, new in zip(text, found, strict=True))


def test_what_is_shown_names_nobody_by_the_platforms_ids():
    plain = Text("hello", mentions=(Mention("user", 0, 1, user_id="U" + "7" * 32),))
    picture = Media("image", media_id="9" * 15, url="https://cdn.example/secret", caption="a cat", sha256="ab")
    for content, form in itertools.product((plain, picture), ("full", "masked", "metadata")):
        seen = shown(message(content), form, at=5, edited=False)
        data = write_shown(seen)
        assert read_shown(data) == seen
        for told in (b"U000", b"Anna", b"U777", b"9" * 15, b"cdn.example", b"ab\xa4"):
            assert told not in data
    assert shown(message(picture), "full", at=5, edited=False).content.caption == "a cat"


@pytest.mark.parametrize(
    "content", [Media("voice"), Location(1.0, 2.0, name="home"), CardContent(cards=({"name": "Bea"},)), Text("x 1")]
)
def test_masked_shows_texts_and_metadata_shows_none(content):
    assert shown(message(content), "metadata", at=5, edited=True).content is None
    part = shown(message(content), "masked", at=5, edited=True)
    assert (part.content == Text("x •")) if isinstance(content, Text) else (part.content is None)
    assert part.kind in {"voice", "location", "cards", "text"}


def test_an_edit_is_shown_as_the_message_it_is_now():
    event = Edit(channel="whatsapp", via="1", at=9, author=AUTHOR, message_id="1", content=Text("new"))
    seen = shown(event, "full", at=5, edited=True)
    assert (seen.at, seen.edited, seen.direction, seen.content) == (5, True, "in", Text("new"))
