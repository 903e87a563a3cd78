"""Every driver of ``shared/database``, opened the way a program opens it, on a store of the test's own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from shared.database import Database
from shared.database.inline import open_inline
from shared.database.postgres import open_postgres
from shared.database.sqlite import open_sqlite
from tests.support.postgres import postgres_cluster, postgres_url

__all__ = ["postgres_cluster", "postgres_url"]

Opener = Callable[[], Awaitable[Database]]
DRIVERS = ["sqlite", "inline", "inline file", "postgresql"]
SHARED = [driver for driver in DRIVERS if driver != "inline"]


def _opener(driver: str, folder: Path, request: pytest.FixtureRequest) -> Opener:
    if driver == "sqlite":
        return lambda: open_sqlite(folder / "store.db")
    if driver == "inline file":
        return lambda: open_inline(folder / "store.db")
    if driver == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return lambda: open_postgres(url)
    return open_inline


@pytest_asyncio.fixture(params=DRIVERS)
async def database(request, tmp_path) -> AsyncIterator[Database]:
    """Open an empty store, once for each driver."""
    opened = await _opener(request.param, tmp_path, request)()
    yield opened
    await opened.close()


@pytest_asyncio.fixture(params=SHARED)
async def pair(request, tmp_path) -> AsyncIterator[tuple[Database, Database]]:
    """Open one store twice, as two processes do; once for each driver that can."""
    opener = _opener(request.param, tmp_path, request)
    first = await opener()
    second = await opener()
    yield first, second
    await second.close()
    await first.close()
