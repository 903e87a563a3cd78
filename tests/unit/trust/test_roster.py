"""Which roster is believed: signed by enough officers in force, newer, and nothing that is gone comes back."""

import itertools

import msgspec
import pytest

from shared.crypto.signing import PublicKeys, draw_signing_keys, fingerprint
from shared.errors.trust import (
    RosterCompanyChanged,
    RosterConflict,
    RosterContradicts,
    RosterKeyReturns,
    RosterMalformed,
    RosterNameUnknown,
    RosterOlder,
    RosterRootUnknown,
    RosterUndersigned,
)
from shared.roster import SignedRoster, accept, accept_first, edits, root_fingerprint, sign, signers
from shared.roster.model import Officer, OfficerSignature, Witness
from shared.roster.rules import check_sound
from tests.support.rosters import AP, EU, FIRST, HUB, NOW, OFFICERS, PEOPLE, following, node_keys, signed
from tests.support.trust import CONTROL, NODE_KEYS, Seeded

change = msgspec.structs.replace


@pytest.mark.parametrize(
    ("people", "enough"),
    [(people, len(people) >= 2) for size in range(4) for people in itertools.combinations(("ada", "ben", "cho"), size)],
)
def test_enough_officers_of_those_in_force_must_sign(people, enough):
    """Any two of the three; the first roster and every later one alike."""
    later = following(edits.add_node(FIRST, AP, NOW))
    for believe in (
        lambda: accept(FIRST, signed(later, *people)) == later,
        lambda: accept_first(root_fingerprint(FIRST), signed(FIRST, *people)) == FIRST,
    ):
        if enough:
            assert believe()
        else:
            with pytest.raises(RosterUndersigned) as caught:
                believe()
            assert caught.value.details["have"] == len(people)


def forged(person: str, *, key: str | None = None, of=None) -> OfficerSignature:
    """Sign as one officer in another's name."""
    real = sign(of or following(), "ada", PEOPLE["ada"])
    return change(real, person=person, key=key or fingerprint(PEOPLE[person].public))


@pytest.mark.parametrize(
    "signatures",
    [
        (sign(following(), "ada", PEOPLE["ada"]),) * 2,
        (sign(following(), "ada", PEOPLE["ada"]), sign(following(), "ada", PEOPLE["ada"])),
        (sign(following(), "ada", PEOPLE["ada"]), forged("ben")),
        (sign(following(), "ada", PEOPLE["ada"]), forged("ben", key=fingerprint(PEOPLE["ada"].public))),
        (sign(following(), "ada", PEOPLE["ada"]), sign(following(), "ben", PEOPLE["ada"])),
        (sign(following(), "ada", PEOPLE["ada"]), sign(following(), "dora", PEOPLE["dora"])),
        (sign(following(), "ada", PEOPLE["ada"]), sign(FIRST, "ben", PEOPLE["ben"])),
        (sign(following(), "ada", PEOPLE["ada"]), sign(following(by=2), "ben", PEOPLE["ben"])),
    ],
)
def test_a_signature_counts_for_its_person_its_key_and_its_version(signatures):
    """One person twice is one; nobody signs for another; a stranger's and another version's count for nothing."""
    with pytest.raises(RosterUndersigned) as caught:
        accept(FIRST, SignedRoster(following(), signatures))
    assert caught.value.details["have"] == 1


@pytest.mark.parametrize("half", ["ed25519", "mldsa65"])
def test_half_a_signature_counts_for_nothing(half):
    """Either half foreign, the signature is none."""
    ada, ben = signed(following(), "ada", "ben").signatures
    broken = change(ben, signature=change(ben.signature, **{half: getattr(ada.signature, half)}))
    with pytest.raises(RosterUndersigned):
        accept(FIRST, SignedRoster(following(), (ada, broken)))


def test_versions_only_rise():
    """Older is refused however well signed; the same again is no change; the same number with other content is."""
    second = following()
    assert accept(second, signed(second)) is second
    with pytest.raises(RosterOlder):
        accept(second, signed(FIRST, "ada", "ben", "cho"))
    with pytest.raises(RosterConflict):
        accept(second, signed(change(second, created_at=NOW + 1), "ada", "ben", "cho"))
    later = following(by=7)
    assert accept(FIRST, signed(later, "ada", "cho")) == later


def test_new_officers_need_their_own_signatures_too():
    """Both the old threshold of old officers and the new one of new officers."""
    changed = following(edits.retire_officer(edits.add_officer(FIRST, Officer("dora", PEOPLE["dora"].public)), "ada"))
    for people in (("ada", "ben"), ("ben",), ("ben", "dora"), ("dora", "cho")):
        with pytest.raises(RosterUndersigned):
            accept(FIRST, signed(changed, *people))
    assert accept(FIRST, signed(changed, "ada", "ben", "dora")) == changed
    assert accept(FIRST, signed(changed, "cho", "ben")) == changed


def test_a_threshold_that_rises_must_be_reached_at_once():
    """Three of three asks for three signatures on the roster that says so; falling asks for the two in force."""
    stricter = following(threshold=3)
    with pytest.raises(RosterUndersigned) as caught:
        accept(FIRST, signed(stricter, "ada", "ben"))
    assert caught.value.details == {"reason": "new officers", "have": 2, "need": 3}
    assert accept(FIRST, signed(stricter, "ada", "ben", "cho")) == stricter
    looser = following(threshold=1)
    with pytest.raises(RosterUndersigned):
        accept(FIRST, signed(looser, "ada"))
    assert accept(FIRST, signed(looser, "ada", "ben")) == looser


def test_an_officer_with_a_new_key_signs_with_both():
    """The old key vouches for the change, the new one shows that somebody holds it."""
    renewed = draw_signing_keys(Seeded("ada's second key"))
    changed = following(edits.add_officer(change(FIRST, threshold=1), Officer("ada", renewed.public), 3))
    old, new = sign(changed, "ada", PEOPLE["ada"]), sign(changed, "ada", renewed)
    rest = signed(changed, "ben", "cho").signatures
    assert signers(SignedRoster(changed, (old,)), FIRST.officers) == {"ada"}
    assert signers(SignedRoster(changed, (old,)), changed.officers) == frozenset()
    with pytest.raises(RosterUndersigned):
        accept(FIRST, SignedRoster(changed, (old, *rest)))
    assert accept(FIRST, SignedRoster(changed, (old, new, *rest))) == changed


def test_the_root_is_who_the_officers_are():
    """Another officer or threshold is another root; nodes, versions and the order of officers are not."""
    root = root_fingerprint(FIRST)
    assert root_fingerprint(following(edits.add_node(FIRST, AP, NOW), officers=OFFICERS[::-1])) == root
    assert root_fingerprint(change(FIRST, threshold=1)) != root
    assert root_fingerprint(change(FIRST, officers=OFFICERS[:2])) != root
    with pytest.raises(RosterRootUnknown):
        accept_first(root, signed(change(FIRST, threshold=1), "ada", "ben", "cho"))
    with pytest.raises(RosterRootUnknown):
        accept_first("0" * 64, signed(FIRST, "ada", "ben"))


def test_a_roster_of_another_company_is_refused():
    """However well signed."""
    with pytest.raises(RosterCompanyChanged):
        accept(FIRST, signed(following(company="acme2"), "ada", "ben", "cho"))


def test_a_retired_node_stays_retired():
    """It is not active any more, cannot be dropped, changed or taken back, and its keys and name are used up."""
    retired = following(edits.retire_node(FIRST, "eu", NOW + 1))
    assert accept(FIRST, signed(retired, "ada", "ben")).active("eu") is None
    assert retired.node("eu").keys == NODE_KEYS
    for nodes in (
        (),
        FIRST.nodes,
        (change(retired.nodes[0], since=NOW + 2),),
        (change(retired.nodes[0], keys=node_keys("fresh")),),
    ):
        with pytest.raises(RosterKeyReturns):
            accept(retired, signed(following(retired, nodes=nodes), "ada", "ben", "cho"))
    with pytest.raises(RosterContradicts):
        edits.add_node(retired, change(AP, keys=NODE_KEYS), NOW)
    with pytest.raises(RosterContradicts):
        edits.add_node(retired, change(AP, name="eu"), NOW)
    for edit in (lambda: edits.retire_node(retired, "eu", NOW), lambda: edits.set_node_keys(retired, EU, NOW)):
        with pytest.raises(RosterKeyReturns):
            edit()


def test_replaced_keys_are_kept_and_never_come_back():
    """Whole or by half, at the same node or another."""
    renewed = change(EU, keys=node_keys("second"), relay=None)
    second = following(edits.set_node_keys(FIRST, renewed, NOW + 5))
    assert accept(FIRST, signed(second, "ada", "ben")) == second
    node = second.active("eu")
    assert (node.keys, node.relay, node.former[0].keys, node.former[0].until) == (
        renewed.keys,
        None,
        NODE_KEYS,
        NOW + 5,
    )
    for keys in (NODE_KEYS, change(node_keys("third"), hpke=NODE_KEYS.hpke), change(renewed.keys, hpke=NODE_KEYS.hpke)):
        with pytest.raises(RosterContradicts):
            edits.set_node_keys(second, change(EU, keys=keys), NOW)
    for former in ((), (change(node.former[0], until=NOW),)):
        forgetful = following(second, nodes=(change(node, former=former),))
        with pytest.raises(RosterKeyReturns):
            accept(second, signed(forgetful, "ada", "ben", "cho"))
    swapped = following(nodes=(change(FIRST.nodes[0], keys=node_keys("second")),))
    with pytest.raises(RosterKeyReturns):
        accept(FIRST, signed(swapped, "ada", "ben", "cho"))


WITNESS = Witness("auditor", node_keys("w").ed25519, bytes(range(256)) * 5 + bytes(32))


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (change(FIRST, officers=()), RosterContradicts),
        (change(FIRST, threshold=4), RosterContradicts),
        (change(FIRST, threshold=0), RosterMalformed),
        (change(FIRST, officers=(*OFFICERS, Officer("ada", PEOPLE["dora"].public))), RosterContradicts),
        (change(FIRST, officers=(*OFFICERS, Officer("eve", PEOPLE["ada"].public))), RosterContradicts),
        (
            change(
                FIRST,
                officers=(
                    *OFFICERS,
                    Officer("eve", PublicKeys(PEOPLE["dora"].public.ed25519, PEOPLE["ada"].public.mldsa65)),
                ),
            ),
            RosterContradicts,
        ),
        (change(FIRST, officers=(*OFFICERS, Officer("Eve Adams", PEOPLE["dora"].public))), RosterMalformed),
        (change(FIRST, officers=(*OFFICERS, Officer("eve", CONTROL.public))), RosterContradicts),
        (change(FIRST, nodes=FIRST.nodes * 2), RosterContradicts),
        (change(FIRST, nodes=(change(FIRST.nodes[0], name="control-plane"),)), RosterContradicts),
        (change(FIRST, control_plane=change(HUB, fingerprint="0" * 64)), RosterContradicts),
        (change(FIRST, control_plane=change(HUB, address="https://hub.example/path")), RosterMalformed),
        (change(FIRST, witnesses=(WITNESS, WITNESS)), RosterContradicts),
        (change(FIRST, witnesses=(change(WITNESS, ed25519=NODE_KEYS.ed25519),)), RosterContradicts),
        (change(FIRST, witnesses=(change(WITNESS, mldsa44=b""),)), RosterMalformed),
    ],
)
def test_a_roster_that_contradicts_itself_is_refused(broken, error):
    """Wherever it is looked at."""
    for look in (
        lambda: check_sound(broken),
        lambda: accept(FIRST, SignedRoster(change(broken, version=2), ())),
        lambda: accept_first(root_fingerprint(FIRST), SignedRoster(broken, ())),
    ):
        with pytest.raises(error):
            look()


def test_witnesses_and_the_control_plane_change_by_the_same_rule():
    """Added, renewed, taken out."""
    roster = edits.add_witness(FIRST, WITNESS)
    assert accept(FIRST, signed(following(roster), "ada", "ben")).witnesses == (WITNESS,)
    assert edits.retire_witness(roster, "auditor").witnesses == ()
    moved = edits.set_control_plane(FIRST, change(HUB, address="https://hub2.example"))
    assert accept(FIRST, signed(following(moved), "ada", "ben")).control_plane.address == "https://hub2.example"
    for edit in (
        lambda: edits.retire_witness(FIRST, "nobody"),
        lambda: edits.retire_officer(FIRST, "nobody"),
        lambda: edits.retire_node(FIRST, "nobody", NOW),
        lambda: edits.set_node_keys(FIRST, AP, NOW),
    ):
        with pytest.raises(RosterNameUnknown):
            edit()
    with pytest.raises(RosterKeyReturns):
        edits.set_node_keys(FIRST, change(AP, name="eu"), NOW)
