"""What Meta says and takes of numbers and business accounts: callbacks, storage, subscriptions, the contact book.

Sources: webhooks/override (2026-06-28), local-storage (2026-03-31), business-scoped user ids (2026-05-28, contact
book), ``subscribed_apps`` in facebook/openapi v23.0.
"""

from typing import Any

from deploy.sandbox import whatsapp_media
from deploy.sandbox.courier import NotLoopback, require_loopback
from deploy.sandbox.exchange import Answer, Asked, graph_error, told
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.world import Number


async def node(sandbox: Sandbox, asked: Asked, number: Number) -> Answer:
    """Answer ``GET /{id}``: a number, or a file."""
    if asked.parts["node"] != number.id:
        return await whatsapp_media.describe(sandbox, asked, number)
    fields = asked.query.get("fields", "id,display_phone_number,verified_name,quality_rating").split(",")
    known: dict[str, Any] = {
        "display_phone_number": number.ids.display_phone_number,
        "verified_name": "Sandbox",
        "quality_rating": "GREEN",
        "webhook_configuration": number.callbacks,
    }
    return told({name: known[name] for name in fields if name in known} | {"id": number.id})


async def set_callback(sandbox: Sandbox, asked: Asked, number: Number) -> Answer:
    """Answer ``POST /{phone-number-id}``: set or clear the number's own callback."""
    wanted = asked.fields.get("webhook_configuration")
    if not isinstance(wanted, dict):
        return graph_error(100, "webhook_configuration is required")
    return _set_callback(sandbox, number, "phone_number", str(wanted.get("override_callback_uri") or ""))


async def settings(sandbox: Sandbox, asked: Asked, number: Number) -> Answer:
    """Answer ``GET /{phone-number-id}/settings``."""
    del sandbox, asked
    return told({"calling": {"status": "disabled"}, "storage_configuration": number.storage})


async def set_settings(sandbox: Sandbox, asked: Asked, number: Number) -> Answer:
    """Answer ``POST /{phone-number-id}/settings``: where the number's messages rest at Meta."""
    del sandbox
    wanted = asked.fields.get("storage_configuration")
    if not isinstance(wanted, dict) or "status" not in wanted:
        return graph_error(100, "storage_configuration is required")
    number.storage = wanted
    return told({"success": True})


async def subscribed_apps(sandbox: Sandbox, asked: Asked, number: Number) -> Answer:
    """Answer ``GET /{WABA}/subscribed_apps``."""
    del sandbox, asked
    return told({"data": [{"whatsapp_business_api_data": {"id": app, "name": "Sandbox"}} for app in number.subscribed]})


async def subscribe(sandbox: Sandbox, asked: Asked, number: Number) -> Answer:
    """Answer ``POST /{WABA}/subscribed_apps``: subscribe the token's app, perhaps with a callback for the WABA."""
    if number.ids.app_id not in number.subscribed:
        number.subscribed.append(number.ids.app_id)
    address = str(asked.fields.get("override_callback_uri") or "")
    return _set_callback(sandbox, number, "whatsapp_business_account", address)


async def unsubscribe(sandbox: Sandbox, asked: Asked, number: Number) -> Answer:
    """Answer ``DELETE /{WABA}/subscribed_apps``: nothing is sent from then on."""
    del sandbox, asked
    number.subscribed = [app for app in number.subscribed if app != number.ids.app_id]
    return told({"success": True})


async def forget_contact(sandbox: Sandbox, asked: Asked, number: Number) -> Answer:
    """Answer ``DELETE /{phone-number-id}/contact_book``: a person's number leaves Meta's book of the business."""
    bsuid = asked.query.get("bsuid", "")
    if asked.query.get("messaging_product") != "whatsapp" or not bsuid or bsuid[2:7] == ".ENT.":
        return graph_error(100, "messaging_product and bsuid are required; a parent id is not accepted")
    entry = (number.id, bsuid)
    deleted = entry in sandbox.world.contact_book
    sandbox.world.contact_book.discard(entry)
    return told({"success": True, "deleted": deleted})


def _set_callback(sandbox: Sandbox, number: Number, level: str, address: str) -> Answer:
    """Put an address of this machine in force; an empty one clears it.  Meta's handshake is not made."""
    del sandbox
    if not address:
        number.callbacks.pop(level, None)
        return told({"success": True})
    try:
        number.callbacks[level] = require_loopback(address)
    except NotLoopback as error:
        return graph_error(100, str(error))
    return told({"success": True})
