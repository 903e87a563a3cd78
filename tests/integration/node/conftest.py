"""Nodes as real processes for the tests of this folder; none outlives its test."""

import contextlib

import pytest

from tests.support.node import RealNode, make_template


@pytest.fixture(scope="session")
def node_template(tmp_path_factory):
    """Give the folder of a node that was set up by command and never started."""
    return make_template(tmp_path_factory.mktemp("set-up") / "node")


@pytest.fixture
def make_node(node_template, tmp_path):
    """Make nodes, not started yet, each a copy of the template: ``make_node(name, settings lines)``."""
    with contextlib.ExitStack() as stack:

        def make(name="node", settings=""):
            node = RealNode(tmp_path / name, node_template, settings)
            stack.callback(node.end)
            return node

        yield make


@pytest.fixture(scope="module")
def node(node_template, tmp_path_factory):
    """Give a running node that the tests of a module share."""
    node = RealNode(tmp_path_factory.mktemp("running") / "node", node_template)
    try:
        yield node.start()
    finally:
        node.end()
