"""Rosters as files: drafts and signed ones, read strictly, every byte of them."""

import msgspec
import pytest

from shared.canonical import INTEGER_MAX
from shared.errors.trust import RosterContradicts, RosterMalformed, RosterRootUnknown, RosterUndersigned
from shared.roster import accept_first, edits, read_signed, root_fingerprint, write
from shared.roster.words import moment
from tests.support.rosters import FIRST, NOW, signed

change = msgspec.structs.replace


def test_a_draft_is_a_new_version_once_somebody_signed():
    """What was signed is never rewritten."""
    assert edits.draft_of(signed(FIRST, "ada"), NOW + 1).version == 2
    assert edits.draft_of(signed(FIRST), NOW + 1) == change(FIRST, created_at=NOW + 1)


def test_a_file_keeps_every_signature_and_is_read_strictly():
    """Written for people, read to the same roster; what does not belong in it is refused."""
    data = write(signed(FIRST, "ada", "ben"))
    assert accept_first(root_fingerprint(FIRST), read_signed(data)) == FIRST
    assert b'\n  "roster": {\n    "company": "acme",' in data
    for wrong in (b"", b"{}", data[:-3], data.replace(b'"company"', b'"note": 1, "company"'), b"\xff", b"[" * 100_000):
        with pytest.raises(RosterMalformed):
            read_signed(wrong)


def test_every_byte_of_a_signed_file_counts():
    """Change any value of the file in one place: it is refused, or it is the same roster with the same signers."""
    data = write(signed(FIRST, "ada", "ben"))
    root = root_fingerprint(FIRST)
    for at in range(0, len(data), 61):
        changed = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        try:
            roster = accept_first(root, read_signed(changed))
        except (RosterMalformed, RosterUndersigned, RosterRootUnknown, RosterContradicts):
            continue
        assert roster == FIRST


def test_an_instant_that_no_calendar_has_is_told_all_the_same():
    """Officers read what others wrote, before anybody signed it."""
    assert moment(NOW).endswith(" UTC")
    assert moment(INTEGER_MAX) == "after the year 9999"
