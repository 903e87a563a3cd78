"""A LINE webhook as an integration bus hands it on: JSON bytes to the XML form.  Pure.

A node never writes XML; this shows a developer of a bus what to write, and says by example what the reader reads.
Every JSON value has exactly one XML form: order, doubled properties and the spelling of numbers stay.
"""

import json
from base64 import encodebytes
from collections.abc import Iterator
from typing import Any, NoReturn
from xml.sax.saxutils import escape, quoteattr

from edge_node.channels.line.xml.mapping import DEPTH_MAX, NAMESPACE, encode_text, holds
from shared.errors import BodyMalformed
from shared.errors.bus import XmlRefused


class _Number(str):
    """A number as the JSON spells it."""

    __slots__ = ()


class _Members(list[tuple[str, Any]]):
    """An object's properties in order, doubled ones too."""

    __slots__ = ()


def write(body: bytes, signature: str) -> bytes:
    """Write a webhook's JSON and its ``x-line-signature`` (or an empty one) as a document of ``line-webhook.xsd``.

    Raises ``BodyMalformed`` where ``body`` is no JSON (RFC 8259), ``XmlRefused`` where it is nested too deeply.
    """
    value = _read(body)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<webhook xmlns="{NAMESPACE}">',
        f"  <original signature={quoteattr(signature)}>",
        encodebytes(body).decode() + "  </original>",
        *_value(value, "", 1),
        "</webhook>",
        "",
    ]
    return "\n".join(lines).encode()


def _read(body: bytes) -> Any:
    """Read JSON, with numbers as they are spelled and objects as lists of properties."""
    try:
        return json.loads(
            body.decode(),
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_constant,
            object_pairs_hook=_Members,
        )
    except RecursionError:
        raise XmlRefused(reason="too_deep") from None
    except ValueError:
        pass
    raise BodyMalformed()


def _constant(_name: str) -> NoReturn:
    """Refuse ``NaN`` and ``Infinity``, which Python reads and JSON does not have."""
    raise BodyMalformed()


def _value(value: Any, attributes: str, depth: int) -> Iterator[str]:
    """Write a value as lines; ``attributes`` hold its key, if it has one."""
    if depth > DEPTH_MAX:
        raise XmlRefused(reason="too_deep")
    space = "  " * depth
    match value:
        case _Members():
            yield f"{space}<map{attributes}>"
            for name, inner in value:
                yield from _value(inner, _key(name), depth + 1)
            yield f"{space}</map>"
        case list():
            yield f"{space}<array{attributes}>"
            for inner in value:
                yield from _value(inner, "", depth + 1)
            yield f"{space}</array>"
        case None:
            yield f"{space}<null{attributes}/>"
        case bool():
            yield f"{space}<boolean{attributes}>{str(value).lower()}</boolean>"
        case _Number():
            yield f"{space}<number{attributes}>{value}</number>"
        case _ if holds(value):
            # A bare carriage return would be read back as a line feed (XML 1.0, section 2.11).
            yield f"{space}<string{attributes}>{escape(value, {chr(13): '&#13;'})}</string>"
        case _:
            yield f'{space}<string{attributes} encoding="base64">{encode_text(value)}</string>'


def _key(name: str) -> str:
    """Write a property's name as attributes."""
    if holds(name):
        return f" key={quoteattr(name)}"
    return f' key="{encode_text(name)}" key-encoding="base64"'
