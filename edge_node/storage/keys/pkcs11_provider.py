"""Key provider ``pkcs11``: region key and epoch keys in one or two tokens (PKCS #11 v2.40, OASIS 2015).

Each token draws a region key of its own, AES-256, sensitive and not extractable: it never leaves the token.  An epoch
key lies in each token as a private data object, sealed by that token's region key (CKM_AES_GCM), and is destroyed with
C_DestroyObject.  The node opens it into memory when it starts, so that traffic does not wait for a token.

Object names: ``homeport/<region>/region-key`` with the key's number as id, ``homeport/<region>/epoch-<version>``.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from edge_node.storage.keys.provider import EpochVersion, Promise
from shared import private_files
from shared.crypto import NONCE_BYTES, key_place
from shared.crypto.labels import EPOCH_KEY
from shared.entropy import Entropy
from shared.errors import KeyProviderFailed

_PIN_BYTES_MAX = 256
_ID_BYTES = 4
_TAG_BITS = 128
# What an operator can mend, by the name of the binding's error; every other name is given as it is.
_REASONS = {
    "NoSuchToken": "no token has this label",
    "MultipleTokensReturned": "two tokens have this label",
    "PinIncorrect": "the PIN in pkcs11.pin_file is wrong",
    "PinLenRange": "the PIN in pkcs11.pin_file is wrong",
    "PinLocked": "the PIN is locked after wrong ones: unlock it in the device",
}


class TokenSettings(NamedTuple):
    """Which tokens, and how they are opened."""

    module: Path
    """The manufacturer's PKCS #11 library."""
    labels: tuple[str, ...]
    """The tokens' labels: two, in two devices, each enough by itself; or one."""
    pin_file: Path
    """A file of mode 0600 with the user PIN, the same for each token."""


class Pkcs11Provider:
    """Keys in tokens."""

    promise: Promise = "token_destroyed"

    def __init__(self, settings: TokenSettings, entropy: Entropy) -> None:
        """Take the tokens; nothing is opened yet."""
        self._settings = settings
        self._entropy = entropy
        self._library: Any = None

    def create(self, region: str) -> None:
        """Have each token draw a region key, unless it has one."""
        for label in self._settings.labels:
            with self._open(label) as token:
                if not token.region_keys(region):
                    token.draw_region_key(region, 1)

    def put_epoch(self, region: str, version: EpochVersion, key: bytes) -> None:
        """Seal an epoch key into every token that lacks it, and read it back from each."""
        for label in self._settings.labels:
            with self._open(label) as token:
                if not token.epoch_objects(region, version):
                    token.add_epoch(region, version, key, self._entropy.draw(NONCE_BYTES))
                if token.find_epoch(region, version) != key:
                    raise KeyProviderFailed(reason="an epoch key in a token is damaged, or another's", token=label)

    def find_epoch(self, region: str, version: EpochVersion) -> bytes | None:
        """Give an epoch key from the first token that has it whole."""
        failed: KeyProviderFailed | None = None
        for label in self._settings.labels:
            try:
                with self._open(label) as token:
                    found = token.find_epoch(region, version)
            except KeyProviderFailed as error:
                failed = error
            else:
                if found is not None:
                    return found
        if failed is not None:  # a token that is away may have it
            raise failed
        return None

    def destroy_epoch(self, region: str, version: EpochVersion) -> None:
        """Destroy an epoch key in every token, and look that none is left."""
        for label in self._settings.labels:
            with self._open(label) as token:
                for each in token.epoch_objects(region, version):
                    each.destroy()
                if token.epoch_objects(region, version):
                    raise KeyProviderFailed(reason="an epoch key is still in its token", token=label)

    def rotate(self, region: str, versions: tuple[EpochVersion, ...]) -> None:
        """Exchange each token's region key: the new one, its epoch keys, then the old one goes."""
        epochs = {version: self.find_epoch(region, version) for version in versions}
        for label in self._settings.labels:
            with self._open(label) as token:
                keys = token.region_keys(region)
                if len(keys) < 2:
                    keys.append(token.draw_region_key(region, keys[-1].number + 1 if keys else 1))
                for version, key in epochs.items():
                    token.reseal(region, version, key, keys[-1], self._entropy)
                for old in keys[:-1]:
                    old.key.destroy()

    def places(self, region: str, version: EpochVersion) -> list[tuple[str, str | None]]:
        """Give the tokens, and why one is not enough by itself."""
        found: list[tuple[str, str | None]] = []
        for label in self._settings.labels:
            try:
                with self._open(label) as token:
                    there = token.find_epoch(region, version) is not None
                    found.append((f"token {label}", None if there else f"the key of epoch {version} is missing"))
            except KeyProviderFailed as error:
                found.append((f"token {label}", str(error.details.get("reason", error.code))))
        return found

    @contextlib.contextmanager
    def _open(self, label: str) -> Iterator["_Token"]:
        """Open a session of a token; every error of the library becomes ``KeyProviderFailed``, by its name alone."""
        try:
            from pkcs11 import lib  # noqa: PLC0415  an extra: only a node that names tokens needs it
            from pkcs11.exceptions import PKCS11Error  # noqa: PLC0415
        except ImportError:
            raise KeyProviderFailed(reason='not installed: pip install "homeport[pkcs11]"') from None
        try:
            pin = private_files.read(self._settings.pin_file, bytes_max=_PIN_BYTES_MAX, private=True).strip().decode()
        except (OSError, UnicodeDecodeError):
            raise KeyProviderFailed(
                path=str(self._settings.pin_file), reason="the PIN's file is missing, or open to others"
            ) from None
        try:
            if self._library is None:
                self._library = lib(str(self._settings.module))
        except (PKCS11Error, RuntimeError, OSError):
            raise KeyProviderFailed(
                path=str(self._settings.module), reason="the library of pkcs11.module cannot be loaded or started"
            ) from None
        try:
            with self._library.get_token(token_label=label).open(rw=True, user_pin=pin) as session:
                yield _Token(session, label)
        except (PKCS11Error, RuntimeError, OSError) as error:
            name = type(error).__name__
            raise KeyProviderFailed(reason=_REASONS.get(name, name), token=label) from None


class _RegionKey(NamedTuple):
    """A token's region key and its number."""

    number: int
    key: Any


class _Token:
    """An open session of one token."""

    def __init__(self, session: Any, label: str) -> None:
        """Take the session."""
        from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass  # noqa: PLC0415

        self._session, self._label = session, label
        self._names, self._classes = Attribute, ObjectClass
        self._aes, self._gcm = KeyType.AES, Mechanism.AES_GCM

    def region_keys(self, region: str) -> list[_RegionKey]:
        """Give the region keys, the oldest first: one, or two while they are exchanged."""
        found = self._session.get_objects(
            {self._names.CLASS: self._classes.SECRET_KEY, self._names.LABEL: _region_label(region)}
        )
        return sorted((_RegionKey(int.from_bytes(key.id), key) for key in found), key=lambda each: each.number)

    def draw_region_key(self, region: str, number: int) -> _RegionKey:
        """Have the token draw a region key that never leaves it."""
        key = self._session.generate_key(
            self._aes,
            256,
            id=number.to_bytes(_ID_BYTES),
            label=_region_label(region),
            store=True,
            template={self._names.SENSITIVE: True, self._names.EXTRACTABLE: False, self._names.PRIVATE: True},
        )
        return _RegionKey(number, key)

    def epoch_objects(self, region: str, version: EpochVersion) -> Sequence[Any]:
        """Give an epoch's objects: one, or two while region keys are exchanged."""
        return list(
            self._session.get_objects(
                {self._names.CLASS: self._classes.DATA, self._names.LABEL: _epoch_label(region, version)}
            )
        )

    def add_epoch(self, region: str, version: EpochVersion, key: bytes, nonce: bytes) -> None:
        """Seal an epoch key by the newest region key."""
        keys = self.region_keys(region)
        if not keys:
            raise KeyProviderFailed(reason="a token has no region key", token=self._label)
        self._add(region, version, keys[-1], key, nonce)

    def find_epoch(self, region: str, version: EpochVersion) -> bytes | None:
        """Open an epoch key; ``None`` where the token has none that opens."""
        from pkcs11.exceptions import PKCS11Error  # noqa: PLC0415

        keys = {each.number: each.key for each in self.region_keys(region)}
        for each in self.epoch_objects(region, version):
            value = bytes(each[self._names.VALUE])
            number, nonce, sealed = _parts(value)
            if number in keys:
                with contextlib.suppress(PKCS11Error):
                    opened = keys[number].decrypt(
                        sealed, mechanism=self._gcm, mechanism_param=_gcm(nonce, _place(region, version))
                    )
                    return bytes(opened)
        return None

    def reseal(
        self, region: str, version: EpochVersion, key: bytes | None, region_key: _RegionKey, entropy: Entropy
    ) -> None:
        """Seal an epoch key, this token's or else ``key``, by ``region_key``; destroy what the older one sealed."""
        key = self.find_epoch(region, version) or key
        if key is None:
            raise KeyProviderFailed(reason="no place has this epoch key", version=version)
        before = self.epoch_objects(region, version)
        if all(_parts(bytes(each[self._names.VALUE]))[0] != region_key.number for each in before):
            self._add(region, version, region_key, key, entropy.draw(NONCE_BYTES))
        for each in before:
            if _parts(bytes(each[self._names.VALUE]))[0] != region_key.number:
                each.destroy()

    def _add(self, region: str, version: EpochVersion, region_key: _RegionKey, key: bytes, nonce: bytes) -> None:
        """Write an epoch object."""
        place = _place(region, version)
        sealed = bytes(region_key.key.encrypt(key, mechanism=self._gcm, mechanism_param=_gcm(nonce, place)))
        self._session.create_object(
            {
                self._names.CLASS: self._classes.DATA,
                self._names.TOKEN: True,
                self._names.PRIVATE: True,
                self._names.APPLICATION: "homeport",
                self._names.LABEL: _epoch_label(region, version),
                self._names.VALUE: region_key.number.to_bytes(_ID_BYTES) + nonce + sealed,
            }
        )


def _gcm(nonce: bytes, place: bytes) -> Any:
    """Give the parameters of CKM_AES_GCM."""
    from pkcs11 import GCMParams  # noqa: PLC0415

    return GCMParams(nonce, aad=place, tag_bits=_TAG_BITS)


def _parts(value: bytes) -> tuple[int, bytes, bytes]:
    """Split an epoch object: number of the region key, nonce, sealed key."""
    end = _ID_BYTES + NONCE_BYTES
    return int.from_bytes(value[:_ID_BYTES]), value[_ID_BYTES:end], value[end:]


def _region_label(region: str) -> str:
    """Name the region key."""
    return f"homeport/{region}/region-key"


def _epoch_label(region: str, version: EpochVersion) -> str:
    """Name an epoch's object."""
    return f"homeport/{region}/epoch-{version}"


def _place(region: str, version: EpochVersion) -> bytes:
    """Name the place of a sealed epoch key: region and epoch."""
    return key_place(EPOCH_KEY, region, version, 1)
