"""Rules of LINE's reference that its OpenAPI file does not state: lengths in UTF-16 units, what may not be empty.

Source: Messaging API reference (2026-08-07), message objects; ``text-character-count``.
"""

from typing import Any

MESSAGES_MAX = 5
TEXT_UNITS_MAX = 5_000
ALT_TEXT_MAX = 1_500
URL_MAX = 2_000


def utf16_units(text: str) -> int:
    """Count as LINE counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def line_message_errors(messages: object) -> list[dict[str, str]]:
    """Give ``details`` as LINE does: one entry for each property that is wrong."""
    if not isinstance(messages, list) or not 1 <= len(messages) <= MESSAGES_MAX:
        return [{"message": f"Size must be between 1 and {MESSAGES_MAX}", "property": "messages"}]
    found = []
    for place, message in enumerate(messages):
        for name, what in _wrong(message if isinstance(message, dict) else {}):
            found.append({"message": what, "property": f"messages[{place}].{name}"})
    return found


def _wrong(message: dict[str, Any]) -> list[tuple[str, str]]:
    """Give property and complaint for each thing wrong with one message."""
    match message.get("type"):
        case "text" | "textV2":
            return _length(message, "text", TEXT_UNITS_MAX)
        case "template" | "flex" | "imagemap":
            return _length(message, "altText", ALT_TEXT_MAX)
        case "image" | "video":
            return _https(message, "originalContentUrl") + _https(message, "previewImageUrl")
        case "audio":
            wrong = _https(message, "originalContentUrl")
            return wrong if message.get("duration") else [*wrong, ("duration", "May not be empty")]
        case "sticker":
            return _length(message, "packageId", 20) + _length(message, "stickerId", 20)
        case "location":
            return _length(message, "title", 100) + _length(message, "address", 100)
        case "coupon":
            return []
        case _:
            return [("type", "Must be one of the following values")]


def _length(message: dict[str, Any], name: str, most: int) -> list[tuple[str, str]]:
    """Ask for a text that is not empty and not too long."""
    text = message.get(name)
    if not isinstance(text, str) or not text:
        return [(name, "May not be empty")]
    return [(name, f"Length must be between 0 and {most}")] if utf16_units(text) > most else []


def _https(message: dict[str, Any], name: str) -> list[tuple[str, str]]:
    """Ask for an https address."""
    address = message.get(name)
    if not isinstance(address, str) or not address.startswith("https://") or len(address) > URL_MAX:
        return [(name, "Must be a valid HTTPS URL")]
    return []
