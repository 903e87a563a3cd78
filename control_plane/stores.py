"""The store and the keys of a control plane: made once, opened for a running process or for one command."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files

import msgspec

from control_plane.core.minting import MINT_KEY_BYTES
from control_plane.settings import ControlSettings
from control_plane.storage.work import Store
from shared import private_files
from shared.clock import SystemClock
from shared.crypto.signing import SigningKeys
from shared.database.contract import Database, Step
from shared.database.migrations import migrate
from shared.database.postgres import open_postgres
from shared.database.sqlite import open_sqlite
from shared.entropy import SystemEntropy
from shared.errors import StoreMissing
from shared.errors.trust import KeyFileInvalid
from shared.key_files import create_program_keys, open_program_keys

STORE_FILE = "control.db"
_MIGRATIONS = files("control_plane.storage") / "migrations" / "control"
_HEAD = "INSERT INTO control_store (id, cursor, event) VALUES (1, 0, 0) ON CONFLICT (id) DO NOTHING"


class Opened(msgspec.Struct, frozen=True):
    """What lies open of a control plane."""

    settings: ControlSettings
    store: Store
    keys: SigningKeys
    mint_key: bytes


async def initialise(settings: ControlSettings) -> None:
    """Make folder, keys and store of a new control plane; what is there already is kept."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    entropy = SystemEntropy()
    if not settings.keys_file.exists():
        create_program_keys(settings.keys_file, entropy)
    with contextlib.suppress(FileExistsError):
        private_files.write_new(settings.mint_file, entropy.draw(MINT_KEY_BYTES))
    database = await _open(settings)
    try:
        await migrate(database, _MIGRATIONS, SystemClock().now())
        await database.run([Step(_HEAD)])
    finally:
        await database.close()


@asynccontextmanager
async def open_stores(settings: ControlSettings) -> AsyncIterator[Opened]:
    """Open what :func:`initialise` made, bring its schema up to this release, and close it after the block."""
    if not settings.keys_file.exists():
        raise StoreMissing(path=str(settings.data_dir))
    keys = open_program_keys(settings.keys_file).signing
    mint_key = _read_mint_key(settings)
    clock = SystemClock()
    database = await _open(settings)
    try:
        await migrate(database, _MIGRATIONS, clock.now())
        yield Opened(settings, Store(database, clock, SystemEntropy()), keys, mint_key)
    finally:
        await database.close()


def _read_mint_key(settings: ControlSettings) -> bytes:
    """Read the mint key; a file that is open to others is refused like any key."""
    try:
        key = private_files.read(settings.mint_file, bytes_max=MINT_KEY_BYTES, private=True)
    except OSError:
        raise KeyFileInvalid(path=str(settings.mint_file), reason="not readable, or open to others") from None
    if len(key) != MINT_KEY_BYTES:
        raise KeyFileInvalid(path=str(settings.mint_file), reason="form")
    return key


async def _open(settings: ControlSettings) -> Database:
    """Open the store on the engine that the settings name."""
    if settings.database_url is not None:
        return await open_postgres(settings.database_url)
    return await open_sqlite(settings.data_dir / STORE_FILE)
