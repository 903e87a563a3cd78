"""Files and tokens that fail as stores do in :mod:`tests.support.mortal`: at the n-th call, before it or after it.

A process that died does nothing more: neither does a ``finally`` of ours tidy up behind it.
"""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_node.storage.journal import Journal
from edge_node.storage.keys import backups as key_backups
from edge_node.storage.keys import pkcs11_provider
from shared import private_files
from shared.errors import StoreUnavailable
from tests.support.mortal import Fate, make_mortal

PROGRAM = Path(private_files.__file__).parents[1]
_PATH_CALLS = ("replace", "unlink", "mkdir")
_FILE_CALLS = ("overwrite", "sync")
_FILE_READS = ("read", "look_into")


def disk_error() -> OSError:
    """Give what a failing disk raises."""
    return OSError(errno.EIO, "Input/output error")


def make_all_mortal(patch: pytest.MonkeyPatch) -> Fate:
    """Put stores, private files, journal, files of messages and tokens under one fate; armed later, as stores are."""
    fate = make_mortal(patch)
    for name in _FILE_CALLS:
        patch.setattr(private_files, name, _around(fate, getattr(private_files, name)))
    for name in _FILE_READS:
        patch.setattr(private_files, name, _reading(fate, getattr(private_files, name)))
    patch.setattr(Path, "read_bytes", _reading(fate, Path.read_bytes, unless=_is_program))
    patch.setattr(private_files, "_fill", _filling(fate))
    for name in _PATH_CALLS:
        patch.setattr(Path, name, _around(fate, getattr(Path, name)))
    patch.setattr(Journal, "_append", _around(fate, Journal._append))
    patch.setattr(key_backups, "copy_sqlite", _around(fate, key_backups.copy_sqlite, StoreUnavailable))
    _token_calls(patch, fate)
    return fate


def _pass(fate: Fate, error: Callable[[], Exception]) -> None:
    """Count a call; a fault is raised as what fails here would raise it."""
    fault: Exception | None = None
    try:
        fate.pass_by()
    except StoreUnavailable:
        fault = error()
    if fault is not None:
        raise fault


def _around(fate: Fate, real: Callable[..., Any], error: Callable[[], Exception] = disk_error) -> Callable[..., Any]:
    """Let a function fail before it is done, or after it is done and before anyone hears of it."""

    def call(*arguments: Any, **named: Any) -> Any:
        _pass(fate, error)
        result = real(*arguments, **named)
        _pass(fate, error)
        return result

    return call


def _is_program(path: Path) -> bool:
    """Say whether a file belongs to the program, as migrations do."""
    return PROGRAM in path.parents


def _reading(
    fate: Fate,
    real: Callable[..., Any],
    error: Callable[[], Exception] = disk_error,
    unless: Callable[..., bool] = lambda *_, **__: False,
) -> Callable[..., Any]:
    """Let a function that changes nothing fail; a death there is one at the change before it, and not counted."""

    def call(*arguments: Any, **named: Any) -> Any:
        if (not fate.forever or fate.calls >= fate.at) and not unless(*arguments):
            _pass(fate, error)
        return real(*arguments, **named)

    return call


def _filling(fate: Fate) -> Callable[[int, bytes], None]:
    """Let a file be written not at all, by half, or whole, before it fails."""
    real = private_files._fill

    def fill(descriptor: int, data: bytes) -> None:
        _pass(fate, disk_error)
        fault: BaseException | None = None
        try:
            _pass(fate, disk_error)
        except BaseException as error:  # noqa: BLE001 - raised again, behind half of the data
            fault, data = error, data[: len(data) // 2]
        real(descriptor, data)
        if fault is not None:
            raise fault
        _pass(fate, disk_error)

    return fill


def _token_calls(patch: pytest.MonkeyPatch, fate: Fate) -> None:
    """Put every call to a token's session and objects under the fate."""
    real = pkcs11_provider._Token.__init__

    def begin(token: Any, session: Any, label: str) -> None:
        real(token, _Session(session, fate), label)

    patch.setattr(pkcs11_provider._Token, "__init__", begin)


def _device_error() -> Exception:
    """Give what a token that is failing raises."""
    from pkcs11.exceptions import DeviceError

    return DeviceError()


class _Session:
    """A session of a token that fails as its fate says."""

    def __init__(self, real: Any, fate: Fate) -> None:
        self._real, self._fate = real, fate

    def get_objects(self, attributes: Any) -> list["_Object"]:
        found = _reading(self._fate, self._real.get_objects, _device_error)(attributes)
        return [_Object(each, self._fate) for each in found]

    def generate_key(self, *arguments: Any, **named: Any) -> "_Object":
        made = _around(self._fate, self._real.generate_key, _device_error)(*arguments, **named)
        return _Object(made, self._fate)

    def create_object(self, attributes: Any) -> Any:
        return _around(self._fate, self._real.create_object, _device_error)(attributes)


class _Object:
    """An object in a token that fails as its fate says."""

    def __init__(self, real: Any, fate: Fate) -> None:
        self._real, self._fate = real, fate

    @property
    def id(self) -> bytes:
        return bytes(self._real.id)

    def __getitem__(self, name: Any) -> Any:
        return self._real[name]

    def destroy(self) -> None:
        _around(self._fate, self._real.destroy, _device_error)()

    def encrypt(self, *arguments: Any, **named: Any) -> Any:
        return _reading(self._fate, self._real.encrypt, _device_error)(*arguments, **named)

    def decrypt(self, *arguments: Any, **named: Any) -> Any:
        return _reading(self._fate, self._real.decrypt, _device_error)(*arguments, **named)
