"""The XML form of a LINE webhook, read: the enclosed JSON bytes, LINE's signature, and what the elements say as JSON.

The document is read in one pass without a tree, within bounds.  It is data of one form and nothing else: no document
type, no entities, no processing instructions, no comments (one within a text would let two readers see two texts).
Nothing is ever fetched.  Whatever is wrong is ``XmlRefused`` with a code; no word of the document leaves in an error.
"""

import json
from typing import NoReturn

from defusedxml.common import DefusedXmlException, DTDForbidden
from defusedxml.ElementTree import ParseError, XMLParser

from edge_node.channels.contract import Enclosed
from edge_node.channels.line.xml.mapping import (
    DEPTH_MAX,
    ELEMENTS_MAX,
    NAMESPACE,
    NUMBER,
    SPACE,
    VALUES,
    decode_bytes,
    decode_text,
)
from shared.errors.bus import XmlRefused

_SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
"""Tools put it on the root; it is allowed there and never followed."""


def read(body: bytes) -> Enclosed:
    """Read a document of ``line-webhook.xsd``, UTF-8 with or without byte order mark.

    Raises ``XmlRefused`` (reason: ``encoding``, ``syntax``, ``dtd``, ``entity``, ``comment``, ``instruction``,
    ``too_deep``, ``too_many_elements``, ``shape``, ``value``) for anything else.
    """
    if not _is_utf8(body):
        raise XmlRefused(reason="encoding")
    document = _Document()
    parser = XMLParser(target=document, encoding="utf-8", forbid_dtd=True, forbid_entities=True, forbid_external=True)
    parser.parser.XmlDeclHandler = document.declaration
    reason = "syntax"
    try:
        parser.feed(body)
        parser.close()
    except DTDForbidden:
        reason = "dtd"
    except DefusedXmlException:
        reason = "entity"
    except ParseError:
        pass
    else:
        return document.enclosed()
    # Raised here, so that the parser's own error, which may quote the document, is not kept with it.
    raise XmlRefused(reason=reason)


def _is_utf8(body: bytes) -> bool:
    """Say whether the bytes can be XML in UTF-8; UTF-16 without a mark would pass, but for its zero bytes."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in body


class _Open:
    """An element that has begun."""

    __slots__ = ("children", "encoded", "kind", "text")

    def __init__(self, kind: str, *, encoded: bool) -> None:
        self.kind = kind
        self.encoded = encoded
        self.children = 0
        self.text: list[str] = []


class _Document:
    """What the parser calls, element by element; collects JSON text as it goes."""

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._elements = 0
        self._json: list[str] = []
        self._original = b""
        self._signature = b""

    def enclosed(self) -> Enclosed:
        """Give the whole, once the parser is through."""
        return Enclosed(self._original, self._signature, "".join(self._json).encode())

    def declaration(self, version: str, encoding: str | None, _standalone: int) -> None:
        """Refuse another version or encoding than the bytes are read in."""
        if version != "1.0" or (encoding or "utf-8").lower() != "utf-8":
            raise XmlRefused(reason="encoding")

    def comment(self, _text: str) -> NoReturn:
        """Refuse a comment."""
        raise XmlRefused(reason="comment")

    def pi(self, _target: str, _text: str) -> NoReturn:
        """Refuse a processing instruction."""
        raise XmlRefused(reason="instruction")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element, if it may stand here."""
        self._elements += 1
        if self._elements > ELEMENTS_MAX:
            raise XmlRefused(reason="too_many_elements")
        parent = self._open[-1] if self._open else None
        kind = _kind(tag, parent)
        if len(self._open) > DEPTH_MAX:
            raise XmlRefused(reason="too_deep")
        if kind in VALUES and parent is not None:
            self._separate(parent, attributes)
        encoded = kind == "string" and _is_base64(attributes.pop("encoding", None))
        if kind == "original":
            self._signature = attributes.pop("signature", "").encode()
        elif kind == "webhook":
            attributes.pop(_SCHEMA_LOCATION, None)
        elif kind in {"map", "array"}:
            self._json.append("{" if kind == "map" else "[")
        if attributes:
            raise XmlRefused(reason="shape")
        if parent is not None:
            parent.children += 1
        self._open.append(_Open(kind, encoded=encoded))

    def data(self, text: str) -> None:
        """Take characters in; between elements only white space may stand."""
        inner = self._open[-1]
        if inner.kind in {"webhook", "map", "array"}:
            if text.strip(SPACE):
                raise XmlRefused(reason="shape")
        else:
            inner.text.append(text)

    def end(self, _tag: str) -> None:
        """End an element, now that all of it is there."""
        done = self._open.pop()
        if done.kind == "webhook" and done.children != 2:
            raise XmlRefused(reason="shape")
        if done.kind == "original":
            self._original = decode_bytes("".join(done.text))
        elif done.kind in {"map", "array"}:
            self._json.append("}" if done.kind == "map" else "]")
        elif done.kind in VALUES:
            self._json.append(_leaf(done.kind, "".join(done.text), encoded=done.encoded))

    def _separate(self, parent: _Open, attributes: dict[str, str]) -> None:
        """Write what stands before a value: a comma, and in a map its key, which is taken out of ``attributes``."""
        if parent.kind in {"map", "array"} and parent.children:
            self._json.append(",")
        if parent.kind == "map":
            key = attributes.pop("key", None)
            if key is None:
                raise XmlRefused(reason="shape")
            if _is_base64(attributes.pop("key-encoding", None)):
                key = decode_text(key)
            self._json.append(json.dumps(key) + ":")


def _kind(tag: str, parent: _Open | None) -> str:
    """Give an element's name; ``XmlRefused`` where it may not stand below ``parent``."""
    namespace, _, kind = tag.rpartition("}")
    if namespace == "{" + NAMESPACE:
        if parent is None:
            fits = kind == "webhook"
        elif parent.kind == "webhook":
            fits = kind == "original" if parent.children == 0 else parent.children == 1 and kind in VALUES
        else:
            fits = parent.kind in {"map", "array"} and kind in VALUES
        if fits:
            return kind
    raise XmlRefused(reason="shape")


def _is_base64(encoding: str | None) -> bool:
    """Read an attribute that names an encoding: absent, or ``base64``."""
    if encoding not in {None, "base64"}:
        raise XmlRefused(reason="shape")
    return encoding is not None


def _leaf(kind: str, text: str, *, encoded: bool) -> str:
    """Write a string, number, boolean or null as JSON; a string's characters beyond ASCII as escapes."""
    if kind == "string":
        return json.dumps(decode_text(text) if encoded else text)
    word = text.strip(SPACE)
    if kind == "number" and NUMBER.fullmatch(word):
        return word
    if kind == "boolean" and word in {"true", "false"}:
        return word
    if kind == "null" and not text:
        return "null"
    raise XmlRefused(reason="value")
