"""Which bundle is believed: whole, newer, signed by enough, by two where it permits more, and by nobody else's word."""

import msgspec
import pytest

from shared.clock import Milliseconds
from shared.errors import HomeportError
from shared.errors import policy as wrong
from shared.policy import accepting
from shared.policy.accepting import accept
from shared.policy.bundling import (
    Bundle,
    SignedBundle,
    digest,
    fresh_until,
    read_bundle,
    sign,
    signers,
    write,
)
from shared.policy.model import Case, DecisionAsked, DecisionExpected, Override, Parameter
from shared.policy.reading import read
from shared.policy.sure import sign_statement, statement_of, unsure
from shared.policy.writing import overrides_text
from shared.roster import edits
from tests.support.policies import SOURCE, article, jurisdiction, rule, world
from tests.support.rosters import FIRST, HUB, NOW, OFFICERS, PEOPLE

change = msgspec.structs.replace
ALONE = edits.found("acme", 1, OFFICERS, HUB, NOW)
STORE, MORE = rule("store"), rule("view", operations=("view",))
LESS = rule("not-there", "deny", nodes=("th-one",))


def bundle(*rules, version=1, previous=None, **more) -> Bundle:
    """Make a bundle of some rules."""
    fields = {"name": "acme", "label": "demonstration", "says": "-", "grace": "7 days", "issued_at": NOW, **more}
    fields = {"policy": world(rules), **fields}
    return Bundle(version=version, previous=None if previous is None else digest(previous), **fields)


def signed(made, *people, keys=PEOPLE) -> SignedBundle:
    """Give a bundle with signatures."""
    signatures = tuple(sign(made, person, keys[person]) for person in people)
    return SignedBundle(hash=digest(made), bundle=made, signatures=signatures)


BASE = bundle(STORE)
STRICTER = bundle(STORE, LESS, version=2, previous=BASE)
LOOSER = bundle(STORE, MORE, version=2, previous=BASE)


def test_a_file_comes_back_as_it_was():
    """Bytes to struct and back; the hash names it."""
    made = signed(BASE, "ada")
    data = write(made.bundle, made.signatures)
    assert read_bundle(data) == made
    assert len(digest(BASE)) == 64


def test_one_flipped_byte_is_refused():
    """Wherever it is: the file does not read, the hash differs, or a signature does not verify."""
    data = write(BASE, signed(BASE, "ada").signatures)
    for at in range(0, len(data), 131):
        for flip in (0x01, 0x20):
            broken = bytes((*data[:at], data[at] ^ flip, *data[at + 1 :]))
            with pytest.raises(HomeportError) as caught:
                accept(None, read_bundle(broken), ALONE, NOW)
            assert caught.value.code in {"bundle_malformed", "bundle_undersigned"}, at


def test_the_hash_cannot_be_claimed():
    """A signed bundle whose hash is another's."""
    with pytest.raises(wrong.BundleMalformed):
        accept(None, change(signed(BASE, "ada", "ben"), hash="0" * 64), FIRST, NOW)


@pytest.mark.parametrize(
    ("roster", "people", "refusal"),
    [
        (FIRST, (), wrong.BundleUndersigned),
        (FIRST, ("ada",), wrong.BundleUndersigned),
        (FIRST, ("ada", "ada"), wrong.BundleUndersigned),
        (FIRST, ("ada", "dora"), wrong.BundleUndersigned),
        (FIRST, ("ada", "ben"), None),
        (ALONE, (), wrong.BundleUndersigned),
        (ALONE, ("dora",), wrong.BundleUndersigned),
        (ALONE, ("cho",), None),
    ],
)
def test_as_many_officers_as_the_threshold_says(roster, people, refusal):
    """Counted by person; a stranger counts for nothing."""
    candidate = signed(STRICTER, *people)
    if refusal is None:
        assert accept(BASE, candidate, roster, NOW) == STRICTER
    else:
        with pytest.raises(refusal):
            accept(BASE, candidate, roster, NOW)


def test_what_permits_more_needs_a_second_officer():
    """Where one would do otherwise; the first bundle permits more than nothing."""
    for in_force, candidate in ((BASE, LOOSER), (None, BASE)):
        with pytest.raises(wrong.BundleSecondOfficer) as caught:
            accept(in_force, signed(candidate, "ada"), ALONE, NOW)
        assert caught.value.details["cells"] > 0
        assert accept(in_force, signed(candidate, "ada", "ben"), ALONE, NOW) == candidate


def test_an_obligation_that_is_dropped_permits_more():
    """An allow that asks for less, too."""
    masked = bundle(rule("store", obligations=_masked()))
    plain = bundle(STORE, version=2, previous=masked)
    assert accepting.more_permissive(masked, plain) > 0
    assert accepting.more_permissive(plain, masked) == 0
    with pytest.raises(wrong.BundleSecondOfficer):
        accept(masked, signed(plain, "ada"), ALONE, NOW)


def _of_countries(*countries):
    """Give a policy whose first jurisdiction has these countries."""
    plain = world((STORE,))
    law, *others = plain.jurisdictions
    return change(plain, jurisdictions=(change(law, countries=countries), *others))


@pytest.mark.parametrize(
    ("before", "after", "looser"),
    [
        ({"grace": "7 days"}, {"grace": "8 days"}, "grace"),
        ({"grace": "7 days"}, {"grace": "6 days"}, ""),
        ({"grace": "1 weeks"}, {"grace": "2 days"}, ""),
        ({"label": "production"}, {"label": "demonstration"}, "label"),
        ({"label": "demonstration"}, {"label": "production"}, ""),
        ({"policy": _of_countries("XA")}, {"policy": _of_countries("XA", "XB")}, "countries"),
        ({"policy": _of_countries("XA", "XB")}, {"policy": _of_countries("XA")}, ""),
    ],
)
def test_what_permits_more_without_changing_a_cell_needs_a_second_officer(before, after, looser, monkeypatch):
    """A longer grace, values that need not be sure any more, a country that comes under another law."""
    monkeypatch.setattr(accepting, "check_whole", lambda _: None)
    monkeypatch.setattr(accepting, "check_sure", lambda *_: None)
    first = bundle(STORE, **before)
    second = bundle(STORE, version=2, previous=first, **after)
    if looser:
        with pytest.raises(wrong.BundleSecondOfficer) as caught:
            accept(first, signed(second, "ada"), ALONE, NOW)
        assert caught.value.details == {"have": 1, "need": 2, "cells": 0, "besides": looser}
        assert accept(first, signed(second, "ada", "ben"), ALONE, NOW) == second
    else:
        assert accept(first, signed(second, "ada"), ALONE, NOW) == second


def test_an_older_bundle_never_comes_back():
    """However many signed it; the one in force again is no change."""
    everybody = ("ada", "ben", "cho")
    with pytest.raises(wrong.BundleOlder):
        accept(STRICTER, signed(BASE, *everybody), FIRST, NOW)
    assert accept(STRICTER, signed(STRICTER), FIRST, NOW) is STRICTER
    with pytest.raises(wrong.BundleConflict):
        accept(STRICTER, signed(LOOSER, *everybody), FIRST, NOW)
    with pytest.raises(wrong.BundleNotNext):
        accept(LOOSER, signed(bundle(STORE, version=3, previous=STRICTER), *everybody), FIRST, NOW)
    with pytest.raises(wrong.BundleOther):
        accept(BASE, signed(bundle(STORE, version=2, previous=BASE, name="other"), *everybody), FIRST, NOW)
    with pytest.raises(wrong.BundleFuture):
        accept(BASE, signed(change(STRICTER, issued_at=NOW + 3_600_000), *everybody), FIRST, NOW)


def test_a_signature_that_does_not_verify_is_no_accident():
    """A forged one refuses the bundle, though enough others signed."""
    forged = change(sign(LOOSER, "cho", PEOPLE["cho"]))
    candidate = signed(STRICTER, "ada", "ben")
    with pytest.raises(wrong.BundleMalformed):
        accept(BASE, change(candidate, signatures=(*candidate.signatures, forged)), FIRST, NOW)
    assert signers(candidate, OFFICERS) == {"ada", "ben"}


def test_a_bundle_that_does_not_hold_together_is_refused_though_signed():
    """Names twice, names that are none, cases that come out otherwise."""
    people = ("ada", "ben")
    twice = bundle(STORE, change(STORE, effect="deny"))
    unknown = bundle(rule(classes=("gossip",)))
    asked = DecisionAsked(
        operation="store", data_class="media", purpose="audit", subject="EU", node="eu-one", at="2026-11-24"
    )
    case = Case(id="a-case", says="-", asked=asked, expected=DecisionExpected(outcome="deny"))
    failing = bundle(policy=world([STORE], cases=(case,)))
    for candidate, refusal in (
        (twice, wrong.BundleMalformed),
        (unknown, wrong.PolicyUnsound),
        (failing, wrong.CasesFailed),
    ):
        with pytest.raises(refusal):
            accept(None, signed(candidate, *people), FIRST, NOW)


def doubtful(*, value=1, overrides=()):
    """Give a policy that rests on a value that is remembered only."""
    unsure_ = {**SOURCE, "certainty": "memory"}
    keep = Parameter(id="keep", value=value, unit="years", article=article("EU"), **unsure_)
    idle = Parameter(id="idle", value=1, unit="years", article=article("EU"), **unsure_)
    laws = [jurisdiction("EU", parameter=(idle, keep)), jurisdiction("JP"), jurisdiction("TH")]
    keeping = rule("keep", operations=("retain",), obligations=_masked(retain_at_least="EU.keep"))
    return world([keeping], jurisdictions=laws, overrides=tuple(overrides))


def test_strict_mode_lists_what_it_rests_on_and_takes_an_officers_word():
    """What nothing rests on is left out; a word for another value, or of a stranger, is worth nothing."""
    policy = doubtful()
    assert [(each.name, each.overridden_by) for each in unsure(policy, OFFICERS)] == [("EU.keep", ())]
    said = statement_of(policy, "EU.keep", "I read the article.", "2026-11-24")
    for person, keys, value, vouched in (
        ("ada", PEOPLE["ada"], 1, ("ada",)),
        ("ada", PEOPLE["ada"], 2, ()),
        ("dora", PEOPLE["dora"], 1, ()),
        ("ada", PEOPLE["dora"], 1, ()),
    ):
        override = Override(statement=said, signatures=(sign_statement(said, person, keys),))
        (found,) = unsure(doubtful(value=value, overrides=(override,)), OFFICERS)
        assert found.overridden_by == vouched


def test_a_bundle_for_production_is_strict():
    """A demonstration is not."""
    people = ("ada", "ben")
    policy = doubtful()
    assert accept(None, signed(bundle(policy=policy), *people), FIRST, NOW)
    with pytest.raises(wrong.PolicyUnsure):
        accept(None, signed(bundle(policy=policy, label="production"), *people), FIRST, NOW)
    said = statement_of(policy, "EU.keep", "I read the article.", "2026-11-24")
    override = Override(statement=said, signatures=(sign_statement(said, "cho", PEOPLE["cho"]),))
    whole = bundle(policy=doubtful(overrides=(override,)), label="production")
    assert accept(None, signed(whole, *people), FIRST, NOW) == whole


def test_an_override_is_written_as_a_policy_file():
    """And read back the same, signatures and all."""
    said = statement_of(doubtful(), "EU.keep", 'I read "Art. 1".', "2026-11-24")
    file = read("x", 'kind = "overrides"')
    made = change(file, override=(Override(statement=said, signatures=(sign_statement(said, "ada", PEOPLE["ada"]),)),))
    assert read("overrides/keep.toml", overrides_text(made)) == made


def test_a_node_goes_by_a_bundle_for_as_long_as_it_says():
    """From when it last heard that it stands."""
    day: Milliseconds = 86_400_000
    assert fresh_until(BASE, NOW) == NOW + 7 * day


def _masked(**more):
    """Give obligations."""
    from shared.policy.model import Obligations

    return Obligations(mask=("names",), **more)
