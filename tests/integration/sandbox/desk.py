"""A node's parts over real stores in one process, with accounts at a sandbox: what receives and what replies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from deploy.sandbox.names import LineChannel, WhatsAppNumber
from deploy.sandbox.world import Bot, Number
from edge_node.assembly import assemble_replier, assemble_taking_in
from edge_node.channels.registry import CHANNELS
from edge_node.core.accounts import Account, Credentials, LineIds, WhatsAppIds
from edge_node.settings import EdgeSettings
from edge_node.settings_media import Platforms
from edge_node.storage.content.policies import PolicyStore
from edge_node.stores import Stores, initialise, open_stores
from edge_node.usecases.receiving.filing import Taken
from shared.crypto import Cipher, content_place
from shared.message import Event, Message
from shared.policy.bundling import digest
from tests.support.house_policy import bundle_bytes
from tests.support.stores import OPEN

NUMBER, CHANNEL = WhatsAppNumber(), LineChannel()
SHOP = Account("shop", WhatsAppIds(NUMBER.app_id, (NUMBER.waba_id,), (NUMBER.phone_number_id,)), "555", country="DE")
DESK = Account("line-desk", LineIds(CHANNEL.bot_user_id), "1656", country="JP")
ACCOUNTS = {"whatsapp": SHOP, "line": DESK}


class Desk:
    """Receives and replies; ``stores.clock`` is the machine's."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores

    async def receive(self, channel: str, body: bytes) -> str:
        """Take a webhook body in as if it had come signed; give the pseudonym of the newest subject."""
        taking_in = await assemble_taking_in(self.stores)
        account, now = ACCOUNTS[channel], self.stores.clock.now()
        (row,) = await self.rows("SELECT id FROM account WHERE name = :name", name=account.name)
        events = CHANNELS[channel].parse(body)
        taken = [Taken(event, row[0], account.name, account.scope, now, account.country) for event in events]
        await taking_in.take_in(taken)
        return (await self.rows("SELECT pseudonym FROM subject ORDER BY id DESC LIMIT 1"))[0][0]

    async def reply(self, pseudonym: str, text: str):
        """Reply as the command does."""
        return await (await assemble_replier(self.stores)).reply(pseudonym, text)

    async def rows(self, sql: str, **parameters: object) -> list[tuple]:
        """Read rows of the content store."""
        async with self.stores.content.read() as transaction:
            return await transaction.fetch(sql, parameters)

    async def outbound(self) -> list[Message]:
        """Open every message of the business, oldest first, each under the subject it is addressed to."""
        rows = await self.rows(
            "SELECT m.key, m.sealed, s.pseudonym FROM message m JOIN subject s ON s.id = m.subject "
            "WHERE m.direction = 'out' ORDER BY m.id"
        )
        found = []
        for key, sealed, pseudonym in rows:
            row_key = (await self.stores.keys.open_rows([key]))[key]
            assert row_key.owner == pseudonym
            place = content_place(self.stores.keys.region, pseudonym, "message", "sealed", key)
            found.append(msgspec.json.decode(Cipher(row_key.key).open(sealed, place), type=Event))
        return found


@asynccontextmanager
async def desk(folder: Path, platforms: str) -> AsyncIterator[Desk]:
    """Open a node's parts below ``folder``, with both accounts at the sandbox at ``platforms``."""
    data = folder / "data"
    chosen = EdgeSettings(
        region="eu-test",
        data_dir=data,
        journal_dir=folder / "journal",
        key_dir=data / "keyring",
        platforms=Platforms(platforms, platforms),
    )
    if not data.exists():
        await initialise(chosen)
    async with open_stores(chosen) as stores:
        if not await stores.accounts.load():
            for account, token in ((SHOP, Number().token), (DESK, Bot().token)):
                tokens = ("verify",) if account is SHOP else ()
                await stores.accounts.save(account, Credentials((b"0123456789abcdef",), tokens, token), replace=False)
        policies = PolicyStore(stores.content)
        if await policies.newest() is None:
            now = stores.clock.now()
            await policies.keep(1, digest(OPEN), bundle_bytes(OPEN), now, issued_at=now)
        yield Desk(stores)
