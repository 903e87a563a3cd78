"""For every policy: denies never permit, order is nothing, a diff is complete, every no has its reason."""

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.bench.policy_ways import plain
from shared.policy.boxes import cells as cells_of
from shared.policy.boxes import merged, size
from shared.policy.differing import apply, diff, direction_of
from shared.policy.evaluator import Evaluator
from shared.policy.matrix import cells, question_at, space_of, tally
from tests.support.policies import (
    CLASSES,
    CODES,
    REGIONS,
    answers,
    article,
    localisation,
    localised,
    named,
    policies,
    rules,
)

quick = settings(
    max_examples=18, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
other_regions = st.sampled_from([REGIONS, {"eu-one": "EU", "th-one": "TH"}, {**REGIONS, "jp-one": "JP"}])
other_classes = st.sampled_from([CLASSES, (*CLASSES, "summary")])


@quick
@given(policies(), rules(effects=("deny",)))
def test_adding_a_deny_never_permits(policy, drawn):
    """Whatever was denied stays denied, and what stays allowed is allowed on the same terms."""
    more = msgspec.structs.replace(policy, rules=(*policy.rules, *_called("rule-x", drawn)))
    before, after = Evaluator(policy), Evaluator(more)
    space = space_of(before, after)
    old, new = answers(before, space), answers(after, space)
    for cell, answer in new.items():
        assert not answer.allowed or answer == old[cell]


@quick
@given(policies(), localised(), st.sampled_from(CODES))
def test_a_law_that_keeps_data_inside_never_permits(policy, drawn, code):
    """Whatever a jurisdiction's file says of its country, nothing that was denied is allowed by it."""
    stays = msgspec.structs.replace(localisation("stays-x", **drawn), article=article(code))
    laws = tuple(
        msgspec.structs.replace(each, localisation=(*each.localisation, stays)) if each.code == code else each
        for each in policy.jurisdictions
    )
    before, after = Evaluator(policy), Evaluator(msgspec.structs.replace(policy, jurisdictions=laws))
    space = space_of(before, after)
    old, new = answers(before, space), answers(after, space)
    for cell, answer in new.items():
        assert not answer.allowed or answer == old[cell]


@quick
@given(policies(), st.randoms(use_true_random=False))
def test_the_order_of_what_is_written_does_not_matter(policy, chance):
    """Shuffled choices inside rules, and questions asked in any order, give the same answers."""

    def shuffled(names):
        return names if isinstance(names, str) or names is None else tuple(chance.sample(names, len(names)))

    other = msgspec.structs.replace(
        policy,
        rules=tuple(
            msgspec.structs.replace(
                each, **{key: shuffled(getattr(each, key)) for key in ("classes", "nodes", "operations")}
            )
            for each in policy.rules
        ),
        jurisdictions=tuple(
            msgspec.structs.replace(
                each, mechanism=tuple(reversed(each.mechanism)), localisation=tuple(reversed(each.localisation))
            )
            for each in policy.jurisdictions
        ),
    )
    one, two = Evaluator(policy), Evaluator(other)
    space = space_of(one)
    first = answers(one, space)
    asked = list(first)
    chance.shuffle(asked)
    second = answers(two, space)
    assert all(first[cell] == second[cell] for cell in asked)


@quick
@given(policies(other_regions, other_classes), policies(other_regions, other_classes))
def test_a_diff_is_complete(old, new):
    """Laid over the old answers it gives the new ones; no cell is listed twice, none that did not change."""
    before, after = Evaluator(old), Evaluator(new)
    difference = diff(old, new)
    first, second = answers(before, difference.space), answers(after, difference.space)
    assert apply(difference, first) == second
    listed = [cell for change in difference.changes for box in change.boxes for cell in cells_of(box)]
    assert len(listed) == len(set(listed))
    assert set(listed) == {cell for cell in first if first[cell] != second[cell]}
    for change in difference.changes:
        assert change.direction == direction_of(change.before, change.after)


@quick
@given(policies())
def test_every_no_has_its_reason_and_every_yes_its_rule(policy):
    """A deny says why; an allow names the rule, and cites."""
    for answer in answers(Evaluator(policy), space_of(Evaluator(policy))).values():
        assert answer.reason
        if answer.allowed:
            assert answer.rule is not None
            assert answer.citations
        else:
            assert answer.rule is not None or answer.reason == "no_rule"


@quick
@given(policies())
def test_the_whole_space_is_what_single_questions_say(policy):
    """Enumerated, counted, or asked one by one: the same."""
    evaluator = Evaluator(policy)
    space = space_of(evaluator)
    one_by_one = answers(Evaluator(policy), space)
    assert dict(cells(evaluator, space)) == one_by_one
    assert len(one_by_one) == space.count
    counts: dict = {}
    for cell, answer in one_by_one.items():
        key = (cell[0], answer.outcome, answer.rule or "", answer.reason)
        counts[key] = counts.get(key, 0) + 1
    assert tally(evaluator, space) == counts


@quick
@given(policies())
def test_a_plain_chain_of_ifs_gives_the_same_answers(policy):
    """An evaluator that shares no table with ours."""
    chain = plain(policy)
    space = space_of(Evaluator(policy))
    for cell, answer in answers(Evaluator(policy), space).items():
        assert answer.allowed == chain(question_at(space, cell))


@settings(max_examples=100, deadline=None)
@given(st.sets(st.tuples(*(st.sampled_from("abc") for _ in range(3)))))
def test_boxes_hold_the_cells_they_were_made_of(some):
    """Nothing is hidden and nothing added."""
    boxes = merged(tuple(frozenset((name,)) for name in cell) for cell in some)
    found = [cell for box in boxes for cell in cells_of(box)]
    assert sorted(found) == sorted(some)
    assert sum(map(size, boxes)) == len(some)


def _called(name, drawn):
    """Give one drawn rule a name."""
    return [msgspec.structs.replace(named([drawn])[0], id=name)]
