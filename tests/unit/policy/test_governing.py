"""Which statements of the control plane about the newest bundle a node hears."""

import pytest

from edge_node.core.governing import check_head
from shared.errors.policy import BundleConflict, BundleHeadRefused, BundleOlder
from shared.policy.accepting import SKEW_MS
from shared.wire import Head

NOW = 1_795_000_000_000
A, B = "a" * 64, "b" * 64


def head(version=3, digest=A, at=NOW):
    """Give a statement."""
    return Head(version=version, hash=digest, stated_at=at)


@pytest.mark.parametrize("at", [NOW - SKEW_MS, NOW, NOW + SKEW_MS])
@pytest.mark.parametrize("in_force", [None, (3, A), (2, B)])
def test_what_is_new_is_heard(at, in_force):
    check_head(head(at=at), at, in_force, NOW)
    check_head(head(at=at), None, in_force, NOW)


@pytest.mark.parametrize(
    ("said", "last_at", "in_force", "refusal"),
    [
        (head(at=NOW - SKEW_MS - 1), None, None, BundleHeadRefused),
        (head(at=NOW + SKEW_MS + 1), None, None, BundleHeadRefused),
        (head(), NOW + 1, None, BundleHeadRefused),
        (head(), None, (4, A), BundleOlder),
        (head(), None, (3, B), BundleConflict),
    ],
)
def test_what_is_old_or_takes_something_back_is_not(said, last_at, in_force, refusal):
    with pytest.raises(refusal):
        check_head(said, last_at, in_force, NOW)
