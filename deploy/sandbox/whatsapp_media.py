"""Files at WhatsApp: a described id, an address that is good for five minutes, an upload, a deletion.

Source: business-phone-numbers/media (2026-04-17): ids from webhooks expire after 7 days, from uploads after 30.  The
digest is hexadecimal here and base64 in webhooks, as was seen by others.
"""

import hashlib
from io import BytesIO

from multipart import MultipartError, MultipartParser, parse_options_header

from deploy.sandbox.exchange import Answer, Asked, file_answer, graph_error, told
from deploy.sandbox.names import draw_digits, draw_token
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.world import Kept, Number
from shared.clock import DAY

INBOUND_MS = 7 * DAY
UPLOAD_MS = 30 * DAY
ADDRESS_MS = 5 * 60_000
LIMITS_BYTES = {
    "audio": 16 * 1024 * 1024,
    "video": 16 * 1024 * 1024,
    "image": 5 * 1024 * 1024,
    "application": 100 * 1024 * 1024,
    "text": 100 * 1024 * 1024,
}


async def describe(sandbox: Sandbox, asked: Asked, number: Number) -> Answer:
    """Answer ``GET /{media-id}``: an address for the file, its type, size and digest."""
    kept = _kept(sandbox, asked, number)
    if kept is None:
        return graph_error(100, "No such file, or it has expired", kind="GraphMethodException")
    now, secret = sandbox.clock.now(), draw_token(sandbox.chance)
    sandbox.world.media_addresses[secret] = (kept.id, now + ADDRESS_MS)
    return told(
        {
            "messaging_product": "whatsapp",
            "url": f"{asked.base}/whatsapp_business/attachments/{secret}",
            "mime_type": kept.mime_type,
            "sha256": hashlib.sha256(kept.data).hexdigest(),
            "file_size": len(kept.data),
            "id": kept.id,
        }
    )


async def download(sandbox: Sandbox, asked: Asked, number: Number) -> Answer:
    """Answer the file's address: with the token, and within five minutes."""
    media_id, until = sandbox.world.media_addresses.get(asked.parts["secret"], ("", 0))
    kept = sandbox.world.kept.get(media_id)
    if kept is None or kept.account != number.id or sandbox.clock.now() >= until:
        return Answer(404)
    return file_answer(asked, kept.data, kept.mime_type)


async def upload(sandbox: Sandbox, asked: Asked, number: Number) -> Answer:
    """Answer ``POST /{phone-number-id}/media``: keep a file for 30 days."""
    kind, options = parse_options_header(asked.headers.get("content-type", ""))
    if kind != "multipart/form-data" or "boundary" not in options:
        return graph_error(100, "multipart/form-data is wanted")
    try:
        parts = MultipartParser(BytesIO(asked.body), options["boundary"], part_limit=8, memory_limit=2**28).parts()
    except MultipartError:
        return graph_error(100, "the form cannot be read")
    fields = {part.name: part for part in parts}
    product, file = fields.get("messaging_product"), fields.get("file")
    if product is None or product.value != "whatsapp" or file is None:
        return graph_error(100, "messaging_product and file are required")
    mime_type = fields["type"].value if "type" in fields else file.content_type
    data = file.raw
    if len(data) > LIMITS_BYTES.get(mime_type.partition("/")[0], 0):
        return graph_error(131053, "the type is not supported or the file is too large")
    now = sandbox.clock.now()
    kept = Kept(draw_digits(15, sandbox.chance), "whatsapp", number.id, data, mime_type, now, now + UPLOAD_MS)
    sandbox.world.kept[kept.id] = kept
    return told({"id": kept.id})


async def delete(sandbox: Sandbox, asked: Asked, number: Number) -> Answer:
    """Answer ``DELETE /{media-id}``."""
    kept = _kept(sandbox, asked, number)
    if kept is None:
        return graph_error(100, "No such file, or it has expired", kind="GraphMethodException")
    del sandbox.world.kept[kept.id]
    return told({"success": True})


def _kept(sandbox: Sandbox, asked: Asked, number: Number) -> Kept | None:
    """Find a file that is this number's, has not expired, and belongs to the number asked for, if one is."""
    kept = sandbox.world.kept.get(asked.parts["node"])
    if kept is None or kept.account != number.id or sandbox.clock.now() >= kept.expires_at:
        return None
    return kept if asked.query.get("phone_number_id", number.id) == number.id else None
