"""A node's own keys: drawn once, at both places, private, and never replaced in silence."""

import stat

import pytest

from edge_node.storage.identity import FILE, ensure_identity, load_identity
from shared.entropy import SystemEntropy
from shared.errors.trust import KeyFileInvalid


@pytest.fixture
def places(tmp_path):
    """Give two places."""
    return tmp_path / "one", tmp_path / "two"


def test_keys_are_drawn_once_and_lie_private_at_both_places(places):
    first = ensure_identity(places, SystemEntropy())
    assert {stat.S_IMODE((place / FILE).stat().st_mode) for place in places} == {0o600}
    assert (places[0] / FILE).read_bytes() == (places[1] / FILE).read_bytes()
    assert sorted(file.name for file in places[0].iterdir()) == [FILE]
    for again in (ensure_identity(places, SystemEntropy()), load_identity(places)):
        assert again.public == first.public
        assert again.fingerprint == first.fingerprint
    assert repr(first) == "NodeIdentity()"


@pytest.mark.parametrize("lost", [0, 1])
def test_either_place_is_enough_and_the_other_is_filled_again(places, lost):
    first = ensure_identity(places, SystemEntropy())
    (places[lost] / FILE).unlink()
    assert load_identity(places).public == first.public
    assert ensure_identity(places, SystemEntropy()).public == first.public
    assert (places[lost] / FILE).exists()


def test_a_damaged_file_is_passed_over_and_never_replaced_by_new_keys(places):
    first = ensure_identity(places, SystemEntropy())
    (places[0] / FILE).write_bytes(b"{}")
    assert load_identity(places).public == first.public
    (places[1] / FILE).write_bytes(b"")
    for act in (load_identity, lambda both: ensure_identity(both, SystemEntropy())):
        with pytest.raises(KeyFileInvalid):
            act(places)
    assert (places[1] / FILE).read_bytes() == b""


def test_a_file_that_others_can_read_is_refused(places):
    ensure_identity(places, SystemEntropy())
    for place in places:
        (place / FILE).chmod(0o640)
    with pytest.raises(KeyFileInvalid):
        load_identity(places)


def test_a_set_up_that_was_cut_short_begins_anew(places):
    places[0].mkdir()
    (places[0] / FILE).with_suffix(".part").write_bytes(b"half")
    assert ensure_identity(places, SystemEntropy()).public == load_identity(places).public
