"""Nodes with each key provider: files, and real tokens of SoftHSM."""

import itertools

import msgspec
import pytest

from edge_node.settings_keys import Keys, Pkcs11
from tests.support.postgres import postgres_cluster
from tests.support.softhsm import softhsm
from tests.support.stores import settings

__all__ = ["postgres_cluster", "softhsm"]

_NUMBERS = itertools.count(1)


@pytest.fixture(params=["file", "pkcs11"])
def chosen(request, tmp_path):
    """Give settings of a node of each provider, with a folder for the escrow."""
    found = msgspec.structs.replace(settings(tmp_path), keys=Keys(recovery_dir=str(tmp_path / "recovery")))
    (tmp_path / "recovery").mkdir()
    if request.param == "file":
        return found
    hsm = request.getfixturevalue("softhsm")
    one, two = hsm.labels
    tokens = Pkcs11(module=str(hsm.module), token=one, second_token=two, pin_file=str(hsm.pin_file))
    # The tokens are the same for all tests of a process; a region of its own keeps each test's keys apart.
    return msgspec.structs.replace(found, region=f"id-{next(_NUMBERS)}", key_provider="pkcs11", pkcs11=tokens)
