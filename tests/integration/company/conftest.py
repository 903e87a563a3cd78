"""What the tests of whole companies share: both nodes set up by command once, never started."""

import pytest

from tests.integration.company.cluster import make_templates


@pytest.fixture(scope="session")
def templates(tmp_path_factory):
    """Give the folders of both nodes."""
    return make_templates(tmp_path_factory.mktemp("company-set-up"))
