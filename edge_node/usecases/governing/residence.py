"""Where a subject said they live: above everything else that says whose law applies to them, and on record."""

import msgspec

from edge_node.storage.content.jurisdictions import Law, declare, law_by_pseudonym, law_of
from edge_node.usecases.governing.judging import Judge
from shared.clock import Clock
from shared.database.contract import Database
from shared.errors import StoreUnavailable
from shared.errors.uplink import SubjectUnknown

_ATTEMPTS = 5


async def show_law(content: Database, pseudonym: str) -> Law:
    """Give what is known of a subject's law; ``SubjectUnknown`` where nobody of that pseudonym is here, or no more."""
    found = await law_by_pseudonym(content, pseudonym)
    if found is None:
        raise SubjectUnknown
    return found[1]


async def declare_residence(
    content: Database, judge: Judge, clock: Clock, pseudonym: str, country: str | None
) -> tuple[Law, Law]:
    """Note where a subject said they live (``None``: they take it back); give their law before and after.

    What may not rest here under the new law is restricted in the same transaction.  ``SubjectUnknown``.
    """
    for _ in range(_ATTEMPTS):
        found = await law_by_pseudonym(content, pseudonym)
        if found is None:
            raise SubjectUnknown
        subject, old = found
        clues = msgspec.structs.replace(old.clues, declared=country)
        derived = judge.derive(clues)
        new = law_of(clues, derived, judge.restricted(derived))
        if await declare(content, subject, old, new, clock.now()):
            return old, new
    raise StoreUnavailable(store="content")
