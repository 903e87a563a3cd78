"""One fresh node for each test, ended whatever happens."""

import pytest

from tests.integration.process.harness import Node


@pytest.fixture
def node(tmp_path):
    made = Node(tmp_path)
    yield made
    made.end()
