"""A control plane that runs, with the nodes ``eu`` and ``ap`` in its roster and tokens that tests ask by."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.support.control import RealControl
from tests.support.node_double import NodeDouble


class Company(NamedTuple):
    """What a test works with."""

    control: RealControl
    eu: NodeDouble
    ap: NodeDouble
    operator: str
    officer: str
    program: str


def found_company(control: RealControl) -> Company:
    """Take two nodes in, appoint an operator and an officer, and start."""
    eu, ap = (NodeDouble(name, control.address, control.introduction.keys) for name in ("eu", "ap"))
    control.put_rosters(control.officers.signed(), control.officers.take_in(eu.introduction, ap.introduction))
    tokens = control.appoint(("ops", "olga", "operator"), ("dpo", "omar", "officer"), ("crm", "crm-team", "program"))
    control.start()
    return Company(control, eu, ap, *tokens)


@pytest.fixture(scope="session")
def company(tmp_path_factory) -> Iterator[Company]:
    """Give a company that tests share: each draws subjects and cases of its own."""
    control = RealControl(
        tmp_path_factory.mktemp("company"),
        "heartbeat_seconds = 0.2",
        'retry_first_seconds = 0.1\nallow = ["127.0.0.1:9"]',
    )
    yield found_company(control)
    control.end()


@pytest.fixture
def own_company(tmp_path) -> Iterator[Company]:
    """Give a company of the test's own, which it may kill."""
    control = RealControl(tmp_path / "company")
    yield found_company(control)
    control.end()
