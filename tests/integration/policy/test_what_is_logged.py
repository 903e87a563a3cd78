"""What may be logged is the policy's to say; what may not be on record is not done."""

import io
import json

import pytest
import structlog

from edge_node.storage.content.policies import PolicyStore
from edge_node.usecases.governing.policy_taking import take_over
from edge_node.usecases.lookup import find_people
from shared.errors.policy import PolicyDenies
from shared.errors.relay import ShowingRefused
from shared.telemetry import configure, logger
from tests.integration.policy.test_policy_book import book_of
from tests.integration.policy.test_what_is_shown import decided, filled
from tests.support.house_policy import FIRST, bundle_of, open_policy, rule, signed_bundle
from tests.support.loop import Loop
from tests.support.stores import bench


@pytest.fixture
def printed():
    """Print the log where it can be read; give what reads the fields of its last line."""
    said, before = io.StringIO(), structlog.get_config()
    configure(stream=said)

    def last():
        logger().warning("alert_case", case="c" * 32, count=3)
        return json.loads(said.getvalue().splitlines()[-1])

    yield last
    structlog.configure(**before)


async def test_what_may_not_be_logged_is_withheld_from_the_log(tmp_path, printed):
    async with bench(tmp_path, bundle=None) as node:
        store, now = PolicyStore(node.content), node.stores.clock.now()
        book = await book_of(node)
        assert printed()["case"] == "c" * 32, "without a policy a node can say why"
        deny = rule("no-evidence", "deny", operations=("log",), classes=("evidence",), reason="never_logged")
        first = bundle_of(open_policy([deny]))
        await take_over(store, signed_bundle(first), FIRST, now)
        await book.look()
        line = printed()
        assert (line["event"], line["count"], line["fields_withheld"]) == ("alert_case", 3, 1)
        assert "case" not in line
        await take_over(store, signed_bundle(bundle_of(open_policy(), first), "ada", "ben"), FIRST, now)
        await book.look()
        assert printed()["case"] == "c" * 32


async def test_what_may_not_be_on_record_is_not_shown_and_nobody_is_looked_for(tmp_path):
    made = bundle_of(
        open_policy([rule("no-records", "deny", operations=("log",), classes=("disclosure_record", "pseudonym"))])
    )
    async with bench(tmp_path, bundle=made) as node:
        name, loop = await filled(node), Loop(node)
        with pytest.raises(ShowingRefused) as caught:
            await loop.viewer.open("ap", name, "complaint")
        assert caught.value.details == {"rule": "policy_denied", "policy_rule": "no-records"}
        assert await node.rows("SELECT count(*) FROM disclosure") == [(0,)]
        page = await loop.viewer.open(None, name, "complaint")
        assert page.view, "at home nothing is disclosed"
        with pytest.raises(PolicyDenies) as sought:
            await find_people(
                node.content, node.keys, node.stores.accounts, "ID.1", None, "audit", node.policy, node.stores.clock
            )
        assert sought.value.details["rule"] == "no-records"
        assert ("no-records", "deny") in {(row[6], row[5]) for row in await decided(node, "log")}
