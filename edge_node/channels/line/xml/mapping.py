"""The words of the XML form, and what its reader and its writer must agree on.

The elements are those of the W3C's XML representation of JSON, the result of ``fn:json-to-xml`` (XPath and XQuery
Functions and Operators 3.1, 2017-03-21): ``map``, ``array``, ``string``, ``number``, ``boolean``, ``null``, and ``key``
for a property's name.  Types stand in the elements, so nothing is guessed from values: an id of digits stays a string,
an array of one stays an array.  Two things are our own: the namespace, and ``encoding="base64"`` instead of escapes for
what XML 1.0 cannot hold.  ``line-webhook.xsd`` states the same for others.
"""

import re
from base64 import b64encode
from binascii import a2b_base64

from shared.errors.bus import XmlRefused

NAMESPACE = "urn:homeport:line-webhook:1"
"""The last part is the version: it changes only together with the meaning of what was there before."""

DEPTH_MAX = 128
"""Levels of nesting that a JSON value in XML may have: LINE uses fewer than 10, and a value kept as it came 64."""

ELEMENTS_MAX = 100_000
"""Elements of a document: a body of 1,000 text events has about 20,000; more would hold up the node's other work."""

VALUES = frozenset({"map", "array", "string", "number", "boolean", "null"})
"""The elements that stand for a JSON value."""

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
"""A number as JSON spells it (RFC 8259, section 6); XML keeps the spelling."""

SPACE = " \t\r\n"
"""White space of XML 1.0, which may stand between elements."""

_WITHOUT_SPACE = dict.fromkeys(map(ord, SPACE))

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters outside ``Char`` (XML 1.0, section 2.2); halves of surrogate pairs among them."""


def holds(text: str) -> bool:
    """Say whether XML 1.0 can hold ``text``."""
    return _NOT_XML.search(text) is None


def encode_text(text: str) -> str:
    """Encode a string that XML cannot hold: base64 of its UTF-8, half a surrogate pair as its three bytes (WTF-8)."""
    return b64encode(text.encode("utf-8", "surrogatepass")).decode()


def decode_text(encoded: str) -> str:
    """Decode what :func:`encode_text` made; ``XmlRefused`` where it is none."""
    try:
        return decode_bytes(encoded).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        pass
    raise XmlRefused(reason="value")


def decode_bytes(encoded: str) -> bytes:
    """Decode base64 (RFC 4648, section 4), with line breaks as XML's ``base64Binary`` allows; else ``XmlRefused``."""
    try:
        return a2b_base64(encoded.translate(_WITHOUT_SPACE).encode(), strict_mode=True)
    except ValueError:
        pass
    raise XmlRefused(reason="value")
