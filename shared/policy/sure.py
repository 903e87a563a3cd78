"""Strict mode: what a policy rests on that nobody is sure of, and which officers' overrides stand beside it."""

from collections.abc import Iterator, Mapping

import msgspec

from shared import canonical
from shared.crypto import labels
from shared.crypto.signing import SigningKeys, fingerprint, labelled, verify
from shared.errors.trust import SignatureInvalid
from shared.policy.model import (
    Article,
    Condition,
    JurisdictionFile,
    Localisation,
    Mechanism,
    Parameter,
    Policy,
    Sourced,
    Statement,
)
from shared.policy.names import qualified
from shared.policy.sound_values import article_owners
from shared.policy.terms import SURE, Unit
from shared.roster.model import Officer, OfficerSignature

_ON_ARTICLES = (Parameter, Mechanism, Localisation, Condition)


class Unsure(msgspec.Struct, frozen=True):
    """A value that the policy rests on and that is not sure."""

    name: str
    """Outside its file: ``CL.request_limit``; an article by its handle."""
    table: str
    certainty: str
    used_by: str
    """The first thing that rests on it."""
    note: str
    says: str = ""
    """What it says, with its article: ``15 business days, Art. 11 Ley 21.719``."""
    overridden_by: tuple[str, ...] = ()
    """Officers whose signed word stands beside it."""


def unsure(policy: Policy, officers: tuple[Officer, ...] = ()) -> list[Unsure]:
    """Give everything unsure that the policy rests on; where an officer vouches for it, that officer's name."""
    found: dict[tuple[str, str], Unsure] = {}
    owners = article_owners(policy)
    for table, name, entry, used_by in _rests_on(policy):
        if entry.certainty not in SURE and (table, name) not in found:
            people = tuple(sorted(_vouching(policy, name, entry, officers)))
            says = _says(owners, entry)
            found[table, name] = Unsure(name, table, entry.certainty, used_by, entry.note or "", says, people)
    return [found[key] for key in sorted(found)]


def statement_of(policy: Policy, name: str, reason: str, day: str) -> Statement | None:
    """Give the statement by which an officer vouches for an entry as it stands; ``None`` where there is none such."""
    for _, each, entry, _ in _rests_on(policy):
        if each == name:
            value, unit = _value(entry)
            return Statement(of=name, value=value, unit=unit, certainty=entry.certainty, reason=reason, day=day)
    return None


def sign_statement(statement: Statement, person: str, keys: SigningKeys) -> OfficerSignature:
    """Vouch for a value as an officer."""
    return OfficerSignature(person, fingerprint(keys.public), keys.sign(_signed_bytes(statement)))


def _rests_on(policy: Policy) -> Iterator[tuple[str, str, Sourced, str]]:
    """Give (table, name, entry, what uses it) of everything that answers and deadlines come from."""
    cited = {article: f"rule {rule.id}" for rule in policy.rules for article in rule.cites}
    for file in policy.jurisdictions:
        yield from _jurisdiction(policy, file)
        backing = {duty.article: f"duty {qualified(file.code, duty.id)}" for duty in file.duty}
        backing |= {each.article: f"localisation {qualified(file.code, each.id)}" for each in file.localisation} | cited
        for article in file.article:
            if article.id in backing:
                yield "article", article.id, article, backing[article.id]
    for platform in policy.platforms:
        for condition in platform.condition:
            yield "condition", condition.id, condition, f"{platform.channel} data"
        for article in platform.article:
            if article.id in cited:
                yield "article", article.id, article, cited[article.id]


def _jurisdiction(policy: Policy, file: JurisdictionFile) -> Iterator[tuple[str, str, Sourced, str]]:
    """Give the values of one law that something rests on."""
    kinds = {kind for rule in policy.rules for need in rule.needs for kind in need.kinds}
    uses, written = _uses(file), _written(policy)
    for parameter in file.parameter:
        name = qualified(file.code, parameter.id)
        used_by = uses.get(parameter.id) or written.get(name)
        if used_by is not None:
            yield "parameter", name, parameter, used_by
    for mechanism in file.mechanism:
        if mechanism.kind in kinds:
            yield "mechanism", qualified(file.code, mechanism.id), mechanism, "rules that need it"
    seen_to = {rule.localised: f"rule {rule.id}" for rule in reversed(policy.rules)}
    for localisation in file.localisation:
        used_by = seen_to.get(localisation.demands, "where data may rest")
        yield "localisation", qualified(file.code, localisation.id), localisation, used_by


def _written(policy: Policy) -> dict[str, str]:
    """Give, by parameter, a rule that writes it as a period."""
    found = {}
    for rule in policy.rules:
        owed = rule.obligations
        if owed is not None:
            for period in (owed.log_for, owed.retain_at_most, owed.retain_at_least):
                if period is not None:
                    found[period] = f"rule {rule.id}"
    return found


def _uses(file: JurisdictionFile) -> dict[str, str]:
    """Give, by parameter, the first clock, duty, filing or counter of a jurisdiction that uses it."""
    uses: dict[str, str] = {}
    for clock in file.clock:
        for phase in clock.phase:
            beside = (phase.third_party, phase.third_party_extension, clock.acknowledge)
            for name in (phase.limit, phase.extension, *beside):
                if name is not None:
                    uses.setdefault(name, f"clock {clock.id}")
    for duty in file.duty:
        if duty.period is not None:
            uses.setdefault(duty.period, f"duty {duty.id}")
    for filing in file.filing:
        uses.setdefault(filing.limit, f"filing {filing.id}")
    for counter in file.counter:
        for step in counter.step:
            uses.setdefault(step.above, f"counter {counter.id}")
    return uses


def _vouching(policy: Policy, name: str, entry: Sourced, officers: tuple[Officer, ...]) -> Iterator[str]:
    """Give the officers whose signed statement says exactly what stands there now."""
    value, unit = _value(entry)
    for override in policy.overrides:
        said = override.statement
        if (said.of, said.value, said.unit, said.certainty) != (name, value, unit, entry.certainty):
            continue
        data = _signed_bytes(said)
        for officer in officers:
            key = fingerprint(officer.keys)
            for each in override.signatures:
                if each.person == officer.person and each.key == key and _holds(officer, each, data):
                    yield officer.person


def _says(owners: Mapping[str, tuple[str, Article]], entry: Sourced) -> str:
    """Say what an entry says, and where."""
    if isinstance(entry, Article):
        return entry.cite
    cite = owners[entry.article][1].cite if isinstance(entry, _ON_ARTICLES) else ""
    if isinstance(entry, Parameter):
        unit = entry.unit.replace("_", " ")
        return f"{unit if entry.value is None else f'{entry.value} {unit}'}, {cite}"
    return cite


def _value(entry: Sourced) -> tuple[int | None, Unit | None]:
    """Give value and unit of a parameter; nothing else has any."""
    return (entry.value, entry.unit) if isinstance(entry, Parameter) else (None, None)


def _holds(officer: Officer, given: OfficerSignature, data: bytes) -> bool:
    """Say whether a signature verifies."""
    try:
        verify(officer.keys, given.signature, data)
    except SignatureInvalid:
        return False
    return True


def _signed_bytes(statement: Statement) -> bytes:
    """Give the bytes that officers sign."""
    return labelled(labels.POLICY_OVERRIDE, canonical.encode(statement))
