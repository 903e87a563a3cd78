"""How many stored records a change of policy touches: by class, law and region, now or later, each once."""

from shared.policy.differing import diff
from shared.policy.spans import moment_ms
from shared.policy.touching import Holding, touched
from tests.support.policies import rule, world

NOW = moment_ms("2026-11-24")
OLD = world([rule("all", operations=("store", "log")), rule("see", operations=("view",))])
NO_MEDIA = rule("no-media", "deny", operations=("store", "view"), classes=("media",), subjects=("TH",))


def held(data_class="media", *subjects, node="eu-one", records=10):
    """Make a count."""
    return Holding(data_class=data_class, subjects=subjects or ("TH",), node=node, records=records)


def told(new, *holdings):
    """Compare, count, and give direction, operation and records."""
    found = touched(diff(OLD, new), holdings, NOW)
    return [(each.direction, each.operation, each.records) for each in found]


def changed(*rules):
    """Give the old policy with more rules."""
    return world([*OLD.rules, *rules])


def test_only_what_is_concerned_counts():
    """The class, the law and the region of the record; a record whose law is not known is denied anyway."""
    found = touched(
        diff(OLD, changed(NO_MEDIA)),
        [
            held(),
            held("media", "JP", "TH", records=3),
            held("message_text", records=100),
            held("media", "JP", records=100),
            held("media", "TH", node="mars", records=100),
            Holding(data_class="media", subjects=(), node="eu-one", records=100),
            held(records=0),
        ],
        NOW,
    )
    assert [(each.direction, each.operation, each.records) for each in found] == [
        ("more_restrictive", "store", 13),
        ("more_restrictive", "view", 13),
    ]
    assert [(each.subjects, each.records) for each in found[0].of] == [(("TH",), 10), (("JP", "TH"), 3)]


def test_what_is_over_does_not_count_and_what_comes_does():
    """A rule that ended yesterday touches nothing; one that begins next year does."""
    over = rule("no-media", "deny", classes=("media",), valid_until="2026-11-24")
    coming = rule("no-media", "deny", classes=("media",), valid_from="2027-01-01")
    assert told(changed(over), held()) == []
    assert told(changed(coming), held()) == [("more_restrictive", "store", 10)]


def test_a_record_counts_once_for_each_operation_and_direction():
    """However many of its cells change."""
    both = changed(
        rule("no-audit", "deny", purposes=("audit",), classes=("media",)),
        rule("more", operations=("transfer",), classes=("media",)),
    )
    assert told(both, held()) == [("more_permissive", "transfer", 10), ("more_restrictive", "store", 10)]
