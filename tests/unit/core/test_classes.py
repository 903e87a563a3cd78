"""Every kind of event and every form of content has a class, in words of the shipped policy."""

import typing

import msgspec
import pytest

from edge_node.core import classes
from shared.message import Event, Media
from shared.message.content import Content
from shared.message.events import Edit, Message
from tests.support.house_policy import vocabulary

KINDS = typing.get_args(Event)
FORMS = typing.get_args(Content)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_event_has_a_class(kind):
    assert kind in classes.EVENT_CLASSES or kind in {Message, Edit}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_every_form_of_content_has_a_class(form):
    assert form in classes.CONTENT_CLASSES


def test_the_classes_are_words_of_the_shipped_policy_and_have_a_bit():
    known = {each.id for each in vocabulary().classes}
    named = {*classes.EVENT_CLASSES.values(), *classes.CONTENT_CLASSES.values()}
    assert named <= set(classes.RESTING) <= known
    assert len(set(classes.RESTING)) == len(classes.RESTING)


def test_every_kind_that_a_row_may_have_has_a_bit():
    forms = set(typing.get_args(typing.get_type_hints(Media)["media"]))
    messages = {str(form.__struct_config__.tag) for form in FORMS if form is not Media} | forms
    events = {str(kind.__struct_config__.tag) for kind in KINDS} - {"message"}
    assert set(classes.message_masks()) == messages
    assert set(classes.event_masks()) == events
    assert all(classes.names_of(mask) for mask in classes.message_masks().values())


def test_bits_and_names_are_two_ways_to_say_one_thing():
    assert classes.names_of(classes.mask_of(classes.RESTING)) == classes.RESTING
    assert classes.mask_of(["media", "media"]) == classes.mask_of(["media"])


def test_a_kind_that_is_not_in_the_table_may_be_anything():
    class Later(msgspec.Struct, frozen=True):
        """A kind of a later release."""

    assert classes.class_of(Later()) == "unclassified"
