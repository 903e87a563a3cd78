"""A stand-in for an integration bus that takes LINE's webhooks and hands them on as XML.

Written by the page of the form (``edge_node/channels/line/xml/README.md``) alone, with an XML and a JSON library such
as a bus has: numbers are read and written again, everything stands on one line, the namespace has a prefix.
"""

import base64
import hashlib
import hmac
import json
import re
from typing import Any
from xml.etree import ElementTree as ET

_NAMESPACE = "urn:homeport:line-webhook:1"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold, and the carriage return, which this XML library writes bare: it is then read as a line feed."""

ET.register_namespace("hp", _NAMESPACE)


def bus_xml(original: bytes, line_signature: str) -> bytes:
    """Write one of LINE's webhooks, with the ``x-line-signature`` it came with, as XML."""
    webhook = ET.Element(f"{{{_NAMESPACE}}}webhook")
    enclosed = _add(webhook, "original", base64.b64encode(original).decode())
    enclosed.set("signature", line_signature)
    _add_value(webhook, json.loads(original))
    written: bytes = ET.tostring(webhook, encoding="utf-8", xml_declaration=True)
    return written


def sign_bus(secret: bytes, body: bytes) -> str:
    """Give the value of ``X-Homeport-Signature``."""
    return f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"


def _add(parent: ET.Element, name: str, text: str | None = None) -> ET.Element:
    """Add an element."""
    element = ET.SubElement(parent, f"{{{_NAMESPACE}}}{name}")
    element.text = text
    return element


def _add_value(parent: ET.Element, value: Any) -> ET.Element:
    """Add a JSON value."""
    match value:
        case dict():
            element = _add(parent, "map")
            for name, inner in value.items():
                member = _add_value(element, inner)
                if _CONTROL.search(name):
                    member.set("key-encoding", "base64")
                member.set("key", _base64(name) if _CONTROL.search(name) else name)
            return element
        case list():
            element = _add(parent, "array")
            for inner in value:
                _add_value(element, inner)
            return element
        case str() if _CONTROL.search(value):
            element = _add(parent, "string", _base64(value))
            element.set("encoding", "base64")
            return element
        case str():
            return _add(parent, "string", value)
        case None:
            return _add(parent, "null")
        case bool():
            return _add(parent, "boolean", "true" if value else "false")
        case _:
            return _add(parent, "number", json.dumps(value))


def _base64(text: str) -> str:
    """Encode what XML cannot hold."""
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
