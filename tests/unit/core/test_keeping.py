"""The six keep-states: every pair has an answer, holds win where they say so, a release resumes what was stopped."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.core.keeping import EVENTS, KEEPS, REMOVALS, TABLE, Duties, Hold, Standing, decide

SETS = [frozenset(some) for size in range(4) for some in itertools.combinations(REMOVALS, size)]
LIFE = st.lists(st.tuples(st.sampled_from(EVENTS), st.sampled_from(SETS)), max_size=12)


def standing_of(keep) -> Standing:
    """Give a record in a state that it can be in."""
    if keep == "held":
        return Standing("held", ("active",), frozenset({"recall"}))
    return Standing(keep, ("active",) if keep in {"restricted", "blocked"} else ())


def test_the_table_has_exactly_the_pairs_there_are():
    assert set(TABLE) == set(KEEPS)
    assert all(set(row) == set(EVENTS) for row in TABLE.values())


@pytest.mark.parametrize("keep", KEEPS)
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("beats", SETS, ids=lambda some: "+".join(sorted(some)) or "none")
def test_every_pair_has_an_answer(keep, event, beats):
    standing = standing_of(keep)
    outcome = decide(standing, event, Duties(holds=beats))
    assert outcome.standing.keep in KEEPS
    assert (outcome.standing == standing) or outcome.does in {"move", "wait"}
    if outcome.does == "refuse":
        assert outcome.standing == standing
    if outcome.does == "wait":
        assert outcome.won == "hold"
    if keep == "expunged":
        assert outcome.standing.keep == "expunged"
    if keep == "tombstoned":
        assert outcome.standing.keep == ("expunged" if event == "carried_out" else "tombstoned")
    if event == "carried_out" and keep != "tombstoned":
        assert outcome.standing.keep == keep


@pytest.mark.parametrize("keep", ["active", "restricted", "blocked", "held"])
@pytest.mark.parametrize("removal", REMOVALS)
@pytest.mark.parametrize("beats", SETS, ids=lambda some: "+".join(sorted(some)) or "none")
def test_a_hold_wins_exactly_where_it_says_so(keep, removal, beats):
    outcome = decide(standing_of(keep), removal, Duties(holds=beats))
    if removal not in beats:
        assert (outcome.does, outcome.standing.keep) == ("move", "tombstoned")
        assert outcome.won != "hold"
    elif removal == "expire":
        assert (outcome.does, outcome.standing, outcome.reason) == ("wait", standing_of(keep), "passed_over")
    else:
        assert (outcome.does, outcome.standing.keep, outcome.won) == ("wait", "held", "hold")
        assert removal in outcome.standing.waiting


@pytest.mark.parametrize("keep", ["active", "restricted", "blocked"])
@pytest.mark.parametrize("wanted", [["recall"], ["erase"], ["recall", "erase"], ["erase", "expire"], []])
def test_releasing_the_last_hold_resumes_what_it_stopped_and_nothing_else(keep, wanted):
    standing = standing_of(keep)
    for removal in wanted:
        standing = decide(standing, removal, Duties(holds=frozenset(REMOVALS))).standing
    outcome = decide(standing, "release")
    noted = [removal for removal in wanted if removal != "expire"]
    assert outcome.standing == (Standing("tombstoned") if noted else standing_of(keep))
    assert outcome.reason == ("resumed" if noted else "nothing_waits")


def test_of_two_holds_the_one_that_stands_still_keeps():
    standing = decide(Standing(), "recall", Duties(holds=frozenset({"recall", "erase"}))).standing
    kept = decide(standing, "release", Duties(holds=frozenset({"recall"})))
    assert (kept.does, kept.standing, kept.won) == ("wait", standing, "hold")
    standing = decide(standing, "erase", Duties(holds=frozenset({"recall", "erase"}))).standing
    assert standing.waiting == {"recall", "erase"}
    freed = decide(standing, "release", Duties(holds=frozenset({"recall"})))
    assert (freed.standing, freed.won) == (Standing("tombstoned"), "erasure")


@pytest.mark.parametrize(("keep", "duty"), [("restricted", "restriction"), ("blocked", "blocking")])
@pytest.mark.parametrize("removal", REMOVALS)
def test_what_law_says_of_restriction_and_blocking_is_handed_in(keep, duty, removal):
    standing = standing_of(keep)
    assert decide(standing, removal).standing.keep == "tombstoned"
    stopped = decide(standing, removal, Duties(**{duty: frozenset({removal})}))
    assert (stopped.does, stopped.won) == ("wait", duty)
    other = "blocking" if duty == "restriction" else "restriction"
    assert decide(standing, removal, Duties(**{other: frozenset({removal})})).standing.keep == "tombstoned"


def test_a_restriction_is_come_back_to_after_blocking():
    standing = decide(decide(Standing(), "restrict").standing, "block").standing
    assert (standing.keep, standing.beneath) == ("blocked", ("active", "restricted"))
    standing = decide(standing, "unblock").standing
    assert standing.keep == "restricted"
    assert decide(standing, "unrestrict").standing == Standing()


@given(LIFE)
def test_no_life_leads_out_of_expunged_nor_back_from_tombstoned(life):
    standing = Standing()
    for event, beats in life:
        before = standing
        standing = decide(before, event, Duties(holds=beats)).standing
        assert (standing.keep == "held") == bool(standing.waiting)
        if before.keep == "tombstoned":
            assert standing.keep in {"tombstoned", "expunged"}
        if before.keep == "expunged":
            assert standing == before
        if standing.keep == "expunged" and before.keep != "expunged":
            assert (before.keep, event) == ("tombstoned", "carried_out")


@given(LIFE, st.lists(st.sampled_from(["recall", "erase"]), min_size=1))
def test_nothing_is_removed_while_a_hold_beats_everything(life, removals):
    standing, holds = Standing(), frozenset(REMOVALS)
    for event in itertools.chain((event for event, _ in life), removals):
        standing = decide(standing, event, Duties(holds=holds)).standing
        assert standing.keep not in {"tombstoned", "expunged"}
    assert standing.keep == "held"
    assert decide(standing, "release").standing.keep == "tombstoned"


@pytest.mark.parametrize(("at", "covered"), [(9, False), (10, True), (20, True), (21, False)])
def test_a_hold_covers_its_range_with_both_ends(at, covered):
    hold = Hold(from_at=10, until_at=20)
    assert hold.covers(at) is covered
    assert not hold.whole
    assert Hold().whole
