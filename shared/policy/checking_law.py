"""Lint of jurisdictions: what is missing, out of date, or referred to by nothing."""

from collections.abc import Iterator
from typing import Any

from shared.clock import DAY
from shared.policy.assembling import PARTS, Assembled
from shared.policy.model import JurisdictionFile, Policy
from shared.policy.names import qualified
from shared.policy.problems import Problem
from shared.policy.spans import moment_ms, written
from shared.policy.terms import ANY

SOON_MS = 90 * DAY
"""What ends within ninety days is told: clauses take that long to replace."""
_RIGHTS = {"access": "access", "erasure": "erasure", "breach_authority": "telling the authority of a breach"}
"""Deadlines that every law has, be it as "without delay"."""


def law_findings(made: Assembled, now_ms: int) -> Iterator[Problem]:
    """Give what somebody should look at in jurisdictions, groups and instruments."""
    policy = made.policy
    for file in policy.jurisdictions:
        yield from _gaps(made, file)
        yield from _unused(made, file)
        for table in ("mechanism", "localisation", "clock", "duty"):
            for entry in getattr(file, table):
                yield from _expiry(made, table, qualified(file.code, entry.id), entry, now_ms)
    for instrument in policy.instruments:
        yield from _expiry(made, "instrument", instrument.id, instrument, now_ms)
    for rule in policy.rules:
        yield from _expiry(made, "rule", rule.id, rule, now_ms)
    yield from _platforms(made)
    yield from _groups(made)
    yield from _instruments(made)


def _gaps(made: Assembled, file: JurisdictionFile) -> Iterator[Problem]:
    """Find deadlines that are missing, and a hold that no article backs."""
    where = made.where("jurisdiction", file.code)
    have = {clock.right for clock in file.clock}
    for right, words in _RIGHTS.items():
        if right not in have:
            what = f"has no clock for {words}."
            yield Problem("gap", where, what, "If the law names no time, write without_delay.", "warning")
    if not any(duty.kind == "hold" for duty in file.duty):
        what = "has no duty of kind hold: a hold will keep records without an article."
        yield Problem("gap", where, what, "Write the article by which a legal claim keeps data.", "warning")


def _unused(made: Assembled, file: JurisdictionFile) -> Iterator[Problem]:
    """Find what nothing refers to."""
    used = set(_used(made.policy, file))
    for table in ("article", "parameter", "filing", "counter"):
        for each in getattr(file, table):
            if each.id not in used:
                where = made.where(table, qualified(file.code, each.id))
                yield Problem("unused", where, "nothing refers to it.", "An article is there for a rule.", "warning")


def _used(policy: Policy, file: JurisdictionFile) -> Iterator[str]:
    """Give every name of a jurisdiction that something refers to."""
    for table in PARTS:
        for entry in getattr(file, table):
            for key in ("article", "limit", "period", "filing", "counter", "acknowledge"):
                name = getattr(entry, key, None)
                if isinstance(name, str):
                    yield name
            for part in (*getattr(entry, "phase", ()), *getattr(entry, "step", ())):
                for key in ("limit", "extension", "third_party", "third_party_extension", "above"):
                    name = getattr(part, key, None)
                    if name is not None:
                        yield name
    for rule in policy.rules:
        yield from rule.cites
        if rule.obligations is not None:
            for period in (rule.obligations.log_for, rule.obligations.retain_at_most, rule.obligations.retain_at_least):
                code, _, name = (period or "").partition(".")
                if code == file.code:
                    yield name


def _expiry(made: Assembled, table: str, name: str, entry: Any, now_ms: int) -> Iterator[Problem]:
    """Find what is valid no more, or ends soon."""
    if entry.valid_until is None:
        return
    end = moment_ms(entry.valid_until)
    if end <= now_ms:
        what = f"ended on {written(end)}."
    elif end <= now_ms + SOON_MS:
        what = f"ends soon, on {written(end)}."
    else:
        return
    wants = "homeport policy explain says what changes then."
    yield Problem("expired", made.where(table, name, "valid_until"), what, wants, "warning")


def _platforms(made: Assembled) -> Iterator[Problem]:
    """Find articles of platforms' terms that nothing stands on."""
    cited = {article for rule in made.policy.rules for article in rule.cites}
    for platform in made.policy.platforms:
        standing = cited | {condition.article for condition in platform.condition}
        for article in platform.article:
            if article.id not in standing:
                where = made.where("article", article.id)
                yield Problem("unused", where, "nothing refers to it.", "An article is there for a rule.", "warning")


def _groups(made: Assembled) -> Iterator[Problem]:
    """Find groups that nobody chooses."""
    policy = made.policy
    chosen = {member for group in policy.groups for member in group.members}
    for rule in policy.rules:
        for key in rule.__struct_fields__:
            given = getattr(rule, key)
            chosen.update(given if isinstance(given, tuple) and all(isinstance(each, str) for each in given) else ())
    for file in policy.jurisdictions:
        for choice in (*(duty.classes for duty in file.duty), *(each.classes for each in file.localisation)):
            chosen.update(() if choice == ANY else choice)
    for platform in policy.platforms:
        for condition in platform.condition:
            for choice in (condition.classes, condition.purposes):
                chosen.update(() if choice == ANY else choice)
    for group in policy.groups:
        if group.id not in chosen:
            yield Problem("unused", made.where("group", group.id), "nothing chooses it.", "Remove it.", "warning")


def _instruments(made: Assembled) -> Iterator[Problem]:
    """Find instruments for which a law leaves no way open, and places that no jurisdiction is."""
    policy = made.policy
    files = {file.code: file for file in policy.jurisdictions}
    for instrument in policy.instruments:
        for code in instrument.from_:
            ways = [each for each in files[code].mechanism if each.kind == instrument.kind] if code in files else []
            reached = {to for each in ways for to in (instrument.to if each.to == ANY else each.to)}
            if not set(instrument.to) <= reached:
                where = made.where("instrument", instrument.id, "from")
                what = f"rests on no {instrument.kind.replace('_', ' ')} of {code} to all of these places."
                yield Problem("unused", where, what, "Add the mechanism to the jurisdiction's file.", "warning")
