"""What happens to a case: pauses, extensions, third parties, stages; and what does not fit is named and left out."""

import itertools

import pytest

from shared.policy.clocks import Definition, Event, deadline
from tests.support.clocks import at, calendar, clock, due, ends, happened

PAUSES = ("identity_unverified", "clarification")
UK = clock("1 months", counting="uk_gdpr", pauses=PAUSES, extension="2 months")
EU = clock("1 months", counting="eu_1182_71", pauses=PAUSES, extension="2 months")
VIETNAM = clock("15 days", third_party="20 days", extension="15 days")
MEXICO = clock("20 business_days", "15 business_days", extension="20 business_days")


def codes(found):
    return [fault.code for fault in found.faults]


def test_in_the_union_the_days_of_a_pause_are_put_on():
    """8 October and the five days from the 10th to the 14th; the day of resumption runs again."""
    told = ("received 2026-09-08", "paused:clarification 2026-09-10", "resumed:clarification 2026-09-15")
    assert ends(due(EU, "DE", *told, now="2026-09-20"), "DE") == "2026-10-13"


def test_in_the_kingdom_both_ends_of_a_clarification_do_not_count():
    """DPA 2018 s. 54(3C): beginning with the day of the question, ending with the day of the answer: six days."""
    told = ("received 2026-09-08", "clarification_requested 2026-09-10", "clarification_received 2026-09-15")
    assert ends(due(UK, "GB-ENG", *told, now="2026-09-20"), "GB") == "2026-10-14"


def test_in_the_kingdom_the_month_begins_with_the_proof_of_identity():
    """DPA 2018 s. 54(3): the latest of receipt and proof; 10 October is a Saturday."""
    told = ("received 2026-09-01", "identity_requested 2026-09-02", "identity_verified 2026-09-10")
    found = due(UK, "GB-ENG", *told, now="2026-09-20")
    assert ends(found, "GB") == "2026-10-12"
    assert found.stages[0].starts_ms == at("2026-09-10")
    assert "restarts" in [step.code for step in found.steps]


def test_while_it_is_paused_it_is_due_as_if_it_went_on_now():
    told = ("received 2026-09-08", "paused:clarification 2026-09-10")
    first, later = (due(EU, "DE", *told, now=now) for now in ("2026-09-15", "2026-09-17"))
    assert (first.state, ends(first, "DE")) == ("paused", "2026-10-13")
    assert (later.state, ends(later, "DE")) == ("paused", "2026-10-15")
    assert first.escalation is None


def test_a_pause_on_the_last_day_holds_over_a_weekend():
    """Due on Saturday, so on Monday; paused on Sunday, when Monday had not come: it is not overdue on Wednesday."""
    told = ("received 2026-09-03", "paused:clarification 2026-10-04")
    assert due(EU, "DE", *told, now="2026-10-07").state == "paused"


def test_hours_stand_still_to_the_millisecond():
    definition = clock("72 hours", pauses=("clarification",))
    told = ("paused:clarification 2026-08-15T12:00", "resumed:clarification 2026-08-15T13:30")
    found = due(definition, "ID", "received 2026-08-15T09:30", *told, now="2026-08-16")
    assert ends(found, "ID") == "2026-08-18T11:00"


@pytest.mark.parametrize(
    ("definition", "where", "last", "why"),
    [
        (UK, "GB-ENG", "2026-04-30", "ICO: three months from the original start date"),
        (EU, "DE", "2026-04-28", "two months from 28 February, where the first ended"),
    ],
)
def test_an_extension_of_which_the_subject_was_told(definition, where, last, why):
    found = due(definition, where, "received 2026-01-31", "extended+ 2026-02-20", now="2026-02-21")
    assert (ends(found, where), codes(found)) == (last, []), why


def test_a_third_party_lengthens_vietnams_fifteen_days_to_twenty():
    told = ("received 2026-06-01", "third_party_involved 2026-06-10")
    assert ends(due(VIETNAM, "VN", told[0], now="2026-06-12"), "VN") == "2026-06-16"
    assert ends(due(VIETNAM, "VN", *told, now="2026-06-12"), "VN") == "2026-06-21"
    assert ends(due(VIETNAM, "VN", *told, "extended+ 2026-06-11", now="2026-06-12"), "VN") == "2026-07-06"


def test_mexico_decides_in_twenty_days_and_acts_in_fifteen_more():
    """Decided on 20 November: 23 to 27, 30 to 4, 7 to 11 December are fifteen business days."""
    told = ("received 2026-10-26", "phase_done:one 2026-11-20")
    found = due(MEXICO, "MX", *told, now="2026-11-21")
    assert [stage.state for stage in found.stages] == ["met", "running"]
    assert (found.state, ends(found, "MX")) == ("running", "2026-12-11")
    done = due(MEXICO, "MX", *told, "completed 2026-12-11T23:00", now="2027-01-01")
    assert (done.state, done.due_ms, done.escalation) == ("met", found.due_ms, None)


def test_a_late_decision_wins_no_time_for_what_follows():
    """Due on 24 November, decided on the 26th: the fifteen days run from the 24th."""
    found = due(MEXICO, "MX", "received 2026-10-26", "phase_done 2026-11-26", now="2026-11-27")
    assert [stage.state for stage in found.stages] == ["missed", "running"]
    assert ends(found, "MX") == "2026-12-15"
    assert (
        due(
            MEXICO, "MX", "received 2026-10-26", "phase_done 2026-11-26", "completed 2026-11-28", now="2026-12-01"
        ).state
        == "missed"
    )


def test_what_is_not_begun_waits():
    found = due(MEXICO, "MX", now="2026-11-27")
    assert (found.state, found.due_ms, codes(found)) == ("waiting", None, [])
    begun = due(MEXICO, "MX", "received 2026-10-26", now="2026-11-01")
    assert [stage.state for stage in begun.stages] == ["running", "waiting"]


def test_a_duty_without_a_number_is_due_at_once():
    found = due(clock("0 without_delay"), "JP", "received 2026-10-26", now="2026-11-01")
    assert (found.state, found.due_ms, found.escalation) == ("due", None, None)


@pytest.mark.parametrize(
    ("now", "state", "escalation"),
    [
        ("2026-06-01T12:00", "running", "half_time"),
        ("2026-06-10", "running", "last_quarter"),
        ("2026-06-14", "running", "overdue"),
        ("2026-06-16T00:00", "due", "overdue"),
        ("2026-06-16T23:59", "due", "overdue"),
        ("2026-06-17T00:00", "overdue", None),
    ],
)
def test_states_and_escalations(now, state, escalation):
    found = due(VIETNAM, "VN", "received 2026-06-01", now=now)
    assert (found.state, found.escalation and found.escalation.code) == (state, escalation)
    assert found.escalation is None or found.escalation.at_ms > at(now, "VN")


def test_an_alarm_inside_comes_first():
    breach = Definition(
        id="b", right="breach_authority", starts="detected", stages=clock("72 hours").stages, alerts_hours=(1,)
    )
    found = due(breach, "VN", "detected 2026-06-01T08:00", now="2026-06-01T08:10")
    assert (found.escalation.code, found.escalation.at_ms) == ("alert", at("2026-06-01T09:00", "VN"))


@pytest.mark.parametrize(
    ("definition", "where", "wrong", "fault"),
    [
        (EU, "DE", ["resumed:clarification 2026-09-10"], "resume_without_pause"),
        (EU, "DE", ["paused:fee_unpaid 2026-09-10"], "pause_not_permitted"),
        (VIETNAM, "VN", ["paused:clarification 2026-09-10"], "pause_not_permitted"),
        (EU, "DE", ["extended 2026-09-10"], "extension_without_notice"),
        (EU, "DE", ["extended+ 2026-09-01"], "extension_before_start"),
        (EU, "DE", ["extended+ 2026-10-20"], "extension_too_late"),
        (clock("5 business_days"), "AR", ["extended+ 2026-09-10"], "extension_not_provided"),
        (VIETNAM, "VN", ["third_party_involved 2026-10-20"], "third_party_too_late"),
        (EU, "DE", ["phase_done:execute 2026-09-10"], "phase_unknown"),
        (EU, "DE", ["completed 2026-09-01"], "completed_before_start"),
        (EU, "DE", ["paused:clarification 2026-10-20"], "pause_too_late"),
        (UK, "GB-ENG", ["identity_requested 2026-10-20"], "pause_too_late"),
    ],
)
def test_what_does_not_fit_is_named_and_the_deadline_stays(definition, where, wrong, fault):
    plain = due(definition, where, "received 2026-09-07", now="2026-11-20")
    found = due(definition, where, "received 2026-09-07", *wrong, now="2026-11-20")
    assert (found.due_ms, found.state) == (plain.due_ms, "overdue")
    assert codes(found) == [fault]


def test_the_second_extension_is_one_too_many():
    told = ("received 2026-09-07", "extended+ 2026-09-20")
    found = due(EU, "DE", *told, "extended+ 2026-10-20", now="2026-11-01")
    assert codes(found) == ["extension_too_often"]
    assert found.due_ms == due(EU, "DE", *told, now="2026-11-01").due_ms


def test_pausing_twice_is_pausing_once():
    told = ("received 2026-09-08", "paused:clarification 2026-09-10", "resumed:clarification 2026-09-15")
    found = due(EU, "DE", *told, "paused:clarification 2026-09-12", now="2026-09-20")
    assert (codes(found), ends(found, "DE")) == (["pause_twice"], "2026-10-13")


def test_a_question_that_stops_nothing_here_is_no_fault():
    found = due(VIETNAM, "VN", "received 2026-06-01", "clarification_requested 2026-06-03", now="2026-06-04")
    assert (codes(found), ends(found, "VN")) == ([], "2026-06-16")
    assert "runs_on" in [step.code for step in found.steps]


def test_events_of_another_clock_are_not_this_ones():
    mine = happened("VN", "received 2026-06-01")
    theirs = Event(kind="completed", at_ms=at("2026-06-02", "VN"), clock="VN.access_acknowledge")
    assert deadline(VIETNAM, (*mine, theirs), calendar("VN"), at("2026-06-03", "VN")).state == "running"
    assert (
        deadline(
            VIETNAM, (*mine, Event(kind="completed", at_ms=theirs.at_ms)), calendar("VN"), at("2026-06-03", "VN")
        ).state
        == "met"
    )


def test_every_order_and_repetition_tells_the_same_story():
    told = happened(
        "MX", "received 2026-10-26", "received 2026-10-27", "extended+ 2026-11-10", "phase_done:one 2026-11-20"
    )
    expected = deadline(MEXICO, told, calendar("MX"), at("2026-11-21", "MX"))
    for order in itertools.permutations(told):
        assert deadline(MEXICO, order * 2, calendar("MX"), at("2026-11-21", "MX")) == expected


def test_hours_that_are_over_cannot_be_paused():
    """At the very instant at which they end, they have ended."""
    definition = clock("72 hours", pauses=("clarification",))
    found = due(
        definition, "ID", "received 2026-08-15T09:30", "paused:clarification 2026-08-18T09:30", now="2026-08-20"
    )
    assert (ends(found, "ID"), found.state, codes(found)) == ("2026-08-18T09:30", "overdue", ["pause_too_late"])


def test_hours_that_are_extended_round_up_once():
    definition = clock("24 hours", counting="eu_1182_71", extension="24 hours")
    found = due(definition, "DE", "received 2026-08-17T09:30", "extended+ 2026-08-17T10:00", now="2026-08-17T11:00")
    assert ends(found, "DE") == "2026-08-19T10:00"


def test_what_happens_after_the_completion_is_no_part_of_it():
    told = ("received 2026-06-01", "completed 2026-06-10")
    found = due(VIETNAM, "VN", *told, "extended+ 2026-06-11", "third_party_involved 2026-06-11", now="2026-06-12")
    assert found.due_ms == due(VIETNAM, "VN", *told, now="2026-06-12").due_ms
    assert codes(found) == []


def test_an_extension_is_of_the_stage_that_is_running_or_named():
    """One told of with the decision itself is still the first stage's; one of the second stage is not the first's."""
    told = ("received 2026-10-26", "phase_done 2026-11-20")
    with_it = due(MEXICO, "MX", *told, "extended+ 2026-11-20", now="2026-11-21")
    assert (ends(with_it, "MX"), codes(with_it)) == ("2026-12-11", [])
    assert with_it.stages[0].due_ms > due(MEXICO, "MX", *told, now="2026-11-21").stages[0].due_ms
    named = due(MEXICO, "MX", told[0], "extended:two+ 2026-11-10", now="2026-11-21")
    assert (ends(named, "MX"), codes(named)) == ("2026-11-24", [])
    after = due(MEXICO, "MX", *told, "extended+ 2026-11-21", now="2026-11-22")
    assert codes(after) == ["extension_not_provided"]


def test_identity_asked_for_in_the_extension_stops_nothing():
    """The month that could have begun anew is over."""
    told = ("received 2026-09-07", "extended+ 2026-09-20", "identity_requested 2026-10-20")
    found = due(UK, "GB-ENG", *told, now="2026-10-25")
    assert (found.state, codes(found), ends(found, "GB")) == ("running", ["pause_too_late"], "2026-12-07")


def test_the_last_day_is_a_whole_one():
    for now, state in (("2026-08-15T09:29", "running"), ("2026-08-15T09:30", "due"), ("2026-08-16T09:30", "due")):
        found = due(clock("48 hours"), "ID", "received 2026-08-14T09:30", now=now)
        assert found.state == state


def test_a_question_and_its_answer_at_one_instant_are_a_pause_of_nothing():
    told = ("clarification_received 2026-09-10", "clarification_requested 2026-09-10")
    assert due(EU, "DE", "received 2026-09-08", *told, now="2026-09-20").state == "running"


def test_at_one_instant_what_stops_comes_before_what_ends():
    told = ("resumed:clarification 2026-09-10", "paused:clarification 2026-09-10")
    found = due(EU, "DE", "received 2026-09-08", *told, now="2026-09-20")
    assert (codes(found), found.state) == ([], "running")


def test_a_limit_that_no_law_means_is_refused():
    for text in ("0 days", "10001 months", "1 without_delay"):
        with pytest.raises(ValueError, match="a length in"):
            clock(text)
    with pytest.raises(ValueError, match="at least one stage"):
        clock()
    with pytest.raises(ValueError, match="no convention"):
        due(clock("1 days", counting="by_moon"), "VN", now="2026-06-01")
    for now_ms in (-1, 2**53):
        with pytest.raises(ValueError, match="now lies outside"):
            deadline(EU, (), calendar("DE"), now_ms)


def test_the_trail_says_what_an_officer_asks():
    told = ("received 2026-09-08", "paused:clarification 2026-09-10", "resumed:clarification 2026-09-15")
    found = due(EU, "DE", *told, "extended+ 2026-09-20", now="2026-09-21")
    text = "\n".join(f"{step.code}: {step.text}" for step in found.steps)
    for part in (
        "1182/71 Art. 3",
        "holidays 0.109",
        "received on 2026-09-08",
        "clarification from 2026-09-10 to 2026-09-15",
    ):
        assert part in text
    assert "2 months more, told on 2026-09-20" in text
    assert "Europe/Berlin" in text


def test_only_days_that_mattered_are_named():
    """Of a month those at its end, of business days all: Germany's unity is on Saturday, 3 October 2026."""
    for limit, names_it in (("1 months", False), ("30 business_days", True)):
        found = due(clock(limit, counting="eu_1182_71"), "DE", "received 2026-09-15", now="2026-09-15")
        assert any("2026-10-03" in step.text for step in found.steps) == names_it
    at_its_end = due(clock("1 months", counting="eu_1182_71"), "DE", "received 2026-09-03", now="2026-09-15")
    assert any(step.code == "holidays" and "2026-10-03" in step.text for step in at_its_end.steps)
