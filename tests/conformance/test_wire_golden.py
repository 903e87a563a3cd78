"""Messages recorded as bytes are read by today's release as they were meant, or refused with a named error.

A folder for each protocol version, a file for each message, and one more, ``TAG+WHAT``, for each state of it that has
members which came later.  A file is never changed: a message that is written differently from now on is a new version,
or has a member that old readers ignore and that is left out while it has its default.
"""

import typing
from pathlib import Path

import msgspec
import pytest

from shared import wire
from shared.errors.trust import ProtocolTooOld
from shared.wire.base import PROTOCOL_OLDEST
from shared.wire.receipt import open_receipt
from tests.support.trust import CONTROL, HEAD, LATER, MESSAGES, NODE, RECEIPT

GOLDEN = Path(__file__).parent / "wire"
FILES = sorted(GOLDEN.glob("v*/*.json"))
BESIDE = sorted(GOLDEN.glob("later/v*/*.json"))
TYPES = {each.__struct_config__.tag: each for each in wire.MESSAGES}
MEANT = MESSAGES | LATER


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_what_was_recorded_is_read_as_it_was_meant(file):
    """Accepted, and written again in the same bytes; or, once a version is dropped, refused by that name."""
    data, type_ = file.read_bytes(), TYPES[file.stem.partition("+")[0]]
    if int(file.parent.name[1:]) < PROTOCOL_OLDEST:
        with pytest.raises(ProtocolTooOld):
            wire.decode(type_, data)
        return
    message = wire.decode(type_, data)
    if isinstance(message, wire.ReceiptPush):
        assert open_receipt(message.envelope, NODE.public) == RECEIPT
    elif isinstance(message, wire.BeatAnswer) and message.head is not None:
        assert wire.open_head(message.head, CONTROL.public) == HEAD
        assert msgspec.structs.replace(message, head=MEANT[file.stem].head) == MEANT[file.stem]
    else:
        assert message == MEANT[file.stem]
    assert wire.encode(message) == data


@pytest.mark.parametrize("file", BESIDE, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_members_and_codes_added_within_a_version_are_recorded_beside(file):
    """They are written only where they say something, so that an older reader gets the bytes it knows."""
    data, type_ = file.read_bytes(), TYPES[file.stem]
    message = wire.decode(type_, data)
    assert wire.encode(message) == data
    assert message != MESSAGES[file.stem]


def test_every_message_is_recorded():
    """For the version that is spoken today."""
    recorded = {file.stem for file in FILES if file.parent.name == f"v{wire.PROTOCOL}"}
    assert recorded == MEANT.keys()
    assert TYPES.keys() == MESSAGES.keys()


@pytest.mark.parametrize("name", LATER)
def test_a_reader_of_before_understands_what_is_new(name):
    """It reads the message as it was without its later members."""
    now, first = TYPES[name.partition("+")[0]], MESSAGES[name.partition("+")[0]]
    hints = typing.get_type_hints(now, include_extras=True)
    fields = [(each.name, hints[each.name]) for each in msgspec.structs.fields(now) if each.required]
    before = msgspec.defstruct("Before", fields, kw_only=True, tag_field="type", tag=now.__struct_config__.tag)
    read = msgspec.json.decode(wire.encode(LATER[name]), type=before)
    differ = {field for field, _ in fields if getattr(read, field) != getattr(first, field)}
    assert differ <= {"problems"}
