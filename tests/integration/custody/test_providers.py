"""Key providers by themselves: whole or not at all at every place, whatever fails, and never in silence."""

import itertools
import os
from functools import partial

import pytest

from edge_node.storage.keys import file_provider, pkcs11_provider
from edge_node.stores import open_provider
from shared import private_files
from shared.entropy import SystemEntropy
from shared.errors import KeyProviderFailed
from tests.support.interleave import Died

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


@pytest.fixture
def provider(chosen):
    """Give a provider with a region key and two epochs."""
    found = open_provider(chosen, SystemEntropy())
    found.create(chosen.region)
    found.put_epoch(chosen.region, 1, KEY)
    found.put_epoch(chosen.region, 2, OTHER)
    return found


def test_what_is_put_is_found_and_what_is_destroyed_is_absent(provider, chosen):
    assert provider.find_epoch(chosen.region, 1) == KEY
    assert provider.find_epoch(chosen.region, 3) is None
    provider.put_epoch(chosen.region, 1, KEY)
    with pytest.raises(KeyProviderFailed):
        provider.put_epoch(chosen.region, 1, OTHER)
    provider.destroy_epoch(chosen.region, 1)
    provider.destroy_epoch(chosen.region, 1)
    assert provider.find_epoch(chosen.region, 1) is None
    assert provider.find_epoch(chosen.region, 2) == OTHER


def test_a_new_region_key_holds_the_living_epochs_alone(provider, chosen):
    provider.destroy_epoch(chosen.region, 1)
    provider.rotate(chosen.region, (2,))
    provider.create(chosen.region)
    assert provider.find_epoch(chosen.region, 2) == OTHER
    with pytest.raises(KeyProviderFailed):
        provider.rotate(chosen.region, (1, 2))
    provider.rotate(chosen.region, (2,))
    assert provider.find_epoch(chosen.region, 2) == OTHER


def test_files_cut_short_at_any_write_are_completed(tmp_path, monkeypatch):
    for act in ("put", "rotate", "destroy"):
        cut, done = 0, False
        while not done:
            cut += 1
            places = [tmp_path / f"{act}-{cut}-{number}" for number in (1, 2)]
            made = file_provider.FileProvider(places, SystemEntropy())
            made.create("r")
            made.put_epoch("r", 1, KEY)
            with monkeypatch.context() as patch:
                die_at(patch, cut)
                try:
                    run(made, act)
                    done = True
                except Died:
                    done = False
            again = file_provider.FileProvider(places, SystemEntropy())
            assert again.find_epoch("r", 1) in ((KEY, None) if act == "destroy" else (KEY,))
            run(again, act)
            assert again.find_epoch("r", 2) == (OTHER if act == "put" else None)
            assert again.find_epoch("r", 1) == (None if act == "destroy" else KEY)
            assert not list(tmp_path.rglob("region-next.key"))
            for place in places if act != "destroy" else []:  # each place is enough by itself
                assert file_provider.FileProvider([place], SystemEntropy()).find_epoch("r", 1) == KEY
        assert cut > 2


def die_at(patch: pytest.MonkeyPatch, cut: int) -> None:
    """Let the process die at the ``cut``-th change of a file, before it is made."""
    calls = itertools.count(1)

    def dying(real, *arguments):
        if next(calls) == cut:
            raise Died
        return real(*arguments)

    for name in ("replace", "overwrite", "erase"):
        patch.setattr(private_files, name, partial(dying, getattr(private_files, name)))


def run(provider, act: str) -> None:
    """Do one act."""
    if act == "put":
        provider.put_epoch("r", 2, OTHER)
    elif act == "rotate":
        provider.rotate("r", (1,))
    else:
        provider.destroy_epoch("r", 1)


def empty_second_place(provider, chosen) -> None:
    """Put a new disk, or a new token, in the place of the second."""
    if chosen.key_provider == "file":
        for path in (chosen.journal_dir / "keyring").iterdir():
            path.unlink()
        return
    with provider._open(chosen.pkcs11.second_token) as token:
        for version in (1, 2):
            for each in token.epoch_objects(chosen.region, version):
                each.destroy()
        for each in token.region_keys(chosen.region):
            each.key.destroy()


def test_an_empty_place_is_not_well_and_a_rotation_fills_it_from_the_other(provider, chosen):
    assert [ailment for _, ailment in provider.places(chosen.region, 2)] == [None, None]
    empty_second_place(provider, chosen)
    assert [bool(ailment) for _, ailment in provider.places(chosen.region, 2)] == [False, True]
    provider.rotate(chosen.region, (1, 2))
    assert [ailment for _, ailment in provider.places(chosen.region, 2)] == [None, None]
    if chosen.key_provider == "file":
        alone = file_provider.FileProvider([chosen.journal_dir / "keyring"], SystemEntropy())
        assert alone.find_epoch(chosen.region, 2) == OTHER
    else:
        with provider._open(chosen.pkcs11.second_token) as token:
            assert token.find_epoch(chosen.region, 2) == OTHER


def test_a_place_without_the_current_epoch_is_not_well_and_two_such_are_not_rotated(provider, chosen):
    assert all("epoch 3" in ailment for _, ailment in provider.places(chosen.region, 3))
    with pytest.raises(KeyProviderFailed):
        provider.rotate(chosen.region, (1, 2, 3))


def test_a_rotation_does_not_begin_while_a_folder_is_away(tmp_path):
    places = [tmp_path / "one", tmp_path / "two"]
    made = file_provider.FileProvider(places, SystemEntropy())
    made.create("r")
    made.put_epoch("r", 1, KEY)
    places[1].rename(tmp_path / "unplugged")
    with pytest.raises(KeyProviderFailed) as caught:
        made.rotate("r", (1,))
    assert str(places[1]) in str(caught.value)
    (tmp_path / "unplugged").rename(places[1])
    assert [ailment for _, ailment in made.places("r", 1)] == [None, None]


def test_a_place_that_is_away_keeps_an_epoch_from_counting_as_destroyed(tmp_path):
    places = [tmp_path / "one", tmp_path / "two"]
    made = file_provider.FileProvider(places, SystemEntropy())
    made.create("r")
    made.put_epoch("r", 1, KEY)
    places[1].rename(tmp_path / "unplugged")
    assert made.find_epoch("r", 1) == KEY
    assert [bool(ailment) for _, ailment in made.places("r", 1)] == [False, True]
    with pytest.raises(KeyProviderFailed):
        made.destroy_epoch("r", 1)
    (tmp_path / "unplugged").rename(places[1])
    made.destroy_epoch("r", 1)
    assert made.find_epoch("r", 1) is None


def test_damage_at_one_place_is_survived_and_at_both_is_an_error_not_a_new_key(tmp_path):
    places = [tmp_path / "one", tmp_path / "two"]
    made = file_provider.FileProvider(places, SystemEntropy())
    made.create("r")
    made.put_epoch("r", 1, KEY)
    (places[0] / "epoch-1.key").write_bytes(b"damaged")
    assert made.find_epoch("r", 1) == KEY
    (places[1] / "epoch-1.key").write_bytes(b"damaged")
    with pytest.raises(KeyProviderFailed):
        made.find_epoch("r", 1)


def test_nothing_of_a_destroyed_epoch_lies_in_any_file(tmp_path):
    places = [tmp_path / "one", tmp_path / "two"]
    made = file_provider.FileProvider(places, SystemEntropy())
    made.create("r")
    made.put_epoch("r", 1, KEY)
    sealed = [(place / "epoch-1.key").read_bytes() for place in places]
    holder = os.open(places[0] / "epoch-1.key", os.O_RDONLY)  # whoever still has it open sees zeros
    made.destroy_epoch("r", 1)
    assert not any(os.pread(holder, 1024, 0))
    os.close(holder)
    rest = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not any(each in rest for each in [*sealed, KEY])


def test_a_token_that_is_away_or_a_wrong_pin_is_an_error_with_its_name_alone(softhsm, tmp_path):
    pin = tmp_path / "pin"
    pin.write_text("wrong-4711")
    pin.chmod(0o600)
    for labels, file in ((("nowhere",), softhsm.pin_file), (softhsm.labels, pin), (softhsm.labels, tmp_path / "none")):
        made = pkcs11_provider.Pkcs11Provider(
            pkcs11_provider.TokenSettings(softhsm.module, labels, file), SystemEntropy()
        )
        with pytest.raises(KeyProviderFailed) as caught:
            made.create("r")
        assert "4711" not in str(caught.value)
        assert all(ailment for _, ailment in made.places("r", 1))
    pin.chmod(0o644)
    with pytest.raises(KeyProviderFailed):
        made.create("r")


def test_the_region_key_never_leaves_its_token(provider, chosen):
    if not isinstance(provider, pkcs11_provider.Pkcs11Provider):
        pytest.skip("provider file holds its region key in files, and says so")
    from pkcs11 import Attribute
    from pkcs11.exceptions import AttributeSensitive

    for label in (chosen.pkcs11.token, chosen.pkcs11.second_token):
        with provider._open(label) as token:
            ((_, key),) = token.region_keys(chosen.region)
            assert not key[Attribute.EXTRACTABLE]
            with pytest.raises(AttributeSensitive):
                key[Attribute.VALUE]
