"""What LINE says of a channel: whose it is, where webhooks go, whether they are on, whether the address answers.

Source: Messaging API reference (2026-08-07) and line-openapi (2026-07-01): ``/v2/bot/info``,
``/v2/bot/channel/webhook/endpoint``, ``/v2/bot/channel/webhook/test``.
"""

import msgspec

from edge_node.core.accounts import Account, Credentials, LineIds
from edge_node.core.findings import Finding
from edge_node.platforms.client import Answer, PlatformClient, read
from edge_node.platforms.findings import judge_callback, token_refused

_WHICH = "channel"


class _Bot(msgspec.Struct, frozen=True, rename="camel"):
    """``GET /v2/bot/info``: the parts that are looked at."""

    user_id: str
    chat_mode: str = ""


class _Endpoint(msgspec.Struct, frozen=True):
    """``GET /v2/bot/channel/webhook/endpoint``."""

    endpoint: str
    active: bool


class _Tested(msgspec.Struct, frozen=True, rename="camel"):
    """``POST /v2/bot/channel/webhook/test``."""

    success: bool = False
    status_code: int = 0
    reason: str = ""


class LineProbe:
    """Asks LINE about a channel."""

    def __init__(self, base: str, *, test: bool = False) -> None:
        """Take the Messaging API's base address; with ``test`` LINE also sends an empty webhook (60 an hour)."""
        self._base = base
        self._test = test

    async def __call__(self, account: Account, credentials: Credentials) -> list[Finding]:
        """Give what LINE says; ``PlatformUnavailable`` where it does not answer."""
        if not isinstance(account.ids, LineIds) or credentials.access_token is None:
            raise TypeError("a LINE account with an access token")
        async with PlatformClient(self._base, credentials.access_token) as client:
            findings = _bot(account.ids, await client.get("v2", "bot", "info"))
            findings += _endpoint(account, await client.get("v2", "bot", "channel", "webhook", "endpoint"))
            if self._test:
                findings.append(_tested(await client.post("v2", "bot", "channel", "webhook", "test", body={})))
        return [*findings, _STORAGE]


_STORAGE = Finding(
    "storage",
    "unknown",
    "LINE documents no setting for where it keeps messages; its own copies are its own",
    "Say so in the privacy notice.",
)


def _bot(ids: LineIds, asked: Answer) -> list[Finding]:
    """Compare the token's channel with the account's, and look whether LINE's own chat is on."""
    if not asked.good:
        return [token_refused("channel", _WHICH)]
    told = read(asked, _Bot)
    if told.user_id != ids.bot_user_id:
        remedy = "Store this channel's own token and its bot user id."
        return [Finding("channel", "warning", "the access token belongs to another channel", remedy)]
    findings = [Finding("channel", "ok", "the access token belongs to this channel")]
    if told.chat_mode == "chat":
        what = "chat is on in LINE Official Account Manager: people may read and answer there, outside this node"
        findings.append(Finding("chat", "warning", what, "Turn chat off there, unless that is intended."))
    return findings


def _endpoint(account: Account, asked: Answer) -> list[Finding]:
    """Judge where webhooks go and whether they are on; LINE answers 404 where no address was ever set."""
    if asked.refused:
        return [token_refused("callback", _WHICH)]
    if not asked.good:
        return [judge_callback(account, None, _WHICH)]
    told = read(asked, _Endpoint)
    findings = [judge_callback(account, told.endpoint, _WHICH)]
    if not told.active:
        remedy = "Turn on 'Use webhook' in LINE Developers: LINE does not send a text twice."
        findings.append(Finding("webhook_use", "warning", "webhooks are turned off at LINE", remedy))
    redelivery = "whether webhook redelivery is on cannot be asked"
    findings.append(
        Finding("redelivery", "unknown", redelivery, "Turn it on in LINE Developers; it is off by default.")
    )
    return findings


def _tested(asked: Answer) -> Finding:
    """Say what came of the empty webhook that LINE sent."""
    if not asked.good:
        return Finding("test", "unknown", "LINE did not run the test", "LINE allows 60 tests an hour; try again later.")
    told = read(asked, _Tested)
    if told.success:
        return Finding("test", "ok", "LINE sent an empty webhook and it was answered 200")
    what = f"LINE sent an empty webhook and got status {told.status_code}"
    return Finding("test", "warning", what, "401: the channel secret differs. 0 or less: LINE could not connect.")
