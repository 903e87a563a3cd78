"""Findings that both platforms' probes give in the same words."""

from urllib.parse import urlsplit

from edge_node.core.accounts import Account
from edge_node.core.findings import Finding


def callback_path(account: Account) -> str:
    """Give the path of the account's webhook address at this node."""
    return f"/webhooks/{account.channel}/{account.name}"


def judge_callback(account: Account, address: str | None, which: str) -> Finding:
    """Say whether the platform sends to this account's address; ``which`` names the number or channel in words.

    A node behind a proxy does not know its own public host name: scheme and path are judged, the host is told.
    """
    if not address:
        remedy = f"Set the callback to https://<this node's public name>{callback_path(account)}"
        return Finding("callback", "warning", f"{which}: no callback is set", remedy)
    try:
        parts = urlsplit(address)
        scheme, host, path = parts.scheme, parts.hostname or "", parts.path
    except ValueError:
        scheme, host, path = "", "", ""
    if scheme != "https":
        return Finding("callback", "warning", f"{which}: the callback is no https address", "Set an https address.")
    if path != callback_path(account):
        remedy = f"Its path must be {callback_path(account)}; what is sent elsewhere does not come home."
        return Finding("callback", "warning", f"{which}: the callback at {host} is not this account's address", remedy)
    return Finding("callback", "ok", f"{which}: webhooks go to this account's address at {host}")


def token_refused(topic: str, which: str) -> Finding:
    """Say that the platform does not answer this under the stored token."""
    return Finding(
        topic,
        "warning",
        f"{which}: the platform refuses the access token or does not know the id",
        "Check the account's ids, or store a new token with account add --replace --access-token-file.",
    )
