"""Two running nodes that the tests of a module share: accounts of ``eu`` and of ``ap``, both known at both."""

import httpx
import pytest

from deploy.sandbox.webhooks import LineChannel, line_body, sign_line
from tests.support.company import COUNTRY, NAMES, Company, make_member, make_template, running
from tests.support.house_policy import bundle_of, open_policy, rule, views
from tests.support.node import PATIENCE_S

SHOP, DESK = LineChannel("U" + "a1" * 16), LineChannel("U" + "a2" * 16)
"""LINE accounts: ``shop`` is at home at ap, ``desk`` at eu."""
JAPAN = LineChannel("U" + "a3" * 16)
"""An account that is at home at both nodes; its customers are in Japan, and so is ap."""
INTAKE = {"operations": ("store",), "purposes": ("intake",)}
AT_HOME = rule("japan-at-home", "deny", **INTAKE, subjects=("JP",), nodes="any", nodes_except=("home",))
SECRET = b"plainly-invented-line-secret-4801"
ACCOUNTS = {"shop": (SHOP, "ap"), "desk": (DESK, "eu"), "japan": (JAPAN, "eu ap")}
SHOWN = views("eu-region", complaint="full", customer_service="masked", audit="metadata")
"""What eu is shown; to ap nothing is."""


@pytest.fixture(scope="session")
def templates(tmp_path_factory):
    """Give the folders of both nodes, set up by command and never started."""
    folder, made = tmp_path_factory.mktemp("set-up"), bundle_of(open_policy([AT_HOME], abroad=SHOWN))
    return {name: make_template(name, folder / name, list(accounts_at(name)), SECRET, made) for name in NAMES}


def accounts_at(node):
    """Give the accounts as they are set up at a node: name, bot user id, country, home."""
    for name, (channel, home) in ACCOUNTS.items():
        yield name, channel.bot_user_id, "JP" if name == "japan" else COUNTRY, None if node in home.split() else home


def make_company(folder, templates, more=""):
    """Set both nodes up, enrolled, not started."""
    members = {name: make_member(name, folder / name, templates[name], more) for name in NAMES}
    company = Company(members)
    for member in members.values():
        member.enrol(company.roster())
    return company


@pytest.fixture(scope="session")
def company(tmp_path_factory, templates):
    """Give the running company that no test damages."""
    with running(make_company(tmp_path_factory.mktemp("company"), templates)) as both:
        yield both


@pytest.fixture
def own_company(tmp_path, templates):
    """Give a running company that a test may damage."""
    with running(make_company(tmp_path, templates)) as both:
        yield both


def body_of(channel, *events):
    """Write the body of a webhook."""
    return line_body(*events, channel=channel)


def post(member, account, *events):
    """Post a signed LINE webhook for an account at a node."""
    body = body_of(ACCOUNTS[account][0], *events)
    headers = {"x-line-signature": sign_line(SECRET, body), "content-type": "application/json"}
    address = f"http://{member.node.public}/webhooks/line/{account}"
    return httpx.post(address, content=body, headers=headers, trust_env=False, timeout=PATIENCE_S)
