"""A webhook that belongs in another region: stored there alone, acknowledged after, never written where it came in."""

import json

from deploy.demo.scanner import scan
from deploy.sandbox.webhooks import line_text, line_unsend
from tests.integration.relay.conftest import DESK, SHOP, post
from tests.support.node import until

WORD = "Stachelbeergelee-mit-Zimt"


def texts(member):
    """Count the messages that rest at a node."""
    return member.read("SELECT count(*) FROM message WHERE keep = 'active'")[0][0]


def test_it_rests_at_home_alone(company):
    before = texts(company.ap), texts(company.eu)
    assert post(company.eu, "shop", line_text(WORD)).status_code == 200
    assert (texts(company.ap), texts(company.eu)) == (before[0] + 1, before[1])
    assert scan(company.eu.node.folder, [WORD, SHOP.bot_user_id]).hits == []
    assert scan(company.ap.node.folder, [WORD]).hits == []
    assert company.eu.read("SELECT count(*) FROM refusal") == [(0,)]
