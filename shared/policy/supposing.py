"""What if?  A policy with something thought away, or with an end to something: for cases and for officers."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from shared.policy.model import Policy
from shared.policy.names import qualified
from shared.policy.spans import moment_ms

_Entries = tuple[Any, ...]


def removable(policy: Policy) -> Iterator[str]:
    """Give the names that may be thought away: mechanisms, instruments, rules."""
    for jurisdiction in policy.jurisdictions:
        yield from (qualified(jurisdiction.code, each.id) for each in jurisdiction.mechanism)
    yield from (each.id for each in policy.instruments)
    yield from (each.id for each in policy.rules)


def less(policy: Policy, without: Iterable[str]) -> Policy:
    """Give the policy without some mechanisms, instruments and rules."""
    gone = set(without)
    return _with(policy, lambda name, each: () if name in gone else (each,))


def lapsing(policy: Policy, names: Iterable[str], on: str) -> Policy:
    """Give the policy in which some mechanisms, instruments and rules end on a date or moment; none lasts longer."""
    ending, end = set(names), moment_ms(on)

    def lapsed(name: str, each: Any) -> _Entries:
        if name not in ending or (each.valid_until is not None and moment_ms(each.valid_until) <= end):
            return (each,)
        if each.valid_from is not None and moment_ms(each.valid_from) >= end:
            return ()
        return (msgspec.structs.replace(each, valid_until=on),)

    return _with(policy, lapsed)


def _with(policy: Policy, change: Any) -> Policy:
    """Put what ``change`` makes of each mechanism, instrument and rule in its place."""

    def changed(entries: Iterable[Any], code: str = "") -> _Entries:
        named = ((qualified(code, each.id) if code else each.id, each) for each in entries)
        return tuple(one for name, each in named for one in change(name, each))

    return msgspec.structs.replace(
        policy,
        instruments=changed(policy.instruments),
        rules=changed(policy.rules),
        jurisdictions=tuple(
            msgspec.structs.replace(file, mechanism=changed(file.mechanism, file.code)) for file in policy.jurisdictions
        ),
    )
