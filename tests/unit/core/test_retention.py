"""Periods: what is given stands over the defaults, content has none, and what cannot stand is refused."""

from typing import get_args

import pytest

from edge_node.core.retention import CLASSES, CONTENT, DEFAULT_DAYS, KINDS, RetentionEntry, periods_of
from shared.clock import DAY
from shared.errors import SettingsInvalid
from shared.message import Event


def test_every_kind_of_event_is_in_one_class():
    tags = {str(each.__struct_config__.tag) for each in get_args(Event)}
    kinds = [kind for each in KINDS.values() for kind in each]
    # A message is a class of its own, and a recall leaves no row.
    assert sorted(kinds) == sorted(tags - {"message", "recall"})


def test_content_of_people_has_no_default():
    assert not {"message", "interaction", "relation", "preference"} & DEFAULT_DAYS.keys()
    periods = periods_of((), 35)
    assert periods.kept_for_ever() == ("message", "interaction", "relation", "preference")
    assert set(periods.of) == set(DEFAULT_DAYS)


def test_what_is_given_stands_over_the_default():
    periods = periods_of([RetentionEntry("message", 30), RetentionEntry("status", 8)], 35)
    assert (periods.of["message"], periods.of["status"]) == (30 * DAY, 8 * DAY)
    assert periods_of([RetentionEntry(each, 2_000) for each in CONTENT], 35).kept_for_ever() == ()
    assert set(CONTENT) <= set(CLASSES)


@pytest.mark.parametrize(("backups", "days"), [(0, 30), (30, 30), (35, 35), (90, 90)])
def test_marks_live_the_longer_of_a_month_and_the_oldest_backup(backups, days):
    assert periods_of((), backups).marks == days * DAY


@pytest.mark.parametrize(
    "entries",
    [
        [RetentionEntry("message", 0)],
        [RetentionEntry("message", 40_000)],
        [RetentionEntry("status", 7)],
        [RetentionEntry("message", 5), RetentionEntry("message", 6)],
        [RetentionEntry("log_entry", 35)],
    ],
)
def test_what_cannot_stand_is_refused(entries):
    with pytest.raises(SettingsInvalid) as caught:
        periods_of(entries, 35)
    assert caught.value.details["field_name"] == "retention"
