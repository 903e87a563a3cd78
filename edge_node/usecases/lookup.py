"""Find a person by what a letter says, at this node and nowhere else; every search is on record, without its words.

The policy is asked whether anybody may be looked for here for that purpose, by the law of the place, and for
each person found, by the law that protects them: whether they may be looked for, and whether it may be on record that
they were.  Whom it denies is not found, and that is on record, too.
"""

from edge_node.core.asking import LookupPurpose
from edge_node.core.lookup import identifiers_of
from edge_node.storage.content.accounts import Accounts
from edge_node.storage.content.jurisdictions import derived_of
from edge_node.storage.content.lookups import Sought, find_subjects, record_lookup
from edge_node.storage.content.quarantine import refuse_in_quarantine
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.governing.border import denies
from edge_node.usecases.governing.policy_book import PolicyBook
from shared.clock import Clock
from shared.database.contract import Database
from shared.errors.uplink import IdentifierInvalid


async def find_people(
    content: Database,
    keys: KeyStore,
    accounts: Accounts,
    typed: str,
    country: str | None,
    purpose: LookupPurpose,
    policy: PolicyBook,
    clock: Clock,
) -> list[str]:
    """Give the pseudonyms of the people whom an identifier names now, at any account of this node, sorted.

    ``IdentifierInvalid`` where ``typed`` is none, ``InQuarantine`` while nobody may be looked up.  Somebody who was
    erased is not found.  ``PolicyDenies`` where the policy lets nobody be looked for, or denies everybody found.
    """
    await refuse_in_quarantine(content)
    decision = policy.decide_noted("process", "identifier", purpose, policy.own_law())
    if not decision.allowed:
        raise denies(decision)
    identifiers = identifiers_of(typed, country)
    if not identifiers:
        raise IdentifierInvalid
    scopes = sorted({(account.channel, account.scope) for account, _ in await accounts.load()})
    indexes = await keys.indexes("identity")
    blinds = [
        index.of(scope, identifier.kind, identifier.value)
        for identifier in identifiers
        for channel, scope in scopes
        if identifier.kind.startswith(channel)
        for index in indexes
    ]
    people = await find_subjects(content, blinds)
    laws = await derived_of(content, people.values())
    found: list[Sought] = []
    for name, subject in sorted(people.items()):
        decision = policy.decide_noted("process", "identifier", purpose, laws.get(subject))
        recorded = policy.decide_noted("log", "pseudonym", "audit", laws.get(subject)) if decision.allowed else decision
        if recorded.allowed:
            found.append(Sought(name, decision.rule or "", decision.bundle))
        else:
            decision = recorded
    if people and not found:
        raise denies(decision)
    await record_lookup(content, purpose, found, Sought(None, decision.rule or "", decision.bundle), clock.now())
    return [each.pseudonym for each in found if each.pseudonym is not None]
