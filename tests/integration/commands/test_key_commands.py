"""``homeport edge keys`` and ``escrow``, word for word as edge_node/KEYS.md says, with real processes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOMEPORT = Path(sys.executable).with_name("homeport")


@pytest.fixture
def homeport(tmp_path):
    """Give what runs a command in the folder of a node that was set up."""

    def run(*arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            [HOMEPORT, "edge", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    run("init", "--region", "eu")
    return run


def test_a_beat_by_hand_shows_in_the_status_and_a_second_look_finds_nothing(homeport):
    assert "current" in homeport("keys", "status")
    assert "Epoch 1 is destroyed at every place." in homeport("keys", "beat")
    assert "destroyed" in homeport("keys", "status")
    assert "Nothing was under way." in homeport("keys", "beat", "--finish")
    assert "A new region key holds 1 epoch key;" in homeport("keys", "rotate")
    assert "well" in homeport("keys", "status")


def test_a_missing_place_is_named_and_keeps_a_beat_from_its_end(homeport, tmp_path):
    (tmp_path / "data-journal" / "keyring").rename(tmp_path / "away")
    assert "the folder is missing" in homeport("keys", "status", status=1)
    assert "key_provider_failed" in homeport("keys", "beat", status=2)
    (tmp_path / "away").rename(tmp_path / "data-journal" / "keyring")
    assert "is destroyed at every place" in homeport("keys", "beat")


def test_the_escrow_from_the_ceremony_to_the_recovery(homeport, tmp_path):
    assert "keys.recovery_dir" in homeport("escrow", "create", "--shares", "3", "--needed", "2", "--out", "s", status=2)
    settings = tmp_path / "node.toml"
    settings.write_text(settings.read_text().replace('# recovery_dir = ""', f'recovery_dir = "{tmp_path / "rec"}"'))
    assert "2 of 3 shares" in homeport("escrow", "create", "--shares", "3", "--needed", "2", "--out", "s")
    assert "does not exist yet" in homeport(
        "escrow", "create", "--shares", "3", "--needed", "2", "--out", "s", status=2
    )
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "s").iterdir()} == {0o600}
    assert "1 living epoch key" in homeport("escrow", "drill", "s/share-3.txt", "s/share-1.txt")
    assert "escrow_invalid" in homeport("escrow", "drill", "s/share-3.txt", status=2)
    assert "escrow_invalid" in homeport("escrow", "drill", "nothing.txt", "s/share-1.txt", status=2)
    homeport("keys", "beat")
    for place in (tmp_path / "data" / "keyring", tmp_path / "data-journal" / "keyring"):
        for name in ("region.key", "epoch-2.key"):
            (place / name).unlink()
    assert "has 1 epoch key again" in homeport("escrow", "recover", "s/share-2.txt", "s/share-3.txt")
    assert "Epoch 2 is destroyed" in homeport("keys", "beat")
    shutil.rmtree(tmp_path / "rec")
    assert "escrow_invalid" in homeport("keys", "status", status=2)


def test_the_doctor_names_what_is_wrong_and_what_to_do(homeport, tmp_path):
    found = homeport("doctor", status=1)
    assert "second place" in found
    assert "Put one of them on another disk" in found
    assert "secure_delete" not in found
    assert "settings read back" in homeport("doctor", "--all", status=1)
    (tmp_path / "data" / "keys.db").chmod(0o644)
    (tmp_path / "data" / "keyring" / "region.key").chmod(0o640)
    found = homeport("doctor", status=1)
    assert "the region key cannot be read" in found
    # The store's file is narrowed when it is opened, the folder and other files are told.
    (tmp_path / "data").chmod(0o755)
    assert f"chmod 700 {tmp_path / 'data'}" in " ".join(homeport("doctor", status=1).split())
