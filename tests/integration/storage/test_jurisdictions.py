"""Whose law applies to a subject, in both engines: noted at first contact, raised, declared, judged again."""

import contextlib

from edge_node.core.classes import RESTING, mask_of
from edge_node.metrics import Metrics
from edge_node.storage.content.jurisdictions import derived_of, law_by_pseudonym
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.policies import PolicyStore
from edge_node.storage.content.rejudging import count_restricted, read_progress, read_restricted
from edge_node.usecases.governing.judging import Judge
from edge_node.usecases.governing.policy_book import PolicyBook
from edge_node.usecases.governing.policy_taking import take_over
from edge_node.usecases.governing.rejudging import EVERY, SECOND_LOOK, Rejudger
from edge_node.usecases.governing.residence import declare_residence
from shared.message import Identifier, Person
from shared.policy.deriving import Derived
from tests.support.control_store import Clock
from tests.support.house_policy import bundle_of, open_policy, rule, signed_bundle
from tests.support.media import Files, media_desk, picture
from tests.support.rosters import FIRST
from tests.support.stores import message

KEEP_OUT = rule("no-japanese", "deny", operations=("store",), subjects=("JP",), reason="not_here")
NO_MEDIA = rule("no-media", "deny", operations=("store",), classes=("media",), subjects=("TH",), reason="not_here")
LAPSES = rule("till-june", "deny", operations=("store",), subjects=("TH",), valid_from="2030-06-01", reason="lapsed")
JUNE = 1_906_502_400_000
"""2030-06-01T00:00:00Z."""
EVERYTHING = mask_of(RESTING)


def somebody(bsuid=None, phone=None):
    """Give a person by WhatsApp's names."""
    names = (("whatsapp_user", bsuid), ("whatsapp_phone", phone))
    return Person(tuple(Identifier(kind, value) for kind, value in names if value))


class Region:
    """A node's parts, whose policy can be changed and whose clock can be set."""

    def __init__(self, node, clock):
        self.node, self.clock, self.last = node, clock, None
        resolver = node.taking_in._resolver
        self.judge = Judge(PolicyBook(PolicyStore(node.content), "id-test", Metrics(), clock), clock)
        resolver._judge = self.judge
        lease = Lease(node.content, "judging", "me", 60_000)
        self.metrics, self.country = Metrics(), None
        self.rejudger = Rejudger(
            *(node.content, node.keys, self.judge, lambda row: self.country, lease, self.metrics, clock),
            busy=lambda: False,
        )

    async def decide_by(self, *rules):
        """Put a policy in force that denies by these rules."""
        made = bundle_of(open_policy(rules), self.last)
        await take_over(PolicyStore(self.node.content), signed_bundle(made, "ada", "ben"), FIRST, self.clock.now())
        await self.judge.book.look()
        self.last = made

    async def law(self, subject=1):
        """Give what was derived for a subject."""
        return (await derived_of(self.node.content, [subject]))[subject]

    async def restricted(self):
        """Give the bits of every subject."""
        return [row[0] for row in await self.node.rows("SELECT restricted FROM subject ORDER BY id")]

    async def pseudonym(self, subject=1):
        """Give a pseudonym."""
        return (await self.node.rows("SELECT pseudonym FROM subject WHERE id = :id", id=subject))[0][0]


@contextlib.asynccontextmanager
async def region(open_bench, *rules, at=1_900_000_000_000):
    """Open a node under a policy."""
    async with open_bench(bundle=None) as node:
        made = Region(node, Clock())
        made.clock.ms = at
        await made.decide_by(*rules)
        yield made


async def test_first_contact_is_under_the_law_of_what_is_known_then(open_bench):
    async with region(open_bench) as here:
        await here.node.take(message(1, somebody("JP.1"), "a"), message(2, somebody(phone="66812345678"), "b"))
        assert await here.law(1) == Derived(
            jurisdiction="JP", country="JP", basis="platform_country", certainty="platform_stated"
        )
        assert (await here.law(2)).basis == "number_plan"
        columns = "declared, stated, numbers, account_country, jurisdiction, country, others, conflicts"
        kept = await here.node.rows(f"SELECT {columns} FROM subject ORDER BY id")
        assert kept == [("", "JP", "", "", "JP", "JP", "", ""), ("", "", "TH", "", "TH", "TH", "", "")]


async def test_stronger_evidence_raises_it_and_weaker_does_not(open_bench):
    async with region(open_bench) as here:
        await here.node.take(message(1, somebody(phone="66812345678"), "a"))
        await here.node.take(message(2, somebody("JP.1", "66812345678"), "b"))
        found = await here.law()
        assert (found.jurisdiction, found.others, found.conflicts) == ("JP", ("TH",), ("number_plan",))
        await here.node.take(message(3, somebody("JP.1", "4930231250"), "c"))
        found = await here.law()
        assert (found.jurisdiction, found.others) == ("JP", ("EU",))


async def test_declared_residence_is_above_all_and_restricts_at_once(open_bench):
    async with region(open_bench, KEEP_OUT) as here:
        await here.node.take(message(1, somebody("TH.1"), "a"))
        assert await here.restricted() == [0]
        who = await here.pseudonym()
        await declare_residence(here.node.content, here.judge, here.clock, who, "JP")
        assert (await here.law()).basis == "declared_residence"
        assert await here.restricted() == [EVERYTHING]
        await here.node.take(message(2, somebody("TH.1", "66812345678"), "b"))
        assert await here.restricted() == [EVERYTHING]
        await declare_residence(here.node.content, here.judge, here.clock, who, None)
        assert (await here.law()).jurisdiction == "TH"
        assert await here.restricted() == [0]
        entries = await here.node.rows("SELECT country, actor FROM residence_entry ORDER BY id")
        assert entries == [("JP", "operator"), ("", "operator")]


async def test_another_bundle_restricts_whom_it_forbids_and_lifts_it_again(open_bench):
    async with region(open_bench) as here:
        await here.node.take(message(1, somebody("JP.1"), "a"), message(2, somebody("TH.1"), "b"))
        await here.rejudger.all()
        assert await here.restricted() == [0, 0]
        await here.decide_by(KEEP_OUT, NO_MEDIA)
        await here.rejudger.all()
        assert await here.restricted() == [EVERYTHING, mask_of(["media"])]
        assert await count_restricted(here.node.content) == 2
        assert [each.law for each in await read_restricted(here.node.content, 1)] == ["JP"]
        assert here.metrics.policy.restricted._value.get() == 2
        await here.decide_by(NO_MEDIA)
        await here.rejudger.all()
        assert await here.restricted() == [0, mask_of(["media"])]


async def test_an_instant_at_which_a_value_changes_restricts(open_bench):
    async with region(open_bench, LAPSES, at=JUNE - 1) as here:
        await here.node.take(message(1, somebody("TH.1"), "a"))
        await here.rejudger.all()
        assert await here.restricted() == [0]
        here.clock.ms += 1
        await here.rejudger.all()
        assert await here.restricted() == [EVERYTHING]
        assert (await read_progress(here.node.content)).since == JUNE


async def test_pages_go_on_where_they_were_broken_off(open_bench, monkeypatch):
    monkeypatch.setattr("edge_node.usecases.governing.rejudging.PAGE_SUBJECTS", 2)
    async with region(open_bench) as here:
        await here.node.take(*(message(each, somebody(f"JP.{each}"), "a") for each in range(1, 6)))
        await here.decide_by(KEEP_OUT)
        assert await here.rejudger.page()
        assert await here.restricted() == [EVERYTHING] * 2 + [0] * 3
        other = Region(here.node, here.clock)
        await other.judge.book.look()
        other.rejudger._next = here.rejudger._next
        await other.rejudger.all()
        assert await here.restricted() == [EVERYTHING] * 5


async def test_who_came_under_the_old_bundle_is_found_by_the_second_walk(open_bench):
    async with region(open_bench) as here:
        behind = Region(here.node, here.clock)  # a process that has not looked since
        await behind.judge.book.look()
        await here.decide_by(KEEP_OUT)
        await here.rejudger.all()
        await here.node.take(message(1, somebody("JP.1"), "a"))
        assert await here.restricted() == [0]
        assert not await here.rejudger.page()
        here.clock.ms += SECOND_LOOK
        await here.rejudger.all()
        assert await here.restricted() == [EVERYTHING]
        assert EVERY > SECOND_LOOK


async def test_what_an_older_release_took_in_is_learned(open_bench):
    async with region(open_bench, KEEP_OUT) as here:
        await here.node.take(message(1, somebody("JP.1"), "a"), message(2, somebody("ZZ.1"), "b"))
        blank = "declared = '', stated = '', numbers = '', account_country = '', jurisdiction = '', country = ''"
        async with here.node.content.write() as transaction:
            await transaction.execute(f"UPDATE subject SET {blank}, basis = '', certainty = 'none', restricted = 0")
        here.country = "TH"
        await here.rejudger.all()
        assert [(await here.law(each)).jurisdiction for each in (1, 2)] == ["JP", "ZZ"]
        assert await here.restricted() == [EVERYTHING, 0]


async def test_a_file_that_may_not_rest_here_is_not_fetched_until_it_may(open_bench):
    async with region(open_bench) as here:
        desk = await media_desk(here.node, Files(f=b"a file"))
        await here.node.take(picture(1, somebody("TH.1"), "f"))
        await here.decide_by(NO_MEDIA)
        await here.node.policy.look()
        await here.rejudger.all()
        while await desk.fetcher.once():
            pass
        assert not await desk.store.due(2**60, 10)
        await here.decide_by()
        await here.node.policy.look()
        await here.rejudger.all()
        while await desk.fetcher.once():
            pass
        ((mark,),) = await here.node.rows("SELECT mark FROM message")
        assert await desk.bytes_of(mark) == b"a file"


async def test_an_erasure_leaves_no_law_behind(open_bench):
    async with region(open_bench) as here:
        await here.node.take(message(1, somebody("JP.1"), "a"))
        who = await here.pseudonym()
        await declare_residence(here.node.content, here.judge, here.clock, who, "TH")
        await here.node.eraser.open_case(who, "subject_request")
        assert await law_by_pseudonym(here.node.content, who) is None
        await here.node.remove()
        left = await here.node.rows("SELECT declared, stated, jurisdiction, country, basis, others FROM subject")
        assert left == [("",) * 6]
        assert await here.node.rows("SELECT 1 FROM residence_entry") == []
