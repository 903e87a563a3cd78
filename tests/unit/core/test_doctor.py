"""The doctor: one thing wrong, one finding that names it and says what to do; all well, none."""

import pytest

from edge_node.core.crossing import Withheld
from edge_node.core.doctor import EpochFact, Facts, FileFact, ProcessFact, examine
from edge_node.core.doctor_policy import AccountFact, PolicyFact
from shared.clock import DAY

NOW = 1_800_000_000_000
DATA = FileFact("/data", 0o700, 1, is_folder=True)
JOURNAL = FileFact("/journal", 0o700, 2, is_folder=True)

WELL = Facts(
    now=NOW,
    readings=[("key", "secure_delete", "1", "1"), ("content", "synchronous", "2", "2")],
    files=[DATA, JOURNAL, FileFact("/data/keys.db", 0o600, 1)],
    devices=[("stores and journal", DATA, JOURNAL)],
    places=[("one", None), ("two", None)],
    promise="token_destroyed",
    epochs=EpochFact(NOW - 3 * DAY, 0, 30),
    escrow=None,
    key_backup_at=NOW - DAY,
    content_backup_at=NOW - DAY,
    quarantine=None,
    swaps=[],
    process=ProcessFact(0, None),
    removals=(0, None),
    free_bytes=10 * 1024**3,
    withheld=[],
    bases=[],
    policy=PolicyFact("id-jakarta", names_region=True, is_fresh=True),
    accounts=[AccountFact("shop", "line", "ID", has_law=True), AccountFact("chat", "whatsapp", None, has_law=False)],
)

WRONG = [
    ("readings", [("key", "secure_delete", "1", "0")], "key store", "secure_delete is 0, must be 1"),
    ("files", [FileFact("/data/keys.db", 0o644, 1)], "files", "open to others (644)"),
    ("files", [FileFact("/data/keys.db", None, None)], "files", "missing"),
    ("devices", [("both", DATA, DATA)], "second place", "one disk"),
    ("places", [("one", "the folder is missing"), ("two", None)], "key place", "the folder is missing"),
    ("places", [("token", None)], "key place", "only one"),
    ("promise", "file_deleted", "key destruction", "no better"),
    ("epochs", EpochFact(NOW, 1, 30), "epoch beat", "has not ended"),
    ("epochs", EpochFact(NOW - 40 * DAY, 0, 30), "epoch beat", "40 days old"),
    ("escrow", "there is none", "escrow", "there is none"),
    ("key_backup_at", None, "key backup", "there is none"),
    ("content_backup_at", None, "content backup", "there is none"),
    ("content_backup_at", NOW - 9 * DAY, "content backup", "9 days old"),
    ("quarantine", ("replaying", 3, 4), "quarantine", "3 removals to go, 4 events wait"),
    ("quarantine", ("judging", 0, 4), "quarantine", "judged"),
    ("swaps", ["partition"], "swap", "partition"),
    ("process", ProcessFact(1, None), "core dumps", "may write"),
    ("removals", (3, NOW - 3_600_000), "removals", "60 minutes"),
    ("free_bytes", 1000, "disk", "0.0 GiB"),
    (
        "withheld",
        [Withheld("registrations", "no_mechanism", 4)],
        "unlinked",
        "not registered: 4 kept here (no_mechanism)",
    ),
    ("policy", None, "policy", "everything is refused"),
    ("policy", PolicyFact("my-region", names_region=False, is_fresh=True), "policy", "no region my-region"),
    ("policy", PolicyFact("id-jakarta", names_region=True, is_fresh=False), "policy", "grace is over"),
    ("accounts", [AccountFact("shop", "line", None, has_law=False)], "account", "shop: no country"),
    ("accounts", [AccountFact("chat", "whatsapp", "XX", has_law=False)], "account", "no law of its country XX"),
    ("bases", [("line", "http://127.0.0.1:9")], "platform address", "127.0.0.1:9"),
]


def test_where_all_is_well_nothing_needs_mending():
    assert {finding.state for finding in examine(WELL)} == {"ok"}


@pytest.mark.parametrize(("field", "value", "topic", "what"), WRONG)
def test_one_thing_wrong_is_one_warning_that_says_what_to_do(field, value, topic, what):
    (found,) = [finding for finding in examine(WELL._replace(**{field: value})) if finding.state == "warning"]
    assert found.topic == topic
    assert what in found.what
    assert found.remedy


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("process", None),
        ("process", ProcessFact(None, None)),
        ("swaps", None),
        ("devices", [("x", DATA, WRONG[2][1][0])]),
    ],
)
def test_what_the_machine_does_not_say_is_unknown_and_no_reason_to_fail(field, value):
    states = [finding.state for finding in examine(WELL._replace(**{field: value}))]
    assert states.count("unknown") == 1
    assert "warning" not in states


def test_a_group_that_may_not_swap_is_enough():
    confined = WELL._replace(swaps=["partition"], process=ProcessFact(0, 0))
    assert {finding.state for finding in examine(confined)} == {"ok"}


def test_epochs_by_hand_are_never_late():
    assert {finding.state for finding in examine(WELL._replace(epochs=EpochFact(0, 0, 0)))} == {"ok"}
