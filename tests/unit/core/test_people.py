"""Who is this?  The rule by which identifiers lead to a subject."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.core.people import Resolution, resolve
from shared.message import Identifier

USER = Identifier("whatsapp_user", "ID.1")
PARENT = Identifier("whatsapp_parent_user", "ID.ENT.1")
PHONE = Identifier("whatsapp_phone", "6281")


def _nobody(_subject: int, _kind: str) -> bool:
    return False


def _has_another(_subject: int, _kind: str) -> bool:
    return True


@pytest.mark.parametrize(
    ("identifiers", "known", "others", "expected"),
    [
        ((USER, PHONE), {}, _nobody, Resolution(None, (0, 1), ())),
        ((USER, PHONE), {0: 7, 1: 7}, _nobody, Resolution(7, (), ())),
        ((USER, PHONE), {0: 7}, _nobody, Resolution(7, (1,), ())),
        ((USER,), {0: 7}, _nobody, Resolution(7, (), ())),
        # Known by phone before BSUIDs came: the BSUID is attached.
        ((USER, PHONE), {1: 7}, _nobody, Resolution(7, (0,), ())),
        # The number belongs to somebody with another BSUID: it was given to a new person.
        ((USER, PHONE), {1: 7}, _has_another, Resolution(None, (0, 1), (1,))),
        # The number moves to the person whose BSUID is known; nobody is merged.
        ((USER, PHONE), {0: 7, 1: 8}, _nobody, Resolution(7, (1,), (1,))),
        # A phone alone, known: the same person as far as anyone can tell.
        ((PHONE,), {0: 7}, _has_another, Resolution(7, (), ())),
        # A lasting identifier of somebody else stays with them.
        ((USER, PARENT), {0: 7, 1: 8}, _nobody, Resolution(7, (), ())),
    ],
)
def test_identifiers_lead_to_a_subject(identifiers, known, others, expected):
    assert resolve(identifiers, known, others) == expected


@given(
    known=st.dictionaries(st.integers(0, 2), st.integers(1, 3)),
    has_another=st.booleans(),
)
def test_a_lasting_identity_never_changes_hands(known, has_another):
    found = resolve((USER, PARENT, PHONE), known, lambda _subject, _kind: has_another)
    assert not set(found.close) & {0, 1}
    assert set(found.close) <= set(found.attach)
    for position in (0, 1):
        assert position not in found.attach or position not in known
    if 0 in known:
        assert found.subject == known[0]
