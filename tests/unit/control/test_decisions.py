"""The small pure tables: access, four eyes, paging, deliveries, minted secrets, health, enrolment tokens, settings."""

import base64
import contextlib
import hashlib
import hmac
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.core.access import GRANTED_BY_TWO, ROLES, SCOPES, TABLE, scopes_of
from control_plane.core.deliveries import WAIT_MS_MAX, outcome_of, signed_headers, wait_ms
from control_plane.core.errors import Conflict, CursorInvalid, OwnProposal
from control_plane.core.events import EventKind, instant
from control_plane.core.four_eyes import Proposal, check_decision, may_appoint_alone
from control_plane.core.health import Newest, is_behind, problems_of, standing_of, standing_problems, state_of
from control_plane.core.minting import digest, mint, read_access, write_access
from control_plane.core.paging import Position, read_cursor, write_cursor
from control_plane.settings import describe, example_toml, load_settings
from shared.enrolment_token import EnrolmentToken, read_token, write_token
from shared.errors import SettingsInvalid
from shared.errors.trust import TokenMalformed
from shared.wire import Beat, Health, PolicyStand
from tests.support.house import ROOT

PROPOSAL = Proposal("i", "grant_role", "new", "nina", "officer", "ops", "olga", 1, "open", None, None)


def test_every_scope_is_somebodys_and_no_role_has_all():
    assert set(TABLE) == set(ROLES)
    assert frozenset().union(*TABLE.values()) == set(SCOPES)
    assert all(scopes < set(SCOPES) for scopes in TABLE.values())


def test_who_runs_the_machines_opens_no_case_and_who_looks_changes_nothing():
    assert not TABLE["operator"] & {"cases:open", "policies:publish"}
    assert all(scope.endswith(":read") for scope in TABLE["auditor"])
    assert {role for role, scopes in TABLE.items() if "proposals:decide" in scopes} <= GRANTED_BY_TWO


@pytest.mark.parametrize("role", ROLES)
def test_a_token_has_no_scope_that_its_role_has_not(role):
    assert set(scopes_of(role, None)) == TABLE[role]
    assert set(scopes_of(role, SCOPES)) == TABLE[role]
    assert scopes_of(role, ()) == ()


@pytest.mark.parametrize(
    ("person", "approves", "refused"),
    [
        ("olga", True, OwnProposal),
        ("nina", True, OwnProposal),
        ("nina", False, OwnProposal),
        ("omar", True, None),
        ("omar", False, None),
        ("olga", False, None),
    ],
)
def test_two_persons_decide(person, approves, refused):
    if refused is None:
        check_decision(PROPOSAL, person, approves=approves)
    else:
        with pytest.raises(refused):
            check_decision(PROPOSAL, person, approves=approves)


def test_nothing_is_decided_twice():
    with pytest.raises(Conflict):
        check_decision(PROPOSAL._replace(state="rejected"), "omar", approves=True)


def test_the_machine_appoints_alone_until_two_persons_can_decide():
    assert may_appoint_alone([])
    assert may_appoint_alone([("olga", "operator"), ("olga", "officer"), ("ada", "auditor")])
    assert not may_appoint_alone([("olga", "operator"), ("omar", "officer")])


@given(st.integers(0, 2**53 - 1), st.text("0123456789abcdef", max_size=64))
def test_a_cursor_is_read_as_it_was_written(at, id_):
    position = Position(at, id_)
    assert read_cursor(write_cursor(position)) == position


@given(st.text(min_size=1, max_size=60))
def test_what_is_no_cursor_is_refused_by_name(text):
    with contextlib.suppress(CursorInvalid):
        assert write_cursor(read_cursor(text)) == text


def test_a_delivery_is_signed_as_in_the_specifications_example():
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    headers = signed_headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.integers(1, 100), st.floats(0.05, 3600))
def test_waits_grow_and_end_at_a_day(attempts, first):
    assert wait_ms(attempts, first) <= wait_ms(attempts + 1, first) <= WAIT_MS_MAX


@pytest.mark.parametrize(
    ("status", "attempts", "outcome"),
    [
        *((200, 1, "delivered"), (299, 9, "delivered"), (410, 1, "gone"), (302, 1, "waiting")),
        *((None, 2, "waiting"), (500, 3, "given_up"), (None, 3, "given_up"), (404, 1, "waiting")),
    ],
)
def test_an_answer_means(status, attempts, outcome):
    assert outcome_of(status, attempts, 3) == outcome


def test_a_minted_secret_is_of_its_purpose_and_name_alone():
    key = bytes(32)
    minted = {mint(key, purpose, id_) for purpose in ("access", "enrolment", "hook") for id_ in ("a", "b")}
    assert len(minted) == 6
    secret = mint(key, "access", "a")
    assert secret == hmac.new(key, b"homeport/mint/1\0access\0a", hashlib.sha256).digest()
    assert read_access(write_access(secret)) == secret
    assert digest(secret) == hashlib.sha256(secret).hexdigest()


def test_a_beat_shows_what_is_wrong():
    health = Health(0, 0, 0, 0, 0, 0)
    facts = {"protocol": 1, "oldest": 1, "node": "eu", "number": 1, "beat_seconds": 30, "registrations": ()}
    beat = Beat(**facts, health=health, roster_version=3)
    assert problems_of(beat, 3, skew_ms=0) == ()
    assert problems_of(beat, 4, skew_ms=-20_000) == ("clock_apart", "roster_old")
    newest = Newest(3, "c" * 64)
    for stand, problems in (
        (PolicyStand(0, None), ("policy_missing",)),
        (PolicyStand(2, "b" * 64), ("policy_old",)),
        (PolicyStand(3, "c" * 64), ()),
        (PolicyStand(3, "d" * 64), ("policy_other",)),
        (PolicyStand(4, "e" * 64), ("policy_other",)),
    ):
        said = msgspec.structs.replace(beat, policy=stand)
        assert problems_of(said, 3, newest, skew_ms=0) == problems
        assert problems_of(said, 3, skew_ms=0) == (problems if stand.version == 0 else ())
    late = msgspec.structs.replace(beat, health=msgspec.structs.replace(health, receipts_unsent=2_000))
    assert problems_of(late, 3, skew_ms=0) == ("receipts_missing",)


def test_a_node_whose_release_says_nothing_of_policies_is_told_no_code_that_it_does_not_know():
    health = Health(0, 0, 0, 0, 0, 0)
    facts = {"protocol": 1, "oldest": 1, "node": "eu", "number": 1, "beat_seconds": 30, "registrations": ()}
    beat = Beat(**facts, health=health, roster_version=2)
    newest = Newest(3, "c" * 64)
    assert problems_of(beat, 3, newest, skew_ms=0) == ("roster_old",)
    assert standing_problems(standing_of(beat), 3, newest) == ("policy_missing", "roster_old")


def test_a_node_has_a_minute_and_three_beats_to_follow():
    assert not is_behind(4, 160_000, 1, 100_000)
    assert is_behind(4, 160_001, 1, 100_000)
    assert not is_behind(4, 190_000, 30, 100_000)
    assert is_behind(4, 190_001, 30, 100_000)


def test_a_node_that_was_just_taken_in_is_not_late_for_what_was_published_long_before():
    assert not is_behind(3, 900_000, 30, 100_000)
    assert is_behind(4, 900_000, 30, 100_000)


def test_what_officers_decided_comes_before_what_is_seen():
    assert state_of("retired", barred=True, heard=True, silent=True) == "retired"
    assert state_of("active", barred=True, heard=True, silent=True) == "barred"
    assert state_of("active", barred=False, heard=False, silent=False) == "never_heard"
    assert state_of("active", barred=False, heard=True, silent=True) == "silent"
    assert state_of("active", barred=False, heard=True, silent=False) == "active"


def test_an_instant_is_written_as_rfc_3339():
    assert instant(1_795_000_000_007) == "2026-11-18T11:06:40.007Z"


TOKEN = EnrolmentToken(
    address="https://control.example.org",
    control_plane="a" * 64,
    root="b" * 64,
    node="jp",
    secret=bytes(range(32)),
    until=1_795_000_000_000,
)


def test_an_enrolment_token_is_one_line_that_is_read_back():
    line = write_token(TOKEN)
    assert read_token(f" {line}\n") == TOKEN
    assert line.isascii()
    assert not set(line) & set(" \n\t'\"$`")
    assert TOKEN.secret.hex() not in repr(TOKEN)


@pytest.mark.parametrize(
    "change", [lambda t: t[:-3], lambda t: t[1:], lambda t: t + "A", lambda t: "", lambda t: t * 9]
)
def test_what_is_no_whole_token_is_refused(change):
    with pytest.raises(TokenMalformed):
        read_token(change(write_token(TOKEN)))


def test_settings_are_read_overlaid_and_refused_by_name(tmp_path):
    file = tmp_path / "control.toml"
    file.write_text(example_toml("https://control.example.org", "data"))
    settings = load_settings(file, {"HOMEPORT_CONTROL_LOG_LEVEL": "error", "HOMEPORT_CONTROL_CONFIG": "x"})
    assert (settings.log_level, settings.data_dir) == ("error", tmp_path / "data")
    for environ in (
        {"HOMEPORT_CONTROL_NOTHING": "1"},
        {"HOMEPORT_CONTROL_HOOKS_ATTEMPTS_MAX": "0"},
        {"HOMEPORT_CONTROL_ADDRESS": "control.example.org"},
        {"HOMEPORT_CONTROL_LISTEN": "127.0.0.1:70000"},
        {"HOMEPORT_CONTROL_PRIVATE_LISTEN": "127.0.0.1:8090"},
        {"HOMEPORT_CONTROL_DATABASE_URL": "mysql://x"},
    ):
        with pytest.raises(SettingsInvalid) as refused:
            load_settings(file, environ)
        assert not set(environ.values()) & set(map(str, refused.value.details.values())) - {"1", "0"}
    file.write_text('address = "https://a.example"\ndata_dir = "d"\n[hooks]\nallow = ["10.0.0.1:80/x"]\n')
    with pytest.raises(SettingsInvalid):
        load_settings(file, {})


def test_every_setting_says_what_it_is_for():
    names = [name for name, _, _ in describe()]
    assert len(names) == len(set(names))
    assert {"address", "data_dir", "hooks.allow", "hooks.attempts_max"} <= set(names)


def test_the_page_of_the_control_plane_names_every_role_scope_and_kind_of_event():
    page = (ROOT / "control_plane" / "README.md").read_text()
    assert [word for word in (*ROLES, *SCOPES, *get_args(EventKind)) if f"`{word}`" not in page] == []
