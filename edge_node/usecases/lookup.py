"""Find a person by what a letter says, at this node and nowhere else; every search is on record, without its words."""

from edge_node.core.lookup import identifiers_of
from edge_node.storage.content.accounts import Accounts
from edge_node.storage.content.lookups import find_pseudonyms, record_lookup
from edge_node.storage.content.quarantine import refuse_in_quarantine
from edge_node.storage.keys.store import KeyStore
from shared.clock import Clock
from shared.database.contract import Database
from shared.errors.uplink import IdentifierInvalid
from shared.wire.types import PurposeCode


async def find_people(
    content: Database,
    keys: KeyStore,
    accounts: Accounts,
    typed: str,
    country: str | None,
    purpose: PurposeCode,
    clock: Clock,
) -> list[str]:
    """Give the pseudonyms of the people whom an identifier names now, at any account of this node, sorted.

    ``IdentifierInvalid`` where ``typed`` is none, ``InQuarantine`` while nobody may be looked up.  Somebody who was
    erased is not found.
    """
    await refuse_in_quarantine(content)
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
    found = await find_pseudonyms(content, blinds)
    await record_lookup(content, purpose, found, clock.now())
    return found
