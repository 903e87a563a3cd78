"""What every test may use: the long switch, and the third-party data that lies beside the checkout."""

import os
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--long``."""
    parser.addoption("--long", action="store_true", help="also run tests that take minutes (or set HOMEPORT_LONG=1)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip by name what takes minutes, unless it is asked for."""
    if is_long(config):
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skipif(True, reason="takes minutes: --long or HOMEPORT_LONG=1 runs it"))


def is_long(config: pytest.Config) -> bool:
    """Say whether the long tests were asked for."""
    return bool(config.getoption("--long")) or os.environ.get("HOMEPORT_LONG", "") not in {"", "0"}


@pytest.fixture(scope="session")
def long_run(pytestconfig: pytest.Config) -> bool:
    """Say whether this is a long run: tests of random moments then try all of theirs instead of a few."""
    return is_long(pytestconfig)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder of third-party test data; skip where there is none."""
    if not (DATA / "README.md").exists():
        pytest.skip("third-party test data is not here: it lies in ../shared/data beside the checkout")
    return DATA
