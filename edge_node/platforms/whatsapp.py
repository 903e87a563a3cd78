"""What Meta says of a WhatsApp account: where webhooks go, where messages rest, whether the app is subscribed.

Sources: webhooks/override (2026-06-28), local-storage (2026-03-31), no-storage (2026-05-21), all of the WhatsApp
Business Platform documentation; ``GET /{phone-number-id}/settings`` and ``GET /{WABA}/subscribed_apps`` also in
facebook/openapi v23.0.
"""

import msgspec

from edge_node.core.accounts import Account, Credentials, WhatsAppIds
from edge_node.core.findings import Finding
from edge_node.platforms.client import Answer, PlatformClient, read
from edge_node.platforms.findings import judge_callback, token_refused

GRAPH_VERSION = "v25.0"
"""The Graph version of Meta's samples in 2026; a version lives for two years."""


class _Callbacks(msgspec.Struct, frozen=True):
    """``webhook_configuration``: Meta uses the first that is set, number before WABA before app."""

    phone_number: str | None = None
    whatsapp_business_account: str | None = None
    application: str | None = None
    override_callback_uri: str | None = None
    """As the OpenAPI description names the number's own."""


class _Number(msgspec.Struct, frozen=True):
    """``GET /{phone-number-id}?fields=webhook_configuration``."""

    webhook_configuration: _Callbacks = _Callbacks()


class _Storage(msgspec.Struct, frozen=True):
    """``storage_configuration``; the status is in upper or lower case, depending on the page."""

    status: str = ""
    data_localization_region: str | None = None


class _NumberSettings(msgspec.Struct, frozen=True):
    """``GET /{phone-number-id}/settings``."""

    storage_configuration: _Storage | None = None


class _App(msgspec.Struct, frozen=True):
    """``whatsapp_business_api_data`` of a subscribed app."""

    id: str = ""


class _Subscription(msgspec.Struct, frozen=True):
    """One of ``data[]`` of ``GET /{WABA}/subscribed_apps``."""

    whatsapp_business_api_data: _App = _App()


class _Subscriptions(msgspec.Struct, frozen=True):
    """``GET /{WABA}/subscribed_apps``."""

    data: tuple[_Subscription, ...] = ()


class WhatsAppProbe:
    """Asks Meta about an account, number by number and WABA by WABA."""

    def __init__(self, base: str) -> None:
        """Take the Graph interface's base address."""
        self._base = base

    async def __call__(self, account: Account, credentials: Credentials) -> list[Finding]:
        """Give what Meta says; ``PlatformUnavailable`` where it does not answer."""
        if not isinstance(account.ids, WhatsAppIds) or credentials.access_token is None:
            raise TypeError("a WhatsApp account with an access token")
        findings = []
        async with PlatformClient(self._base, credentials.access_token) as client:
            for place, number in enumerate(account.ids.phone_number_ids, start=1):
                which = f"number {place} of {len(account.ids.phone_number_ids)}"
                asked = await client.get(GRAPH_VERSION, number, fields="webhook_configuration")
                findings.append(_callback(account, asked, which))
                findings.append(_storage(await client.get(GRAPH_VERSION, number, "settings"), which))
            for place, waba in enumerate(account.ids.waba_ids, start=1):
                which = f"business account {place} of {len(account.ids.waba_ids)}"
                asked = await client.get(GRAPH_VERSION, waba, "subscribed_apps")
                findings.append(_subscribed(account.ids.app_id, asked, which))
        if account.app_home:
            findings.append(_APP_HOME)
        return findings


_APP_HOME = Finding(
    "app_callback",
    "unknown",
    "the app's own callback is not told under this token",
    "Compare it in the app's dashboard: WhatsApp, Configuration, Callback URL.",
)


def _callback(account: Account, asked: Answer, which: str) -> Finding:
    """Judge where webhooks of a number go: the number's own address, else the WABA's, else the app's."""
    if not asked.good:
        return token_refused("callback", which) if asked.refused else _not_told("callback", which)
    told = read(asked, _Number).webhook_configuration
    address = told.override_callback_uri or told.phone_number or told.whatsapp_business_account or told.application
    return judge_callback(account, address, which)


def _storage(asked: Answer, which: str) -> Finding:
    """Say where Meta keeps a number's messages at rest; a record for evidence, so the country is named."""
    if not asked.good:
        return token_refused("storage", which) if asked.refused else _not_told("storage", which)
    told = read(asked, _NumberSettings).storage_configuration
    match told.status.upper() if told else "":
        case "IN_COUNTRY_STORAGE_ENABLED":
            country = (told.data_localization_region if told else None) or "a country not named"
            return Finding("storage", "ok", f"{which}: Local Storage is on; at rest at Meta in {country[:2].upper()}")
        case "NO_STORAGE_ENABLED":
            what = f"{which}: No Storage is on; Meta repeats webhooks for 1 hour instead of 7 days"
            return Finding(
                "storage", "warning", what, "Keep the node within reach: what it misses for an hour is lost."
            )
        case "DEFAULT":
            what = f"{which}: Local Storage is off; Meta keeps messages up to 30 days where it chooses"
            return Finding("storage", "warning", what, "Turn it on where residency at Meta is promised (re-registers).")
        case _:
            return _not_told("storage", which)


def _subscribed(app_id: str, asked: Answer, which: str) -> Finding:
    """Say whether the app is subscribed to a WABA; without it Meta sends nothing."""
    if not asked.good:
        return token_refused("subscription", which) if asked.refused else _not_told("subscription", which)
    apps = {entry.whatsapp_business_api_data.id for entry in read(asked, _Subscriptions).data}
    if app_id not in apps:
        remedy = "Subscribe it: POST /<WABA>/subscribed_apps with this app's token."
        return Finding("subscription", "warning", f"{which}: this app is not subscribed", remedy)
    if len(apps) > 1:
        what = f"{which}: {len(apps) - 1} more app(s) get the same webhooks"
        return Finding("subscription", "warning", what, "Unsubscribe apps outside the region: each gets every message.")
    return Finding("subscription", "ok", f"{which}: this app alone is subscribed")


def _not_told(topic: str, which: str) -> Finding:
    """Say that Meta's answer leaves it open."""
    return Finding(topic, "unknown", f"{which}: Meta does not say", "Look in WhatsApp Manager.")
