"""Private keys on disk: sealed under a passphrase or readable by one account, written once, refused when changed."""

import json

import pytest

from shared import private_files
from shared.crypto import labels
from shared.crypto.passphrase import cipher_of
from shared.entropy import SystemEntropy
from shared.errors.trust import KeyFileInvalid
from shared.key_files import create_officer_key, create_program_keys, open_officer_key, open_program_keys
from tests.support.trust import Seeded

PHRASE = b"correct horse battery staple"
CHEAP = 14


def test_an_officers_key_opens_with_its_passphrase(tmp_path):
    """And holds the keys that were drawn, whose seeds are nowhere in the file."""
    path = tmp_path / "ada.key"
    keys = create_officer_key(path, "ada", PHRASE, SystemEntropy(), cost_log2=CHEAP)
    person, again = open_officer_key(path, PHRASE)
    assert (person, again.public, again.seeds()) == ("ada", keys.public, keys.seeds())
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    for seed in keys.seeds():
        assert seed not in path.read_bytes()
        assert seed.hex() not in text
        assert json.dumps(seed.hex()) not in text
    assert PHRASE.decode() not in text


def test_the_cost_is_the_recommended_one(tmp_path):
    """Unless a test asks for less."""
    create_officer_key(tmp_path / "ada.key", "ada", PHRASE, Seeded("x"))
    assert json.loads((tmp_path / "ada.key").read_text())["scrypt_log2"] == 17


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file | {"person": "ben"},
        lambda file: file | {"scrypt_log2": 15},
        lambda file: file | {"scrypt_log2": 30},
        lambda file: file | {"salt": file["salt"][::-1]},
        lambda file: (
            file | {"sealed": "A" + file["sealed"][1:] if file["sealed"][0] != "A" else "B" + file["sealed"][1:]}
        ),
        lambda file: file | {"sealed": ""},
        lambda file: file | {"public": file["public"] | {"ed25519": "A" * 43 + "="}},
        lambda file: file | {"format": "homeport-officer-key-2"},
        lambda file: file | {"more": 1},
        lambda file: {},
    ],
)
def test_a_changed_key_file_is_refused(tmp_path, change):
    """Another name, cost, salt, key or content; nothing tells which."""
    path = tmp_path / "ada.key"
    create_officer_key(path, "ada", PHRASE, SystemEntropy(), cost_log2=CHEAP)
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(KeyFileInvalid):
        open_officer_key(path, PHRASE)


def test_a_wrong_passphrase_and_a_missing_file_are_refused(tmp_path):
    """The error names the path and a reason."""
    path = tmp_path / "ada.key"
    create_officer_key(path, "ada", PHRASE, SystemEntropy(), cost_log2=CHEAP)
    for file, phrase in ((path, b"correct horse battery stable"), (path, b""), (tmp_path / "no.key", PHRASE)):
        with pytest.raises(KeyFileInvalid) as caught:
            open_officer_key(file, phrase)
        assert caught.value.details["path"] == str(file)
        assert phrase.decode() not in str(caught.value) or not phrase


@pytest.mark.parametrize("cost", [0, 13, 21])
def test_a_cost_out_of_bounds_is_refused(cost):
    """Too little protects nothing; too much exhausts the reader."""
    with pytest.raises(ValueError, match="bounds"):
        cipher_of(PHRASE, bytes(16), cost)


def test_a_programs_keys_are_its_own_to_read(tmp_path):
    """Written once, mode 0600; open to others, the file is refused."""
    path = tmp_path / "node.keys"
    keys = create_program_keys(path, SystemEntropy())
    again = open_program_keys(path)
    assert again.signing.public == keys.signing.public
    assert again.sealing.public == keys.sealing.public
    sealed_by_place = again.sealing.seed() == keys.sealing.seed()
    assert sealed_by_place
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyFileInvalid, match="exists"):
        create_program_keys(path, SystemEntropy())
    for mode in (0o640, 0o604, 0o620):
        path.chmod(mode)
        with pytest.raises(KeyFileInvalid, match="open to others"):
            open_program_keys(path)
    path.chmod(0o600)
    path.write_bytes(b"{}")
    with pytest.raises(KeyFileInvalid):
        open_program_keys(path)
    with pytest.raises(KeyFileInvalid, match="written"):
        create_program_keys(tmp_path / "no" / "node.keys", SystemEntropy())


def test_a_file_is_replaced_whole(tmp_path):
    """Nothing is left beside it; a file that is larger than such a file can be is refused."""
    path = tmp_path / "roster.json"
    private_files.write_new(path, b"one")
    private_files.replace(path, b"two")
    assert private_files.read(path, bytes_max=3) == b"two"
    assert [each.name for each in tmp_path.iterdir()] == ["roster.json"]
    with pytest.raises(OSError, match="larger"):
        private_files.read(path, bytes_max=2)
    with pytest.raises(FileExistsError):
        private_files.write_new(path, b"three")


def test_key_files_have_a_label_of_their_own():
    """What is sealed here opens nowhere else."""
    assert labels.KEY_FILE.startswith(b"homeport/key-file/")
