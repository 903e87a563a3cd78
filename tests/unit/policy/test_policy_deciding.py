"""What a question is answered: no rule means no, a deny wins, ways must be open, and the strictest obligation holds."""

import itertools

import pytest

from deploy.bench.policy_ways import plain
from shared.policy.deciding import Question
from shared.policy.evaluator import Evaluator
from shared.policy.matrix import question_at, space_of
from shared.policy.model import Article as ArticleOfLaw
from shared.policy.model import Condition, Instrument, Law, Need, Obligations, Parameter, PlatformFile
from shared.policy.spans import moment_ms
from tests.support.policies import SOURCE, article, jurisdiction, mechanism, rule, world

NOW = moment_ms("2026-11-24")
NEED = (Need(kinds=("adequacy", "standard_clauses"), from_="subject", to="asker"),)


def ask(
    policy, operation="store", data_class="message_text", purpose="intake", subject="EU", node="eu-one", at=NOW, **who
):
    """Ask one question."""
    return Evaluator(policy, "b" * 64).decide(Question(operation, data_class, purpose, subject, node, at, **who))


def view(policy, *, asker="eu-one", role="agent", **more):
    """Ask to view."""
    return ask(policy, "view", asker=asker, role=role, **more)


def test_no_rule_means_no():
    """A policy whose only rule speaks of something else denies."""
    decision = ask(world([rule(operations=("log",))]))
    assert (decision.outcome, decision.rule, decision.reason) == ("deny", None, "no_rule")
    assert decision.bundle == "b" * 64


def test_a_deny_wins_whatever_it_is_called():
    """In the alphabet before or after the allow."""
    for name in ("0-deny", "z-deny"):
        decision = ask(world([rule("m-allow"), rule(name, "deny", reason="not_here")]))
        assert (decision.outcome, decision.rule, decision.reason) == ("deny", name, "not_here")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"operation": "copy"}, "operation_unknown"),
        ({"data_class": "gossip"}, "class_unknown"),
        ({"purpose": "fun"}, "purpose_unknown"),
        ({"subject": "KP"}, "jurisdiction_unknown"),
        ({"node": "mars"}, "region_unknown"),
        ({"asker": "eu-one", "role": "agent"}, "asker_unexpected"),
        ({"operation": "view"}, "asker_missing"),
        ({"operation": "view", "asker": "eu-one"}, "asker_missing"),
        ({"operation": "view", "asker": "mars", "role": "agent"}, "region_unknown"),
        ({"operation": "view", "asker": "eu-one", "role": "king"}, "role_unknown"),
        ({"at": None}, "evaluator_failed"),
        ({"subject": ["EU"]}, "evaluator_failed"),
    ],
)
def test_what_is_not_known_is_denied_by_name(changes, reason):
    """Even where a rule allows everything; a question that cannot be decided is denied, too."""
    everything = world([rule(operations=("store", "view"))])
    decision = ask(everything, **changes)
    assert (decision.outcome, decision.reason) == ("deny", reason)


@pytest.mark.parametrize(
    ("chosen", "allowed"),
    [
        ({"nodes": ("home",)}, {("EU", "eu-one"), ("EU", "eu-two"), ("TH", "th-one")}),
        ({"nodes": ("eu-two",)}, {(code, "eu-two") for code in ("EU", "JP", "TH")}),
        ({"nodes": ("EU",), "subjects": ("TH", "JP")}, {(c, n) for c in ("TH", "JP") for n in ("eu-one", "eu-two")}),
        ({"nodes": "any", "nodes_except": ("home",), "subjects": ("EU",)}, {("EU", "th-one")}),
        ({"subjects": "any", "subjects_except": ("EU", "TH"), "nodes": ("th-one",)}, {("JP", "th-one")}),
    ],
)
def test_where_the_node_stands(chosen, allowed):
    """Regions, jurisdictions, the subject's own, and exceptions from them."""
    policy = world([rule(**chosen)])
    for subject, node in itertools.product(("EU", "JP", "TH"), ("eu-one", "eu-two", "th-one")):
        assert ask(policy, subject=subject, node=node).allowed == ((subject, node) in allowed)


LAW = {"eu-one": "EU", "eu-two": "EU", "th-one": "TH"}


@pytest.mark.parametrize(
    ("askers", "but", "allowed"),
    [
        (("home",), None, lambda subject, _, asker: LAW[asker] == subject),
        (("here",), None, lambda _, node, asker: LAW[asker] == LAW[node]),
        (("here", "th-one"), None, lambda _, node, asker: LAW[asker] == LAW[node] or asker == "th-one"),
        ("any", ("here", "home"), lambda subject, node, asker: LAW[asker] not in {LAW[node], subject}),
    ],
)
def test_where_whoever_asks_stands(askers, but, allowed):
    """In the subject's own jurisdiction, or in the node's, or neither."""
    policy = world([rule(operations=("view",), askers=askers, askers_except=but)])
    for subject, node, asker in itertools.product(("EU", "JP", "TH"), LAW, LAW):
        answer = view(policy, subject=subject, node=node, asker=asker).allowed
        assert answer == allowed(subject, node, asker), (subject, node, asker)


def test_roles_and_classes_and_groups():
    """A group stands for its members, less what is taken out."""
    policy = world([rule(operations=("view",), classes=("words",), classes_except=("media",), roles=("officer",))])
    assert view(policy, role="officer").allowed
    assert not view(policy, role="agent").allowed
    assert not view(policy, role="officer", data_class="media").allowed
    assert not view(policy, role="officer", data_class="pseudonym").allowed


def test_a_way_must_be_open_and_the_one_the_law_prefers_is_taken():
    """Adequacy before clauses; clauses only with the company's own; nothing within one jurisdiction."""
    clauses = mechanism("clauses", "standard_clauses", "any")
    laws = [jurisdiction("EU", [mechanism(valid_until="2027-01-01"), clauses]), jurisdiction("JP"), jurisdiction("TH")]
    signed = Instrument(id="signed", kind="standard_clauses", from_=("EU",), to=("TH",), reference="a test")
    rules = [rule(operations=("view",), needs=NEED, cites=(article("EU"), article("JP")))]
    bare, whole = world(rules, jurisdictions=laws), world(rules, jurisdictions=laws, instruments=[signed])
    now = view(bare, asker="th-one")
    assert [each.mechanism for each in now.relied] == ["EU.adequacy"]
    assert now.until == moment_ms("2027-01-01")
    assert now.citations == (article("EU"),)
    later = {"asker": "th-one", "at": moment_ms("2027-01-01")}
    assert view(bare, **{**later, "at": later["at"] - 1}).allowed
    assert (view(bare, **later).reason, view(bare, **later).rule) == ("no_mechanism", "a-rule")
    assert [(each.mechanism, each.instrument) for each in view(whole, **later).relied] == [("EU.clauses", "signed")]
    assert view(bare, asker="eu-two").relied == ()
    assert not view(whole, subject="JP", asker="th-one", node="th-one").allowed


def test_the_way_that_ends_last_is_relied_upon():
    """Of two alike; and filings and counters follow from the one taken."""
    ways = [
        mechanism("a", "standard_clauses", filing="dossier"),
        mechanism("b", "standard_clauses", valid_until="2030-01-01", counter="people"),
    ]
    signed = [
        Instrument(id=name, kind="standard_clauses", from_=("EU",), to=("TH",), reference="-", valid_until=end)
        for name, end in (("short", "2027-01-01"), ("long", "2029-01-01"))
    ]
    laws = [jurisdiction("EU", ways), jurisdiction("JP"), jurisdiction("TH")]
    policy = world([rule(operations=("view",), needs=NEED)], jurisdictions=laws, instruments=signed)
    (relied,) = view(policy, asker="th-one").relied
    assert (relied.mechanism, relied.instrument, relied.until) == ("EU.a", "long", moment_ms("2029-01-01"))
    assert view(policy, asker="th-one").must.filings == ("EU.dossier",)


def test_a_rule_holds_from_its_first_moment_until_just_before_its_end():
    """To the millisecond, at an offset."""
    policy = world([rule(valid_from="2026-01-01", valid_until="2026-07-01T00:00:00+07:00")])
    start, end = moment_ms("2026-01-01"), moment_ms("2026-06-30T17:00:00Z")
    asked = [ask(policy, at=at).allowed for at in (0, start - 1, start, end - 1, end, 2**52)]
    assert asked == [False, False, True, True, False, False]


def test_the_strictest_obligation_of_all_allows_holds():
    """Least shown, all masks, longest log, everybody told, shortest keeping at most, longest at least."""
    law = [
        jurisdiction(
            "EU",
            parameter=(Parameter(id="keep", value=2, unit="years", article=article("EU"), **SOURCE),),
        ),
        jurisdiction("JP"),
        jurisdiction("TH"),
    ]
    one = Obligations(
        form="full", mask=("numbers",), log_for="1 year", retain_at_most="13 months", retain_at_least="30 days"
    )
    two = Obligations(
        form="masked",
        mask=("names",),
        log_for="3 years",
        notify=("officer",),
        second_approver=("officer",),
        retain_at_most="400 days",
        retain_at_least="EU.keep",
    )
    for names in (("a", "b"), ("b", "a")):
        policy = world(
            [rule(name, obligations=each) for name, each in zip(names, (one, two), strict=True)], jurisdictions=law
        )
        must = ask(policy).must
        assert (must.form, must.mask, str(must.log_for)) == ("masked", ("names", "numbers"), "3 years")
        assert (must.notify, must.second_approver) == (("officer",), ("officer",))
        assert (str(must.retain_at_most), str(must.retain_at_least)) == ("13 months", "2 years")
        assert must.retain_at_least.of == "EU.keep"


def test_what_a_platform_asks_for_goes_with_an_allow():
    """A condition is no rule: it allows nothing, and where something is allowed it is among what must be."""
    condition = Condition(
        id="page",
        operations=("link",),
        classes="any",
        purposes=("audit",),
        demands="page",
        article="line-1",
        says="-",
        **SOURCE,
    )
    line = PlatformFile(
        channel="line",
        name="LINE",
        law=(Law(id="terms", name="Terms", **SOURCE),),
        article=(ArticleOfLaw(id="line-1", law="terms", cite="Terms, 1", says="-", **SOURCE),),
        condition=(condition,),
    )
    linking = world([rule(operations=("link", "store"))], platforms=(line,))
    decision = ask(linking, "link", purpose="audit")
    assert (decision.must.conditions, decision.citations) == (("page",), ("law-eu-1", "line-1"))
    assert ask(linking, "link").must.conditions == ()
    assert ask(linking, purpose="audit").must.conditions == ()
    assert not ask(world([rule(operations=("store",))], platforms=(line,)), "link", purpose="audit").allowed


def test_citations_are_of_the_laws_concerned():
    """Of the subject's, the node's and the asker's jurisdiction; all of them where none of these is cited."""
    policy = world([rule(cites=(article("EU"), article("TH")))])
    assert ask(policy).citations == ("law-eu-1",)
    assert ask(policy, subject="TH").citations == ("law-eu-1", "law-th-1")
    assert ask(world([rule(cites=(article("JP"),))])).citations == ("law-jp-1",)


def test_the_tables_answer_as_a_plain_chain_of_ifs_does():
    """An evaluator that shares nothing with ours, over a whole space."""
    policy = world(
        [
            rule("a", nodes=("home",), classes=("words",), valid_until="2026-06-01"),
            rule("b", "deny", subjects=("TH",), classes=("media",)),
            rule("c", operations=("transfer", "view"), needs=NEED, askers_except=("here",), roles=("agent",)),
            rule(
                "d",
                "deny",
                operations=("store", "view"),
                subjects=("JP",),
                nodes=("th-one",),
                askers="any",
                roles="any",
            ),
        ],
        jurisdictions=[
            jurisdiction("EU", [mechanism(valid_from="2026-01-01")]),
            jurisdiction("JP"),
            jurisdiction("TH"),
        ],
    )
    evaluator, chain = Evaluator(policy), plain(policy)
    space = space_of(evaluator)
    asked = 0
    for asking in (False, True):
        for row, place, interval in itertools.product(
            space.rows(asking=asking), space.places(asking=asking), range(space.intervals)
        ):
            question = question_at(space, (*row, *place, str(interval)))
            assert evaluator.decide(question).allowed == chain(question), question
            asked += 1
    assert asked == space.count
