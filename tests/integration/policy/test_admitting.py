"""May it rest here, and where else: the policy asked, for every kind of person, the answers on record."""

import pytest

from edge_node.core.accounts import Account, LineIds, WhatsAppIds
from edge_node.metrics import Metrics
from edge_node.storage.content.policies import PolicyStore
from edge_node.usecases.company.members import Self
from edge_node.usecases.governing.judging import Judge
from edge_node.usecases.governing.policy_book import PolicyBook
from edge_node.usecases.governing.policy_taking import take_over
from edge_node.usecases.receiving.admitting import Admitter, Placing
from shared.crypto.hpke import draw_sealing_key
from shared.message import Identifier, Media, Message, Person, Preference, Recall, Relation, Text, Unclassified
from shared.roster import edits
from shared.roster.model import NodeIntroduction
from tests.support.control_store import Clock
from tests.support.house_policy import bundle_of, open_policy, rule, signed_bundle
from tests.support.rosters import AP, FIRST, NOW, PEOPLE
from tests.support.stores import bench
from tests.support.trust import Seeded

SHOP = Account("shop", WhatsAppIds("1", ("2",), ("3",)), "5", country="DE")
DESK = Account("desk", LineIds("U" + "1" * 32), "1", country="JP")
AWAY = Account("away", LineIds("U" + "2" * 32), "1", country="SG", home="ap")
AT_HOME = rule(
    "at-home", "deny", operations=("store",), subjects=("SG", "TH", "US-CA"), nodes="any", nodes_except=("home",)
)
"""Of these three, ``ap`` stands where the law of one applies; of the others nobody does."""
STAY = rule("stay", "deny", operations=("transfer",), subjects=("SG",), reason="stays")
HEAD = {"channel": "whatsapp", "via": "3", "at": 1}


def somebody(country):
    """Give a person whom WhatsApp places in a country."""
    return Person((Identifier("whatsapp_user", f"{country}.1"),))


def said(country, content=None):
    """Give a message of such a person."""
    return Message(**HEAD, author=somebody(country), message_id="m", content=content or Text("hi"))


class TwoNodes:
    """A company with ``eu``, which is here, and ``ap``."""

    def __init__(self, relay="https://ap.example"):
        self._roster = edits.add_node(FIRST, NodeIntroduction("ap", AP.region, "SG", relay, AP.keys), NOW)

    def self(self):
        """Give this node."""
        return Self("eu", PEOPLE["ada"], draw_sealing_key(Seeded("eu")))

    def roster(self):
        """Give the roster."""
        return self._roster


class Here:
    """A node at Frankfurt that asks."""

    def __init__(self, node, company):
        self.node, self.clock = node, Clock()
        self.book = PolicyBook(PolicyStore(node.content), "eu-frankfurt", Metrics(), self.clock)
        self.judge = Judge(self.book, self.clock)
        self.admitter = Admitter(self.judge, company)
        self.last = None

    async def decide_by(self, *rules):
        """Put a policy in force."""
        made = bundle_of(open_policy(rules), self.last)
        await take_over(PolicyStore(self.node.content), signed_bundle(made, "ada", "ben"), FIRST, self.clock.now())
        await self.book.look()
        self.last = made


@pytest.fixture
async def here(tmp_path):
    """Give a node of two."""
    async with bench(tmp_path, bundle=None) as node:
        yield Here(node, TwoNodes())


async def test_without_a_bundle_everything_is_refused_but_what_is_taken_back(here):
    place = here.admitter.place
    assert place(SHOP, said("DE")) == Placing(refused="policy_missing")
    assert place(AWAY, said("DE")) == Placing(refused="policy_missing")
    for account in (SHOP, AWAY):
        assert place(account, Recall(**HEAD, author=somebody("DE"), message_id="m")) == Placing(here=True)


async def test_what_is_of_no_account_is_refused_and_what_is_taken_back_too(here):
    await here.decide_by()
    assert here.admitter.place(None, said("DE")).refused == "account_not_here"
    assert here.admitter.place(None, Recall(**HEAD, author=somebody("DE"), message_id="m")) == Placing(
        refused="account_not_here"
    )


async def test_what_may_rest_here_does_and_else_goes_where_it_may(here):
    await here.decide_by(AT_HOME)
    place = here.admitter.place
    assert place(SHOP, said("DE")) == Placing(here=True)
    assert place(SHOP, said("SG")) == Placing(home="ap")
    assert place(SHOP, said("TH")) == Placing(refused="policy_denied")
    recall = Recall(**HEAD, author=somebody("SG"), message_id="m")
    assert place(SHOP, recall) == Placing(here=True, home="ap")


async def test_nobody_known_is_under_the_law_of_the_account(here):
    await here.decide_by(AT_HOME)
    notice = Unclassified(**HEAD, reason="unknown_kind", raw=b"{}")
    assert here.admitter.place(SHOP, notice) == Placing(here=True)
    assert here.admitter.place(Account("shop", SHOP.ids, "5", country="TH"), notice).refused == "policy_denied"
    assert here.admitter.place(Account("shop", SHOP.ids, "5"), notice).refused == "policy_denied"


async def test_a_country_of_many_laws_asks_them_all(here):
    await here.decide_by(AT_HOME)
    assert here.admitter.place(SHOP, said("US")).refused == "policy_denied"


async def test_each_class_is_asked_for_itself(here):
    no_files = rule("no-files", "deny", operations=("store",), classes=("media",))
    await here.decide_by(no_files)
    assert here.admitter.place(SHOP, said("DE", Media("image", media_id="f"))).refused == "policy_denied"
    assert here.admitter.place(SHOP, Preference(**HEAD, author=somebody("DE"), category="c", value="stop")).here


async def test_an_event_of_several_people_asks_for_each(here):
    await here.decide_by(AT_HOME)
    came = Relation(**HEAD, change="member_joined", members=(somebody("DE"), somebody("SG")))
    assert here.admitter.place(SHOP, came) == Placing(home="ap")
    came = Relation(**HEAD, change="member_joined", members=(somebody("DE"), somebody("TH")))
    assert here.admitter.place(SHOP, came) == Placing(refused="policy_denied")


async def test_what_is_at_home_elsewhere_may_be_forbidden_to_go(here):
    await here.decide_by()
    assert here.admitter.place(AWAY, said("SG")) == Placing(home="ap")
    await here.decide_by(STAY)
    assert here.admitter.place(AWAY, said("SG")) == Placing(refused="policy_denied")
    assert here.admitter.place(AWAY, said("DE")) == Placing(home="ap")


async def test_a_message_that_rested_here_before_its_account_moved_is_taken_back_here_too(here):
    await here.decide_by()
    place, recall = here.admitter.place, Recall(**HEAD, author=somebody("SG"), message_id="m")
    assert place(AWAY, recall) == Placing(here=True, home="ap")
    await here.decide_by(STAY)
    assert place(AWAY, recall) == Placing(here=True)


async def test_what_may_not_go_is_dropped_and_a_stale_policy_lets_nothing_go(here):
    await here.decide_by(AT_HOME, STAY)
    assert here.admitter.place(SHOP, said("SG")) == Placing(refused="policy_denied")
    await here.decide_by(AT_HOME)
    here.book.alone = False
    here.clock.ms += 8 * 86_400_000
    assert here.admitter.place(SHOP, said("SG")) == Placing(refused="policy_stale")
    assert here.admitter.place(SHOP, said("DE")) == Placing(here=True)


async def test_what_comes_by_relay_is_asked_too(here):
    await here.decide_by(AT_HOME)
    assert here.admitter.all_rest(SHOP, [said("DE"), Recall(**HEAD, author=somebody("TH"), message_id="m")])
    assert not here.admitter.all_rest(SHOP, [said("DE"), said("TH")])


async def test_a_node_without_a_relay_address_is_no_home(tmp_path):
    async with bench(tmp_path, bundle=None) as node:
        here = Here(node, TwoNodes(relay=None))
        await here.decide_by(AT_HOME)
        assert here.admitter.place(SHOP, said("SG")) == Placing(refused="policy_denied")


async def test_every_answer_is_on_record_once_for_each_time(here):
    await here.decide_by(AT_HOME)
    for country in ("DE", "DE", "TH"):
        here.admitter.place(SHOP, said(country))
    await here.book.write()
    sql = "SELECT subject, outcome, rule, times FROM decision WHERE operation = 'store' ORDER BY subject"
    assert await here.node.rows(sql) == [("EU", "allow", "all-at-home", 2), ("TH", "deny", "at-home", 1)]


async def test_an_answer_is_forgotten_when_the_bundle_or_the_time_changes(here):
    later = rule("later", "deny", operations=("store",), subjects=("EU",), valid_from="2030-06-01")
    await here.decide_by(later)
    assert here.admitter.place(SHOP, said("DE")).here
    here.clock.ms = 1_906_502_400_000
    assert here.admitter.place(SHOP, said("DE")) == Placing(refused="policy_denied")
    await here.decide_by()
    assert here.admitter.place(SHOP, said("DE")).here


async def test_an_answer_of_a_time_to_come_is_forgotten_when_the_clock_is_set_right(here):
    until = rule("until-then", "deny", operations=("store",), subjects=("EU",), valid_until="2030-06-01")
    await here.decide_by(until)
    right, here.clock.ms = here.clock.ms, 1_906_502_400_000
    assert here.admitter.place(SHOP, said("DE")).here
    assert here.judge.restricted(here.judge.derived((), "DE")) == 0
    here.clock.ms = right
    assert here.admitter.place(SHOP, said("DE")) == Placing(refused="policy_denied")
    assert here.judge.restricted(here.judge.derived((), "DE")) != 0
