"""A sandbox served on free ports, with its OpenAPI check on where the vendors' files are here."""

import pytest

from deploy.sandbox.names import LineChannel
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.serving import serving
from tests.integration.sandbox.business import Business, arrivals


@pytest.fixture(scope="session")
def served():
    """Serve a sandbox as long as tests run."""
    with serving(Sandbox()) as here:
        yield here


@pytest.fixture
def unchecked(served):
    """Give the sandbox with a new world; its violations a test looks at itself."""
    served.client.reset()
    return served


@pytest.fixture
def sandbox(unchecked):
    """Serve a sandbox; a request that is not as the vendor describes it fails the test."""
    yield unchecked
    assert unchecked.client.violations() == []


@pytest.fixture
def client(sandbox):
    """Give the client of the private address."""
    return sandbox.client


@pytest.fixture
def business(sandbox):
    """Give the business's own calls."""
    return Business(sandbox.platforms)


@pytest.fixture
def arrived(sandbox):
    """Listen for webhooks at the callback of both accounts."""
    with arrivals() as seen:
        number, bot = sandbox.sandbox.world.numbers[0], sandbox.sandbox.world.bots[0]
        assert bot.id == LineChannel().bot_user_id
        number.callbacks, bot.endpoint = {"phone_number": seen.url}, seen.url
        yield seen
