"""Everything here runs with the content on SQLite and on a real PostgreSQL."""

from functools import partial

import pytest

from tests.support.postgres import postgres_cluster, postgres_url
from tests.support.stores import bench

__all__ = ["postgres_cluster", "postgres_url"]


@pytest.fixture(params=["sqlite", "postgresql"])
def open_bench(request, tmp_path):
    """Give what opens a node's parts: again and again the same stores, on one of the engines."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    return partial(bench, tmp_path, url)
