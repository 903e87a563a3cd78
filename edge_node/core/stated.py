"""What somebody stated of an account: that it meets what its platform's terms ask for.  Pure."""

import re

import msgspec

from shared.clock import Milliseconds

MET_MAX = 100
"""Conditions stated of one account: far more than any platform has."""
_DEMAND = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_LINE = re.compile(r"[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,199}")


class Met(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Somebody's word that an account meets a demand."""

    demand: str
    """What a condition of the policy demands: ``provider_page_published``."""
    by: str
    """Who said so, as the company names them."""
    at: Milliseconds
    reference: str = ""
    """Where it can be seen: an address, a file's number."""


def wrong_with(met: tuple[Met, ...]) -> tuple[str, str] | None:
    """Give the field that is not of its form and what it wants; ``None``: all of it is."""
    if not len({each.demand for each in met}) == len(met) <= MET_MAX:
        return "condition", "each condition once"
    for each in met:
        if not (len(each.demand) <= 64 and _DEMAND.fullmatch(each.demand)):
            return "condition", "a name such as provider_page_published"
        if not _LINE.fullmatch(each.by):
            return "by", "who says so, in 1 to 200 characters on one line"
        if each.reference and not _LINE.fullmatch(each.reference):
            return "reference", "where it can be seen, in at most 200 characters on one line"
    return None
