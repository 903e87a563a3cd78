"""Messages recorded as bytes are read by today's release as they were meant, or refused with a named error.

A folder for each protocol version, a file for each message.  A file is never changed: a message that is written
differently from now on is a new version, or a member that old readers may ignore.
"""

from pathlib import Path

import pytest

from shared import wire
from shared.errors.trust import ProtocolTooOld
from shared.wire.base import PROTOCOL_OLDEST
from shared.wire.receipt import open_receipt
from tests.support.trust import MESSAGES, NODE, RECEIPT

GOLDEN = Path(__file__).parent / "wire"
FILES = sorted(GOLDEN.glob("v*/*.json"))
LATER = sorted(GOLDEN.glob("later/v*/*.json"))
TYPES = {each.__struct_config__.tag: each for each in wire.MESSAGES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_what_was_recorded_is_read_as_it_was_meant(file):
    """Accepted, and written again in the same bytes; or, once a version is dropped, refused by that name."""
    data, type_ = file.read_bytes(), TYPES[file.stem]
    if int(file.parent.name[1:]) < PROTOCOL_OLDEST:
        with pytest.raises(ProtocolTooOld):
            wire.decode(type_, data)
        return
    message = wire.decode(type_, data)
    if isinstance(message, wire.ReceiptPush):
        assert open_receipt(message.envelope, NODE.public) == RECEIPT
    else:
        assert message == MESSAGES[file.stem]
    assert wire.encode(message) == data


@pytest.mark.parametrize("file", LATER, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_members_and_codes_added_within_a_version_are_recorded_beside(file):
    """They are written only where they say something, so that an older reader gets the bytes it knows."""
    data, type_ = file.read_bytes(), TYPES[file.stem]
    message = wire.decode(type_, data)
    assert wire.encode(message) == data
    assert message != MESSAGES[file.stem]


def test_every_message_is_recorded():
    """For the version that is spoken today."""
    assert {file.stem for file in FILES if file.parent.name == f"v{wire.PROTOCOL}"} == TYPES.keys() == MESSAGES.keys()
