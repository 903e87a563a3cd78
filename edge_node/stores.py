"""Both stores of a node, opened together: the key store (always SQLite) and the content store.

``initialise`` makes them, once; ``open_stores`` opens them for a running node or for one command.
"""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from pathlib import Path

import msgspec

from edge_node.settings import EdgeSettings
from edge_node.storage.blobs import FOLDER, BlobStore
from edge_node.storage.content.accounts import Accounts
from edge_node.storage.content.head import create_head, read_people_counter
from edge_node.storage.identity import ensure_identity
from edge_node.storage.journal import Journal
from edge_node.storage.keys.file_provider import FileProvider
from edge_node.storage.keys.pkcs11_provider import Pkcs11Provider, TokenSettings
from edge_node.storage.keys.provider import KeyProvider
from edge_node.storage.keys.store import KeyStore, create_key_store, open_key_store
from shared.clock import Clock, SystemClock
from shared.database.contract import Database, StatementInvalid
from shared.database.migrations import ensure_current, migrate
from shared.database.postgres import open_postgres
from shared.database.sqlite import open_sqlite
from shared.entropy import Entropy, SystemEntropy
from shared.errors import OperatorError, StoreMissing, StoreUnavailable
from shared.errors.custody import ContentStoreDamaged, KeyStoreDamaged
from shared.errors.trust import ContentStoreLost, KeyStoreLost

KEYS_FILE = "keys.db"
CONTENT_FILE = "content.db"
MIGRATIONS = files("edge_node.storage") / "migrations"
"""SQL of both stores, in the folders ``keys`` and ``content``."""


class Stores(msgspec.Struct, frozen=True):
    """What lies open of a node."""

    settings: EdgeSettings
    keys: KeyStore
    content: Database
    accounts: Accounts
    journal: Journal
    blobs: BlobStore
    clock: Clock
    entropy: Entropy


def key_places(settings: EdgeSettings) -> tuple[Path, Path]:
    """Name the two places of the region where the key provider keeps its keys."""
    return settings.key_dir, settings.journal_dir / "keyring"


def open_provider(settings: EdgeSettings, entropy: Entropy) -> KeyProvider:
    """Give the key provider that the settings name."""
    tokens = settings.pkcs11
    if settings.key_provider == "pkcs11" and tokens.module and tokens.token and tokens.pin_file:
        labels = (tokens.token, tokens.second_token) if tokens.second_token else (tokens.token,)
        return Pkcs11Provider(TokenSettings(Path(tokens.module), labels, Path(tokens.pin_file)), entropy)
    return FileProvider(key_places(settings), entropy)


async def initialise(settings: EdgeSettings) -> None:
    """Make folders, keys and stores of a new node; what a set-up cut short has left is completed.

    Raises ``KeyProviderFailed`` rather than replace keys that exist but cannot be read, and ``KeyStoreLost`` and
    ``ContentStoreLost`` rather than put an empty store beside one that was in use.
    """
    clock, entropy = SystemClock(), SystemEntropy()
    begun = await content_begun(settings, clock)
    if begun and not (settings.data_dir / KEYS_FILE).exists():
        raise KeyStoreLost(path=str(settings.data_dir))
    if not begun and await _keys_in_use(settings, clock):
        raise ContentStoreLost(path=str(settings.data_dir), store="content")
    for folder in (settings.data_dir, settings.journal_dir, *key_places(settings)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        keys = await _open_keys(settings)
        stack.push_async_callback(keys.close)
        content = await open_content(settings)
        stack.push_async_callback(content.close)
        await migrate(keys, MIGRATIONS / "keys", clock.now())
        await migrate(content, MIGRATIONS / "content", clock.now())
        if not await _has_row(keys, "SELECT 1 FROM key_store"):
            await create_key_store(keys, open_provider(settings, entropy), settings.region, entropy, clock.now())
        ensure_identity(key_places(settings), entropy)
        if not await _has_row(content, "SELECT 1 FROM content_store"):
            await create_head(content, settings.region)


@asynccontextmanager
async def open_stores(settings: EdgeSettings) -> AsyncIterator[Stores]:
    """Open the stores of a node that was initialised, bring their schema up to this release, and close them."""
    if not (settings.data_dir / KEYS_FILE).exists():
        if await content_begun(settings, SystemClock()):
            raise KeyStoreLost(path=str(settings.data_dir))
        raise StoreMissing(path=str(settings.data_dir))
    clock, entropy = SystemClock(), SystemEntropy()
    if settings.database_url is None and not (settings.data_dir / CONTENT_FILE).exists():  # opening would make one
        raise await _missing(settings, clock)
    async with AsyncExitStack() as stack:
        keys_database = await _open_keys(settings)
        stack.push_async_callback(keys_database.close)
        content = await open_content(settings)
        stack.push_async_callback(content.close)
        await migrate(keys_database, MIGRATIONS / "keys", clock.now())
        await migrate(content, MIGRATIONS / "content", clock.now())
        provider = open_provider(settings, entropy)
        keys = await open_key_store(keys_database, provider, settings.region, entropy)
        try:
            await read_people_counter(content, settings.region)
        except StoreMissing:
            raise await _missing(settings, clock) from None
        accounts = Accounts(content, keys, clock)
        journal, blobs = Journal(settings.journal_dir), BlobStore(settings.data_dir / FOLDER, entropy)
        yield Stores(settings, keys, content, accounts, journal, blobs, clock, entropy)


@asynccontextmanager
async def open_to_read(settings: EdgeSettings) -> AsyncIterator[Database]:
    """Open the content store alone, for a command that only reads: no key is needed, and no schema is changed.

    Raises ``StoreMissing`` or ``ContentStoreLost`` where there is none, ``StoreTooOld`` where its schema is an older
    release's.
    """
    clock = SystemClock()
    if settings.database_url is None and not (settings.data_dir / CONTENT_FILE).exists():  # opening would make one
        raise await _missing(settings, clock)
    content, there = await open_content(settings), False
    try:
        with contextlib.suppress(StatementInvalid):  # there is no such table
            there = await _has_row(content, "SELECT 1 FROM content_store")
        if not there:
            raise await _missing(settings, clock)
        await ensure_current(content, MIGRATIONS / "content")
        yield content
    finally:
        await content.close()


async def open_content(settings: EdgeSettings) -> Database:
    """Open the content store on the engine that the settings name."""
    if settings.database_url is not None:
        return await open_postgres(settings.database_url)
    return await _open_file(settings.data_dir / CONTENT_FILE, ContentStoreDamaged)


async def _open_keys(settings: EdgeSettings) -> Database:
    """Open the file of the key store."""
    return await _open_file(settings.data_dir / KEYS_FILE, KeyStoreDamaged)


async def _open_file(path: Path, damaged: type[OperatorError]) -> Database:
    """Open a store's file; one that is no database raises ``damaged``: the disk is there, and waiting mends nothing."""
    try:
        return await open_sqlite(path)
    except StoreUnavailable as error:
        if error.details.get("cause") not in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
            raise
    raise damaged(path=str(path))


async def content_begun(settings: EdgeSettings, clock: Clock) -> bool:
    """Say whether a content store was set up, without making one: its head is written after its key store's."""
    if settings.database_url is None and not (settings.data_dir / CONTENT_FILE).exists():
        return False
    content = await open_content(settings)
    try:
        await migrate(content, MIGRATIONS / "content", clock.now())
        return await _has_row(content, "SELECT 1 FROM content_store")
    finally:
        await content.close()


async def _missing(settings: EdgeSettings, clock: Clock) -> OperatorError:
    """Give what is to be said where there is no content store."""
    lost = await _keys_in_use(settings, clock)
    return (ContentStoreLost if lost else StoreMissing)(path=str(settings.data_dir), store="content")


async def _keys_in_use(settings: EdgeSettings, clock: Clock) -> bool:
    """Say whether a key store ever served a content store; one that a set-up cut short has left did not."""
    if not (settings.data_dir / KEYS_FILE).exists():
        return False
    keys = await _open_keys(settings)
    try:
        await migrate(keys, MIGRATIONS / "keys", clock.now())
        return await _has_row(keys, "SELECT 1 FROM owner_key LIMIT 1")
    finally:
        await keys.close()


async def _has_row(database: Database, sql: str) -> bool:
    """Say whether a query finds anything."""
    async with database.read() as transaction:
        return bool(await transaction.fetch(sql))
