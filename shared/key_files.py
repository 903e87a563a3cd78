"""Private keys on disk: an officer's under a passphrase, a program's as a file of mode 0600.

Both are JSON with the seeds the keys are made of.  An officer's file is worth nothing without its passphrase; a
program's file is the key, so it lies where only the program's account can read, and one that others can read is
refused.  Errors name the path and a reason, never a byte of what is in it.
"""

from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from shared import private_files
from shared.crypto import NONCE_BYTES, labels
from shared.crypto.blind import pack
from shared.crypto.hpke import SEED_BYTES, SealingKey, draw_sealing_key
from shared.crypto.passphrase import COST_LOG2, COST_LOG2_MAX, COST_LOG2_MIN, SALT_BYTES, cipher_of
from shared.crypto.signing import PublicKeys, SigningKeys, draw_signing_keys, fingerprint, labelled
from shared.entropy import Entropy
from shared.errors import SealBroken
from shared.errors.trust import KeyFileInvalid
from shared.roster.model import PersonSlug

_FILE_BYTES_MAX = 64 * 1024
_SEEDS_BYTES = 64

_Seed = Annotated[bytes, Meta(min_length=32, max_length=32)]


class _OfficerFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An officer's keys as they lie on the disk."""

    format: Literal["homeport-officer-key-1"] = "homeport-officer-key-1"
    person: PersonSlug
    public: PublicKeys
    scrypt_log2: Annotated[int, Meta(ge=COST_LOG2_MIN, le=COST_LOG2_MAX)]
    salt: Annotated[bytes, Meta(min_length=SALT_BYTES, max_length=SALT_BYTES)]
    sealed: Annotated[bytes, Meta(max_length=1024)]


class _ProgramFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A program's keys as they lie on the disk."""

    format: Literal["homeport-program-keys-1"] = "homeport-program-keys-1"
    ed25519: _Seed
    mldsa65: _Seed
    hpke: Annotated[bytes, Meta(min_length=SEED_BYTES, max_length=SEED_BYTES)]


F = TypeVar("F", _OfficerFile, _ProgramFile)


class ProgramKeys(NamedTuple):
    """What a node or the control plane signs and opens with."""

    signing: SigningKeys
    sealing: SealingKey


def create_officer_key(
    path: Path, person: str, passphrase: bytes, entropy: Entropy, *, cost_log2: int = COST_LOG2
) -> SigningKeys:
    """Draw an officer's keys and write them, sealed; ``KeyFileInvalid`` where the file exists or cannot be written."""
    keys, salt = draw_signing_keys(entropy), entropy.draw(SALT_BYTES)
    place = _place(person, keys.public, cost_log2)
    sealed = cipher_of(passphrase, salt, cost_log2).seal(b"".join(keys.seeds()), place, entropy.draw(NONCE_BYTES))
    _write_new(path, _OfficerFile(person=person, public=keys.public, scrypt_log2=cost_log2, salt=salt, sealed=sealed))
    return keys


def open_officer_key(path: Path, passphrase: bytes) -> tuple[str, SigningKeys]:
    """Give person and keys; ``KeyFileInvalid`` where the file is none, was changed, or the passphrase is wrong."""
    file = _read(path, _OfficerFile)
    try:
        cipher = cipher_of(passphrase, file.salt, file.scrypt_log2)
        seeds = cipher.open(file.sealed, _place(file.person, file.public, file.scrypt_log2))
    except SealBroken:
        raise KeyFileInvalid(path=str(path), reason="passphrase or content") from None
    if len(seeds) != _SEEDS_BYTES:
        raise KeyFileInvalid(path=str(path), reason="content")
    return file.person, SigningKeys(seeds[:32], seeds[32:])


def create_program_keys(path: Path, entropy: Entropy) -> ProgramKeys:
    """Draw a program's keys and write them; ``KeyFileInvalid`` where the file exists or cannot be written."""
    keys = ProgramKeys(draw_signing_keys(entropy), draw_sealing_key(entropy))
    ed25519, mldsa65 = keys.signing.seeds()
    _write_new(path, _ProgramFile(ed25519=ed25519, mldsa65=mldsa65, hpke=keys.sealing.seed()))
    return keys


def open_program_keys(path: Path) -> ProgramKeys:
    """Give a program's keys; ``KeyFileInvalid`` where the file is none, or others than its owner can read it."""
    file = _read(path, _ProgramFile, private=True)
    return ProgramKeys(SigningKeys(file.ed25519, file.mldsa65), SealingKey(file.hpke))


def _place(person: str, public: PublicKeys, cost_log2: int) -> bytes:
    """Name what sealed keys are bound to: whose they are, which, and at what cost."""
    return labelled(labels.KEY_FILE, pack((person, fingerprint(public), str(cost_log2))))


def _write_new(path: Path, file: _OfficerFile | _ProgramFile) -> None:
    """Write a key file that must not exist yet."""
    try:
        private_files.write_new(path, msgspec.json.format(msgspec.json.encode(file)) + b"\n")
    except FileExistsError:
        raise KeyFileInvalid(path=str(path), reason="exists already") from None
    except OSError:
        raise KeyFileInvalid(path=str(path), reason="cannot be written") from None


def _read(path: Path, type_: type[F], *, private: bool = False) -> F:
    """Read a key file."""
    try:
        return msgspec.json.decode(private_files.read(path, bytes_max=_FILE_BYTES_MAX, private=private), type=type_)
    except PermissionError:
        raise KeyFileInvalid(path=str(path), reason="not readable, or open to others") from None
    except OSError:
        raise KeyFileInvalid(path=str(path), reason="cannot be read") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise KeyFileInvalid(path=str(path), reason="form") from None
